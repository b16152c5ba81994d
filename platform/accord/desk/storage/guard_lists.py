"""The guard lists that this desk goes by: where each lies, and exactly what it held when read.

The lists themselves stay where they are. ``marks`` are 8 bytes of a hash of each entry, sorted and
joined: enough to count what a new version adds and removes.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from accord.desk.storage.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardList:
    """One list. ``place`` is what the user named: the list itself, or a directory of lists."""

    path: str
    place: str
    name: str
    version: str | None
    sha256: bytes
    n: int
    at: int


_COLUMNS = ", ".join(GuardList.__dataclass_fields__)


def guard_lists(vault: Vault) -> list[GuardList]:
    """Return every list, by path."""
    rows = vault.connection.execute(f"SELECT {_COLUMNS} FROM guard_lists ORDER BY path")  # noqa: S608 - our own column names
    return [
        GuardList(**dict(zip(GuardList.__dataclass_fields__, row, strict=True))) for row in rows
    ]


def marks_of_list(connection: sqlite3.Connection, path: str) -> bytes:
    """Return the marks of a list; none of one that is not known."""
    row = connection.execute("SELECT marks FROM guard_lists WHERE path = ?", (path,)).fetchone()
    return b"" if row is None else bytes(row[0])


def put_guard_list(connection: sqlite3.Connection, one: GuardList, marks: bytes) -> None:
    """Keep a list, in place of what was kept of its path."""
    values: Sequence[object] = [getattr(one, name) for name in GuardList.__dataclass_fields__]
    connection.execute(
        f"INSERT OR REPLACE INTO guard_lists ({_COLUMNS}, marks) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - our own column names
        (*values, marks),
    )


def remove_guard_list(connection: sqlite3.Connection, path: str) -> None:
    """Forget a list."""
    connection.execute("DELETE FROM guard_lists WHERE path = ?", (path,))
