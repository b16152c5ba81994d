"""The one form of a journal's row and of the hub's event that logs its head, and what a head says.

A leaf binds its fields by place and says nothing of their names: behind a closed field could stand
a second time or a second person, to be opened in the next file. So each has one form: which field
stands at which place, and which of them are closed.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from accord.kernel.directory.transition import CLOCK_SKEW
from accord.kernel.errors import VerificationFailed
from accord.kernel.identifiers import OrgId
from accord.kernel.tlog.growing import ANCHORED, GrownHead, parse_grown
from accord.kernel.tlog.journals import RESTARTED, parse_journal, parse_restart
from accord.kernel.tlog.leaf import UNDISCLOSED, Opening, RecordFields

ROW = ("kind", None, "at", "person", "act", "object", None)
"""A row: the act's number and the stated reason are closed."""

EVENT = ("time", "what", "org", None, None, "subject", "basis", "outcome", "detail", None)
"""A head's event: persons and the organisation's own number are closed."""

_TIME = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedHead:
    """A head, the second of its event by the hub's clock, and the journal's name.

    ``journal`` is ``None`` in heads of before journals had names.
    """

    head: GrownHead
    at: int
    journal: bytes | None


def refuse(message: str, observed: str) -> NoReturn:
    """Say that custody does not hold (VerificationFailed ``custody_wrong``)."""
    raise VerificationFailed(
        "custody_wrong",
        message,
        observed=observed[:120],
        next_step="Ask whoever made it for the file again, and keep this one.",
    )


def opened_as(record: RecordFields, form: Sequence[str | None]) -> dict[str, str]:
    """Return the open fields of a leaf that has just this form.

    Raises:
        VerificationFailed: ``custody_wrong``.
    """
    names = [one.field if isinstance(one, Opening) else None for one in record.fields]
    if names != [*form] or record.leaf_class != UNDISCLOSED:
        refuse(
            "A row or a head of the journal has other fields than its form.",
            ", ".join(name or "closed" for name in names),
        )
    return record.opened()


def read_head(record: RecordFields, org: OrgId) -> LoggedHead:
    """Return what an event says of a journal of ``org``.

    Raises:
        Malformed: ``journal_head_invalid``, ``journal_restart_invalid``.
        VerificationFailed: ``custody_wrong``.
    """
    fields = opened_as(record, EVENT)
    what, basis, detail = fields["what"], fields["basis"], fields["detail"]
    if (
        not (what == RESTARTED or (what == ANCHORED and not basis))
        or (fields["outcome"], fields["org"]) != ("ok", org)
        or not _TIME.fullmatch(fields["time"])
    ):
        refuse("An event is no head of the maker's journal.", f"{what} of {fields['org']}")
    at, subject = int(fields["time"]), fields["subject"]
    if what == ANCHORED:
        return LoggedHead(head=parse_grown(subject), at=at, journal=parse_journal(detail))
    restart = parse_restart(subject, basis, detail)
    return LoggedHead(head=restart.head, at=at, journal=restart.journal)


def backwards(entries: Iterable[tuple[int, int]]) -> set[int]:
    """Return the entries of a log that are dated before an earlier one, by their numbers.

    Args:
        entries: number and second of each; 5 minutes are let pass.
    """
    latest, found = 0, set[int]()
    for number, at in sorted(entries):
        if at + CLOCK_SKEW < latest:
            found.add(number)
        latest = latest if number in found else max(latest, at)
    return found
