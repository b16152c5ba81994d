"""Heads of the desks' own journals, and where one begins anew: events that the witnesses cosign.

Invariants: a head of a journal is never smaller than its last one, and one size has one root; a
journal begins anew at most once, and one that ended takes no head; the same again gets the same
answer and is no second event. Names, sizes, roots and a code for the cause are all that comes: the
hub learns how many journals an organisation has and how many rows, and nothing of the rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, func, select, update

from accord.hub.access import Action, Actor, require
from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.storage import Writer, replacing
from accord.hub.trail.restarts import ShownRestart, restarts_of
from accord.hub.trail.tables import JournalRow
from accord.kernel.errors import Conflict, Unavailable
from accord.kernel.identifiers import OrgId
from accord.kernel.tlog.growing import GrownHead, format_grown
from accord.kernel.tlog.journals import (
    Cause,
    Restart,
    format_journal,
    format_restart,
    restart_row,
)

PAUSE_SECONDS = 10
"""Time that must be between two heads of one journal."""

MAX_JOURNALS = 1000
"""Most journals of one organisation."""

_SET = replacing(JournalRow, ["org", "journal"], "size", "root", "number", "at")
_DOCTOR = (
    "Run accord doctor at the desk: was an older vault put back, or do two desks have the same "
    "keys?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Journals:
    """Takes what desks send of their journals."""

    engine: Engine
    writer: Writer
    recorder: Recorder

    def restarts(self, actor: Actor | None) -> Sequence[ShownRestart]:
        """Return where journals of the actor's organisation began anew, the newest first.

        Raises:
            AuthenticationNeeded, Refused: as ``require``.
        """
        return restarts_of(self.engine, actor)

    def anchor(
        self, actor: Actor | None, head: GrownHead, *, journal: bytes | None = None, now: int
    ) -> int:
        """Record a head of one of the actor's journals; return its number in the audit log.

        Args:
            actor: the desk that asks.
            head: how many rows, and their root.
            journal: the name; ``None`` from a desk of before journals had one.
            now: the present second.

        Raises:
            Conflict: ``journal_head_older`` after a larger one, ``journal_head_other`` when this
                size had another root, ``journal_ended``, ``journals_too_many``.
            Unavailable: ``journal_head_soon`` right after the last one.
        """
        org = require(actor, Action.JOURNAL_ANCHOR).org
        name = "" if journal is None else journal.hex()

        def act(connection: Connection) -> int:
            last = _find(connection, org, name)
            if last is not None and (last.size, last.root) == (head.size, head.root):
                return int(last.number)
            _require_next(connection, org, last, head)
            if last is not None:
                _require_pause(last.at, now=now)
            event = Event(
                what=EventClass.JOURNAL_ANCHORED,
                org=org,
                subject=format_grown(head),
                detail="" if journal is None else format_journal(journal),
                concerns=(org,),
            )
            number = self.recorder.record(connection, event, now=now)
            _keep(connection, org, name, head, number=number, now=now)
            return number

        return self.writer.run(act)

    def restart(self, actor: Actor | None, restart: Restart, *, now: int) -> int:
        """Record that a journal begins anew or goes on; return the event's number in the log.

        Raises:
            Conflict: ``journal_restarted`` when it did so before, ``journal_unknown`` when the one
                that ends is none of the actor's or ended before, or a code of ``anchor``.
        """
        org = require(actor, Action.JOURNAL_RESTART).org
        name, said, head = restart.journal.hex(), restart_row(restart), restart.head

        def act(connection: Connection) -> int:
            last = _find(connection, org, name)
            begins = restart.cause is not Cause.LOST_DESK
            if begins and last is not None and last.begun is not None:
                return _again(last, restart, said)
            before = None if begins else _ended_before(connection, org, last, restart)
            if before is not None:
                return before
            _require_next(connection, org, last, head)
            _require_open(connection, org, restart.ended)
            event = Event(
                what=EventClass.JOURNAL_RESTARTED,
                org=org,
                subject=format_grown(head),
                basis=restart.cause.value,
                detail=format_restart(restart),
                concerns=(org,),
            )
            number = self.recorder.record(connection, event, now=now)
            _keep(connection, org, name, head, number=number, now=now)
            if begins:
                connection.execute(
                    update(JournalRow)
                    .where(_of(org, restart.journal))
                    .values(begun=number, said=said)
                )
            if restart.ended is not None:
                connection.execute(
                    update(JournalRow).where(_of(org, restart.ended)).values(ended=number)
                )
            return number

        return self.writer.run(act)


def _keep(
    connection: Connection, org: OrgId, name: str, head: GrownHead, *, number: int, now: int
) -> None:
    row = {"org": org, "journal": name, "number": number, "at": now}
    connection.execute(_SET.on(connection), row | {"size": head.size, "root": head.root})


_Row: TypeAlias = Row[int, bytes, int, int, int | None, str | None, int | None]


def _find(connection: Connection, org: OrgId, name: str) -> _Row | None:
    row: _Row | None = connection.execute(
        select(
            JournalRow.size,
            JournalRow.root,
            JournalRow.number,
            JournalRow.at,
            JournalRow.begun,
            JournalRow.said,
            JournalRow.ended,
        ).where(JournalRow.org == org, JournalRow.journal == name)
    ).one_or_none()
    return row


def _require_next(connection: Connection, org: OrgId, last: _Row | None, head: GrownHead) -> None:
    if last is None:
        _require_room(connection, org)
        return
    observed = f"{head.size} rows after {last.size}"
    if last.ended is not None:
        raise Conflict(
            "journal_ended",
            "This journal ended; another goes on.",
            observed=f"event {last.ended}",
            next_step=_DOCTOR,
        )
    if head.size < last.size:
        raise Conflict(
            "journal_head_older",
            "The journal had more rows before.",
            observed=observed,
            next_step=_DOCTOR,
        )
    if head.size == last.size and head.root != last.root:
        raise Conflict(
            "journal_head_other",
            "The journal had other rows before, as many as now.",
            observed=observed,
            next_step="Run accord doctor at the desk.",
        )


def _require_room(connection: Connection, org: OrgId) -> None:
    count = connection.scalar(
        select(func.count()).select_from(JournalRow).where(JournalRow.org == org)
    )
    if (count or 0) >= MAX_JOURNALS:
        raise Conflict(
            "journals_too_many",
            f"An organisation has at most {MAX_JOURNALS} journals.",
            observed=str(count),
            next_step="Ask the operator; something makes a new vault again and again.",
        )


def _require_pause(last: int, *, now: int) -> None:
    if 0 <= now - last < PAUSE_SECONDS:
        raise Unavailable(
            "journal_head_soon",
            "The last head of this journal came a moment ago.",
            retry_after=PAUSE_SECONDS,
            observed=f"{now - last} s ago",
        )


def _require_open(connection: Connection, org: OrgId, ended: bytes | None) -> None:
    """Let a journal end that is the organisation's own and goes on until now."""
    if ended is None:
        return
    found = _find(connection, org, ended.hex())
    if found is None or found.ended is not None:
        raise Conflict(
            "journal_unknown",
            "There is no journal of that name that goes on.",
            observed=ended.hex(),
            next_step="Run accord doctor at the desk: it lists the organisation's journals.",
        )


def _again(last: _Row, restart: Restart, said: str) -> int:
    """Return the number of a restart that comes a second time."""
    if (last.said, last.size, last.root) != (said, restart.head.size, restart.head.root):
        raise Conflict(
            "journal_restarted",
            "This journal began anew before, with other words.",
            observed=f"event {last.begun}",
            next_step="Run accord doctor at the desk.",
        )
    return int(last.begun or 0)


def _ended_before(
    connection: Connection, org: OrgId, last: _Row | None, restart: Restart
) -> int | None:
    """Return the number of an end from afar that comes a second time, else ``None``."""
    ended = None if restart.ended is None else _find(connection, org, restart.ended.hex())
    if last is None or ended is None or ended.ended != last.number:
        return None
    same = (last.size, last.root) == (restart.head.size, restart.head.root)
    return int(last.number) if same else None


def _of(org: OrgId, journal: bytes) -> ColumnElement[bool]:
    return and_(JournalRow.org == org, JournalRow.journal == journal.hex())
