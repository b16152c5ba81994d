"""Recording events.

Invariants: an event's leaf, its row, and the sequence numbers and chains of those whom it concerns
are one transaction with the act; a field that is too long refuses the act, nothing is cut. Rows are
staged and written once for all acts that share a commit; an act that fails leaves neither rows nor
numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select

from accord.hub.audit.events import Event
from accord.hub.audit.tables import AuditEvent, AuditOrg, AuditSequence
from accord.hub.storage import replacing
from accord.hub.transparency import LogName, LogSequencer
from accord.kernel.identifiers import OrgId
from accord.kernel.tlog.heads import FIELD, Membership, chain_next, chain_start, format_membership
from accord.kernel.tlog.leaf import RecordFields, format_record

_LAST = select(AuditSequence.last, AuditSequence.chain).where(AuditSequence.org == bindparam("org"))
_SET_LAST = replacing(AuditSequence, ["org"], "last", "chain")
_ADD_EVENTS = insert(AuditEvent)
_ADD_ORGS = insert(AuditOrg)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Last:
    """Where an organisation's sequence stands."""

    seq: int
    chain: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """How far the recorder was when an act began."""

    events: int
    orgs: int
    last: Mapping[OrgId, _Last]


class Recorder:
    """Writes events; ``record`` is for acts of the writer, in whose transactions it takes part."""

    def __init__(self, logs: LogSequencer) -> None:
        """Log through ``logs``."""
        self._logs = logs
        self._events: list[dict[str, object]] = []
        self._orgs: list[dict[str, object]] = []
        self._last: dict[OrgId, _Last] = {}
        self._known: dict[OrgId, _Last] = {}
        self._known_size = self._size = -1

    def record(self, connection: Connection, event: Event, *, now: int) -> int:
        """Record ``event`` and return its number in the audit log.

        Raises:
            Malformed: ``opening_invalid``: a field is too long, or it concerns too many.
        """
        fields = {
            "time": str(now),
            "what": event.what.value,
            "org": event.org,
            "person": event.person,
            "about": event.about,
            "subject": event.subject,
            "basis": event.basis,
            "outcome": event.outcome,
            "detail": event.detail,
        }
        orgs = [OrgId(org) for org in dict.fromkeys((event.org, *event.concerns)) if org]
        before = [self._standing(connection, org) for org in orgs]
        for place, (org, last) in enumerate(zip(orgs, before, strict=True)):
            fields[f"{FIELD}{place}"] = format_membership(
                Membership(org=org, seq=last.seq + 1, before=last.chain)
            )
        record = RecordFields.fresh(fields)
        leaf = record.leaf()
        index = self._logs.append(LogName.AUDIT, leaf)
        copied = ("what", "org", "person", "about", "subject", "outcome")
        self._events.append(
            {name: fields[name] for name in copied}
            | {
                "number": index,
                "entry_id": record.entry_id,
                "time": now,
                "opened": format_record(record),
            }
        )
        for org, last in zip(orgs, before, strict=True):
            seq = last.seq + 1
            chain = chain_next(last.chain, seq=seq, number=index, leaf=leaf)
            self._last[org] = _Last(seq=seq, chain=chain)
            self._orgs.append({"org": org, "seq": seq, "number": index, "what": event.what.value})
        return index

    def _standing(self, connection: Connection, org: OrgId) -> _Last:
        """Return where the organisation stands; what is stored is read once."""
        if org not in self._last:
            self._last[org] = self._known.get(org) or _stored(connection, org)
        return self._last[org]

    def begin(self, connection: Connection) -> None:  # noqa: ARG002 - a participant's signature
        """Begin with nothing staged; what is known holds while nobody else has logged anything."""
        self._forget()
        if self._logs.size(LogName.AUDIT) != self._known_size:
            self._known.clear()

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
        self._size = self._logs.size(LogName.AUDIT)
        if self._events:
            connection.execute(_ADD_EVENTS, self._events)
        if self._orgs:
            connection.execute(_ADD_ORGS, self._orgs)
            last = [
                {"org": org, "last": one.seq, "chain": one.chain}
                for org, one in self._last.items()
                if one.seq
            ]
            connection.execute(_SET_LAST.on(connection), last)

    def after_commit(self) -> None:
        """Keep where each organisation stands now."""
        self._known.update(self._last)
        self._known_size = self._size
        self._forget()

    def after_rollback(self) -> None:
        """Forget what was not, and what is not sure."""
        self._known.clear()
        self._forget()

    def _forget(self) -> None:
        self._events.clear()
        self._orgs.clear()
        self._last.clear()


def _stored(connection: Connection, org: OrgId) -> _Last:
    row = connection.execute(_LAST, {"org": org}).one_or_none()
    if row is None:
        return _Last(seq=0, chain=chain_start(org))
    return _Last(seq=row.last, chain=row.chain)
