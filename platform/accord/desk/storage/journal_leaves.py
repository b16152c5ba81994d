"""The journal as a tree: each of its rows is a leaf, and the newest head tells nothing of them.

Invariants: a row and its leaf are one transaction; places are 1, 2, 3 … without a gap; a row that
became a leaf never changes (what a search found is a leaf of its own). A leaf is the salted
commitment of ``kernel.tlog.leaf`` over every column of the row; the salt stays beside it. The room
knows no network: who lays a head down, and where, is ``desk.exchange.journal_heads``.
"""

import hashlib
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from accord.kernel.tlog.growing import GrowingTree, GrownHead
from accord.kernel.tlog.leaf import (
    ENTRY_ID_SIZE,
    MAX_VALUE,
    NONCE_SIZE,
    UNDISCLOSED,
    RecordFields,
    opened,
)
from accord.kernel.tlog.merkle import HASH_SIZE, leaf_hash

JOURNAL_VERSION = 10
"""The version of the vault with which rows that were there became leaves."""


class LeafKind(StrEnum):
    """What a leaf is about; ``FOUND`` is what a search found, which is known after the search."""

    ACT = "act"
    SEARCH = "search"
    FOUND = "found"


_COLUMNS: Mapping[LeafKind, tuple[str, tuple[str, ...]]] = {
    LeafKind.ACT: ("acts", ("at", "person", "act", "object", "reason")),
    LeafKind.SEARCH: ("searches", ("at", "person", "reason", "values_sought", "n", "manner")),
    LeafKind.FOUND: ("searches", ("found",)),
}
"""Table and columns that a leaf of each kind covers."""

_HASHED = frozenset({"values_sought"})
"""Columns that stand in the leaf as their SHA-256: packed values of any length."""

_ROWS: Mapping[LeafKind, str] = {
    kind: f"SELECT {', '.join(f'CAST({name} AS BLOB)' for name in names)}"  # noqa: S608 - our names
    f" FROM {table} WHERE no = ?"
    for kind, (table, names) in _COLUMNS.items()
}
_KINDS = {kind.value.encode(): kind for kind in LeafKind}
_ADD = "INSERT INTO journal_leaves (kind, no, salt, hash) VALUES (?, ?, ?, ?)"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLeaf:
    """Leaf ``place`` (from 1) as its row makes it now; ``flaw`` says what is wrong with the row."""

    place: int
    hash: bytes
    flaw: str = ""


def add_leaf(connection: sqlite3.Connection, kind: LeafKind, no: int) -> None:
    """Make the row ``no``, just written in this transaction, the next leaf."""
    salt = secrets.token_bytes(_salt_size(kind))
    found = _hash(connection, kind, no, salt)
    connection.execute(_ADD, (kind.value, no, salt, found))


def adopt(connection: sqlite3.Connection) -> None:
    """Make every row that is there a leaf, in the order of time; for the vault's migration."""
    rows = connection.execute(
        "SELECT at, 0 AS sort, no, NULL AS found FROM acts"
        " UNION ALL SELECT at, 1, no, found FROM searches ORDER BY 1, 2, 3"
    ).fetchall()
    for _, searched, no, found in rows:
        add_leaf(connection, LeafKind.SEARCH if searched else LeafKind.ACT, no)
        if found is not None:
            add_leaf(connection, LeafKind.FOUND, no)


def journal_head(connection: sqlite3.Connection) -> GrownHead:
    """Return the newest head, from the hashes that stand with the rows."""
    tree = GrowingTree()
    for (kept,) in connection.execute("SELECT hash FROM journal_leaves ORDER BY place"):
        tree.add(bytes(kept))
    return tree.head()


def journal_leaves(connection: sqlite3.Connection) -> Iterator[JournalLeaf]:
    """Yield every leaf in order, hashed again from its row."""
    # Casts: whoever edits the vault may put in values of any type.
    leaves = connection.execute(
        "SELECT place, CAST(kind AS BLOB), no, CAST(salt AS BLOB), CAST(hash AS BLOB)"
        " FROM journal_leaves ORDER BY place"
    ).fetchall()
    for count, (place, name, no, salt, kept) in enumerate(leaves, start=1):
        kind = _KINDS.get(name)
        found = (_hash(connection, kind, no, salt) if kind else None) or b""
        row, flaw = f"{kind} {no}", ""
        if place != count:
            flaw = f"place {count} is empty"
        elif not found:
            flaw = f"{row} is gone"
        elif found != kept:
            flaw = f"{row} does not make its leaf"
        yield JournalLeaf(place=count, hash=found or bytes(HASH_SIZE), flaw=flaw)


def leaf_hashes(connection: sqlite3.Connection, size: int) -> list[bytes]:
    """Return the hashes that stand with the first ``size`` rows, in order."""
    rows = connection.execute(
        "SELECT hash FROM journal_leaves WHERE place <= ? ORDER BY place", (size,)
    )
    return [bytes(row[0]) for row in rows]


def act_leaf(connection: sqlite3.Connection, no: int) -> tuple[int, RecordFields] | None:
    """Return place and fields of the act ``no``; ``None`` when it does not make its leaf."""
    row = connection.execute(
        "SELECT place, salt, hash FROM journal_leaves WHERE kind = ? AND no = ?",
        (LeafKind.ACT.value, no),
    ).fetchone()
    found = None if row is None else _record(connection, LeafKind.ACT, no, bytes(row[1]))
    if row is None or found is None or leaf_hash(found.leaf()) != bytes(row[2]):
        return None
    return row[0], found


def rows_without_leaf(connection: sqlite3.Connection) -> list[str]:
    """Return rows of the journal that never became leaves: somebody put them in."""
    found: list[str] = []
    for kind, (table, _) in _COLUMNS.items():
        known = " AND found IS NOT NULL" if kind is LeafKind.FOUND else ""
        rows = connection.execute(
            f"SELECT no FROM {table} WHERE no NOT IN"  # noqa: S608 - our own names
            f" (SELECT no FROM journal_leaves WHERE kind = ?){known} ORDER BY no",
            (kind.value,),
        )
        found += [f"{kind.value} {no}" for (no,) in rows]
    return found


def _salt_size(kind: LeafKind) -> int:
    return ENTRY_ID_SIZE + NONCE_SIZE * (2 + len(_COLUMNS[kind][1]))


def _hash(connection: sqlite3.Connection, kind: LeafKind, no: int, salt: bytes) -> bytes | None:
    """Return the hash of the leaf that the row makes, or ``None`` when there is no such row."""
    found = _record(connection, kind, no, salt)
    return None if found is None else leaf_hash(found.leaf())


def _record(
    connection: sqlite3.Connection, kind: LeafKind, no: int, salt: bytes
) -> RecordFields | None:
    """Return the row with the nonce of each field, or ``None`` when there is no such row."""
    row = connection.execute(_ROWS[kind], (no,)).fetchone()
    if row is None or len(salt) != _salt_size(kind):
        return None
    names = _COLUMNS[kind][1]
    fields = {"kind": kind.value, "no": str(no)} | {
        name: _text(name, value) for name, value in zip(names, row, strict=True)
    }
    nonces = [salt[at : at + NONCE_SIZE] for at in range(ENTRY_ID_SIZE, len(salt), NONCE_SIZE)]
    return opened(UNDISCLOSED, fields, nonces, entry_id=salt[:ENTRY_ID_SIZE])


def _text(name: str, value: bytes | None) -> str:
    if value is None:
        return "-"
    text = "" if name in _HASHED else value.decode("utf-8", "backslashreplace")
    if name in _HASHED or len(text.encode()) > MAX_VALUE:
        return f"sha256 {hashlib.sha256(value).hexdigest()}"
    return text
