"""Enrolment: invite, challenge, proof of possession; and the proof of keys that change.

Invariants: an invite works once, for a day, for one name and kind; a desk proves that it holds the
KEM key before a registrar is asked or a rotation is logged. Each step tells who acts next. The
codes of invites and challenges are kept as hashes. What registrars sign: ``statements``.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, insert, select, update

from accord.clock import Clock
from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.directory import waiting
from accord.hub.directory.service import Directory
from accord.hub.directory.tables import EnrolmentRow, InviteRow
from accord.hub.directory.waiting import ACTIVE, APPROVAL_NEEDED, PROOF_NEEDED, Enrolment
from accord.hub.storage import Writer
from accord.kernel.directory.authority import verify_enrolment_request
from accord.kernel.directory.challenge import SECRET_SIZE, seal_challenge
from accord.kernel.directory.statements import Op
from accord.kernel.errors import Conflict, NotFound, Refused
from accord.kernel.identifiers import OrgId, make_org_id
from accord.kernel.markings import OrgKind

INVITE_SECONDS = 24 * 3600
"""How long an invite can be used."""

CODE_BYTES = 20
"""Randomness of an invite's code: 160 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """An invite that can still be used; its code is known to whoever got it."""

    org: OrgId
    kind: str
    expires: int


class Enrolments:
    """The verbs of enrolment."""

    def __init__(
        self,
        *,
        engine: Engine,
        writer: Writer,
        recorder: Recorder,
        directory: Directory,
        clock: Clock,
    ) -> None:
        """Work with the rooms that are handed down."""
        self._engine = engine
        self._writer = writer
        self._recorder = recorder
        self._directory = directory
        self._clock = clock

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

    def invites(self) -> Sequence[Invite]:
        """Return the invites that can still be used, the one that ends first at the head."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(InviteRow.org, InviteRow.kind, InviteRow.expires)
                .where(InviteRow.used.is_(None), InviteRow.expires >= self._clock())
                .order_by(InviteRow.expires, InviteRow.org)
            ).all()
        return [Invite(org=OrgId(row.org), kind=row.kind, expires=row.expires) for row in rows]

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

        def act(connection: Connection) -> str:
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
            handle = waiting.keep(connection, signed, state=PROOF_NEEDED, secret=secret, now=now)
            self._recorder.record(
                connection,
                Event(what=EventClass.ENROLMENT_BEGUN, org=said.org, subject=handle),
                now=now,
            )
            return handle

        return self._writer.run(act), challenge

    def prove(self, enrolment_id: str, secret: bytes, *, now: int) -> Enrolment:
        """Take the answer to the challenge; a rotation is then complete and is logged.

        Raises:
            NotFound: ``not_found``, also for a wrong answer: a stranger learns nothing.
            AccordError: what the directory's replay refuses, for a rotation.
        """
        with self._engine.connect() as connection:  # strangers never get as far as the writer
            kept = connection.scalar(
                select(EnrolmentRow.secret_hash).where(EnrolmentRow.enrolment_id == enrolment_id)
            )
        digest = hashlib.sha256(secret).digest()
        if kept is None or not hmac.compare_digest(kept, digest):
            raise NotFound("not_found", "There is no such enrolment, or the proof is wrong.")
        found = self.find(enrolment_id)
        if found.state != PROOF_NEEDED:
            return found
        if found.op is Op.ROTATE:
            self._directory.append_statement(
                found.statement,
                now=now,
                beside=lambda connection: _settle(connection, enrolment_id),
            )
        else:
            self._writer.run(lambda connection: self._proved(connection, found, now))
        return self.find(enrolment_id)

    def _proved(self, connection: Connection, found: Enrolment, now: int) -> None:
        if waiting.change(connection, found.enrolment_id, state=APPROVAL_NEEDED):
            self._recorder.record(
                connection,
                Event(
                    what=EventClass.ENROLMENT_PROVED,
                    org=found.org,
                    subject=found.org,
                    detail=found.op.value,
                ),
                now=now,
            )

    def find(self, enrolment_id: str) -> Enrolment:
        """Return where an enrolment stands.

        Raises:
            NotFound: ``not_found``.
        """
        with self._engine.connect() as connection:
            found = waiting.find(connection, enrolment_id, now=self._clock())
        if found is None:
            raise NotFound("not_found", "There is no such enrolment, or the proof is wrong.")
        return found

    def waiting(self) -> Sequence[Enrolment]:
        """Return what the registrars should look at, oldest first."""
        with self._engine.connect() as connection:
            return waiting.read_all(connection, states=(APPROVAL_NEEDED,), now=self._clock())


def _settle(connection: Connection, enrolment_id: str) -> None:
    waiting.change(connection, enrolment_id, state=ACTIVE)


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
