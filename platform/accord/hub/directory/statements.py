"""Statements that change a member: taken from desks and registrars, joined, logged when complete.

Invariants: what is logged was verified by the replay itself; a statement that still lacks
registrars is kept with the signatures that it has, never logged; one that brings an opening key is
proved first (``enrolments.prove``). Whoever sends one needs no other standing than its signatures.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine

from accord.clock import Clock
from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.directory import waiting
from accord.hub.directory.service import Directory
from accord.hub.directory.waiting import (
    ACTIVE,
    APPROVAL_NEEDED,
    EXPIRED,
    PROOF_NEEDED,
    REFUSED,
    Enrolment,
)
from accord.hub.storage import Writer
from accord.kernel import dsse
from accord.kernel.directory.authority import Weighed
from accord.kernel.directory.challenge import SECRET_SIZE, seal_challenge
from accord.kernel.directory.statements import (
    STATEMENT_TYPE,
    Op,
    SignedStatement,
    format_statement,
    parse_statement,
)
from accord.kernel.directory.transition import following_statement, require_standing
from accord.kernel.errors import NotFound, Refused, VerificationFailed
from accord.kernel.identifiers import OrgId, org_name

REASONS = ("words-differ", "not-expected", "registrars-disagree", "other")
"""Why registrars refuse what waits for them: closed, because the desk is told."""

DRAFTED = (Op.SUSPEND, Op.RESUME, Op.REVOKE)
"""What registrars may begin without the organisation."""

_APPLIED_FOR = (Op.ENROL, Op.RECOVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a statement.

    Attributes:
        org: whom it is about.
        op: what it does.
        state: ``active`` when it is logged; else what it waits for.
        index: its leaf in the directory log once it is there.
        signatures: registrars who have signed.
        missing: registrars who still must.
        enrolment_id: handle of its state, when it waits.
        challenge: to be opened with the new opening key, when that is to be proved.
    """

    org: OrgId
    op: Op
    state: str
    index: int | None = None
    signatures: int = 0
    missing: int = 0
    enrolment_id: str | None = None
    challenge: bytes | None = None

    @property
    def next_actor(self) -> str:
        """``desk``, ``registrar`` or ``nobody``."""
        return waiting.NEXT_ACTOR.get(self.state, "nobody")


class Statements:
    """The verbs on statements about members."""

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

    def submit(self, raw: bytes, *, now: int) -> Taken:
        """Take a statement that anybody brings; log it, or say what it waits for.

        Raises:
            Refused: ``op_not_here`` for an enrolment, which comes with its invite.
            AccordError: what the directory's replay refuses.
        """
        signed = parse_statement(raw)
        if signed.statement.op is Op.ENROL:
            raise Refused(
                "op_not_here",
                "An enrolment comes with its invite.",
                observed=signed.statement.org,
                next_step="Use accord desk enrol --invite CODE.",
            )
        weighed = self._directory.refresh().weigh(raw, now=now)
        if signed.statement.kem is not None:
            return self._challenge(signed, now)
        return self._take(signed, weighed, None, now)

    def countersigned(self, raw: bytes, *, now: int) -> Taken:
        """Take what registrars signed, join it with what others signed, log it when complete.

        Raises:
            NotFound: ``enrolment_missing`` for an enrolment or recovery that was not proved here.
            Refused: ``enrolment_refused``, ``enrolment_expired``.
            AccordError: what the directory's replay refuses.
        """
        signed = parse_statement(raw)
        found = self._same(signed)
        if signed.statement.op in _APPLIED_FOR:
            _require_proved(found, signed)
        if found is not None and found.state == APPROVAL_NEEDED:
            signed = _joined(found.signed, signed)
        elif found is not None:
            found = None
        weighed = self._directory.refresh().weigh(signed.envelope.raw, now=now)
        if weighed.missing and not weighed.registrars:
            raise VerificationFailed(
                "threshold_missed",
                "No registrar has signed this.",
                observed=signed.statement.org,
                next_step="Registrars sign with accord registrar sign.",
            )
        return self._take(signed, weighed, found, now)

    def draft(self, org: OrgId, op: Op, *, now: int, compromised_since: int | None = None) -> bytes:
        """Return the payload of the next statement about ``org``, for registrars to sign.

        Raises:
            NotFound: ``org_unknown``.
            Refused: ``op_not_here``, ``status_wrong``, ``hold_not_over``.
        """
        if op not in DRAFTED:
            raise Refused(
                "op_not_here", "The organisation's own desk makes this statement.", observed=op
            )
        held = self._directory.refresh().organisation(org)
        statement = following_statement(held, op, not_before=max(now, held.time))
        statement = replace(statement, compromised_since=compromised_since)
        require_standing(held, statement)
        return format_statement(statement)

    def refuse(self, handle: str, reason: str, *, now: int) -> Enrolment:
        """Refuse what waits for the registrars: the words differ, or one of them disagrees.

        Args:
            handle: the enrolment's id, or the organisation's id or name when one of it waits.
            reason: one of ``REASONS``.
            now: unix seconds.

        Raises:
            NotFound: ``enrolment_missing``.
        """
        found = [
            one
            for one in self.pending()
            if handle in {one.enrolment_id, one.org, org_name(one.org)}
        ]
        if len(found) != 1:
            raise NotFound(
                "enrolment_missing",
                "Nothing waits, or more than one thing does, under this name.",
                observed=f"{handle[:80]}: {len(found)}",
                next_step="List what waits: accord hub org list.",
            )
        (one,) = found

        def act(connection: Connection) -> None:
            if waiting.change(connection, one.enrolment_id, state=REFUSED, reason=reason):
                self._recorder.record(
                    connection,
                    Event(
                        what=EventClass.ENROLMENT_REFUSED,
                        org=one.org,
                        subject=one.org,
                        basis=reason,
                        outcome="enrolment_refused",
                        detail=one.op.value,
                    ),
                    now=now,
                )

        self._writer.run(act)
        return replace(one, state=REFUSED, reason=reason)

    def pending(self) -> list[Enrolment]:
        """Return all that waits for somebody or has expired in waiting, oldest first."""
        states = (PROOF_NEEDED, APPROVAL_NEEDED, EXPIRED)
        with self._engine.connect() as connection:
            return waiting.read_all(connection, states=states, now=self._clock())

    def weigh(self, one: Enrolment) -> Weighed | None:
        """Return who has signed what waits, or ``None`` when it cannot be logged any more."""
        try:
            return self._directory.refresh().weigh(one.statement, now=self._clock())
        except (Refused, VerificationFailed):
            return None

    def _challenge(self, signed: SignedStatement, now: int) -> Taken:
        """Ask the desk to prove that it holds the opening key that it brings."""
        statement = signed.statement
        secret = secrets.token_bytes(SECRET_SIZE)
        if statement.kem is None:
            raise Refused("op_not_here", "There is no opening key to be proved.")
        challenge = seal_challenge(statement.kem, signed.envelope.payload, secret)

        def act(connection: Connection) -> str:
            handle = waiting.keep(connection, signed, state=PROOF_NEEDED, secret=secret, now=now)
            self._record(connection, EventClass.ENROLMENT_BEGUN, signed, handle, now)
            return handle

        return Taken(
            org=statement.org,
            op=statement.op,
            state=PROOF_NEEDED,
            enrolment_id=self._writer.run(act),
            challenge=challenge,
        )

    def _record(
        self,
        connection: Connection,
        what: EventClass,
        signed: SignedStatement,
        handle: str,
        now: int,
    ) -> None:
        event = Event(
            what=what,
            org=signed.statement.org,
            subject=handle,
            detail=f"{signed.statement.op} sha256={signed.digest.hex()}",
        )
        self._recorder.record(connection, event, now=now)

    def _take(
        self, signed: SignedStatement, weighed: Weighed, found: Enrolment | None, now: int
    ) -> Taken:
        """Log what is complete, keep what still lacks registrars."""
        statement = signed.statement
        if weighed.missing:

            def act(connection: Connection) -> str:
                handle = _kept(connection, signed, found, now)
                self._record(connection, EventClass.ENROLMENT_APPROVED, signed, handle, now)
                return handle

            return Taken(
                org=statement.org,
                op=statement.op,
                state=APPROVAL_NEEDED,
                signatures=weighed.registrars,
                missing=weighed.missing,
                enrolment_id=self._writer.run(act),
            )
        number = self._directory.append_statement(
            signed.envelope.raw, now=now, beside=_settling(signed, found)
        )
        return Taken(
            org=statement.org,
            op=statement.op,
            state=ACTIVE,
            index=number,
            signatures=weighed.registrars,
            enrolment_id=None if found is None else found.enrolment_id,
        )

    def _same(self, signed: SignedStatement) -> Enrolment | None:
        """Return what waits, or was refused, with exactly this payload."""
        states = (APPROVAL_NEEDED, REFUSED, EXPIRED)
        with self._engine.connect() as connection:
            rows = waiting.read_all(connection, states=states, now=self._clock())
        return next(
            (one for one in rows if one.signed.envelope.payload == signed.envelope.payload), None
        )


def _require_proved(found: Enrolment | None, signed: SignedStatement) -> None:
    if found is None:
        raise NotFound(
            "enrolment_missing",
            "No enrolment with exactly this statement has proved its key here.",
            observed=signed.statement.org,
            next_step="List what waits: accord hub org list.",
        )
    if found.state == REFUSED:
        raise Refused(
            "enrolment_refused",
            "The registrars have refused this.",
            observed=f"{found.org}: {found.reason}",
            next_step="Agree among the registrars; the organisation then starts again.",
        )
    if found.state == EXPIRED:
        raise Refused(
            "enrolment_expired",
            "It waited for more than 24 hours and cannot be logged any more.",
            observed=found.org,
            next_step="Make a new invite, or let the organisation start its recovery again.",
        )


def _joined(kept: SignedStatement, came: SignedStatement) -> SignedStatement:
    """Return one statement with the signatures of both copies, each signer once, in order."""
    pairs = {pair.kid: pair for pair in (*kept.envelope.signatures, *came.envelope.signatures)}
    return parse_statement(dsse.join(STATEMENT_TYPE, kept.envelope.payload, list(pairs.values())))


def _kept(
    connection: Connection, signed: SignedStatement, found: Enrolment | None, now: int
) -> str:
    if found is None:
        unanswerable = secrets.token_bytes(SECRET_SIZE)
        return waiting.keep(connection, signed, state=APPROVAL_NEEDED, secret=unanswerable, now=now)
    waiting.change(
        connection, found.enrolment_id, state=APPROVAL_NEEDED, statement=signed.envelope.raw
    )
    return found.enrolment_id


def _settling(
    signed: SignedStatement, found: Enrolment | None
) -> Callable[[Connection], None] | None:
    if found is None:
        return None
    handle = found.enrolment_id

    def settle(connection: Connection) -> None:
        waiting.change(connection, handle, state=ACTIVE, statement=signed.envelope.raw)

    return settle
