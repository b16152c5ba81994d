"""Rows of XLSX and XLS files, after the file has been shown not to be a bomb.

The reader (calamine) holds the rectangle that a sheet spans in memory, so an unpacked size, a
ratio or a far-away cell that would exhaust it is refused before it is asked to read. It runs as a
process of its own under hard limits (``bookreader``) for what these checks cannot see.
"""

import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from accord.config import environment_for_children
from accord.desk.intake import bookreader
from accord.desk.intake.delimited import Fields
from accord.desk.intake.limits import (
    MAX_BOOK_BYTES,
    MAX_BOOK_PARTS,
    MAX_BOOK_RATIO,
    MAX_BOOK_UNPACKED,
    MAX_OLD_BOOK_BYTES,
    MAX_SHEET_CELLS,
    RATIO_FLOOR,
)
from accord.desk.intake.oldbooks import check_old_book, unreadable_book
from accord.kernel.errors import Malformed

ZIP_MAGIC: Final = b"PK\x03\x04"
OLE_MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_GRACE = 30
"""Seconds between the end of the reader's output and its own end."""
_END = b'"end"\n'
_PIECE = 1 << 18
_OVERLAP = 64
_REFERENCE = re.compile(rb"""\br\s*=\s*["']\s*([A-Za-z]{0,7})([0-9]{1,10})\s*["']""")
_WORKBOOK = re.compile(r"workbook[0-9]*\.xml\Z", re.IGNORECASE)
_LOCAL_HEADER = 30


def _bomb(code: str, message: str, observed: str) -> Malformed:
    return Malformed(
        code,
        message,
        observed=observed,
        next_step="Save the sheet as CSV, or split it, and try again.",
    )


def check_book(path: Path) -> None:
    """Refuse a spreadsheet that would cost too much to read.

    Raises:
        Malformed: ``book_too_large``, ``book_too_dense``, ``sheet_too_large``, ``book_unreadable``.
    """
    size = path.stat().st_size
    if size > MAX_BOOK_BYTES:
        raise _bomb("book_too_large", f"A sheet has at most {MAX_BOOK_BYTES} bytes.", str(size))
    with path.open("rb") as stream:
        magic = stream.read(len(OLE_MAGIC))
    if magic == OLE_MAGIC:
        if size > MAX_OLD_BOOK_BYTES:
            raise _bomb(
                "book_too_large", f"An XLS has at most {MAX_OLD_BOOK_BYTES} bytes.", str(size)
            )
        check_old_book(path.read_bytes())
        return
    try:
        _check_parts(path)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise unreadable_book() from error


def _check_parts(path: Path) -> None:
    """Unpack each part piece by piece, counting: what the directory declares is not believed."""
    with zipfile.ZipFile(path) as book, path.open("rb") as raw:
        parts = book.infolist()
        if len(parts) > MAX_BOOK_PARTS:
            raise _bomb("book_too_large", "The file has too many parts.", str(len(parts)))
        if not any(_WORKBOOK.search(part.filename) for part in parts):
            raise unreadable_book()
        total = 0
        for part in parts:
            # Any part may be named as a sheet.
            scanner = _Extent() if part.filename.lower().endswith(".xml") else None
            total = _unpacked(raw, part, scanner, total)


class _Extent:
    """The rectangle that the cell references of one sheet span."""

    def __init__(self) -> None:
        self._tail = b""
        self._rows = 1
        self._columns = 1

    def look(self, piece: bytes) -> None:
        """Read the references in the next piece of the sheet's XML."""
        text = self._tail + piece
        rows, columns = self._rows, self._columns
        for letters, digits in set(_REFERENCE.findall(text)):
            rows = max(rows, int(digits))
            if letters:
                columns = max(columns, _column_number(letters))
        self._rows, self._columns = rows, columns
        self._tail = text[-_OVERLAP:]
        if rows * columns > MAX_SHEET_CELLS:
            raise _bomb(
                "sheet_too_large",
                f"A sheet spans at most {MAX_SHEET_CELLS:,} cells.",
                f"{rows:,} rows x {columns:,} columns",
            )


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _unpacked(raw: BinaryIO, part: zipfile.ZipInfo, scanner: _Extent | None, total: int) -> int:
    """Return ``total`` plus the real unpacked size of ``part``."""
    if part.flag_bits & 1:
        raise unreadable_book()
    raw.seek(part.header_offset)
    header = raw.read(_LOCAL_HEADER)
    if len(header) < _LOCAL_HEADER or not header.startswith(ZIP_MAGIC):
        raise unreadable_book()
    raw.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
    if part.compress_type == zipfile.ZIP_STORED:
        pieces = _stored(raw, part.compress_size)
    elif part.compress_type == zipfile.ZIP_DEFLATED:
        pieces = _inflated(raw, part.compress_size)
    else:
        raise unreadable_book()
    count = 0
    for piece in pieces:
        count += len(piece)
        if total + count > MAX_BOOK_UNPACKED:
            raise _bomb(
                "book_too_large",
                f"Unpacked, a spreadsheet has at most {MAX_BOOK_UNPACKED} bytes.",
                f"more than {total + count} bytes",
            )
        if count > RATIO_FLOOR and count > MAX_BOOK_RATIO * max(part.compress_size, 1):
            raise _bomb(
                "book_too_dense",
                f"A part unpacks to more than {MAX_BOOK_RATIO} times its size.",
                f"{count} bytes out of {part.compress_size}",
            )
        if scanner is not None:
            scanner.look(piece)
    return total + count


def _stored(raw: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0 and (piece := raw.read(min(_PIECE, size))):
        size -= len(piece)
        yield piece


def _inflated(raw: BinaryIO, size: int) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for packed in _stored(raw, size):
        rest = packed
        while rest and not inflater.eof:
            yield inflater.decompress(rest, _PIECE)
            rest = inflater.unconsumed_tail
    while not inflater.eof and (piece := inflater.decompress(inflater.unconsumed_tail, _PIECE)):
        yield piece


def open_sheet(
    path: Path, wanted: str | None, *, memory: int = bookreader.MAX_MEMORY
) -> tuple[str | None, Iterator[Fields | None]]:
    """Return the name of a sheet of a checked book, and its rows as text, read as they are asked.

    Args:
        path: call ``check_book`` first.
        wanted: name of the sheet; ``None`` takes the first that holds anything.
        memory: bytes that the reader may take, at most ``bookreader.MAX_MEMORY``.

    Raises:
        Malformed: ``book_unreadable``, ``book_too_large``, ``sheet_unknown``.
    """
    lines = _reader_lines(path, wanted or "", memory)
    head = _HEAD.decode(next(lines))
    if wanted is not None and head.sheet is None:
        raise Malformed(
            "sheet_unknown",
            "The file has no such sheet.",
            observed=wanted[:40],
            next_step=f"It has: {', '.join(head.sheets)[:200]}.",
        )
    return head.sheet, (_ROW.decode(line) for line in lines)


class _Head(msgspec.Struct, frozen=True):
    """First line of the reader's output."""

    sheets: list[str]
    sheet: str | None


_HEAD = msgspec.json.Decoder(_Head)
_ROW = msgspec.json.Decoder(list[str] | None)


def _reader_lines(path: Path, wanted: str, memory: int) -> Iterator[bytes]:
    """Run the reader on ``path`` and yield its lines without the closing mark."""
    command = [sys.executable, "-I", bookreader.__file__, str(path.resolve()), wanted, str(memory)]
    with subprocess.Popen(  # noqa: S603 - our own program, no shell
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment_for_children(),
    ) as reader:
        if reader.stdout is None:
            raise unreadable_book()
        try:
            for line in reader.stdout:
                if line == _END:
                    return
                yield line
            if reader.wait(_GRACE) == bookreader.UNREADABLE:
                raise unreadable_book()
        finally:
            if reader.poll() is None:
                reader.kill()
        raise _bomb(
            "book_too_large",
            "Reading the spreadsheet takes more memory or time than it may.",
            f"more than {memory >> 20} MiB or {bookreader.MAX_SECONDS} s",
        )
