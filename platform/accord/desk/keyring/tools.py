"""Tools that read this desk's feeds: a name, a token that is shown once, and their last request.

A token has 160 bits of randomness, so its SHA-256 is kept and a slow hash would add nothing but
time to every request. Names and tokens are compared in constant time.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from accord.desk.storage import Vault
from accord.kernel.errors import AuthenticationNeeded, Conflict, Malformed, NotFound

TOKEN_BYTES = 20
NOTE_SECONDS = 5
"""A tool's last request is written down at most this often."""

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,38}[a-z0-9])?")
_MAX_TOKEN = 256
_MAX_WORDS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool: when it was added, and its last request (path, status, program) if it made one."""

    name: str
    created: int
    seen: int | None
    request: str | None
    status: int | None
    agent: str | None


@dataclass(frozen=True, slots=True)
class Tools:
    """The tools of one desk."""

    vault: Vault

    def add(self, name: str, *, now: int) -> str:
        """Add a tool and return its token, this once.

        Raises:
            Malformed: ``tool_name_invalid``.
            Conflict: ``tool_exists``.
        """
        if _NAME.fullmatch(name) is None:
            raise Malformed(
                "tool_name_invalid",
                "A tool's name has lower-case letters, digits, dots, hyphens; at most 40.",
                observed=name[:60],
            )
        token = secrets.token_urlsafe(TOKEN_BYTES)
        with self.vault.transaction() as connection:
            known = connection.execute("SELECT 1 FROM tools WHERE name = ?", (name,)).fetchone()
            if known is not None:
                raise Conflict(
                    "tool_exists",
                    "There is a tool of this name already.",
                    observed=name,
                    next_step="Remove it first, or choose another name.",
                )
            connection.execute(
                "INSERT INTO tools (name, digest, created) VALUES (?, ?, ?)",
                (name, _digest(token), now),
            )
        return token

    def remove(self, name: str) -> None:
        """Remove a tool; its token is worth nothing from now on.

        Raises:
            NotFound: ``tool_unknown``.
        """
        with self.vault.transaction() as connection:
            done = connection.execute("DELETE FROM tools WHERE name = ?", (name,))
            if done.rowcount == 0:
                raise NotFound("tool_unknown", "There is no tool of this name.", observed=name[:60])

    def list(self) -> list[Tool]:
        """Return the tools in order of their names."""
        rows = self.vault.connection.execute(
            "SELECT name, created, seen, request, status, agent FROM tools ORDER BY name"
        )
        return [Tool(**dict(zip(Tool.__dataclass_fields__, row, strict=True))) for row in rows]

    def has(self, name: str) -> bool:
        """Tell whether the tool is still there."""
        row = self.vault.connection.execute(
            "SELECT 1 FROM tools WHERE name = ?", (name,)
        ).fetchone()
        return row is not None

    def check(self, token: str, name: str | None = None) -> str:
        """Return the name of the tool that has this token.

        Args:
            token: as given by the tool.
            name: the user name, where the tool gave one; it must be the tool's.

        Raises:
            AuthenticationNeeded: ``tool_wrong``, for every reason alike.
        """
        found = None
        digest = _digest(token[: _MAX_TOKEN + 1])
        for known, stored in self.vault.connection.execute("SELECT name, digest FROM tools"):
            if hmac.compare_digest(bytes(stored), digest):
                found = known
        if found is None or (name is not None and not hmac.compare_digest(found, name)):
            raise AuthenticationNeeded(
                "tool_wrong",
                "The tool's name or token is wrong.",
                next_step="Make a new one with accord tool add.",
            )
        return str(found)

    def note(self, name: str, *, request: str, status: int, agent: str, now: int) -> None:
        """Write a tool's request down, unless one was written a moment ago with the same answer."""
        row = self.vault.connection.execute(
            "SELECT seen, status FROM tools WHERE name = ?", (name,)
        ).fetchone()
        if row is None or (row[0] is not None and now - row[0] < NOTE_SECONDS and row[1] == status):
            return
        with self.vault.transaction() as connection:
            connection.execute(
                "UPDATE tools SET seen = ?, request = ?, status = ?, agent = ? WHERE name = ?",
                (now, request[:_MAX_WORDS], status, _printable(agent), name),
            )


def _digest(token: str) -> bytes:
    return hashlib.sha256(b"accord/desk/tool\0" + token.encode("utf-8", "replace")).digest()


def _printable(text: str) -> str:
    return "".join(letter for letter in text[:_MAX_WORDS] if letter.isprintable())
