"""Signing in: password, second factor, passkey, recovery code; and proving it again.

Invariants: each attempt is counted before it is looked at and recorded in the transaction of its
outcome; every wrong name and password gets one answer in one time; what a session may do grows only
by ending it and beginning another. A recovery code is an emergency way: it asks for a reason, works
at once, and the organisation's administrators and auditors are told.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, select, update

from accord.hub.audit import Event, EventClass
from accord.hub.people import codes, passkeys
from accord.hub.people.attempts import PER_FACTOR, Attempts
from accord.hub.people.notices import What, parse_reason, tell_watchers
from accord.hub.people.queries import Person, find_person, numbered_person
from accord.hub.people.sessions import ENROL, FACTOR, begin_session, drop_session, session_row
from accord.hub.people.standing import Standing
from accord.hub.people.tables import PasskeyRow, PersonRow
from accord.kernel.errors import AccordError, AuthenticationNeeded, Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Who knocks: the browser as it names itself, and its address."""

    browser: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """What a person can prove who they are with, beside the password."""

    passkey: bool
    totp: bool
    password: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A session that was begun: its token, whose it is, what it still waits for."""

    token: str
    person: Person
    waits_for: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proof:
    """What a session rests on, and the session whose place it takes."""

    means: str
    visit: Visit
    basis: str = ""
    token: str | None = None
    old: Row[Any] | None = None


class SignIn:
    """The verbs of signing in."""

    def __init__(self, standing: Standing) -> None:
        """Work with what is handed down."""
        self._engine = standing.engine
        self._writer = standing.writer
        self._recorder = standing.recorder
        self._keys = standing.keys
        self._policy = standing.policy
        self._passwords = standing.passwords
        self._challenges = passkeys.Challenges(standing.keys)
        self._factors = Attempts(
            "factor",
            engine=standing.engine,
            writer=standing.writer,
            keys=standing.keys,
            per_account=PER_FACTOR,
        )
        self._sources = Attempts(
            "passkey", engine=standing.engine, writer=standing.writer, keys=standing.keys
        )

    def password(self, login: str, password: str, visit: Visit, *, now: int) -> Begun:
        """Begin a session by name and password; it may still wait for a factor.

        Raises:
            AuthenticationNeeded: ``sign_in_wrong``, for every reason alike.
        """
        with self._engine.connect() as connection:
            kept = connection.scalar(
                select(PersonRow.password).where(
                    PersonRow.login == login, PersonRow.disabled.is_(None)
                )
            )
        fits = self._passwords.fits(kept, password) and self._policy.passwords
        older = fits and kept is not None and self._passwords.is_older(kept)
        hashed = self._passwords.hash(password) if older else None

        def act(connection: Connection) -> Begun | None:
            person = find_person(connection, login)
            unchanged = person is not None and kept == _password(connection, person)
            if person is None or not fits or not unchanged:
                self._record(connection, person, outcome="sign_in_wrong", means="", now=now)
                return None
            if hashed is not None:
                anew = update(PersonRow).where(PersonRow.number == person.number)
                connection.execute(anew.values(password=hashed))
            waits_for = self._policy.waits_for(person)
            proof = _Proof(means="password", visit=visit)
            return self._begin(connection, person, proof, waits_for=waits_for, now=now)

        begun = self._writer.run(act)
        if begun is None:
            raise AuthenticationNeeded(
                "sign_in_wrong",
                "Name or password is wrong.",
                next_step="Try again, or ask your organisation's administrator.",
            )
        return begun

    def totp(self, token: str, code: str, visit: Visit, *, now: int) -> Begun:
        """Take the code of an authenticator app: as second factor, or as a fresh proof.

        Raises:
            AuthenticationNeeded: ``factor_wrong``; ``sign_in_needed`` when the session is over.
            Unavailable: ``too_many_attempts``.
        """

        def check(connection: Connection, person: Person) -> bool:
            row = codes.totp_row(connection, person)
            if row is None or row.confirmed is None:
                return False
            secret = codes.open_secret(row, person, self._keys)
            return codes.take_totp(connection, row, secret, code, now=now)

        proof = _Proof(means="authenticator", visit=visit)
        return self._prove(token, check, proof, now=now)

    def recovery(self, token: str, code: str, reason: str, visit: Visit, *, now: int) -> Begun:
        """Take a recovery code in place of the second factor, with a stated reason.

        Raises:
            Malformed: ``reason_invalid``.
            AuthenticationNeeded: ``factor_wrong``; ``sign_in_needed`` when the session is over.
            Unavailable: ``too_many_attempts``.
        """
        basis = parse_reason(reason)

        def check(connection: Connection, person: Person) -> bool:
            if not codes.take_recovery_code(connection, person, code, self._keys):
                return False
            left = codes.count_recovery_codes(connection, person)
            event = Event(
                what=EventClass.CREDENTIAL_REMOVED,
                org=person.org,
                person=person.login,
                subject=person.handle,
                basis=basis,
                detail=f"recovery code used, {left} left",
                concerns=[person.org],
            )
            self._recorder.record(connection, event, now=now)
            tell_watchers(
                connection, person.org, What.RECOVERY, about=person.handle, reason=basis, now=now
            )
            return True

        proof = _Proof(means="recovery code", visit=visit, basis=basis)
        return self._prove(token, check, proof, now=now)

    def again(self, token: str, password: str, visit: Visit, *, now: int) -> Begun:
        """Take the password as a fresh proof, from a person who has no second factor.

        Raises:
            AuthenticationNeeded: ``factor_wrong``; ``sign_in_needed`` when the session is over.
            Unavailable: ``too_many_attempts``.
        """

        def check(connection: Connection, person: Person) -> bool:
            if person.has_factor or not self._policy.passwords:
                return False
            return self._passwords.fits(_password(connection, person), password)

        proof = _Proof(means="password", visit=visit)
        return self._prove(token, check, proof, now=now)

    def passkey(
        self, answer: passkeys.Answer, visit: Visit, *, token: str | None, now: int
    ) -> Begun:
        """Take a passkey: to sign in, as second factor, or as a fresh proof.

        Args:
            answer: of the browser.
            visit: who knocks.
            token: of the session that waits or is to be made fresh; it must be the same person's.
            now: unix seconds.

        Raises:
            AuthenticationNeeded: ``passkey_refused``, for every reason alike.
            Unavailable: ``too_many_attempts``.
        """
        self._sources.attempt(account="", source=visit.source, now=now)

        def act(connection: Connection) -> Begun | None:
            challenge = self._challenges.take(connection, answer, now=now)
            row = self._passkey_row(connection, answer)
            person = numbered_person(connection, row.person)
            counter = passkeys.check_assertion(answer, challenge, public_key=row.public_key)
            old = session_row(connection, token, now) if token is not None else None
            strange = token is not None and (old is None or old.person != row.person)
            if person is None or row.halted is not None or strange:
                raise passkeys.passkey_refused()
            if passkeys.went_back(row.counter, counter):
                self._halt(connection, person, row, now=now)
                return None
            used = update(PasskeyRow).where(PasskeyRow.number == row.number)
            connection.execute(used.values(counter=counter, used=now))
            proof = _Proof(means="passkey", visit=visit, token=token, old=old)
            return self._begin(connection, person, proof, now=now)

        begun = self._writer.run(self._noting_refusal(act, now))
        if begun is None:
            raise passkeys.passkey_refused()
        return begun

    def at_console(self, login: str, password: str, code: Callable[[], str], *, now: int) -> Person:
        """Return the person whose name, password and code these are; no session stays.

        ``code`` asks for the code of the authenticator app, when one is needed.

        Raises:
            AuthenticationNeeded: ``sign_in_wrong``, ``factor_wrong``.
            Refused: ``factor_missing`` when the person must set one up first.
        """
        visit = Visit(browser="the hub's command line", source="console")
        begun = self.password(login, password, visit, now=now)
        if begun.waits_for == FACTOR:
            begun = self.totp(begun.token, code(), visit, now=now)
        self._writer.run(lambda connection: drop_session(connection, begun.token))
        if begun.waits_for:
            raise Refused(
                "factor_missing",
                "This account must have a second factor first.",
                next_step="Sign in at the hub's pages and set one up.",
            )
        return begun.person

    def ways(self, token: str, *, now: int) -> Ways:
        """Return what the person of a session can prove who they are with.

        Raises:
            AuthenticationNeeded: ``sign_in_needed`` when the session is over.
        """
        with self._engine.connect() as connection:
            _, person = _present(connection, token, now)
            row = codes.totp_row(connection, person)
            held = passkeys.passkeys_of(connection, person)
        return Ways(
            passkey=bool(held),
            totp=row is not None and row.confirmed is not None,
            password=not person.has_factor and self._policy.passwords,
        )

    def passkey_options(
        self, bound_to: str, party: passkeys.RelyingParty, *, token: str | None, now: int
    ) -> str:
        """Return what a browser is asked for a sign-in, or for the factor of a session."""
        challenge = self._challenges.make(bound_to, now=now)
        held: list[bytes] = []
        if token is not None:
            with self._engine.connect() as connection:
                row = session_row(connection, token, now)
                person = numbered_person(connection, row.person) if row is not None else None
                held = passkeys.passkeys_of(connection, person) if person is not None else []
        return passkeys.sign_in_options(held, challenge=challenge, party=party)

    def _prove(
        self,
        token: str,
        check: Callable[[Connection, Person], bool],
        proof: _Proof,
        *,
        now: int,
    ) -> Begun:
        means = proof.means
        with self._engine.connect() as connection:
            _, person = _present(connection, token, now)
        self._factors.attempt(account=person.login, source=proof.visit.source, now=now)

        def act(connection: Connection) -> Begun | None:
            old, person = _present(connection, token, now)
            # Setting a factor up for the first time is no proof; the page for that does it.
            if old.waits_for not in {"", FACTOR} or not check(connection, person):
                self._record(connection, person, outcome="factor_wrong", means=means, now=now)
                return None
            whole = replace(proof, token=token, old=old)
            return self._begin(connection, person, whole, now=now)

        begun = self._writer.run(act)
        if begun is None:
            raise AuthenticationNeeded(
                "factor_wrong",
                "This was not right, or was used before.",
                next_step="Wait for the next code, or use another way.",
            )
        self._factors.succeeded(account=person.login)
        return begun

    def _begin(
        self,
        connection: Connection,
        person: Person,
        proof: _Proof,
        *,
        waits_for: str = "",
        now: int,
    ) -> Begun:
        """Begin a session in place of the old one, if there is one, and record it."""
        old, means = proof.old, proof.means
        again = old is not None and not old.waits_for
        if proof.token is not None:
            drop_session(connection, proof.token)
        if old is not None and not again:
            means = f"{old.means} and {means}"
        made = begin_session(
            connection,
            person,
            waits_for=waits_for,
            means=means,
            browser=proof.visit.browser,
            # A fresh proof does not make the session longer.
            began=old.began if old is not None and again else now,
            now=now,
        )
        follows = {FACTOR: ", the second factor follows", ENROL: ", a first factor follows"}
        self._record(
            connection,
            person,
            outcome="ok",
            means=f"{means}, proved again" if again else means + follows.get(waits_for, ""),
            basis=proof.basis,
            now=now,
        )
        return Begun(token=made, person=person, waits_for=waits_for)

    def _passkey_row(self, connection: Connection, answer: passkeys.Answer) -> Row[Any]:
        credential = passkeys.credential_of(answer)
        row = connection.execute(
            select(PasskeyRow.__table__).where(PasskeyRow.credential == credential)
        ).one_or_none()
        if row is None:
            raise passkeys.passkey_refused()
        return row

    def _halt(self, connection: Connection, person: Person, row: Row[Any], *, now: int) -> None:
        """Stop a passkey that may exist twice; the organisation is told."""
        connection.execute(
            update(PasskeyRow).where(PasskeyRow.number == row.number).values(halted=now)
        )
        tell_watchers(connection, person.org, What.COPIED, about=person.handle, reason="", now=now)
        self._record(connection, person, outcome="passkey_copied", means="passkey", now=now)

    def _noting_refusal(
        self, act: Callable[[Connection], Begun | None], now: int
    ) -> Callable[[Connection], Begun | None]:
        """Return ``act``, but a refusal is recorded and kept instead of rolled back."""

        def noting(connection: Connection) -> Begun | None:
            try:
                return act(connection)
            except AccordError:
                self._record(connection, None, outcome="passkey_refused", means="passkey", now=now)
                return None

        return noting

    def _record(
        self,
        connection: Connection,
        person: Person | None,
        *,
        outcome: str,
        means: str,
        basis: str = "",
        now: int,
    ) -> None:
        failed = outcome != "ok"
        event = Event(
            what=EventClass.SIGN_IN_FAILED if failed else EventClass.SIGN_IN_OK,
            org=person.org if person else "",
            person=person.login if person else "",
            basis=basis,
            outcome=outcome,
            detail=means,
            concerns=[person.org] if person else [],
        )
        self._recorder.record(connection, event, now=now)


def _password(connection: Connection, person: Person) -> str | None:
    return connection.scalar(select(PersonRow.password).where(PersonRow.number == person.number))


def _present(connection: Connection, token: str, now: int) -> tuple[Row[Any], Person]:
    row = session_row(connection, token, now)
    person = None if row is None else numbered_person(connection, row.person)
    if row is None or person is None:
        raise AuthenticationNeeded("sign_in_needed", "Sign in first.")
    return row, person
