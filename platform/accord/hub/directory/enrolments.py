"""Enrolment: invite, challenge, proof of possession, approval.

Invariants: an invite works once, for a day, for one name and kind; a desk proves that it holds the
KEM key before a registrar is asked; what the registrars signed must be the statement that was
proved. Each step tells who acts next. The codes of invites and challenges are kept as hashes.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, insert, select, update

from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.directory.service import Directory
from accord.hub.directory.tables import EnrolmentRow, InviteRow
from accord.hub.storage import Writer
from accord.kernel.directory.authority import verify_enrolment_request
from accord.kernel.directory.challenge import SECRET_SIZE, seal_challenge
from accord.kernel.directory.statements import SignedStatement, parse_statement
from accord.kernel.errors import Conflict, NotFound, Refused
from accord.kernel.identifiers import OrgId, make_org_id
from accord.kernel.markings import OrgKind

INVITE_SECONDS = 24 * 3600
"""How long an invite can be used."""

CODE_BYTES = 20
"""Randomness of an invite's code: 160 bits."""

ID_BYTES = 16

PROOF_NEEDED = "proof-needed"
APPROVAL_NEEDED = "approval-needed"
ACTIVE = "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """Where an enrolment stands; ``statement`` is what the desk sent, or what was approved."""

    enrolment_id: str
    org: OrgId
    state: str
    statement: bytes
    at: int


class Enrolments:
    """The verbs of enrolment."""

    def __init__(
        self, *, engine: Engine, writer: Writer, recorder: Recorder, directory: Directory
    ) -> None:
        """Work with the rooms that are handed down."""
        self._engine = engine
        self._writer = writer
        self._recorder = recorder
        self._directory = directory

    def invite(self, name: str, kind: OrgKind, *, now: int) -> tuple[OrgId, str]:
        """Make a one-off invite; return the organisation's id-to-be and the code, shown once.

        Raises:
            Malformed: ``org_name_invalid``.
            Conflict: ``org_taken``.
        """
        org = make_org_id(name, self._directory.root.hub)
        if self._directory.refresh().find_organisation(org) is not None:
            raise Conflict("org_taken", "This organisation is enrolled already.", observed=org)
        code = secrets.token_urlsafe(CODE_BYTES)

        def act(connection: Connection) -> None:
            connection.execute(
                insert(InviteRow).values(
                    code_hash=_digest(code),
                    org=org,
                    kind=kind.value,
                    made=now,
                    expires=now + INVITE_SECONDS,
                )
            )
            self._recorder.record(
                connection,
                Event(what=EventClass.INVITE_MADE, subject=org, detail=kind.value),
                now=now,
            )

        self._writer.run(act)
        return org, code

    def begin(self, code: str, statement: bytes, *, now: int) -> tuple[str, bytes]:
        """Take a desk's enrolment; return the enrolment's id and the challenge.

        Raises:
            Refused: ``invite_wrong``: unknown, used, expired, or for another name or kind.
            Malformed, VerificationFailed: the statement is not a self-signed enrolment.
        """
        with self._engine.connect() as connection:
            _usable_invite(connection, code, now)
        signed = verify_enrolment_request(statement, hub=self._directory.root.hub)
        said = signed.statement
        secret = secrets.token_bytes(SECRET_SIZE)
        if said.kem is None or said.profile is None:
            raise Refused("invite_wrong", "An enrolment brings its keys and profile.")
        kind = said.profile.kind
        challenge = seal_challenge(said.kem, signed.envelope.payload, secret)
        enrolment_id = _new_id()

        def act(connection: Connection) -> None:
            invite = _usable_invite(connection, code, now)
            if invite != (said.org, kind.value):
                raise Refused(
                    "invite_wrong",
                    "The invite is for another name or kind of organisation.",
                    observed=f"{said.org} {kind}",
                    next_step="Enrol with the name and kind that the registrar told you.",
                )
            connection.execute(
                update(InviteRow).where(InviteRow.code_hash == _digest(code)).values(used=now)
            )
            connection.execute(
                insert(EnrolmentRow).values(
                    enrolment_id=enrolment_id,
                    org=said.org,
                    statement=statement,
                    secret_hash=hashlib.sha256(secret).digest(),
                    state=PROOF_NEEDED,
                    at=now,
                )
            )
            self._recorder.record(
                connection,
                Event(what=EventClass.ENROLMENT_BEGUN, org=said.org, subject=enrolment_id),
                now=now,
            )

        self._writer.run(act)
        return enrolment_id, challenge

    def prove(self, enrolment_id: str, secret: bytes, *, now: int) -> Enrolment:
        """Take the answer to the challenge.

        Raises:
            NotFound: ``not_found``, also for a wrong answer: a stranger learns nothing.
        """
        with self._engine.connect() as connection:  # strangers never get as far as the writer
            row = connection.execute(
                select(EnrolmentRow.org, EnrolmentRow.secret_hash).where(
                    EnrolmentRow.enrolment_id == enrolment_id
                )
            ).one_or_none()
        digest = hashlib.sha256(secret).digest()
        if row is None or not hmac.compare_digest(row.secret_hash, digest):
            raise NotFound("not_found", "There is no such enrolment, or the proof is wrong.")

        def act(connection: Connection) -> None:
            changed = connection.execute(
                update(EnrolmentRow)
                .where(
                    EnrolmentRow.enrolment_id == enrolment_id, EnrolmentRow.state == PROOF_NEEDED
                )
                .values(state=APPROVAL_NEEDED)
            )
            if changed.rowcount:
                self._recorder.record(
                    connection,
                    Event(what=EventClass.ENROLMENT_PROVED, org=row.org, subject=row.org),
                    now=now,
                )

        self._writer.run(act)
        return self.find(enrolment_id)

    def find(self, enrolment_id: str) -> Enrolment:
        """Return where an enrolment stands.

        Raises:
            NotFound: ``not_found``.
        """
        with self._engine.connect() as connection:
            row = connection.execute(
                select(EnrolmentRow.__table__).where(EnrolmentRow.enrolment_id == enrolment_id)
            ).one_or_none()
        if row is None:
            raise NotFound("not_found", "There is no such enrolment, or the proof is wrong.")
        return Enrolment(
            enrolment_id=row.enrolment_id,
            org=OrgId(row.org),
            state=row.state,
            statement=row.statement,
            at=row.at,
        )

    def waiting(self) -> Sequence[Enrolment]:
        """Return the enrolments that the registrars should look at, oldest first."""
        with self._engine.connect() as connection:
            ids = connection.scalars(
                select(EnrolmentRow.enrolment_id)
                .where(EnrolmentRow.state == APPROVAL_NEEDED)
                .order_by(EnrolmentRow.at)
            ).all()
        return [self.find(one) for one in ids]

    def approve(self, statement: bytes, *, now: int) -> tuple[Enrolment, int]:
        """Append the enrolment that the registrars countersigned; return it and its leaf.

        Raises:
            NotFound: ``enrolment_missing`` when no such statement was proved here.
            AccordError: what the directory's replay refuses.
        """
        signed = parse_statement(statement)
        enrolment = self._proved(signed)

        def activate(connection: Connection) -> None:
            connection.execute(
                update(EnrolmentRow)
                .where(EnrolmentRow.enrolment_id == enrolment.enrolment_id)
                .values(state=ACTIVE, statement=statement)
            )

        number = self._directory.append_statement(statement, now=now, beside=activate)
        return self.find(enrolment.enrolment_id), number

    def _proved(self, signed: SignedStatement) -> Enrolment:
        for enrolment in self.waiting():
            if parse_statement(enrolment.statement).envelope.payload == signed.envelope.payload:
                return enrolment
        raise NotFound(
            "enrolment_missing",
            "No enrolment with exactly this statement has proved its key here.",
            observed=signed.statement.org,
            next_step="List what waits: accord hub org list.",
        )


def _usable_invite(connection: Connection, code: str, now: int) -> tuple[str, str]:
    row = connection.execute(
        select(InviteRow.org, InviteRow.kind, InviteRow.expires, InviteRow.used).where(
            InviteRow.code_hash == _digest(code)
        )
    ).one_or_none()
    if row is None or row.used is not None or row.expires < now:
        raise Refused(
            "invite_wrong",
            "This invite is unknown, used or expired.",
            next_step="Ask your hub's registrar for a new one.",
        )
    return row.org, row.kind


def _digest(code: str) -> bytes:
    return hashlib.sha256(b"accord/1/invite\0" + code.encode("utf-8")).digest()


def _new_id() -> str:
    return base64.b32encode(secrets.token_bytes(ID_BYTES)).decode("ascii").rstrip("=").lower()
