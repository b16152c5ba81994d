"""What the hub's log says of a desk's journal: whose head it is, and where one begins anew.

A journal's name is 16 random bytes, made with the vault. Its head is the event ``journal.anchored``
with the subject of ``growing`` and the detail ``journal=<32 hex digits>``; heads of desks from
before names were bound have an empty detail. The act by which a journal begins anew, or goes on
after a restore, is the event ``journal.restarted``: subject as above (the head right after the
act's own row), basis the cause, detail ``journal=<name> kept=<rows>``, and ``ended=<name>`` when
another journal ends with it. No other text goes there: why in words is a row of the journal.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from accord.kernel.errors import Malformed
from accord.kernel.tlog.growing import GrownHead, parse_grown

RESTARTED = "journal.restarted"
"""The class of the event that records a restart (``hub.audit.events``)."""

JOURNAL_ID_SIZE = 16

_NAME = re.compile(r"journal=([0-9a-f]{32})")
_DETAIL = re.compile(r"journal=([0-9a-f]{32}) kept=(0|[1-9][0-9]{0,17})(?: ended=([0-9a-f]{32}))?")


class Cause(StrEnum):
    """Why a journal is restarted, or ended from afar: a closed list, for the hub learns it."""

    RESTORED = "restored"
    MADE_ANEW = "made-anew"
    SECOND_DESK = "second-desk"
    LOST_DESK = "lost-desk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """The journal ``journal`` stands on its own from ``head`` on.

    Attributes:
        journal: its name.
        head: its head right after the row of the act.
        kept: the first so many rows are those that heads from before the act tell of.
        cause: why. With ``LOST_DESK`` this journal only says of another that it ended.
        ended: the journal that ends with it, if one does.
    """

    journal: bytes
    head: GrownHead
    kept: int
    cause: Cause
    ended: bytes | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be (Malformed ``journal_restart_invalid``)."""
        names = [self.journal, *([] if self.ended is None else [self.ended])]
        if (
            any(len(name) != JOURNAL_ID_SIZE for name in names)
            or not 0 <= self.kept < self.head.size
            or self.journal == self.ended
            or (self.cause is Cause.SECOND_DESK and self.ended is not None)
            or (self.cause is Cause.LOST_DESK and (self.ended is None or self.kept > 0))
        ):
            raise _invalid(restart_row(self))


def format_journal(journal: bytes) -> str:
    """Return a journal's name as it stands in the event of its head."""
    return f"journal={journal.hex()}"


def parse_journal(detail: str) -> bytes | None:
    """Return the name that ``format_journal`` wrote; ``None`` from before names were bound.

    Raises:
        Malformed: ``journal_head_invalid``.
    """
    if not detail:
        return None
    found = _NAME.fullmatch(detail)
    if found is None:
        raise Malformed(
            "journal_head_invalid",
            "A head of a journal names its journal, or nothing.",
            observed=_seen(detail),
        )
    return bytes.fromhex(found[1])


def format_restart(restart: Restart) -> str:
    """Return the detail of the event that records a restart."""
    ended = "" if restart.ended is None else f" ended={restart.ended.hex()}"
    return f"{format_journal(restart.journal)} kept={restart.kept}{ended}"


def restart_row(restart: Restart) -> str:
    """Return what the row of the act says in the journal itself."""
    return f"{restart.cause.value} {format_restart(restart)}"


def parse_restart(subject: str, basis: str, detail: str) -> Restart:
    """Return the restart that an event's three fields tell.

    Raises:
        Malformed: ``journal_restart_invalid``, ``journal_head_invalid``.
    """
    found = _DETAIL.fullmatch(detail)
    if found is None or basis not in set(Cause):
        seen = f"{basis} {detail}"
        raise _invalid(seen)
    return Restart(
        journal=bytes.fromhex(found[1]),
        head=parse_grown(subject),
        kept=int(found[2]),
        cause=Cause(basis),
        ended=None if found[3] is None else bytes.fromhex(found[3]),
    )


def _invalid(seen: str) -> Malformed:
    return Malformed(
        "journal_restart_invalid",
        "A restart names a journal, how many rows it keeps, why, and which other one it ends.",
        observed=_seen(seen),
    )


def _seen(text: str) -> str:
    return text[:120].encode("ascii", "backslashreplace").decode("ascii")
