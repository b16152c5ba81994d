"""Accounts: add, sign in, look up.

Invariants: passwords exist only as Argon2id hashes; a wrong name takes as long as a wrong password
and gives the same answer; each attempt is logged in the transaction that records it. An account's
id changes with its password, so that a new one ends the sessions that the old one began.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import Connection, Engine, Row, insert, select

from accord.hub.access import Role
from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.people.tables import PersonRow
from accord.hub.storage import Writer
from accord.kernel.errors import AuthenticationNeeded, Conflict, Malformed
from accord.kernel.identifiers import OrgId

PASSWORD_BYTES = 15
"""Randomness of a generated password: 120 bits."""

MAX_PASSWORD = 256
"""Longest password taken, in characters."""

_ACCOUNT = re.compile(r"([1-9][0-9]{0,17}):[0-9a-f]{16}")
_DIGEST_BYTES = 8
_LOGIN = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,38}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person who may sign in. ``account`` names the account with its present password."""

    account: str
    login: str
    org: OrgId
    role: Role


class People:
    """The accounts of this hub."""

    def __init__(self, *, engine: Engine, writer: Writer, recorder: Recorder) -> None:
        """Read through ``engine``, write and record through the others."""
        self._engine = engine
        self._writer = writer
        self._recorder = recorder
        self._hasher = PasswordHasher()
        # Compared against when the name is unknown, so that the time tells nothing.
        self._nobody = self._hasher.hash(secrets.token_urlsafe(PASSWORD_BYTES))

    def add(self, login: str, *, org: OrgId, role: Role, now: int) -> str:
        """Make an account and return its generated password, which is shown this once.

        Raises:
            Malformed: ``login_invalid``.
            Conflict: ``login_taken``.
        """
        if _LOGIN.fullmatch(login) is None:
            raise Malformed(
                "login_invalid",
                "A sign-in name has lower-case letters, digits, dots, hyphens; at most 40.",
                observed=login[:60],
            )
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        hashed = self._hasher.hash(password)

        def act(connection: Connection) -> None:
            if connection.scalar(select(PersonRow.number).where(PersonRow.login == login)):
                raise Conflict("login_taken", "This sign-in name is taken.", observed=login)
            connection.execute(
                insert(PersonRow).values(
                    login=login, org=org, role=role.value, password=hashed, created=now
                )
            )
            self._recorder.record(
                connection,
                Event(what=EventClass.PERSON_ADDED, org=org, person=login, detail=role.value),
                now=now,
            )

        self._writer.run(act)
        return password

    def sign_in(self, login: str, password: str, *, now: int) -> Person:
        """Return the person when name and password fit; the attempt is recorded either way.

        Raises:
            AuthenticationNeeded: ``sign_in_wrong``, for every reason alike.
        """
        with self._engine.connect() as connection:
            row = connection.execute(
                select(PersonRow.__table__).where(
                    PersonRow.login == login, PersonRow.disabled.is_(None)
                )
            ).one_or_none()
        try:
            self._hasher.verify(row.password if row else self._nobody, password[: MAX_PASSWORD + 1])
            fits = row is not None and len(password) <= MAX_PASSWORD
        except VerificationError:
            fits = False
        event = Event(
            what=EventClass.SIGN_IN_OK if fits else EventClass.SIGN_IN_FAILED,
            org=row.org if row else "",
            person=row.login if row else "",
            outcome="ok" if fits else "sign_in_wrong",
        )
        self._writer.run(lambda connection: self._recorder.record(connection, event, now=now))
        if row is None or not fits:
            raise AuthenticationNeeded(
                "sign_in_wrong",
                "Name or password is wrong.",
                next_step="Try again, or ask your organisation's administrator.",
            )
        return _person(row)

    def find(self, account: str) -> Person | None:
        """Return the person of an account that is open and has the same password, or ``None``."""
        parts = _ACCOUNT.fullmatch(account)
        if parts is None:
            return None
        with self._engine.connect() as connection:
            row = connection.execute(
                select(PersonRow.__table__).where(
                    PersonRow.number == int(parts[1]), PersonRow.disabled.is_(None)
                )
            ).one_or_none()
        person = None if row is None else _person(row)
        return person if person is not None and person.account == account else None


def _person(row: Row[Any]) -> Person:
    # Of the salted hash: whoever reads a cookie learns nothing of the password.
    digest = hashlib.sha256(b"accord/hub/account\0" + row.password.encode()).digest()
    return Person(
        account=f"{row.number}:{digest[:_DIGEST_BYTES].hex()}",
        login=row.login,
        org=OrgId(row.org),
        role=Role(row.role),
    )
