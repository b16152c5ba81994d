"""Heads of the desks' own journals: each becomes an event, which the witnesses cosign.

Invariants: a head of an organisation is never smaller than its last one, and one size has one root;
the same again gets the same answer and is no second event. Size and root are all that comes: the
hub learns how many rows a journal has, and nothing of them.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, Row, select

from accord.hub.access import Action, Actor, require
from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.storage import Writer, replacing
from accord.hub.trail.tables import JournalHeadRow
from accord.kernel.errors import Conflict, Unavailable
from accord.kernel.tlog.growing import GrownHead, format_grown

PAUSE_SECONDS = 10
"""Time that must be between two heads of one organisation."""

_SET = replacing(JournalHeadRow, ["org"], "size", "root", "number", "at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Journals:
    """Takes the heads that desks send."""

    writer: Writer
    recorder: Recorder

    def anchor(self, actor: Actor | None, head: GrownHead, *, now: int) -> int:
        """Record a head of the actor's journal; return its number in the audit log.

        Raises:
            Conflict: ``journal_head_older`` after a larger one, ``journal_head_other`` when this
                size had another root.
            Unavailable: ``journal_head_soon`` right after the last one.
        """
        org = require(actor, Action.JOURNAL_ANCHOR).org

        def act(connection: Connection) -> int:
            last = connection.execute(
                select(
                    JournalHeadRow.size,
                    JournalHeadRow.root,
                    JournalHeadRow.number,
                    JournalHeadRow.at,
                ).where(JournalHeadRow.org == org)
            ).one_or_none()
            if last is not None and (last.size, last.root) == (head.size, head.root):
                return int(last.number)
            if last is not None:
                _require_next(last, head, now=now)
            event = Event(
                what=EventClass.JOURNAL_ANCHORED,
                org=org,
                subject=format_grown(head),
                concerns=(org,),
            )
            number = self.recorder.record(connection, event, now=now)
            connection.execute(
                _SET.on(connection),
                {"org": org, "size": head.size, "root": head.root, "number": number, "at": now},
            )
            return number

        return self.writer.run(act)


def _require_next(last: Row[int, bytes, int, int], head: GrownHead, *, now: int) -> None:
    observed = f"{head.size} rows after {last.size}"
    if head.size < last.size:
        raise Conflict(
            "journal_head_older",
            "The journal had more rows before.",
            observed=observed,
            next_step="Run accord doctor at the desk: was an older vault put back, or do two desks "
            "have the same keys?",
        )
    if head.size == last.size:
        raise Conflict(
            "journal_head_other",
            "The journal had other rows before, as many as now.",
            observed=observed,
            next_step="Run accord doctor at the desk.",
        )
    if 0 <= now - last.at < PAUSE_SECONDS:
        raise Unavailable(
            "journal_head_soon",
            "The last head of this journal came a moment ago.",
            retry_after=PAUSE_SECONDS,
            observed=f"{now - last.at} s ago",
        )
