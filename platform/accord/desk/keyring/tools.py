"""Tools that read this desk's feeds: a name, a token that is shown once, and their last request.

A token has 160 bits of randomness, so its SHA-256 is kept and a slow hash would add nothing but
time to every request. Names and tokens are compared in constant time.
"""

import hashlib
import hmac
import re
import secrets
import sqlite3
from dataclasses import dataclass, field, replace

from accord.desk.storage import Vault
from accord.desk.storage.journal import Act, record_act_in
from accord.kernel.errors import AuthenticationNeeded, Conflict, Malformed, NotFound

TOKEN_BYTES = 20
NOTE_SECONDS = 5
"""A tool's last request is written to the vault at most this often; a process knows all of them."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that came: when, what it asked for, how it was answered, by which program."""

    at: int
    request: str
    status: int
    agent: str


@dataclass(slots=True)
class Tools:
    """The tools of one desk.

    Attributes:
        vault: where they are kept.
        latest: the last request of each tool in this process.
        stranger: the last request in this process whose name or token was wrong.
    """

    vault: Vault
    latest: dict[str, Asked] = field(default_factory=dict)
    stranger: Asked | None = None

    def add(self, name: str, *, person: str, now: int) -> str:
        """Add a tool, write down who did, and return its token, this once.

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
            _note(connection, name, "added", person=person, now=now)
        return token

    def remove(self, name: str, *, person: str, now: int) -> None:
        """Remove a tool and write down who did; its token is worth nothing from now on.

        Raises:
            NotFound: ``tool_unknown``.
        """
        with self.vault.transaction() as connection:
            done = connection.execute("DELETE FROM tools WHERE name = ?", (name,))
            if done.rowcount == 0:
                raise NotFound("tool_unknown", "There is no tool of this name.", observed=name[:60])
            _note(connection, name, "removed", person=person, now=now)
        self.latest.pop(name, None)

    def list(self) -> list[Tool]:
        """Return the tools in order of their names."""
        rows = self.vault.connection.execute(
            "SELECT name, created, seen, request, status, agent FROM tools ORDER BY name"
        )
        found = [Tool(**dict(zip(Tool.__dataclass_fields__, row, strict=True))) for row in rows]
        return [self._brought_up(one) for one in found]

    def _brought_up(self, tool: Tool) -> Tool:
        asked = self.latest.get(tool.name)
        if asked is None or asked.at < max(tool.created, tool.seen or 0):
            return tool
        return replace(
            tool, seen=asked.at, request=asked.request, status=asked.status, agent=asked.agent
        )

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
        """Note a tool's request; written to the vault unless the same was a moment ago."""
        asked = Asked(at=now, request=request[:_MAX_WORDS], status=status, agent=_printable(agent))
        self.latest[name] = asked
        row = self.vault.connection.execute(
            "SELECT seen, status FROM tools WHERE name = ?", (name,)
        ).fetchone()
        if row is None or (row[0] is not None and now - row[0] < NOTE_SECONDS and row[1] == status):
            return
        with self.vault.transaction() as connection:
            connection.execute(
                "UPDATE tools SET seen = ?, request = ?, status = ?, agent = ? WHERE name = ?",
                (asked.at, asked.request, asked.status, asked.agent, name),
            )

    def note_stranger(self, *, request: str, agent: str, now: int) -> None:
        """Note, for as long as this process lives, that a name or token was wrong."""
        self.stranger = Asked(
            at=now, request=_printable(request), status=401, agent=_printable(agent)
        )


def _note(connection: sqlite3.Connection, name: str, what: str, *, person: str, now: int) -> None:
    record_act_in(
        connection,
        person=person,
        act=Act.LIST_CHANGE,
        subject=f"tool {name}",
        reason=what,
        now=now,
    )


def _digest(token: str) -> bytes:
    return hashlib.sha256(b"accord/desk/tool\0" + token.encode("utf-8", "replace")).digest()


def _printable(text: str) -> str:
    return "".join(letter for letter in text[:_MAX_WORDS] if letter.isprintable())
