"""What evidence is made of beside the record: the hub's proof, acts here, earlier files."""

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass

from accord.desk.storage.bundles import StoredBundle
from accord.desk.storage.journal import Act
from accord.desk.storage.vault import Vault
from accord.kernel.tlog.growing import ANCHORED
from accord.kernel.tlog.journals import RESTARTED
from accord.kernel.tlog.leaf import parse_record
from accord.kernel.tlog.merkle import HASH_SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEvent:
    """One of our entries of the hub's log: number, openings, path, its checkpoint's note."""

    number: int
    size: int
    opened: bytes
    path: tuple[bytes, ...]
    note: bytes

    @property
    def detail(self) -> str:
        """What the event says of the bytes; nothing where the hub had erased that already."""
        return parse_record(self.opened).opened().get("detail", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeBefore:
    """A file of evidence as it was made: what was signed, and both checkpoints in it."""

    no: int
    statement: bytes
    audit: bytes
    directory: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneHere:
    """An act of this desk's journal: its number, unix seconds, person, act."""

    no: int
    at: int
    person: str
    act: str


def acceptance_of(vault: Vault, *, origin: str, org: str, id_: str) -> KeptEvent | None:
    """Return the verified proof that the hub accepted the bundle (org, id), or ``None``."""
    row = vault.connection.execute(
        "SELECT e.number, e.size, e.opened, e.path, c.note FROM own_events e"
        " JOIN checkpoints c ON c.origin = ? AND c.size = e.size"
        " WHERE e.subject = ? AND e.what = 'bundle.accepted' AND e.actor = ?"
        " AND e.opened IS NOT NULL",
        (origin, id_, org),
    ).fetchone()
    return None if row is None else _kept(row)


def _kept(row: tuple[int, int, bytes, bytes, bytes]) -> KeptEvent:
    number, size, opened, path, note = row
    steps = tuple(path[at : at + HASH_SIZE] for at in range(0, len(path), HASH_SIZE))
    return KeptEvent(number=number, size=size, opened=bytes(opened), path=steps, note=bytes(note))


def done_with(vault: Vault, bundle: StoredBundle, record: int) -> list[DoneHere]:
    """Return the acts on a bundle as a whole or on this record of it, the oldest first.

    The journal once named bundles by their id alone. Such an act counts when no other sender's
    bundle of that id had come by then; else nobody knows which of them it was about.
    """
    rows = vault.connection.execute(
        "SELECT no, at, person, act FROM acts WHERE object IN (?, ?) OR (object IN (?, ?)"
        " AND NOT EXISTS (SELECT 1 FROM bundles WHERE bundles.id = ? AND bundles.org <> ?"
        " AND bundles.arrived <= acts.at)) ORDER BY no",
        (
            bundle.subject,
            subject_of(bundle, record),
            bundle.id,
            f"{bundle.id} record {record}",
            bundle.id,
            bundle.org,
        ),
    )
    return [DoneHere(no=row[0], at=row[1], person=row[2], act=row[3]) for row in rows]


def acts_of_exports(vault: Vault, exports: Collection[int]) -> dict[int, int]:
    """Return export -> the act of the journal that says of it; a feed of a tool has none."""
    if not exports:
        return {}
    rows = vault.connection.execute(
        "SELECT CAST(substr(object, 1, instr(object, ' ') - 1) AS INTEGER), no FROM acts"
        " WHERE act = ? AND instr(object, ' records sha256=') > 0",
        (Act.EXPORT_MAKE.value,),
    )
    return {export: no for export, no in rows if export in exports}


def heads_kept(vault: Vault) -> list[tuple[int, str]]:
    """Return number and subject of each head of our journals whose proof is here, in order."""
    rows = vault.connection.execute(
        "SELECT number, subject FROM own_events WHERE what IN (?, ?) AND opened IS NOT NULL"
        " AND subject <> '' ORDER BY number",
        (ANCHORED, RESTARTED),
    )
    return [(row[0], row[1]) for row in rows]


def kept_event(vault: Vault, *, origin: str, number: int) -> KeptEvent | None:
    """Return the verified proof of one of our events, or ``None``."""
    row = vault.connection.execute(
        "SELECT e.number, e.size, e.opened, e.path, c.note FROM own_events e"
        " JOIN checkpoints c ON c.origin = ? AND c.size = e.size"
        " WHERE e.number = ? AND e.opened IS NOT NULL",
        (origin, number),
    ).fetchone()
    return None if row is None else _kept(row)


def subject_of(bundle: StoredBundle, record: int) -> str:
    """Return how the journal names a record."""
    return f"{bundle.subject} record {record}"


def made_before(vault: Vault, key: bytes) -> MadeBefore | None:
    """Return the file that was made of the same facts, or ``None``."""
    row = vault.connection.execute(
        "SELECT no, statement, audit, directory FROM evidence WHERE key = ?", (key,)
    ).fetchone()
    if row is None:
        return None
    return MadeBefore(no=row[0], statement=row[1], audit=row[2], directory=row[3])


def add_evidence(  # noqa: PLR0913 - one argument for each column
    connection: sqlite3.Connection,
    *,
    at: int,
    person: str,
    reason: str,
    org: str,
    id_: str,
    record: int,
    key: bytes,
    statement: bytes,
    audit: bytes,
    directory: bytes,
) -> int:
    """Write a file down inside the caller's transaction; return its number."""
    done = connection.execute(
        "INSERT INTO evidence (at, person, reason, org, id, record, key, statement, audit,"
        " directory) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (at, person, reason, org, id_, record, key, statement, audit, directory),
    )
    return done.lastrowid or 0
