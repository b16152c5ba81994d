"""Recording events and giving out their openings.

Invariants: an event's leaf, its row and the sequence numbers of those whom it concerns are one
transaction with the act; the person's field is opened to nobody but their own organisation's
auditor (a later page), never in a receipt.
"""

from sqlalchemy import Connection, insert, select

from accord.hub.audit.events import Event
from accord.hub.audit.tables import AuditEvent, AuditOrg
from accord.hub.transparency import LogName, LogSequencer
from accord.kernel.identifiers import OrgId
from accord.kernel.tlog.leaf import Opening, RecordFields, format_record, parse_record

PERSON = "person"
_NUMBER_OF = "member."
_NEXT = (
    "INSERT INTO audit_sequences (org, last) VALUES (?, 1) "
    "ON CONFLICT (org) DO UPDATE SET last = last + 1 RETURNING last"
)


_ADD_EVENT = insert(AuditEvent)
_ADD_ORGS = insert(AuditOrg)


class Recorder:
    """Writes events; only inside acts of the writer."""

    def __init__(self, logs: LogSequencer) -> None:
        """Log through ``logs``."""
        self._logs = logs

    def record(self, connection: Connection, event: Event, *, now: int) -> int:
        """Write ``event`` and return its number in the audit log."""
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
        numbers = [connection.exec_driver_sql(_NEXT, (org,)).scalar_one() for org in orgs]
        for place, (org, number) in enumerate(zip(orgs, numbers, strict=True)):
            fields[f"{_NUMBER_OF}{place}"] = f"{org} {number}"
        record = RecordFields.fresh(fields)
        index = self._logs.append(LogName.AUDIT, record.leaf())
        connection.execute(
            _ADD_EVENT,
            {
                "number": index,
                "entry_id": record.entry_id,
                "time": now,
                "what": event.what.value,
                "opened": format_record(record),
            },
        )
        if orgs:
            connection.execute(
                _ADD_ORGS,
                [
                    {"org": org, "seq": number, "number": index}
                    for org, number in zip(orgs, numbers, strict=True)
                ],
            )
        return index


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
