"""One's own account: passkeys, authenticator app, recovery codes, password.

Invariants: each change asks for a fresh proof (the gate's ``SENSITIVE``) and is recorded; the last
factor of a person who must have one is not removed; a new password ends every session.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, delete, insert, select, update

from accord.hub.access import Action, Actor, require
from accord.hub.audit import Event, EventClass
from accord.hub.people import codes, passkeys
from accord.hub.people.passwords import check_password
from accord.hub.people.queries import Person, require_person
from accord.hub.people.sessions import ENROL, begin_session, end_sessions, session_row
from accord.hub.people.standing import Standing
from accord.hub.people.tables import PasskeyRow, PersonRow, RecoveryCodeRow, TotpRow
from accord.kernel.errors import AuthenticationNeeded, Conflict, Malformed, NotFound, Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """A passkey as its owner sees it."""

    number: int
    label: str
    created: int
    used: int | None
    halted: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """How a person can sign in."""

    passkeys: Sequence[Passkey]
    totp_since: int | None
    recovery_codes: int
    has_password: bool


class Account:
    """The verbs of one's own account."""

    def __init__(self, standing: Standing) -> None:
        """Work with what is handed down."""
        self._engine = standing.engine
        self._writer = standing.writer
        self._recorder = standing.recorder
        self._keys = standing.keys
        self._policy = standing.policy
        self._passwords = standing.passwords
        self._challenges = passkeys.Challenges(standing.keys)

    def means(self, actor: Actor) -> Means:
        """Return how the actor can sign in."""
        require(actor, Action.ACCOUNT_VIEW)
        with self._engine.connect() as connection:
            person = require_person(connection, actor.person)
            rows = connection.execute(
                select(PasskeyRow.__table__)
                .where(PasskeyRow.person == person.number)
                .order_by(PasskeyRow.number)
            ).all()
            totp = codes.totp_row(connection, person)
            left = codes.count_recovery_codes(connection, person)
        return Means(
            passkeys=[
                Passkey(
                    number=row.number,
                    label=row.label,
                    created=row.created,
                    used=row.used,
                    halted=row.halted,
                )
                for row in rows
            ],
            totp_since=totp.confirmed if totp is not None else None,
            recovery_codes=left,
            has_password=person.has_password,
        )

    def passkey_options(
        self, actor: Actor, bound_to: str, party: passkeys.RelyingParty, *, now: int
    ) -> str:
        """Return what the actor's browser is asked to make a passkey."""
        require(actor, Action.ACCOUNT_CHANGE)
        with self._engine.connect() as connection:
            person = require_person(connection, actor.person)
            held = passkeys.passkeys_of(connection, person)
        challenge = self._challenges.make(bound_to, now=now)
        return passkeys.registration_options(person, held, challenge=challenge, party=party)

    def add_passkey(
        self, actor: Actor, answer: passkeys.Answer, label: str, *, token: str, now: int
    ) -> str:
        """Add a passkey; return the token of the session from here on.

        Raises:
            AuthenticationNeeded: ``passkey_refused``.
            Malformed: ``label_invalid``.
            Conflict: ``passkey_known``, ``passkeys_full``.
        """
        require(actor, Action.ACCOUNT_CHANGE)
        label = passkeys.parse_label(label)

        def act(connection: Connection) -> str:
            person = require_person(connection, actor.person)
            challenge = self._challenges.take(connection, answer, now=now)
            passkeys.register(connection, person, answer, challenge, label=label, now=now)
            self._record(connection, EventClass.CREDENTIAL_ADDED, person, "passkey", now)
            return self._grown(connection, person, token, "passkey", now)

        return self._writer.run(act)

    def remove_passkey(self, actor: Actor, number: int, *, now: int) -> None:
        """Remove one of the actor's passkeys.

        Raises:
            NotFound: ``passkey_missing``.
            Refused: ``last_factor``.
        """
        require(actor, Action.ACCOUNT_CHANGE)

        def act(connection: Connection) -> None:
            person = require_person(connection, actor.person)
            gone = connection.execute(
                delete(PasskeyRow).where(
                    PasskeyRow.number == number, PasskeyRow.person == person.number
                )
            )
            if not gone.rowcount:
                raise NotFound("passkey_missing", "There is no such passkey.")
            self._check_left(connection, actor)
            self._record(connection, EventClass.CREDENTIAL_REMOVED, person, "passkey", now)

        self._writer.run(act)

    def begin_totp(self, actor: Actor, *, now: int) -> None:
        """Make the secret of an authenticator app; it counts once a code of it was given.

        Raises:
            Refused: ``passwords_off``.
            Conflict: ``totp_exists``.
        """
        require(actor, Action.ACCOUNT_CHANGE)
        if not self._policy.passwords:
            raise Refused("passwords_off", "This hub takes passkeys only.")

        def act(connection: Connection) -> None:
            person = require_person(connection, actor.person)
            row = codes.totp_row(connection, person)
            if row is not None and row.confirmed is not None:
                raise Conflict(
                    "totp_exists",
                    "There is an authenticator app already.",
                    next_step="Remove it first.",
                )
            connection.execute(delete(TotpRow).where(TotpRow.person == person.number))
            sealed = codes.seal_secret(codes.new_secret(), person, self._keys)
            connection.execute(
                insert(TotpRow).values(person=person.number, sealed=sealed, created=now, step=0)
            )
            begun = "authenticator app begun"
            self._record(connection, EventClass.CREDENTIAL_ADDED, person, begun, now)

        self._writer.run(act)

    def pending_totp(self, actor: Actor) -> str | None:
        """Return the secret that waits for its first code; it is never shown again after it."""
        require(actor, Action.ACCOUNT_CHANGE)
        with self._engine.connect() as connection:
            person = require_person(connection, actor.person)
            row = codes.totp_row(connection, person)
        if row is None or row.confirmed is not None:
            return None
        return codes.open_secret(row, person, self._keys)

    def confirm_totp(self, actor: Actor, code: str, *, token: str, now: int) -> str:
        """Take the first code of a new authenticator app; return the session's token from here on.

        Raises:
            NotFound: ``totp_missing``.
            Malformed: ``code_wrong``.
        """
        require(actor, Action.ACCOUNT_CHANGE)

        def act(connection: Connection) -> str:
            person = require_person(connection, actor.person)
            row = self._pending(connection, person)
            secret = codes.open_secret(row, person, self._keys)
            if not codes.take_totp(connection, row, secret, code, now=now):
                raise Malformed(
                    "code_wrong",
                    "This is not the app's present code.",
                    next_step="Wait for the next code; check the clock of the phone.",
                )
            connection.execute(
                update(TotpRow).where(TotpRow.person == person.number).values(confirmed=now)
            )
            added = EventClass.CREDENTIAL_ADDED
            self._record(connection, added, person, "authenticator app", now)
            return self._grown(connection, person, token, "authenticator", now)

        return self._writer.run(act)

    def remove_totp(self, actor: Actor, *, now: int) -> None:
        """Remove the actor's authenticator app.

        Raises:
            NotFound: ``totp_missing``.
            Refused: ``last_factor``.
        """
        require(actor, Action.ACCOUNT_CHANGE)

        def act(connection: Connection) -> None:
            person = require_person(connection, actor.person)
            gone = connection.execute(delete(TotpRow).where(TotpRow.person == person.number))
            if not gone.rowcount:
                raise NotFound("totp_missing", "There is no authenticator app.")
            self._check_left(connection, actor)
            removed = EventClass.CREDENTIAL_REMOVED
            self._record(connection, removed, person, "authenticator app", now)

        self._writer.run(act)

    def make_recovery_codes(self, actor: Actor, *, now: int) -> Sequence[str]:
        """Return ten new recovery codes, shown this once; older ones are worth nothing."""
        require(actor, Action.ACCOUNT_CHANGE)

        def act(connection: Connection) -> Sequence[str]:
            person = require_person(connection, actor.person)
            made = codes.make_recovery_codes(connection, person, self._keys)
            self._record(connection, EventClass.CREDENTIAL_ADDED, person, "recovery codes", now)
            return made

        return self._writer.run(act)

    def change_password(self, actor: Actor, password: str, *, now: int) -> None:
        """Set a new password; all sessions of the person end, the present one too.

        Raises:
            Refused: ``passwords_off``.
            Malformed: a code of ``passwords.check_password``.
        """
        require(actor, Action.ACCOUNT_CHANGE)
        if not self._policy.passwords:
            raise Refused("passwords_off", "This hub takes passkeys only.")
        hashed = self._passwords.hash(check_password(password, login=actor.person))

        def act(connection: Connection) -> None:
            person = require_person(connection, actor.person)
            connection.execute(
                update(PersonRow).where(PersonRow.number == person.number).values(password=hashed)
            )
            end_sessions(connection, person.number)
            self._record(connection, EventClass.CREDENTIAL_RESET, person, "password", now)

        self._writer.run(act)

    def _pending(self, connection: Connection, person: Person) -> Row[tuple[object, ...]]:
        row = codes.totp_row(connection, person)
        if row is None or row.confirmed is not None:
            raise NotFound("totp_missing", "There is no authenticator app that waits for a code.")
        return row

    def _check_left(self, connection: Connection, actor: Actor) -> None:
        """Refuse what would leave nothing to sign in with; what was done is rolled back."""
        person = require_person(connection, actor.person)
        if not person.has_factor and (self._policy.needs_factor(person) or not person.has_password):
            raise Refused(
                "last_factor",
                "This is the last factor of an account that must have one.",
                next_step="Add another passkey or an authenticator app first.",
            )
        if not person.has_factor:  # codes in place of a factor mean nothing without one
            connection.execute(
                delete(RecoveryCodeRow).where(RecoveryCodeRow.person == person.number)
            )

    def _grown(
        self, connection: Connection, person: Person, token: str, means: str, now: int
    ) -> str:
        """Complete a session that waited for a first factor: it is begun anew, the others end."""
        row = session_row(connection, token, now)
        if row is None or row.person != person.number:
            raise AuthenticationNeeded("sign_in_needed", "Sign in first.")
        if row.waits_for != ENROL:
            return token
        end_sessions(connection, person.number)
        return begin_session(
            connection,
            person,
            waits_for="",
            means=f"{row.means} and {means}",
            browser=row.browser,
            now=now,
        )

    def _record(
        self, connection: Connection, what: EventClass, person: Person, detail: str, now: int
    ) -> None:
        event = Event(
            what=what,
            org=person.org,
            person=person.login,
            subject=person.handle,
            detail=detail,
            concerns=[person.org],
        )
        self._recorder.record(connection, event, now=now)
