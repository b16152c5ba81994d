"""Indicators: wallets, transactions, domains, onion services and URLs, each in one canonical form.

The room turns what people type into what organisations can match, and refuses what must not
travel (private keys, seed phrases, test networks, look-alikes). It knows no file, desk or bundle.
"""

from accord.kernel.indicators.batch import normalise_batch
from accord.kernel.indicators.kinds import (
    CANON_VERSION,
    Checksum,
    Kind,
    Network,
    Normalised,
    Outcome,
)
from accord.kernel.indicators.labels import network_of_label
from accord.kernel.indicators.lines import encode_line, encode_lines, parse_line, parse_lines
from accord.kernel.indicators.normalise import normalise
from accord.kernel.indicators.records import (
    Basis,
    Direction,
    IndicatorRecord,
    Moment,
    Move,
    Precision,
    Report,
    Role,
    record_of,
)

__all__ = [
    "CANON_VERSION",
    "Basis",
    "Checksum",
    "Direction",
    "IndicatorRecord",
    "Kind",
    "Moment",
    "Move",
    "Network",
    "Normalised",
    "Outcome",
    "Precision",
    "Report",
    "Role",
    "encode_line",
    "encode_lines",
    "network_of_label",
    "normalise",
    "normalise_batch",
    "parse_line",
    "parse_lines",
    "record_of",
]
