"""Recording events and giving out their openings.

Invariants: an event's leaf, its row and the sequence numbers of those whom it concerns are one
transaction with the act; the person's field is opened to nobody but their own organisation's
auditor (a later page), never in a receipt. Rows are staged and written once for all acts that share
a commit; an act that fails leaves neither rows nor numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from accord.hub.audit.events import Event
from accord.hub.audit.tables import AuditEvent, AuditOrg, AuditSequence
from accord.hub.transparency import LogName, LogSequencer
from accord.kernel.identifiers import OrgId
from accord.kernel.tlog.leaf import Opening, RecordFields, format_record, parse_record

PERSON = "person"
_NUMBER_OF = "member."
_LAST = select(AuditSequence.last).where(AuditSequence.org == bindparam("org"))
_SET = upsert(AuditSequence)
_SET_LAST = _SET.on_conflict_do_update(index_elements=["org"], set_={"last": _SET.excluded["last"]})
_ADD_EVENTS = insert(AuditEvent)
_ADD_ORGS = insert(AuditOrg)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """How far the recorder was when an act began."""

    events: int
    orgs: int
    last: Mapping[OrgId, int]


class Recorder:
    """Writes events; ``record`` is for acts of the writer, in whose transactions it takes part."""

    def __init__(self, logs: LogSequencer) -> None:
        """Log through ``logs``."""
        self._logs = logs
        self._events: list[dict[str, object]] = []
        self._orgs: list[dict[str, object]] = []
        self._last: dict[OrgId, int] = {}

    def record(self, connection: Connection, event: Event, *, now: int) -> int:
        """Record ``event`` and return its number in the audit log."""
        fields = {
            "time": str(now),
            "what": event.what.value,
            "org": event.org,
            PERSON: event.person,
            "subject": event.subject,
            "basis": event.basis,
            "outcome": event.outcome,
            "detail": event.detail,
        }
        orgs = list(dict.fromkeys(event.concerns))
        numbers = [self._next(connection, org) for org in orgs]
        for place, (org, number) in enumerate(zip(orgs, numbers, strict=True)):
            fields[f"{_NUMBER_OF}{place}"] = f"{org} {number}"
        record = RecordFields.fresh(fields)
        index = self._logs.append(LogName.AUDIT, record.leaf())
        self._events.append(
            {
                "number": index,
                "entry_id": record.entry_id,
                "time": now,
                "what": event.what.value,
                "opened": format_record(record),
            }
        )
        self._orgs += [
            {"org": org, "seq": number, "number": index}
            for org, number in zip(orgs, numbers, strict=True)
        ]
        return index

    def _next(self, connection: Connection, org: OrgId) -> int:
        """Return the organisation's next number; the stored one is read once a transaction."""
        if org not in self._last:
            self._last[org] = connection.scalar(_LAST, {"org": org}) or 0
        self._last[org] += 1
        return self._last[org]

    def begin(self, connection: Connection) -> None:  # noqa: ARG002 - a participant's signature
        """Begin with nothing staged."""
        self._forget()

    def mark(self) -> _Mark:
        """Return how much is staged."""
        return _Mark(events=len(self._events), orgs=len(self._orgs), last=dict(self._last))

    def rewind(self, mark: object) -> None:
        """Drop what a failed act staged, and its numbers."""
        if isinstance(mark, _Mark):
            del self._events[mark.events :]
            del self._orgs[mark.orgs :]
            self._last = dict(mark.last)

    def before_commit(self, connection: Connection) -> None:
        """Write what is staged."""
        if self._events:
            connection.execute(_ADD_EVENTS, self._events)
        if self._orgs:
            connection.execute(_ADD_ORGS, self._orgs)
            last = [{"org": org, "last": number} for org, number in self._last.items()]
            connection.execute(_SET_LAST, last)

    def after_commit(self) -> None:
        """Forget what is written."""
        self._forget()

    def after_rollback(self) -> None:
        """Forget what was not."""
        self._forget()

    def _forget(self) -> None:
        self._events.clear()
        self._orgs.clear()
        self._last.clear()


def openings_for(connection: Connection, number: int, org: OrgId) -> bytes:
    """Return the fields of event ``number`` that ``org`` may see; the others stay closed.

    The person and the other organisations' numbers are never opened.
    """
    raw = connection.scalar(select(AuditEvent.opened).where(AuditEvent.number == number))
    record = parse_record(raw or b"")
    hidden = {
        item.field
        for item in record.fields
        if isinstance(item, Opening)
        and (
            item.field == PERSON
            or (item.field.startswith(_NUMBER_OF) and not item.value.startswith(f"{org} "))
        )
    }
    return format_record(record.close(hidden))
