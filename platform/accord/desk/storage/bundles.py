"""Bundles, their records and what later happened to them.

A bundle is named by (org, id). Marks say what a *verified, signed* bundle did to another one; the
end states stay apart (retracted, superseded, disputed, visibility-lost) and expiry is never
stored: it follows from ``expires``. A mark may arrive before the bundle that it names.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from accord.desk.storage import blocks, terms
from accord.desk.storage.terms import Family
from accord.desk.storage.texts import MOVED, entries
from accord.desk.storage.vault import Vault, widen_cache
from accord.kernel.errors import NotFound, Refused
from accord.kernel.identifiers import BundleId, KeyId, OrgId
from accord.kernel.indicators import IndicatorRecord

WHOLE = -1
"""Stands for "every record" where a record number is expected in a mark."""


class Way(StrEnum):
    """Which way a bundle went."""

    RECEIVED = "received"
    SENT = "sent"


class MarkState(StrEnum):
    """End states that another bundle brings about; ``expired`` follows from the clock."""

    RETRACTED = "retracted"
    SUPERSEDED = "superseded"
    DISPUTED = "disputed"
    VISIBILITY_LOST = "visibility-lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBundle:
    """What is stored of a verified, opened bundle (or of one that was just sealed here).

    Attributes:
        header: header bytes as signed; ``dsse`` and ``head`` (payload line 1) likewise.
        manifest: SHA-256 of the manifest.
        submission: key of the submission that it is part of, for bundles sent from here.
    """

    org: OrgId
    id: BundleId
    way: Way
    kind: str
    tlp: str
    purpose: str
    legal_basis: str
    onward: str
    created: int
    expires: int
    arrived: int
    signer: KeyId
    manifest: bytes
    header: bytes
    dsse: bytes
    head: bytes
    title: str
    replaces: BundleId | None = None
    submission: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBundle:
    """A row of the vault. ``first`` is the number of record 0; times are unix seconds."""

    no: int
    org: OrgId
    id: BundleId
    way: Way
    kind: str
    tlp: str
    purpose: str
    legal_basis: str
    onward: str
    created: int
    expires: int
    arrived: int
    replaces: BundleId | None
    signer: KeyId
    manifest: bytes
    header: bytes
    dsse: bytes
    head: bytes | None
    title: str
    first: int
    n: int
    submission: bytes | None
    purged: int | None

    @property
    def subject(self) -> str:
        """How the journal names it: an id alone may be used by two senders."""
        return f"{self.org} {self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What bundle ``by_id`` did to a record (or ``WHOLE``).

    ``by_org`` is whose bundle that is: the same organisation, but for a dispute.
    """

    record: int
    state: MarkState
    by_org: OrgId
    by_id: BundleId
    code: str
    at: int
    note: str | None = None
    deadline: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRecord:
    """One stored record that may hold a sought term: its bundle, its place in it, its line."""

    bundle: StoredBundle
    record: int
    line: bytes


_COLUMNS = ", ".join(StoredBundle.__dataclass_fields__)


def add_bundle(
    connection: sqlite3.Connection,
    term_key: bytes,
    new: NewBundle,
    *,
    lines: Sequence[bytes],
    records: Sequence[IndicatorRecord | None],
    quarantined: Sequence[tuple[int, str]] = (),
) -> int | None:
    """Store a bundle with its records inside the caller's transaction.

    Args:
        connection: inside a transaction.
        term_key: the vault's key of the index.
        new: the bundle.
        lines: every record line, also of quarantined ones.
        records: the parsed record of each line, ``None`` for those that cannot be searched.
        quarantined: (position, code) of invalid records.

    Returns:
        The bundle's row number, or ``None`` when (org, id) is stored already.

    Raises:
        Refused: ``vault_many_records``.
    """
    known = connection.execute(
        "SELECT 1 FROM bundles WHERE org = ? AND id = ?", (new.org, new.id)
    ).fetchone()
    if known is not None:
        return None
    first = blocks.next_number(connection)
    if first + len(lines) > terms.MAX_RECORDS:
        raise Refused("vault_many_records", f"A vault holds at most {terms.MAX_RECORDS} records.")
    number = _insert(connection, new, first, len(lines))
    blocks.add_lines(connection, first, lines)
    index_records(connection, term_key, first, records)
    connection.executemany(
        "INSERT INTO quarantined_records VALUES (?, ?, ?)",
        [(number, record, code) for record, code in quarantined],
    )
    return number


def _insert(connection: sqlite3.Connection, new: NewBundle, first: int, n: int) -> int:
    values = {name: getattr(new, name) for name in NewBundle.__dataclass_fields__}
    values |= {"first": first, "n": n, "way": new.way.value}
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    done = connection.execute(f"INSERT INTO bundles ({names}) VALUES ({marks})", values)  # noqa: S608 - names of our own fields
    if done.lastrowid is None:
        raise Refused("vault_row_missing", "The bundle's row was not written.")
    return done.lastrowid


def index_records(
    connection: sqlite3.Connection,
    term_key: bytes,
    first: int,
    records: Sequence[IndicatorRecord | None],
) -> None:
    """Let the records ``first``, ``first + 1`` and so on be found; ``None`` cannot be."""
    widen_cache(connection)
    for family, some in entries(records).items():
        if family is Family.PREFIXES:
            keys = terms.prefix_keys(some.texts)
        elif family is Family.WORDS:
            keys = terms.repeated_keys(some.texts, term_key)
        else:
            keys = terms.term_keys(some.texts, term_key)
        numbers = np.array(some.places, dtype="<u4") + np.uint32(first)
        terms.add_terms(connection, keys, numbers, family)


def find_bundle(vault: Vault, id_: str, org: str | None = None) -> StoredBundle:
    """Return the bundle with that id.

    Raises:
        NotFound: ``bundle_unknown``.
        Refused: ``bundle_ambiguous`` when two senders used the same id and ``org`` is not told.
    """
    rows = vault.connection.execute(
        f"SELECT {_COLUMNS} FROM bundles WHERE id = ? AND (? IS NULL OR org = ?)",  # noqa: S608 - our own column names
        (id_, org, org),
    ).fetchall()
    if not rows:
        raise NotFound(
            "bundle_unknown",
            "This desk has no such bundle.",
            observed=id_[:80],
            next_step="accord inbox lists what is here; accord pull fetches more.",
        )
    if len(rows) > 1:
        raise Refused("bundle_ambiguous", "Two organisations sent a bundle with this id.")
    return _stored(rows[0])


def bundles_in(vault: Vault, rows: Collection[int]) -> dict[int, StoredBundle]:
    """Return the bundles of these row numbers."""
    found = {}
    for row in sorted(rows):
        values = vault.connection.execute(
            f"SELECT {_COLUMNS} FROM bundles WHERE no = ?",  # noqa: S608 - our own column names
            (row,),
        ).fetchone()
        found[row] = _stored(values)
    return found


def has_bundle(vault: Vault, org: str, id_: str) -> bool:
    """Tell whether (org, id) is stored."""
    row = vault.connection.execute(
        "SELECT 1 FROM bundles WHERE org = ? AND id = ?", (org, id_)
    ).fetchone()
    return row is not None


def senders_of(vault: Vault, ids: Sequence[str]) -> frozenset[OrgId]:
    """Return who sent us the bundles ``ids``."""
    marks = ", ".join("?" * len(ids))
    rows = vault.connection.execute(
        f"SELECT DISTINCT org FROM bundles WHERE way = ? AND id IN ({marks})",  # noqa: S608 - marks only
        (Way.RECEIVED.value, *ids),
    )
    return frozenset(OrgId(org) for (org,) in rows)


def sent_manifest(vault: Vault, id_: str) -> bytes | None:
    """Return the manifest's hash of a bundle that was sent from here, or ``None``."""
    row = vault.connection.execute(
        "SELECT manifest FROM bundles WHERE id = ? AND way = ?", (id_, Way.SENT.value)
    ).fetchone()
    return None if row is None else bytes(row[0])


def list_bundles(
    vault: Vault,
    *,
    way: Way | None = None,
    kind: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[StoredBundle]:
    """Return bundles, the latest first; ``before`` is the row number of the last one seen."""
    rows = vault.connection.execute(
        f"SELECT {_COLUMNS} FROM bundles WHERE (?1 IS NULL OR way = ?1)"  # noqa: S608 - our own column names
        " AND (?2 IS NULL OR kind = ?2) AND (?3 IS NULL OR no < ?3) ORDER BY no DESC LIMIT ?4",
        (way and way.value, kind, before, limit),
    )
    return [_stored(row) for row in rows]


def bundles_after(vault: Vault, no: int, *, way: Way) -> Iterator[StoredBundle]:
    """Yield the bundles that went ``way`` with a row number above ``no``, the oldest first."""
    while True:
        rows = vault.connection.execute(
            f"SELECT {_COLUMNS} FROM bundles WHERE no > ? AND way = ? ORDER BY no LIMIT 100",  # noqa: S608 - our own column names
            (no, way.value),
        ).fetchall()
        if not rows:
            return
        for row in rows:
            found = _stored(row)
            no = found.no
            yield found


def bundles_of_submission(vault: Vault, submission: bytes) -> list[StoredBundle]:
    """Return the bundles that were sealed for one submission, the oldest first."""
    rows = vault.connection.execute(
        f"SELECT {_COLUMNS} FROM bundles WHERE submission = ? ORDER BY no",  # noqa: S608 - our own column names
        (submission,),
    )
    return [_stored(row) for row in rows]


def lines_of(vault: Vault, bundle: StoredBundle) -> Iterator[bytes]:
    """Yield the record lines of a bundle; nothing when they were deleted."""
    return blocks.iterate_lines(vault.connection, bundle.first, bundle.n)


def quarantined_of(vault: Vault, bundle: StoredBundle) -> list[tuple[int, str]]:
    """Return (record, code) of the invalid records of a bundle."""
    return vault.connection.execute(
        "SELECT record, code FROM quarantined_records WHERE bundle = ? ORDER BY record",
        (bundle.no,),
    ).fetchall()


def known_values(vault: Vault, texts: Sequence[str]) -> list[bool]:
    """Tell for each text whether a record may hold it, without reading any record."""
    found = terms.find_terms(vault.connection, terms.term_keys(texts, vault.term_key))
    return [bool(numbers) for numbers in found]


def find_records(
    vault: Vault, texts: Sequence[str], *, limit: int
) -> list[tuple[int, list[FoundRecord]]]:
    """Return, for each text, how many records may hold it and the latest ``limit`` of them.

    The index compares hashes: the caller compares the text itself.
    """
    numbers = _numbers_of(vault, texts)
    wanted = [found[-limit:] for found in numbers]
    read = records_at(vault, [number for found in wanted for number in found])
    answers = []
    for found, some in zip(numbers, wanted, strict=True):
        records = [read[number] for number in some if number in read]
        answers.append((len(found), records))
    return answers


def find_sent(vault: Vault, texts: Sequence[str]) -> list[list[FoundRecord]]:
    """Return, for each text, every record sent from here that may hold it, the oldest first.

    However many others sent it to us too: each says whether the value went out before. The index
    compares hashes: the caller compares the text itself.
    """
    numbers = _numbers_of(vault, texts)
    homes = _bundles_at(vault.connection, sorted({one for found in numbers for one in found}))
    sent = {number for number, home in homes.items() if home.way is Way.SENT}
    wanted = [[number for number in found if number in sent] for found in numbers]
    read = records_at(vault, [number for found in wanted for number in found])
    return [[read[number] for number in found if number in read] for found in wanted]


def _numbers_of(vault: Vault, texts: Sequence[str]) -> list[list[int]]:
    """Return the numbers of each text; what is marked as moved has a family of its own."""
    found: list[list[int]] = [[] for _ in texts]
    moved = [place for place, text in enumerate(texts) if text.startswith(MOVED)]
    others = [place for place, text in enumerate(texts) if not text.startswith(MOVED)]
    for family, places in ((Family.VALUES, others), (Family.MOVES, moved)):
        keys = terms.term_keys([texts[place] for place in places], vault.term_key)
        some = terms.find_terms(vault.connection, keys, family)
        for place, numbers in zip(places, some, strict=True):
            found[place] = numbers
    return found


def find_noted(vault: Vault, words: Sequence[str], *, limit: int) -> tuple[int, list[FoundRecord]]:
    """Return how many notes may hold all of the folded ``words``, and the latest ``limit``."""
    keys = terms.term_keys(words, vault.term_key)
    found = terms.find_common(vault.connection, keys, Family.WORDS)
    return len(found), [*records_at(vault, found[-limit:].tolist()).values()]


def find_prefixed(vault: Vault, text: str, *, most: int) -> tuple[int, list[FoundRecord]] | None:
    """Return how many values may begin with ``text`` (texts.py), and all of them.

    ``None`` when more than ``most`` may.
    """
    found = terms.find_prefixed(vault.connection, text, most)
    if found is None:
        return None
    return len(found), [*records_at(vault, found.tolist()).values()]


def records_at(vault: Vault, numbers: Sequence[int]) -> dict[int, FoundRecord]:
    """Return those of the records ``numbers`` that are stored, in rising order."""
    lines = blocks.read_lines(vault.connection, numbers)
    homes = _bundles_at(vault.connection, sorted(lines))
    return {
        number: FoundRecord(bundle=home, record=number - home.first, line=lines[number])
        for number, home in homes.items()
    }


def _bundles_at(connection: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, StoredBundle]:
    """Return the bundle of each record number (rising)."""
    homes: dict[int, StoredBundle] = {}
    last: StoredBundle | None = None
    for number in numbers:
        if last is None or number >= last.first + last.n:
            row = connection.execute(
                f"SELECT {_COLUMNS} FROM bundles WHERE first <= ? AND n > 0 "  # noqa: S608 - our own column names
                "ORDER BY first DESC LIMIT 1",
                (number,),
            ).fetchone()
            last = _stored(row)
        homes[number] = last
    return homes


def add_mark(connection: sqlite3.Connection, org: str, id_: str, mark: Mark) -> None:
    """Store a mark on the bundle (org, id); a repeated one changes nothing."""
    connection.execute(
        "INSERT INTO marks (org, id, record, state, by_org, by_id, code, note, deadline, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            org,
            id_,
            mark.record,
            mark.state.value,
            mark.by_org,
            mark.by_id,
            mark.code,
            mark.note,
            mark.deadline,
            mark.at,
        ),
    )


def marks_of(vault: Vault, org: str, id_: str) -> list[Mark]:
    """Return every mark on a bundle, whole-bundle marks first."""
    rows = vault.connection.execute(
        "SELECT record, state, by_org, by_id, code, note, deadline, at FROM marks"
        " WHERE org = ? AND id = ? ORDER BY record, state, by_org, by_id",
        (org, id_),
    )
    return [
        Mark(
            record=row[0],
            state=MarkState(row[1]),
            by_org=OrgId(row[2]),
            by_id=BundleId(row[3]),
            code=row[4],
            note=row[5],
            deadline=row[6],
            at=row[7],
        )
        for row in rows
    ]


def purge_expired(
    vault: Vault,
    *,
    before: int,
    now: int,
    held: Callable[[StoredBundle], bool] = lambda _bundle: False,
) -> list[StoredBundle]:
    """Delete the plaintext of bundles whose ``expires`` lies before ``before``; keep their rows.

    What is ``held`` stays.

    Headers and signatures stay, so that what was here can still be told; lines and the head
    (title, narrative) go, their prefixes leave the index, and the pages are overwritten.
    """
    connection = vault.connection
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM bundles WHERE purged IS NULL AND expires < ?",  # noqa: S608 - our own column names
        (before,),
    ).fetchall()
    gone = [bundle for bundle in map(_stored, rows) if not held(bundle)]
    if not gone:
        return []
    connection.execute("PRAGMA secure_delete = ON")
    try:
        with vault.transaction():
            for bundle in gone:
                blocks.delete_lines(connection, bundle.first, bundle.n)
                connection.execute(
                    "UPDATE bundles SET purged = ?, head = NULL, title = '' WHERE no = ?",
                    (now, bundle.no),
                )
            spans = [(bundle.first, bundle.first + bundle.n) for bundle in gone]
            terms.forget(connection, spans, Family.PREFIXES)
    finally:
        connection.execute("PRAGMA secure_delete = FAST")
    return gone


def _stored(row: Sequence[Any]) -> StoredBundle:
    values = dict(zip(StoredBundle.__dataclass_fields__, row, strict=True))
    return StoredBundle(**values | {"way": Way(values["way"])})
