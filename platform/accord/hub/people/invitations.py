"""One-off codes: the organisation invites its own people, and sets up anew who lost everything.

Invariants: a code works once, for a day, for one organisation and role, and is kept as a tag; the
role never comes from the person who uses it; an administrator acts within their own organisation.
The operator's own verbs stand in ``operator``.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, delete, insert, select, update

from accord.hub.access import Action, Actor, Role, require
from accord.hub.audit import Event, EventClass
from accord.hub.people.passwords import check_password
from accord.hub.people.queries import (
    Person,
    find_person,
    numbered_person,
    person_by_handle,
    require_person,
)
from accord.hub.people.sealing import PeopleKeys
from accord.hub.people.sessions import ENROL, begin_session, end_sessions
from accord.hub.people.sign_in import Begun, Visit
from accord.hub.people.standing import Standing
from accord.hub.people.tables import (
    PasskeyRow,
    PersonInviteRow,
    PersonRow,
    RecoveryCodeRow,
    TotpRow,
)
from accord.kernel.errors import Conflict, Malformed, NotFound, Refused
from accord.kernel.identifiers import OrgId

INVITE_SECONDS = 24 * 3600
"""How long a code can be used."""

CODE_BYTES = 20
"""Randomness of a code: 160 bits."""

HANDLE_BYTES = 8

_LOGIN = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,38}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """A code that has not been used: ``login`` is known when an account is set up anew."""

    number: int
    role: Role
    login: str | None
    expires: int


class Invitations:
    """The verbs of codes."""

    def __init__(self, standing: Standing) -> None:
        """Work with what is handed down."""
        self._engine = standing.engine
        self._writer = standing.writer
        self._recorder = standing.recorder
        self._keys = standing.keys
        self._policy = standing.policy
        self._passwords = standing.passwords

    def invite(self, actor: Actor, role: Role, *, now: int) -> str:
        """Make an invite to the actor's organisation; return its code, shown this once."""
        require(actor, Action.PERSON_INVITE)

        def act(connection: Connection) -> str:
            event = Event(
                what=EventClass.PERSON_INVITED,
                org=actor.org,
                person=actor.person,
                detail=role.value,
                concerns=[actor.org],
            )
            self._recorder.record(connection, event, now=now)
            maker = require_person(connection, actor.person)
            return add_code(connection, self._keys, actor.org, role, made_by=maker.handle, now=now)

        return self._writer.run(act)

    def waiting(self, actor: Actor, *, now: int) -> Sequence[Invite]:
        """Return the invites of the actor's organisation that can still be used."""
        require(actor, Action.PEOPLE_VIEW)
        query = (
            select(PersonInviteRow.__table__, PersonRow.login.label("of"))
            .outerjoin(PersonRow, PersonRow.number == PersonInviteRow.person)
            .where(PersonInviteRow.org == actor.org, PersonInviteRow.expires > now)
            .order_by(PersonInviteRow.number)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [
            Invite(
                number=row.number,
                role=Role(row.role),
                login=row.of or row.login,
                expires=row.expires,
            )
            for row in rows
        ]

    def withdraw(self, actor: Actor, number: int, *, now: int) -> None:
        """Take an invite of the actor's organisation back.

        Raises:
            NotFound: ``invite_missing``.
        """
        require(actor, Action.PERSON_INVITE)

        def act(connection: Connection) -> None:
            gone = connection.execute(
                delete(PersonInviteRow).where(
                    PersonInviteRow.number == number, PersonInviteRow.org == actor.org
                )
            )
            if not gone.rowcount:
                raise NotFound("invite_missing", "There is no such invite any more.")
            event = Event(
                what=EventClass.INVITE_WITHDRAWN,
                org=actor.org,
                person=actor.person,
                detail="of a person",
                concerns=[actor.org],
            )
            self._recorder.record(connection, event, now=now)

        self._writer.run(act)

    def reset(self, actor: Actor, handle: str, *, now: int) -> str:
        """Set up anew a person of the actor's organisation: what they had is worth nothing.

        Returns:
            The code with which they begin again, shown this once.

        Raises:
            NotFound: ``person_missing``, also for people of others.
        """
        require(actor, Action.PERSON_RESET)

        def act(connection: Connection) -> str:
            person = person_by_handle(connection, handle, org=actor.org)
            event = Event(
                what=EventClass.CREDENTIAL_RESET,
                org=actor.org,
                person=actor.person,
                about=person.login,
                subject=person.handle,
                detail="by an administrator",
                concerns=[actor.org],
            )
            self._recorder.record(connection, event, now=now)
            maker = require_person(connection, actor.person)
            return reset_person(connection, self._keys, person, made_by=maker.handle, now=now)

        return self._writer.run(act)

    def join(self, code: str, login: str, password: str, visit: Visit, *, now: int) -> Begun:
        """Use a code: make the account, or set it up anew, and begin a session.

        Args:
            code: as it was handed over.
            login: the name that the person wants; an account that exists keeps its own.
            password: empty where the hub takes passkeys only.
            visit: who knocks.
            now: unix seconds.

        Raises:
            Refused: ``code_refused``: unknown, used, withdrawn or expired, all alike.
            Malformed: ``login_invalid``, or a code of ``passwords.check_password``.
            Conflict: ``login_taken``.
        """
        with self._engine.connect() as connection:
            invite = self._usable(connection, code, now)
            login = self._login(connection, invite, login)
        hashed = None
        if self._policy.passwords:
            hashed = self._passwords.hash(check_password(password, login=login))

        def act(connection: Connection) -> Begun:
            invite = self._usable(connection, code, now)
            connection.execute(
                delete(PersonInviteRow).where(PersonInviteRow.number == invite.number)
            )
            person = self._settle(connection, invite, login, hashed, now)
            strict = self._policy.needs_factor(person) or hashed is None
            waits_for = ENROL if strict else ""
            token = begin_session(
                connection,
                person,
                waits_for=waits_for,
                means="invite",
                browser=visit.browser,
                now=now,
            )
            return Begun(token=token, person=person, waits_for=waits_for)

        return self._writer.run(act)

    def _usable(self, connection: Connection, code: str, now: int) -> Row[tuple[object, ...]]:
        row = connection.execute(
            select(PersonInviteRow.__table__).where(
                PersonInviteRow.tag == _tag(self._keys, code), PersonInviteRow.expires > now
            )
        ).one_or_none()
        if row is None:
            raise Refused(
                "code_refused",
                "This code is not known, was used, or is too old.",
                next_step="Ask whoever gave it to you for a new one.",
            )
        return row

    def _login(self, connection: Connection, invite: Row[tuple[object, ...]], login: str) -> str:
        """Return the account's name; one that the person chose must be free."""
        known = numbered_person(connection, invite.person) if invite.person else None
        if known is not None:
            return known.login
        wanted = parse_login(str(invite.login or login.strip().lower()))
        if connection.scalar(select(PersonRow.number).where(PersonRow.login == wanted)):
            raise Conflict("login_taken", "This sign-in name is taken.", observed=wanted)
        return wanted

    def _settle(
        self,
        connection: Connection,
        invite: Row[tuple[object, ...]],
        login: str,
        hashed: str | None,
        now: int,
    ) -> Person:
        if invite.person:
            connection.execute(
                update(PersonRow).where(PersonRow.number == invite.person).values(password=hashed)
            )
        else:
            self._login(connection, invite, login)
            connection.execute(
                insert(PersonRow).values(
                    handle=secrets.token_hex(HANDLE_BYTES),
                    login=login,
                    org=invite.org,
                    role=invite.role,
                    password=hashed,
                    created=now,
                )
            )
        person = find_person(connection, login)
        if person is None:
            raise NotFound("person_missing", "There is no open account of this name.")
        event = Event(
            what=EventClass.CREDENTIAL_RESET if invite.person else EventClass.PERSON_ADDED,
            org=person.org,
            person=person.login,
            subject=person.handle,
            detail=person.role.value,
            concerns=[person.org],
        )
        self._recorder.record(connection, event, now=now)
        return person


def parse_login(text: str) -> str:
    """Return ``text`` as a sign-in name.

    Raises:
        Malformed: ``login_invalid``.
    """
    if _LOGIN.fullmatch(text) is None:
        raise Malformed(
            "login_invalid",
            "A sign-in name has lower-case letters, digits, dots, hyphens; at most 40.",
            observed=text[:60],
        )
    return text


def add_code(
    connection: Connection,
    keys: PeopleKeys,
    org: OrgId,
    role: Role,
    *,
    login: str | None = None,
    person: int | None = None,
    made_by: str = "",
    now: int,
) -> str:
    """Make a one-off code inside the caller's act; codes that are over are swept away."""
    code = secrets.token_urlsafe(CODE_BYTES)
    connection.execute(delete(PersonInviteRow).where(PersonInviteRow.expires <= now))
    connection.execute(
        insert(PersonInviteRow).values(
            tag=_tag(keys, code),
            org=org,
            role=role.value,
            login=login,
            person=person,
            made_by=made_by,
            made=now,
            expires=now + INVITE_SECONDS,
        )
    )
    return code


def reset_person(
    connection: Connection, keys: PeopleKeys, person: Person, *, made_by: str = "", now: int
) -> str:
    """Take away all that a person signs in with, inside the caller's act; return a new code."""
    forget_means(connection, person)
    return add_code(
        connection,
        keys,
        person.org,
        person.role,
        person=person.number,
        made_by=made_by,
        now=now,
    )


def withdraw_codes(connection: Connection, person: Person) -> None:
    """Withdraw what an administrator made who is none any more, inside the caller's act."""
    connection.execute(delete(PersonInviteRow).where(PersonInviteRow.made_by == person.handle))


def forget_means(connection: Connection, person: Person) -> None:
    """Delete password, factors, codes and sessions of a person, inside the caller's act."""
    connection.execute(
        update(PersonRow).where(PersonRow.number == person.number).values(password=None)
    )
    for table in (PasskeyRow, TotpRow, RecoveryCodeRow, PersonInviteRow):
        connection.execute(delete(table).where(table.person == person.number))
    withdraw_codes(connection, person)
    end_sessions(connection, person.number)


def _tag(keys: PeopleKeys, code: str) -> bytes:
    return keys.tag("invite", code.strip()[:80].encode("utf-8", "replace"))
