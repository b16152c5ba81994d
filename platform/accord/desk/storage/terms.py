"""The term index: which records hold this text? Exact, for tens of millions of records.

A term is a text of a record (texts.py). There are families: values, words of notes and moves, whose
key is the first 8 bytes of keyed BLAKE2b (the key lives in the vault), so that nobody outside can
make keys collide; and prefixes, whose key is the first 8 characters in their order, so that a
range of keys is a prefix. A reader compares the text anyway. Each import writes one *run* of a
family: entries sorted by key, cut into chunks of one page. Runs of one level are merged when there
are ``FAN`` of them, so an entry is written a few times in all and a look-up reads a few chunks.
Long runs of values are merged further, into one or two: thousands of values that are looked up
together read most pages of each run, and the fewest of a single one. A
B-tree on random keys would rewrite nearly every page on every import (measured: 150,000 rows/s at
first, a third of it at ten million).

Invariants: keys in a run rise; chunk i starts at fence i; runs never change, they are replaced.
Prefixes of deleted records are taken out (``forget``), because they are plaintext.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Numbers = NDArray[np.uint32]

CHUNK = 640
"""Entries in a chunk: 640 x 12 bytes fit one page of the vault."""

FAN = 8
"""Runs of one level before they are merged."""

SETTLING = 2
"""Runs of values of this level and above are merged whenever the newer is half of the older."""

SETTLED = 3
"""Level of what comes of it."""

MAX_SETTLED = 16_000_000
"""Entries of the longest run that comes of it: it is written in one import's transaction."""

SLICE = 1_000_000
"""Entries that a merge holds in memory at a time (about 40 MB)."""

KEY_SPACE = 2**64

MAX_RECORDS = 2**32
"""Record numbers have 32 bits in the index."""

KEY_CHARACTERS = 8
"""Characters of a beginning that its key holds."""

_ENTRY = 12
_KEYS_AT_ONCE = 2_000
"""Keys looked up together; at most as many chunks are in memory (15 MB)."""
_NO_KEYS: Keys = np.empty(0, "<u8")
_NO_NUMBERS: Numbers = np.empty(0, "<u4")


class Family(IntEnum):
    """What the terms of a run are."""

    VALUES = 0
    WORDS = 1
    PREFIXES = 2
    MOVES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    run: int
    level: int
    size: int
    first_chunk: int
    fences: Keys


def term_keys(texts: Iterable[str], key: bytes) -> Keys:
    """Return the 64-bit keys of ``texts`` under the vault's ``key``."""
    blake2b = hashlib.blake2b
    packed = b"".join([blake2b(text.encode(), digest_size=8, key=key).digest() for text in texts])
    return np.frombuffer(packed, dtype="<u8")


def repeated_keys(texts: Sequence[str], key: bytes) -> Keys:
    """Return what ``term_keys`` does, for texts that repeat: each is hashed once."""
    places: dict[str, int] = {}
    order = [places.setdefault(text, len(places)) for text in texts]
    return term_keys(places, key)[order] if order else _NO_KEYS


def prefix_keys(texts: Iterable[str]) -> Keys:
    """Return the keys of ``texts`` (ASCII) in their order: the first 8 characters, big-endian."""
    packed = b"".join(
        [text[:KEY_CHARACTERS].encode().ljust(KEY_CHARACTERS, b"\0") for text in texts]
    )
    return np.frombuffer(packed, dtype=">u8").astype("<u8")


def add_terms(
    connection: sqlite3.Connection,
    keys: Keys,
    numbers: Numbers,
    family: Family = Family.VALUES,
) -> None:
    """Add one run of entries inside the caller's transaction, and merge where it is due."""
    if not len(keys):
        return
    writer = _RunWriter(connection, 0, family)
    writer.write(*_sorted(keys, numbers))
    writer.close()
    level = 0
    while _merge(connection, level, family):
        level += 1
    if family is Family.VALUES:
        while _settle(connection, family):
            pass


def find_terms(
    connection: sqlite3.Connection, keys: Keys, family: Family = Family.VALUES
) -> list[list[int]]:
    """Return, for each key, the record numbers that may hold it, in rising order."""
    found: list[list[int]] = [[] for _ in range(len(keys))]
    order = np.argsort(keys, kind="stable")
    sought = keys[order]
    for run in _runs(connection, family):
        for at, numbers in _find_in_run(connection, run, sought):
            found[int(order[at])].extend(numbers)
    for numbers in found:
        numbers.sort()
    return found


def find_common(connection: sqlite3.Connection, keys: Keys, family: Family) -> Numbers:
    """Return the numbers that hold every one of ``keys``, in rising order, each once."""
    common: Numbers | None = None
    for key in keys.tolist():
        some = _in_range(connection, key, key + 1, family)
        common = some if common is None else np.intersect1d(common, some, assume_unique=True)
        if not len(common):
            break
    return _NO_NUMBERS if common is None else common


def find_prefixed(connection: sqlite3.Connection, text: str, most: int) -> Numbers | None:
    """Return the numbers whose term may begin with ``text`` (ASCII), rising, each once.

    ``None`` when far more than ``most`` entries may.
    """
    head = text[:KEY_CHARACTERS].encode()
    low = int.from_bytes(head.ljust(KEY_CHARACTERS, b"\0"), "big")
    high = int.from_bytes(head.ljust(KEY_CHARACTERS, b"\xff"), "big") + 1
    spans = [
        end - start - 2  # the chunks at both ends may hold hardly any
        for run in _runs(connection, Family.PREFIXES)
        for start, end in [_chunks_of(run, low, high)]
    ]
    if sum(max(span, 0) for span in spans) * CHUNK > most:
        return None
    found = _in_range(connection, low, high, Family.PREFIXES)
    return None if len(found) > most else found


def forget(
    connection: sqlite3.Connection, spans: Sequence[tuple[int, int]], family: Family
) -> None:
    """Take the entries of the record numbers ``first <= number < end`` out of every run."""
    for run in _runs(connection, family):
        writer = _RunWriter(connection, run.level, family)
        gone = 0
        for low, high in _slices([run]):
            keys, numbers = _read_range(connection, run, low, high)
            stay = np.ones(len(numbers), np.bool_)
            for first, end in spans:
                stay &= (numbers < first) | (numbers >= end)
            gone += len(stay) - int(stay.sum())
            writer.write(keys[stay], numbers[stay])
        if gone:
            writer.close()
            _delete_run(connection, run)
        else:
            writer.undo()


def _in_range(connection: sqlite3.Connection, low: int, high: int, family: Family) -> Numbers:
    pieces = [_read_range(connection, run, low, high)[1] for run in _runs(connection, family)]
    return np.unique(np.concatenate(pieces)) if pieces else _NO_NUMBERS


def _find_in_run(
    connection: sqlite3.Connection, run: _Run, sought: Keys
) -> Iterable[tuple[int, list[int]]]:
    """Yield the place among the rising ``sought`` keys, and the numbers, of each that is there."""
    # An entry equal to a fence may also end the chunk before it.
    lowest = np.maximum(np.searchsorted(run.fences, sought, side="left").astype(np.int64) - 1, 0)
    highest = np.searchsorted(run.fences, sought, side="right").astype(np.int64) - 1
    for start in range(0, len(sought), _KEYS_AT_ONCE):
        part = slice(start, start + _KEYS_AT_ONCE)
        low, high = lowest[part], highest[part]
        # Nearly always a key has one chunk; one that fills several takes all between.
        wide = [np.arange(a, b + 1) for a, b in zip(low, high, strict=True) if b > a + 1]
        chunks = np.unique(np.concatenate([low, np.maximum(low, high), *wide]))
        keys, numbers = _read_chunks(connection, run.first_chunk + chunks)
        first = keys.searchsorted(sought[part], side="left").tolist()
        last = keys.searchsorted(sought[part], side="right").tolist()
        for place, (one, end) in enumerate(zip(first, last, strict=True), start=start):
            if end > one:
                yield place, numbers[one:end].tolist()


def _read_chunks(connection: sqlite3.Connection, chunks: NDArray[np.int64]) -> tuple[Keys, Numbers]:
    """Return the entries of rising ``chunks`` one after the other."""
    pieces = [_read_chunk(connection, chunk) for chunk in chunks.tolist()]
    return np.concatenate([keys for keys, _ in pieces]), np.concatenate([n for _, n in pieces])


def _runs(connection: sqlite3.Connection, family: Family) -> list[_Run]:
    rows = connection.execute(
        "SELECT run, level, size, first_chunk, fences FROM term_runs WHERE family = ? ORDER BY run",
        (family.value,),
    )
    return [
        _Run(
            run=row[0],
            level=row[1],
            size=row[2],
            first_chunk=row[3],
            fences=np.frombuffer(row[4], "<u8"),
        )
        for row in rows
    ]


def _read_chunk(connection: sqlite3.Connection, chunk: int) -> tuple[Keys, Numbers]:
    (data,) = connection.execute(
        "SELECT data FROM term_chunks WHERE chunk = ?", (chunk,)
    ).fetchone()
    size = len(data) // _ENTRY
    return np.frombuffer(data, "<u8", size), np.frombuffer(data, "<u4", size, 8 * size)


def _sorted(keys: Keys, numbers: Numbers) -> tuple[Keys, Numbers]:
    order = np.argsort(keys, kind="stable")
    return keys[order], numbers[order]


class _RunWriter:
    """Writes one run from parts that come in rising order of keys."""

    def __init__(self, connection: sqlite3.Connection, level: int, family: Family) -> None:
        self._connection = connection
        self._level = level
        self._family = family
        (self._first,) = connection.execute(
            "SELECT coalesce(max(chunk), 0) + 1 FROM term_chunks"
        ).fetchone()
        self._fences: list[Keys] = []
        self._chunks = 0
        self._size = 0

    def write(self, keys: Keys, numbers: Numbers) -> None:
        """Append sorted entries, none below what was written before."""
        starts = range(0, len(keys), CHUNK)
        self._connection.executemany(
            "INSERT INTO term_chunks VALUES (?, ?)",
            (
                (
                    self._first + self._chunks + position,
                    keys[at : at + CHUNK].tobytes() + numbers[at : at + CHUNK].tobytes(),
                )
                for position, at in enumerate(starts)
            ),
        )
        self._fences.append(keys[::CHUNK])
        self._chunks += len(starts)
        self._size += len(keys)

    def close(self) -> None:
        """Make the run visible; an empty one leaves nothing."""
        fences = np.concatenate(self._fences) if self._fences else _NO_KEYS
        if not self._size:
            return
        self._connection.execute(
            "INSERT INTO term_runs (level, size, first_chunk, fences, family)"
            " VALUES (?, ?, ?, ?, ?)",
            (self._level, self._size, self._first, fences.tobytes(), self._family.value),
        )

    def undo(self) -> None:
        """Take back what was written."""
        _delete_chunks(self._connection, self._first, self._chunks)


def _merge(connection: sqlite3.Connection, level: int, family: Family) -> bool:
    runs = [run for run in _runs(connection, family) if run.level == level]
    if len(runs) < FAN:
        return False
    _unite(connection, runs, level + 1, family)
    return True


def _settle(connection: sqlite3.Connection, family: Family) -> bool:
    """Merge the two latest long runs, so that each is at least twice as long as the next."""
    runs = [run for run in _runs(connection, family) if run.level >= SETTLING][-2:]
    sizes = [run.size for run in runs]
    if not runs[1:] or sum(sizes) > MAX_SETTLED or 2 * sizes[1] < sizes[0]:
        return False
    _unite(connection, runs, SETTLED, family)
    return True


def _unite(
    connection: sqlite3.Connection, runs: Sequence[_Run], level: int, family: Family
) -> None:
    """Write ``runs`` as one run of ``level`` and delete them."""
    writer = _RunWriter(connection, level, family)
    for low, high in _slices(runs):
        pieces = [_read_range(connection, run, low, high) for run in runs]
        writer.write(
            *_sorted(
                np.concatenate([keys for keys, _ in pieces]),
                np.concatenate([numbers for _, numbers in pieces]),
            )
        )
    writer.close()
    for run in runs:
        _delete_run(connection, run)


def _slices(runs: Sequence[_Run]) -> Iterator[tuple[int, int]]:
    """Cut the key space so that memory stays flat however long the runs are.

    The borders are fences, because prefixes lie close together in it.
    """
    fences = np.unique(np.concatenate([run.fences for run in runs]))
    low = 0
    for border in fences[max(1, SLICE // CHUNK) :: max(1, SLICE // CHUNK)].tolist():
        yield low, border
        low = border
    yield low, KEY_SPACE


def _delete_run(connection: sqlite3.Connection, run: _Run) -> None:
    _delete_chunks(connection, run.first_chunk, len(run.fences))
    connection.execute("DELETE FROM term_runs WHERE run = ?", (run.run,))


def _delete_chunks(connection: sqlite3.Connection, first: int, count: int) -> None:
    connection.execute(
        "DELETE FROM term_chunks WHERE chunk BETWEEN ? AND ?", (first, first + count - 1)
    )


def _chunks_of(run: _Run, low: int, high: int) -> tuple[int, int]:
    """Return the chunks, first and after the last, that may hold ``low <= key < high``."""
    start = max(int(run.fences.searchsorted(np.uint64(low), side="left")) - 1, 0)
    end = (
        len(run.fences)
        if high == KEY_SPACE
        else int(run.fences.searchsorted(np.uint64(high), side="left"))
    )
    return start, end


def _read_range(
    connection: sqlite3.Connection, run: _Run, low: int, high: int
) -> tuple[Keys, Numbers]:
    """Return the entries of a run with ``low <= key < high``."""
    start, end = _chunks_of(run, low, high)
    chunks = [_read_chunk(connection, run.first_chunk + chunk) for chunk in range(start, end)]
    if not chunks:
        return _NO_KEYS, _NO_NUMBERS
    keys = np.concatenate([part[0] for part in chunks])
    numbers = np.concatenate([part[1] for part in chunks])
    first = int(keys.searchsorted(np.uint64(low), side="left"))
    last = len(keys) if high == KEY_SPACE else int(keys.searchsorted(np.uint64(high), side="left"))
    return keys[first:last], numbers[first:last]
