"""An organisation's administrator and its people: list, role, sign out, remove.

Invariants: nobody acts on people of another organisation, who look as if they did not exist; the
last administrator of an organisation stays one; a changed role ends the person's sessions.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, update

from accord.hub.access import Action, Actor, Role, require
from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.people.invitations import forget_means, withdraw_codes
from accord.hub.people.queries import Person, people_of, person_by_handle
from accord.hub.people.sessions import end_sessions
from accord.hub.people.tables import PersonRow
from accord.hub.storage import Writer
from accord.kernel.errors import Malformed, Refused


class Administration:
    """The verbs of an organisation's administrator."""

    def __init__(self, *, engine: Engine, writer: Writer, recorder: Recorder) -> None:
        """Read through ``engine``, write and record through the others."""
        self._engine = engine
        self._writer = writer
        self._recorder = recorder

    def people(self, actor: Actor) -> Sequence[Person]:
        """Return the people of the actor's organisation."""
        require(actor, Action.PEOPLE_VIEW)
        with self._engine.connect() as connection:
            return people_of(connection, actor.org)

    def change_role(self, actor: Actor, handle: str, role: Role, *, now: int) -> None:
        """Give a person another role; they sign in again.

        Raises:
            NotFound: ``person_missing``.
            Refused: ``last_administrator``.
        """
        require(actor, Action.PERSON_ROLE)

        def act(connection: Connection) -> None:
            person = person_by_handle(connection, handle, org=actor.org)
            if role is not Role.ADMINISTRATOR:
                check_not_last(connection, person)
            connection.execute(
                update(PersonRow).where(PersonRow.number == person.number).values(role=role.value)
            )
            end_sessions(connection, person.number)
            withdraw_codes(connection, person)
            change = f"{person.role} to {role}"
            self._record(connection, EventClass.ROLE_CHANGED, actor, person, change, now)

        self._writer.run(act)

    def remove(self, actor: Actor, handle: str, *, now: int) -> None:
        """Close a person's account: sessions and all means to sign in are gone.

        Raises:
            NotFound: ``person_missing``.
            Refused: ``last_administrator``.
        """
        require(actor, Action.PERSON_REMOVE)

        def act(connection: Connection) -> None:
            person = person_by_handle(connection, handle, org=actor.org)
            check_not_last(connection, person)
            close_person(connection, person, now=now)
            self._record(connection, EventClass.PERSON_CLOSED, actor, person, "", now)

        self._writer.run(act)

    def sign_out(self, actor: Actor, handle: str, *, now: int) -> int:
        """End all sessions of a person; return how many there were.

        Raises:
            NotFound: ``person_missing``.
        """
        require(actor, Action.PERSON_SIGN_OUT)

        def act(connection: Connection) -> int:
            person = person_by_handle(connection, handle, org=actor.org)
            ended = end_sessions(connection, person.number)
            why = f"{ended} by an administrator"
            self._record(connection, EventClass.SESSION_ENDED, actor, person, why, now)
            return ended

        return self._writer.run(act)

    def _record(
        self,
        connection: Connection,
        what: EventClass,
        actor: Actor,
        person: Person,
        detail: str,
        now: int,
    ) -> None:
        event = Event(
            what=what,
            org=actor.org,
            person=actor.person,
            about=person.login,
            subject=person.handle,
            detail=detail,
            concerns=[actor.org],
        )
        self._recorder.record(connection, event, now=now)


def check_not_last(connection: Connection, person: Person) -> None:
    """Check that an organisation keeps an administrator without this person.

    Raises:
        Refused: ``last_administrator``.
    """
    left = [one for one in people_of(connection, person.org) if one.role is Role.ADMINISTRATOR]
    if [one.number for one in left] == [person.number]:
        raise Refused(
            "last_administrator",
            "This is the organisation's last administrator.",
            next_step="Make another person administrator first.",
        )


def close_person(connection: Connection, person: Person, *, now: int) -> None:
    """Close an account inside the caller's act."""
    forget_means(connection, person)
    connection.execute(
        update(PersonRow).where(PersonRow.number == person.number).values(disabled=now)
    )


def parse_role(text: str) -> Role:
    """Return the role that a form names; desks' is not one that a person can have.

    Raises:
        Malformed: ``role_invalid``.
    """
    try:
        role = Role(text)
    except ValueError:
        role = Role.DESK
    if role is Role.DESK:
        raise Malformed("role_invalid", "There is no such role.", observed=text[:40])
    return role
