"""The operator's verbs for people, from the hub's own command line.

The operator makes the first administrator of an organisation; after that its people are its own
business. Whatever the operator does to an organisation that has an administrator is an emergency:
it needs a stated reason, works at once, and every administrator and auditor of it is told.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, select

from accord.hub.access import Role
from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.people.administration import check_not_last, close_person
from accord.hub.people.invitations import add_code, parse_login, reset_person
from accord.hub.people.notices import What, parse_reason, tell_watchers
from accord.hub.people.queries import Person, people_of, require_person
from accord.hub.people.sealing import PeopleKeys
from accord.hub.people.tables import PersonRow
from accord.hub.storage import Writer
from accord.kernel.errors import Conflict, Refused
from accord.kernel.identifiers import OrgId


class Operator:
    """What whoever holds the hub's keys may do to accounts."""

    def __init__(
        self, *, engine: Engine, writer: Writer, recorder: Recorder, keys: PeopleKeys
    ) -> None:
        """Read through ``engine``, write and record through the others."""
        self._engine = engine
        self._writer = writer
        self._recorder = recorder
        self._keys = keys

    def people(self, org: OrgId | None = None) -> Sequence[Person]:
        """Return the open accounts of an organisation, or all."""
        with self._engine.connect() as connection:
            return people_of(connection, org)

    def add(self, login: str, *, org: OrgId, role: Role, reason: str = "", now: int) -> str:
        """Make a one-off code with which ``login`` makes their account; it is shown this once.

        Raises:
            Malformed: ``login_invalid``, ``reason_invalid``.
            Conflict: ``login_taken``.
            Refused: ``reason_needed`` when the organisation has an administrator already.
        """
        login = parse_login(login)

        def act(connection: Connection) -> str:
            if connection.scalar(select(PersonRow.number).where(PersonRow.login == login)):
                raise Conflict("login_taken", "This sign-in name is taken.", observed=login)
            emergency = role is Role.ADMINISTRATOR and self._has_administrator(connection, org)
            basis = self._basis(reason, needed=emergency)
            if emergency:
                # No name yet: it is told where the account is made, in an erasable field.
                tell_watchers(connection, org, What.ADMINISTRATOR, about="", reason=basis, now=now)
            what = EventClass.BREAK_GLASS_OPENED if emergency else EventClass.PERSON_INVITED
            self._record(connection, org, (what, login, basis, f"invited {role}"), now)
            return add_code(connection, self._keys, org, role, login=login, now=now)

        return self._writer.run(act)

    def reset(self, login: str, *, reason: str, now: int) -> str:
        """Set a person up anew; return the code with which they begin again.

        Raises:
            NotFound: ``person_missing``.
            Refused: ``reason_needed``.
            Malformed: ``reason_invalid``.
        """

        def act(connection: Connection) -> str:
            person = require_person(connection, login)
            basis = self._basis(reason, needed=True)
            self._tell(connection, person, What.RESET, basis, now)
            what = EventClass.BREAK_GLASS_OPENED
            self._record(connection, person.org, (what, login, basis, "reset"), now)
            return reset_person(connection, self._keys, person, now=now)

        return self._writer.run(act)

    def remove(self, login: str, *, reason: str, now: int) -> None:
        """Close a person's account.

        Raises:
            NotFound: ``person_missing``.
            Refused: ``reason_needed``, ``last_administrator``.
            Malformed: ``reason_invalid``.
        """

        def act(connection: Connection) -> None:
            person = require_person(connection, login)
            basis = self._basis(reason, needed=True)
            if len(people_of(connection, person.org)) > 1:
                check_not_last(connection, person)
            self._tell(connection, person, What.REMOVED, basis, now)
            close_person(connection, person, now=now)
            what = EventClass.BREAK_GLASS_OPENED
            self._record(connection, person.org, (what, login, basis, "removed"), now)

        self._writer.run(act)

    def _has_administrator(self, connection: Connection, org: OrgId) -> bool:
        return any(one.role is Role.ADMINISTRATOR for one in people_of(connection, org))

    def _basis(self, reason: str, *, needed: bool) -> str:
        if not reason and needed:
            raise Refused(
                "reason_needed",
                "The organisation looks after its own people; this needs a stated reason.",
                next_step="Ask the organisation's administrator, or give --reason.",
            )
        return parse_reason(reason) if reason else ""

    def _tell(
        self, connection: Connection, person: Person, what: What, basis: str, now: int
    ) -> None:
        tell_watchers(connection, person.org, what, about=person.handle, reason=basis, now=now)

    def _record(
        self, connection: Connection, org: OrgId, said: tuple[EventClass, str, str, str], now: int
    ) -> None:
        """Record what was done to an organisation's people: class, name, basis, detail."""
        what, about, basis, detail = said
        event = Event(
            what=what,
            org=org,
            about=about,
            basis=basis,
            detail=f"by the operator: {detail}",
            concerns=[org],
        )
        self._recorder.record(connection, event, now=now)
