"""The hub's two transparency logs: directory (whole statements) and audit (34-byte leaves).

An entry is staged by the act that causes it and becomes part of the log in the same transaction;
integration, tiles and the new checkpoint are made once for the whole batch, under the write lock.
The room signs only what follows from the head read under that lock. Format: docs/formats/log.md.
"""

from accord.hub.transparency.examination import recompute
from accord.hub.transparency.queries import LogReader
from accord.hub.transparency.service import LogSequencer, store_cosigned
from accord.hub.transparency.standing import ask_witness, compare_with_witness
from accord.hub.transparency.witnesses import WitnessPlace, WitnessRound
from accord.kernel.directory.rootfile import LogName

__all__ = [
    "LogName",
    "LogReader",
    "LogSequencer",
    "WitnessPlace",
    "WitnessRound",
    "ask_witness",
    "compare_with_witness",
    "recompute",
    "store_cosigned",
]
