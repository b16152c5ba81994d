"""Retention of the trail: after their time, what events say is erased; that they were, stays.

An event keeps its time, its class, the organisation that acted and the numbers of those whom it
concerned, so that every sequence stays whole; persons, subject, basis, outcome and detail go, value
and nonce. The leaf in the log does not change, and each run of it is an event. What desks said of
their journals is kept for good: it says who acted and how much, never about whom or what.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select, update

from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.audit.events import MEANINGS, Keeping
from accord.hub.audit.queries import first_since
from accord.hub.audit.tables import AuditEvent
from accord.hub.storage import Writer, overwriting, scrub
from accord.kernel.tlog.leaf import format_record, parse_record

GOES = ("person", "about", "subject", "basis", "outcome", "detail")
"""Fields that are erased."""

BATCH = 1000
"""Events of one transaction."""

DAY = 86_400
LOOK_SECONDS = 21_600
"""Time between two looks for what is due."""

_GONE: dict[str, object] = dict.fromkeys(("person", "about", "subject", "outcome"), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """Erases what events say once it is older than the setting of its kind."""

    engine: Engine
    writing: Engine
    writer: Writer
    recorder: Recorder
    days: Mapping[Keeping, int]

    def run(self, *, now: int) -> int:
        """Erase what is due and return of how many events."""
        count = 0
        for keeping, days in self.days.items():
            while done := self._batch(keeping, now - days * DAY, now):
                count += done
        if count:
            scrub(self.writing, "audit_events")
        return count

    def _batch(self, keeping: Keeping, before: int, now: int) -> int:
        with self.engine.connect() as connection:
            numbers = _due(connection, keeping, before)
        if not numbers:
            return 0

        def act(connection: Connection) -> int:
            with overwriting(connection):
                for number in numbers:
                    _close(connection, number)
            event = Event(
                what=EventClass.AUDIT_PRUNED,
                subject=keeping.value,
                detail=f"events={len(numbers)} first={numbers[0]} last={numbers[-1]}",
            )
            self.recorder.record(connection, event, now=now)
            return len(numbers)

        return self.writer.run(act)


def _due(connection: Connection, keeping: Keeping, before: int) -> Sequence[int]:
    """Return numbers of events of one kind that are older than ``before`` and still say something.

    An outcome is never empty before it is erased.
    """
    classes = [what.value for what, meaning in MEANINGS.items() if meaning.keeping is keeping]
    return connection.scalars(
        select(AuditEvent.number)
        .where(
            AuditEvent.what.in_(classes),
            AuditEvent.number < first_since(connection, before),
            AuditEvent.outcome != "",
        )
        .order_by(AuditEvent.number)
        .limit(BATCH)
    ).all()


def _close(connection: Connection, number: int) -> None:
    raw = connection.scalar(select(AuditEvent.opened).where(AuditEvent.number == number))
    if raw is None:
        return
    record = parse_record(raw).close(GOES)
    connection.execute(
        update(AuditEvent)
        .where(AuditEvent.number == number)
        .values(opened=format_record(record), **_GONE)
    )
