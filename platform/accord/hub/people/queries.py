"""Reads of people -> frozen values."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, exists, or_, select

from accord.hub.access import Role
from accord.hub.people.tables import PasskeyRow, PersonRow, TotpRow
from accord.kernel.errors import NotFound
from accord.kernel.identifiers import OrgId

STRONG_ROLES = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})
"""Roles that see nothing before a second factor is set up, and given at each sign-in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person who may sign in.

    Attributes:
        number: the row's number.
        handle: what events and addresses call the person by.
        login: the sign-in name; the only place of the name beside erasable fields.
        org: the organisation whose person this is.
        role: what the person may do.
        created: when the account was made, unix seconds.
        has_password: whether there is a password.
        has_factor: whether there is a passkey or an authenticator app.
    """

    number: int
    handle: str
    login: str
    org: OrgId
    role: Role
    created: int
    has_password: bool
    has_factor: bool


def people_query() -> Select[Any]:
    """Return the query of all open accounts, with whether each has a second factor.

    A halted passkey counts: otherwise the password alone would do once it was halted.
    """
    totp = exists().where(TotpRow.person == PersonRow.number, TotpRow.confirmed.is_not(None))
    passkey = exists().where(PasskeyRow.person == PersonRow.number)
    return select(PersonRow.__table__, or_(totp, passkey).label("has_factor")).where(
        PersonRow.disabled.is_(None)
    )


def person_of(row: Row[Any]) -> Person:
    """Return the value of a row of ``people_query``."""
    return Person(
        number=row.number,
        handle=row.handle,
        login=row.login,
        org=OrgId(row.org),
        role=Role(row.role),
        created=row.created,
        has_password=row.password is not None,
        has_factor=bool(row.has_factor),
    )


def find_person(connection: Connection, login: str) -> Person | None:
    """Return the open account of a name, or ``None``."""
    row = connection.execute(people_query().where(PersonRow.login == login)).one_or_none()
    return None if row is None else person_of(row)


def numbered_person(connection: Connection, number: int) -> Person | None:
    """Return the open account with this number, or ``None``."""
    row = connection.execute(people_query().where(PersonRow.number == number)).one_or_none()
    return None if row is None else person_of(row)


def require_person(connection: Connection, login: str) -> Person:
    """Return the open account of a name.

    Raises:
        NotFound: ``person_missing``.
    """
    person = find_person(connection, login)
    if person is None:
        raise NotFound("person_missing", "There is no open account of this name.")
    return person


def person_by_handle(connection: Connection, handle: str, *, org: OrgId) -> Person:
    """Return the open account of a handle within an organisation.

    Raises:
        NotFound: ``person_missing``; people of others look as if they did not exist.
    """
    query = people_query().where(PersonRow.handle == handle, PersonRow.org == org)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("person_missing", "There is no open account of this name.")
    return person_of(row)


def people_of(connection: Connection, org: OrgId | None = None) -> list[Person]:
    """Return the open accounts of an organisation, or all, by organisation and name."""
    query = people_query().order_by(PersonRow.org, PersonRow.login)
    if org is not None:
        query = query.where(PersonRow.org == org)
    return [person_of(row) for row in connection.execute(query)]
