"""Rows of statements on their way into the directory: the proof, the registrars, what came of it.

Invariants: a row gives no standing; it is never deleted while somebody may still act on it, but a
newer one of the same organisation and operation takes the place of one that was never proved. What
waits longer than a statement is accepted counts as expired.
"""

import base64
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, delete, insert, select, update

from accord.hub.directory.tables import EnrolmentRow
from accord.kernel.directory.growth import ACCEPT_WINDOW
from accord.kernel.directory.statements import Op, SignedStatement, parse_statement
from accord.kernel.identifiers import OrgId

ID_BYTES = 16

PROOF_NEEDED = "proof-needed"
APPROVAL_NEEDED = "approval-needed"
ACTIVE = "active"
REFUSED = "refused"
EXPIRED = "expired"

NEXT_ACTOR = {PROOF_NEEDED: "desk", APPROVAL_NEEDED: "registrar"}
"""Who acts next; in every other state nobody does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """Where an enrolment or another statement stands.

    Attributes:
        enrolment_id: its handle, the key to its state.
        org: whom it is about.
        op: what it does.
        state: one of the states of this module.
        statement: with the signatures so far.
        at: unix seconds at which it came.
        expires: unix seconds until which the hub takes it.
        reason: why it was refused, a closed code; else ``None``.
    """

    enrolment_id: str
    org: OrgId
    op: Op
    state: str
    statement: bytes
    at: int
    expires: int
    reason: str | None = None

    @property
    def next_actor(self) -> str:
        """``desk``, ``registrar`` or ``nobody``."""
        return NEXT_ACTOR.get(self.state, "nobody")

    @property
    def signed(self) -> SignedStatement:
        """The statement, parsed; its signatures were verified when it came."""
        return parse_statement(self.statement)


def keep(
    connection: Connection, signed: SignedStatement, *, state: str, secret: bytes, now: int
) -> str:
    """Keep a statement on its way and return its handle; ``secret`` is that of the challenge."""
    statement = signed.statement
    connection.execute(
        delete(EnrolmentRow).where(
            EnrolmentRow.org == statement.org,
            EnrolmentRow.op == statement.op.value,
            EnrolmentRow.state == PROOF_NEEDED,
        )
    )
    enrolment_id = base64.b32encode(secrets.token_bytes(ID_BYTES)).decode().rstrip("=").lower()
    connection.execute(
        insert(EnrolmentRow).values(
            enrolment_id=enrolment_id,
            org=statement.org,
            op=statement.op.value,
            statement=signed.envelope.raw,
            secret_hash=hashlib.sha256(secret).digest(),
            state=state,
            at=now,
        )
    )
    return enrolment_id


def change(
    connection: Connection,
    enrolment_id: str,
    *,
    state: str,
    statement: bytes | None = None,
    reason: str | None = None,
) -> bool:
    """Move a row that still waits to ``state``; tell whether there was one."""
    values: dict[str, object] = {"state": state}
    if statement is not None:
        values["statement"] = statement
    if reason is not None:
        values["reason"] = reason
    changed = connection.execute(
        update(EnrolmentRow)
        .where(
            EnrolmentRow.enrolment_id == enrolment_id,
            EnrolmentRow.state.in_((PROOF_NEEDED, APPROVAL_NEEDED)),
        )
        .values(**values)
    )
    return bool(changed.rowcount)


def find(connection: Connection, enrolment_id: str, *, now: int) -> Enrolment | None:
    """Return the row of a handle."""
    row = connection.execute(
        select(EnrolmentRow.__table__).where(EnrolmentRow.enrolment_id == enrolment_id)
    ).one_or_none()
    return None if row is None else _of(row, now)


def read_all(connection: Connection, *, states: Sequence[str], now: int) -> list[Enrolment]:
    """Return the rows that are in one of ``states`` at ``now``, oldest first."""
    rows = connection.execute(
        select(EnrolmentRow.__table__)
        .where(EnrolmentRow.state.in_((PROOF_NEEDED, APPROVAL_NEEDED, REFUSED)))
        .order_by(EnrolmentRow.at, EnrolmentRow.enrolment_id)
    ).all()
    return [one for one in (_of(row, now) for row in rows) if one.state in states]


def _of(row: "Row[tuple[object, ...]]", now: int) -> Enrolment:
    expires = parse_statement(row.statement).statement.not_before + ACCEPT_WINDOW
    waits = row.state in NEXT_ACTOR
    return Enrolment(
        enrolment_id=row.enrolment_id,
        org=OrgId(row.org),
        op=Op(row.op),
        state=EXPIRED if waits and now > expires else row.state,
        statement=row.statement,
        at=row.at,
        expires=expires,
        reason=row.reason,
    )
