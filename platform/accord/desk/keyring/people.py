"""Who may sign in at this desk's own pages: names and Argon2id hashes, kept in the vault.

Invariants: a wrong name takes as long as a wrong password and gets the same answer; an account's
id changes with its password, so that a new one ends the sessions that the old one began; each
change of an account stands in the journal, written with it.
"""

import contextlib
import hashlib
import re
import secrets
import sqlite3
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from accord.desk.storage import Vault
from accord.desk.storage.journal import Act, record_act_in
from accord.desk.storage.vault import put_setting, remove_setting
from accord.kernel.errors import AuthenticationNeeded, Malformed, NotFound

PASSWORD_BYTES = 15
"""Randomness of a generated password: 120 bits."""

MAX_PASSWORD = 256

_LOGIN = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,38}[a-z0-9])?")
_SETTING = "person:"
_DIGEST_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who may sign in. ``id`` names this account with its present password."""

    login: str
    id: str


def check_login(login: str) -> None:
    """Refuse what is no name to sign in with.

    Raises:
        Malformed: ``login_invalid``.
    """
    if _LOGIN.fullmatch(login) is None:
        raise Malformed(
            "login_invalid",
            "A sign-in name has lower-case letters, digits, dots, hyphens; at most 40.",
            observed=login[:60],
        )


def person_unknown(login: str) -> NotFound:
    """Return the error of an account that is not there."""
    return NotFound("person_unknown", "This desk has no account of that name.", observed=login[:60])


@dataclass(frozen=True, slots=True)
class People:
    """The accounts of one desk."""

    vault: Vault

    def set_password(self, login: str, *, by: str, now: int) -> str:
        """Make an account, or give it a new password; the password is returned this once.

        Args:
            login: the account.
            by: who does it, for the journal.
            now: unix seconds.

        Raises:
            Malformed: ``login_invalid``.
        """
        check_login(login)
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        kept = PasswordHasher().hash(password).encode()
        with self.vault.transaction() as connection:
            is_new = self.vault.setting(_SETTING + login) is None
            put_setting(connection, _SETTING + login, kept)
            self._note(connection, login, by, "added" if is_new else "new password", now)
        return password

    def has(self, login: str) -> bool:
        """Tell whether there is an account of that name."""
        return self.vault.setting(_SETTING + login) is not None

    def remove(self, login: str, *, by: str, now: int) -> None:
        """Take an account away; its sessions end with it.

        Raises:
            NotFound: ``person_unknown``.
        """
        with self.vault.transaction() as connection:
            if not remove_setting(connection, _SETTING + login):
                raise person_unknown(login)
            self._note(connection, login, by, "removed", now)

    @staticmethod
    def _note(connection: sqlite3.Connection, login: str, by: str, reason: str, now: int) -> None:
        act, subject = Act.PERSON_CHANGE, f"person {login}"
        record_act_in(connection, person=by, act=act, subject=subject, reason=reason, now=now)

    def check(self, login: str, password: str) -> Account:
        """Return the account when name and password fit.

        Raises:
            AuthenticationNeeded: ``sign_in_wrong``, for every reason alike.
        """
        stored = self.vault.setting(_SETTING + login) if _LOGIN.fullmatch(login) else None
        hasher = PasswordHasher()
        given = password[: MAX_PASSWORD + 1]
        fits = False
        if stored is None:
            hasher.hash(given)  # as long as a comparison takes
        else:
            with contextlib.suppress(VerificationError, InvalidHashError):
                hasher.verify(stored.decode(), given)
                fits = len(password) <= MAX_PASSWORD
        if stored is None or not fits:
            raise AuthenticationNeeded(
                "sign_in_wrong",
                "Name or password is wrong.",
                next_step="Try again, or set a new one with accord desk person NAME.",
            )
        return _account(login, stored)

    def find(self, account_id: str) -> Account | None:
        """Return the account of an id, or ``None`` when it is gone or has a new password."""
        login = account_id.partition(":")[0]
        stored = self.vault.setting(_SETTING + login) if _LOGIN.fullmatch(login) else None
        found = None if stored is None else _account(login, stored)
        return found if found is not None and found.id == account_id else None


def _account(login: str, stored: bytes) -> Account:
    # Of the salted hash: whoever reads a cookie learns nothing of the password.
    digest = hashlib.sha256(b"accord/desk/account\0" + stored).digest()[:_DIGEST_BYTES]
    return Account(login=login, id=f"{login}:{digest.hex()}")
