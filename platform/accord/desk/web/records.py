"""Records of one bundle as a page shows them: fields for people, and the line as it was signed."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from accord.desk.indicators.search import EndState, end_states
from accord.desk.storage import Mark, StoredBundle, Vault
from accord.desk.storage.bundles import lines_of
from accord.kernel.errors import Malformed
from accord.kernel.indicators import IndicatorRecord

_decode = msgspec.json.Decoder(IndicatorRecord).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRecord:
    """One record. ``content`` is ``None`` for an invalid record and for other kinds of bundle."""

    number: int
    line: str
    content: IndicatorRecord | None
    invalid: bool
    states: tuple[EndState, ...]


def shown_records(
    vault: Vault,
    bundle: StoredBundle,
    *,
    marks: Sequence[Mark],
    invalid: frozenset[int],
    limit: int,
    now: int,
) -> list[ShownRecord]:
    """Return the first records of ``bundle``, in the order in which they were signed.

    Args:
        vault: the open vault.
        bundle: a stored bundle.
        marks: what happened to it.
        invalid: numbers of its quarantined records.
        limit: how many at most.
        now: unix seconds.
    """
    lines = itertools.islice(lines_of(vault, bundle), limit)
    return [
        ShownRecord(
            number=number,
            line=line.decode("utf-8", "backslashreplace"),  # a sender may have signed anything
            content=None if number in invalid else _content(line),
            invalid=number in invalid,
            states=end_states(bundle, number, marks, now=now),
        )
        for number, line in enumerate(lines)
    ]


def _content(line: bytes) -> IndicatorRecord | None:
    # The line was checked when the bundle was opened; lines of other kinds are no indicators.
    try:
        return _decode(line)
    except msgspec.MsgspecError:
        return None


def value_of(line: bytes) -> str:
    """Return the value of a record's line.

    Raises:
        Malformed: ``record_invalid`` for a line that is no record.
    """
    content = _content(line)
    if content is None:
        raise Malformed("record_invalid", "This line is no record of an indicator.")
    return content.value
