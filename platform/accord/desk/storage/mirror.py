"""The mirrored directory: every leaf of the directory log, and every checkpoint ever accepted.

Checkpoints are kept so that a log that forks or shrinks is seen: one size has one root for ever.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from accord.desk.storage.vault import Vault
from accord.kernel.errors import VerificationFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenCheckpoint:
    """A checkpoint that was verified here: the signed note as received, and when."""

    origin: str
    size: int
    root: bytes
    note: bytes
    seen: int


def leaves(vault: Vault) -> list[bytes]:
    """Return all mirrored statements in log order."""
    rows = vault.connection.execute("SELECT statement FROM directory_leaves ORDER BY position")
    return [bytes(row[0]) for row in rows]


def leaf_count(vault: Vault) -> int:
    """Return how many leaves are mirrored."""
    row = vault.connection.execute("SELECT count(*) FROM directory_leaves").fetchone()
    return int(row[0])


def add_leaves(connection: sqlite3.Connection, start: int, statements: Sequence[bytes]) -> None:
    """Append verified leaves from position ``start`` inside the caller's transaction.

    Another command may have appended some of them meanwhile; those must be the same.

    Raises:
        VerificationFailed: ``log_forked``.
    """
    rows = connection.execute(
        "SELECT statement FROM directory_leaves WHERE position >= ? ORDER BY position LIMIT ?",
        (start, len(statements)),
    ).fetchall()
    there = [bytes(row[0]) for row in rows]
    if there != list(statements[: len(there)]):
        place = f"leaf {start} and later"
        raise _forked(place)
    connection.executemany(
        "INSERT INTO directory_leaves VALUES (?, ?)",
        [(start + at, statement) for at, statement in enumerate(statements) if at >= len(there)],
    )


def add_checkpoint(connection: sqlite3.Connection, seen: SeenCheckpoint) -> None:
    """Keep a verified checkpoint inside the caller's transaction; the newest note of a size stays.

    Raises:
        VerificationFailed: ``log_forked`` when this size was seen with another root.
    """
    row = connection.execute(
        "SELECT root FROM checkpoints WHERE origin = ? AND size = ?", (seen.origin, seen.size)
    ).fetchone()
    if row is not None and bytes(row[0]) != seen.root:
        place = f"{seen.origin} size {seen.size}"
        raise _forked(place)
    connection.execute(
        "INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (origin, size) DO UPDATE SET note = excluded.note, seen = excluded.seen",
        (seen.origin, seen.size, seen.root, seen.note, seen.seen),
    )


def _forked(observed: str) -> VerificationFailed:
    return VerificationFailed(
        "log_forked",
        "The log shows another history than before. Keep this vault as evidence.",
        observed=observed,
        next_step="Tell the registrars and the witnesses; send nothing.",
    )


def latest_checkpoint(vault: Vault, origin: str) -> SeenCheckpoint | None:
    """Return the largest checkpoint seen of a log, or ``None``."""
    row = vault.connection.execute(
        "SELECT size, root, note, seen FROM checkpoints WHERE origin = ?"
        " ORDER BY size DESC LIMIT 1",
        (origin,),
    ).fetchone()
    if row is None:
        return None
    return SeenCheckpoint(
        origin=origin, size=row[0], root=bytes(row[1]), note=bytes(row[2]), seen=row[3]
    )
