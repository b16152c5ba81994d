"""Reads of the audit trail: one event, and how much of what happened between two moments."""

from sqlalchemy import Connection, func, select

from accord.hub.audit.events import EventClass
from accord.hub.audit.tables import AuditEvent
from accord.kernel.tlog.leaf import RecordFields, parse_record


def first_since(connection: Connection, moment: int) -> int:
    """Return the smallest number of an event at or after ``moment``; one past the last if none.

    Times rise with the numbers but for small steps of the clock, so bisection is good enough for
    counting and touches two dozen rows however long the trail is.
    """
    last = connection.scalar(select(func.max(AuditEvent.number)))
    low, high = 0, 0 if last is None else last + 1
    while low < high:
        middle = (low + high) // 2
        found = connection.execute(
            select(AuditEvent.number, AuditEvent.time)
            .where(AuditEvent.number >= middle)
            .order_by(AuditEvent.number)
            .limit(1)
        ).one()
        if found.time < moment:
            low = found.number + 1
        else:
            high = middle
    return low


def count_between(connection: Connection, what: EventClass, start: int, end: int) -> int:
    """Return how many events of class ``what`` have numbers from ``start`` to ``end`` - 1."""
    return (
        connection.scalar(
            select(func.count())
            .select_from(AuditEvent)
            .where(
                AuditEvent.what == what.value,
                AuditEvent.number >= start,
                AuditEvent.number < end,
            )
        )
        or 0
    )


def read_event(connection: Connection, number: int) -> RecordFields:
    """Return everything that is kept of event ``number``; who may see what is ``openings``'.

    Raises:
        Malformed: ``too_short`` or another code: the row is missing or damaged.
    """
    raw = connection.scalar(select(AuditEvent.opened).where(AuditEvent.number == number))
    return parse_record(raw or b"")
