"""The journal's name, and a restart of it that the hub does not have yet.

The name is 16 random bytes, made with the vault, and goes into every head: so two vaults with the
same keys have two journals, and a copy of a vault has the same one. Only a restart changes it.
"""

import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from accord.kernel.tlog.journals import JOURNAL_ID_SIZE

NAMED_VERSION = 12
"""The version of the vault with which journals have names."""

_NAME, _WAITING = "journal_name", "journal_restart"
_SET = "INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartRow:
    """The row of a restart: what it says, and who did it."""

    said: str
    person: str


def has_name(connection: sqlite3.Connection) -> bool:
    """Return whether the journal has a name of the right size."""
    return len(journal_name(connection)) == JOURNAL_ID_SIZE


def journal_name(connection: sqlite3.Connection) -> bytes:
    """Return the journal's name."""
    return _setting(connection, _NAME) or b""


def give_name(connection: sqlite3.Connection) -> bytes:
    """Give the journal a new name inside the caller's transaction, and return it."""
    name = secrets.token_bytes(JOURNAL_ID_SIZE)
    connection.execute(_SET, (_NAME, name))
    return name


def waiting_restart(connection: sqlite3.Connection) -> bytes | None:
    """Return the body of a restart that the hub has not answered, or ``None``."""
    return _setting(connection, _WAITING)


def keep_restart(connection: sqlite3.Connection, body: bytes) -> None:
    """Write down that a restart is being sent, inside the caller's transaction."""
    connection.execute(_SET, (_WAITING, body))


def drop_restart(connection: sqlite3.Connection) -> None:
    """Write down that no restart waits, inside the caller's transaction."""
    connection.execute("DELETE FROM settings WHERE name = ?", (_WAITING,))


def restart_rows(connection: sqlite3.Connection, *, act: str) -> Mapping[int, RestartRow]:
    """Return the rows of ``act`` by the place of their leaf (from 1)."""
    # Casts: whoever edits the vault may put in values of any type.
    rows = connection.execute(
        "SELECT place, CAST(object AS TEXT), CAST(person AS TEXT) FROM journal_leaves"
        " JOIN acts ON acts.no = journal_leaves.no WHERE kind = 'act' AND act = ?",
        (act,),
    )
    return {place: RestartRow(said=said, person=person) for place, said, person in rows}


def _setting(connection: sqlite3.Connection, name: str) -> bytes | None:
    # A cast: whoever edits the vault may put in a value of any type.
    row = connection.execute(
        "SELECT CAST(value AS BLOB) FROM settings WHERE name = ?", (name,)
    ).fetchone()
    return None if row is None else bytes(row[0])
