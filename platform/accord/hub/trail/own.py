"""What an organisation's desk gets of its own events: all of them, in order, with their proofs.

A desk recomputes its chain from them (``kernel.tlog.heads``) and compares them with what it did
itself. Names of persons stay closed. These reads are the desk's own bookkeeping and are no events:
else each would bring about the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Row, select

from accord.hub.access import Action, Actor, require
from accord.hub.audit import Reader, opened_for
from accord.hub.audit.tables import AuditEvent, AuditOrg
from accord.hub.transparency import LogName, LogReader
from accord.hub.transparency.queries import Head
from accord.kernel.errors import Unavailable
from accord.kernel.identifiers import OrgId
from accord.kernel.tlog.heads import FIELD
from accord.kernel.tlog.leaf import Opening, RecordFields, format_record, parse_record
from accord.kernel.tlog.proof import format_proof

MAX_BYTES = 2 * 1024 * 1024
"""Openings of one page together, unless one alone is longer: desks read at most 4 MiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnItem:
    """Event ``seq`` of the organisation: number in the log, openings, path to the root."""

    seq: int
    number: int
    record: bytes
    path: Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPage:
    """Events in their order, under ``checkpoint``; ``more`` says that others follow."""

    checkpoint: bytes
    items: Sequence[OwnItem]
    more: bool


class OwnEvents:
    """Gives desks their own events and heads."""

    def __init__(self, *, engine: Engine, reader: LogReader) -> None:
        """Read rows through ``engine`` and the log through ``reader``."""
        self._engine = engine
        self._log = reader

    def page(self, actor: Actor | None, *, after: int, limit: int) -> OwnPage:
        """Return the actor's events after their number ``after`` that a quorum covers.

        Raises:
            Unavailable: ``checkpoint_missing`` before the first quorum.
        """
        org = require(actor, Action.EVENTS_READ).org
        head = self._covered()
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(AuditOrg.seq, AuditOrg.number, AuditEvent.opened)
                .join(AuditEvent, AuditEvent.number == AuditOrg.number)
                .where(AuditOrg.org == org, AuditOrg.seq > after, AuditOrg.number < head.size)
                .order_by(AuditOrg.seq)
                .limit(limit + 1)
            ).all()
        taken: list[tuple[Row[int, int, bytes], bytes]] = []
        size = 0
        for row in rows[:limit]:
            record = _own(org, row.opened)
            size += len(record)
            if taken and size > MAX_BYTES:
                break
            taken.append((row, record))
        paths = self._log.inclusion_proofs(
            LogName.AUDIT, [row.number for row, _ in taken], head.size
        )
        return OwnPage(
            checkpoint=head.note,
            items=[
                OwnItem(seq=row.seq, number=row.number, record=record, path=path)
                for (row, record), path in zip(taken, paths, strict=True)
            ],
            more=len(rows) > len(taken),
        )

    def head(self, org: OrgId, *, after: int) -> bytes | None:
        """Return the organisation's signed head when it is beyond number ``after``.

        It is the proof of the newest event that a quorum covers, with its member field open alone.
        """
        head = self._log.cosigned(LogName.AUDIT)
        if head is None:
            return None
        with self._engine.connect() as connection:
            found = _newest(connection, org, after=after, size=head.size)
        if found is None:
            return None
        number, opened = found
        record = parse_record(opened)
        closed = {
            item.field
            for item in record.fields
            if isinstance(item, Opening)
            and not (item.field.startswith(FIELD) and item.value.startswith(f"{org} "))
        }
        path = self._log.inclusion_proof(LogName.AUDIT, number, head.size)
        extra = format_record(record.close(closed))
        return format_proof(number, path, head.note, extra=extra)

    def _covered(self) -> Head:
        head = self._log.cosigned(LogName.AUDIT)
        if head is None:
            raise Unavailable(
                "checkpoint_missing", "No checkpoint has its quorum yet.", retry_after=5
            )
        return head


def _newest(
    connection: Connection, org: OrgId, *, after: int, size: int
) -> tuple[int, bytes] | None:
    row = connection.execute(
        select(AuditOrg.number, AuditEvent.opened)
        .join(AuditEvent, AuditEvent.number == AuditOrg.number)
        .where(AuditOrg.org == org, AuditOrg.seq > after, AuditOrg.number < size)
        .order_by(AuditOrg.seq.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row.number, row.opened)


def _own(org: OrgId, opened: bytes) -> bytes:
    """Return what opens to the organisation's desk; of an event closed for good nothing does."""
    record = parse_record(opened)
    shown: RecordFields | None = opened_for(Reader(org=org), record)
    return format_record(record.close_all() if shown is None else shown)
