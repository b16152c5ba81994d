"""Record lines in compressed blocks: numbered in order of arrival, read one by one or in a row.

A line is kept exactly as it was signed, so that content roots and disclosures can be made from
it again. Numbers are never reused. The room does not look into a line.
"""

import sqlite3
from collections.abc import Iterator, Sequence

import zstandard

BLOCK = 128
"""Lines in a block: a single look-up unpacks about 25 KB."""

MAX_BLOCK = BLOCK * 64 * 1024 + BLOCK
"""Bytes of an unpacked block (a record line has at most 64 KiB)."""

_LEVEL = 3


def next_number(connection: sqlite3.Connection) -> int:
    """Return the number that the next record will get."""
    row = connection.execute("SELECT first + n FROM bundles ORDER BY no DESC LIMIT 1").fetchone()
    return 0 if row is None else int(row[0])


def add_lines(connection: sqlite3.Connection, first: int, lines: Sequence[bytes]) -> None:
    """Store ``lines`` (each without LF) as the records ``first``, ``first + 1`` and so on."""
    pack = zstandard.ZstdCompressor(level=_LEVEL).compress
    connection.executemany(
        "INSERT INTO blocks VALUES (?, ?, ?)",
        (
            (
                first + at,
                min(BLOCK, len(lines) - at),
                pack(b"\n".join(lines[at : at + BLOCK]) + b"\n"),
            )
            for at in range(0, len(lines), BLOCK)
        ),
    )


def read_lines(connection: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, bytes]:
    """Return the lines of those ``numbers`` that are stored; the others were deleted."""
    unpack = zstandard.ZstdDecompressor().decompress
    found: dict[int, bytes] = {}
    start, end, block = 0, 0, list[bytes]()
    for number in sorted(set(numbers)):
        if not start <= number < end:
            row = connection.execute(
                "SELECT first, n, data FROM blocks WHERE first <= ? ORDER BY first DESC LIMIT 1",
                (number,),
            ).fetchone()
            if row is None or number >= row[0] + row[1]:
                continue
            start, end = row[0], row[0] + row[1]
            block = unpack(row[2], max_output_size=MAX_BLOCK).split(b"\n")
        found[number] = block[number - start]
    return found


def iterate_lines(connection: sqlite3.Connection, first: int, n: int) -> Iterator[bytes]:
    """Yield the stored lines of the records ``first`` to ``first + n - 1``, in order."""
    unpack = zstandard.ZstdDecompressor().decompress
    rows = connection.execute(
        "SELECT data FROM blocks WHERE first >= ? AND first < ? ORDER BY first", (first, first + n)
    )
    for (data,) in rows:
        yield from unpack(data, max_output_size=MAX_BLOCK).split(b"\n")[:-1]


def delete_lines(connection: sqlite3.Connection, first: int, n: int) -> None:
    """Delete the lines of the records ``first`` to ``first + n - 1`` and overwrite their pages."""
    connection.execute("DELETE FROM blocks WHERE first >= ? AND first < ?", (first, first + n))
