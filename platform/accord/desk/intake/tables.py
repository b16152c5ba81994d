"""One file as one table: format, encoding, delimiter and header found out, rows given in order.

Row 1 is the first record after the header. A file without a header (a bare list of values) has
columns named ``column 1``, ``column 2`` and so on, and its row 1 is its first line.
"""

import csv
import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

from accord.desk.indicators.cells import unprotect
from accord.desk.intake.delimited import Fields, guess_delimiter, read_rows, sep_line
from accord.desk.intake.encodings import decode_chunks, guess_encoding, known_encoding
from accord.desk.intake.limits import (
    MAX_COLUMNS,
    MAX_HEADER_DEPTH,
    MAX_TEXT_BYTES,
    SAMPLE_BYTES,
    SAMPLE_ROWS,
)
from accord.desk.intake.mending import ADDED
from accord.desk.intake.spreadsheets import (
    OLE_MAGIC,
    ZIP_MAGIC,
    check_book,
    open_sheet,
)
from accord.desk.intake.words import printable
from accord.kernel.errors import Malformed, NotFound

HeaderFinder = Callable[[list[Fields]], int | None]
"""Given the first rows, the index of the header among them, or ``None`` when there is none."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """How a file was read.

    Attributes:
        format: ``csv`` (any delimited text), ``xlsx`` or ``xls``.
        encoding: Python's name; ``None`` for spreadsheets.
        delimiter: one character; ``None`` for spreadsheets.
        sheet: name of the sheet; ``None`` for text.
        header_row: 1-based place of the header among the file's rows; 0 without a header.
    """

    format: str
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    header_row: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file opened: unique column names, the first rows again for guessing, and all rows."""

    source: Source
    columns: tuple[str, ...]
    sample: list[Fields]
    rows: Iterator[Fields | None]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    source: Source
    rows: Iterator[Fields | None]


def open_table(
    path: Path,
    find_header: HeaderFinder,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
) -> Table:
    """Open ``path`` and read its first rows.

    Raises:
        NotFound: ``file_missing``.
        Malformed: ``file_unreadable``, ``file_empty``, ``not_text``, ``sheet_unknown`` and what
            ``check_book`` and ``read_rows`` raise.
    """
    opened = _open(path, encoding=encoding, delimiter=delimiter, sheet=sheet)
    first: list[Fields | None] = []
    for fields in opened.rows:
        first.append(fields)
        if len(first) >= SAMPLE_ROWS:
            break
    readable = [fields or [] for fields in first]
    if not any(cell.strip() for fields in readable for cell in fields):
        raise Malformed("file_empty", "The file holds no cells.", next_step="Export it again.")
    header = find_header(readable[:MAX_HEADER_DEPTH])
    width = max(map(len, readable[:MAX_HEADER_DEPTH] if header is None else [readable[header]]))
    names = readable[header] if header is not None else []
    if width > MAX_COLUMNS:
        raise Malformed(
            "columns_too_many", f"A table has at most {MAX_COLUMNS} columns.", observed=str(width)
        )
    start = 0 if header is None else header + 1
    columns = _unique([*names, *[""] * (width - len(names))])
    rows = _joined(first[start:], opened.rows)
    return Table(
        source=dataclasses.replace(opened.source, header_row=start),
        columns=columns,
        sample=[fields for fields in readable[start:] if fields],
        rows=_unprotected(rows) if set(ADDED) <= set(columns) else rows,
    )


def _unprotected(rows: Iterator[Fields | None]) -> Iterator[Fields | None]:
    """Take back what was added to the cells of a file that we wrote for mending."""
    for fields in rows:
        yield None if fields is None else type(fields)(map(unprotect, fields))


def _joined(first: list[Fields | None], rest: Iterator[Fields | None]) -> Iterator[Fields | None]:
    yield from first
    first.clear()
    yield from rest


def _unique(names: list[str]) -> tuple[str, ...]:
    """Name each column once: its header on one line, else its number; repeats are counted."""
    unique: dict[str, None] = {}
    for number, name in enumerate(names, start=1):
        plain = printable(name)[:80] or f"column {number}"
        chosen, count = plain, 2
        while chosen in unique:
            chosen, count = f"{plain} ({count})", count + 1
        unique[chosen] = None
    return tuple(unique)


def _open(path: Path, *, encoding: str | None, delimiter: str | None, sheet: str | None) -> _Opened:
    if path.exists() and not path.is_file():
        # The file is read twice, which a pipe or a device does not allow.
        raise Malformed("file_unreadable", "This is not a plain file.", observed=path.name)
    try:
        with path.open("rb") as stream:
            sample = stream.read(SAMPLE_BYTES)
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise NotFound(
            "file_missing",
            "There is no such file.",
            observed=path.name,
            next_step="Check the name.",
        ) from error
    except OSError as error:
        raise Malformed(
            "file_unreadable", "The file cannot be read.", observed=path.name
        ) from error
    if sample.startswith((ZIP_MAGIC, OLE_MAGIC)):
        kind = "xlsx" if sample.startswith(ZIP_MAGIC) else "xls"
        return _open_book(path, kind, sheet)
    if size > MAX_TEXT_BYTES:
        raise Malformed(
            "file_too_large", f"A file has at most {MAX_TEXT_BYTES} bytes.", observed=str(size)
        )
    return _open_text(path, sample, encoding, delimiter)


def _open_book(path: Path, kind: str, sheet: str | None) -> _Opened:
    check_book(path)
    name, rows = open_sheet(path, sheet)
    if name is None:
        raise Malformed("file_empty", "No sheet of the file holds anything.")
    source = Source(format=kind, encoding=None, delimiter=None, sheet=name, header_row=0)
    return _Opened(source=source, rows=rows)


def _open_text(path: Path, sample: bytes, encoding: str | None, delimiter: str | None) -> _Opened:
    chosen = known_encoding(encoding) if encoding else guess_encoding(sample)
    text = "".join(decode_chunks(_Piece(sample), chosen))
    named = sep_line(text)
    if named is not None:
        text = text.partition("\n")[2]
    divider = delimiter or named or guess_delimiter(text)
    try:
        csv.reader([], delimiter=divider)
    except (TypeError, ValueError) as error:
        raise Malformed(
            "delimiter_invalid", "The delimiter is one character.", observed=divider[:10]
        ) from error
    source = Source(format="csv", encoding=chosen, delimiter=divider, sheet=None, header_row=0)
    return _Opened(source=source, rows=_stream(path, chosen, divider, skip=named is not None))


class _Piece:
    """The sample as a stream, so that it is decoded as the file will be."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, _size: int) -> bytes:
        data, self._data = self._data, b""
        return data


def _stream(path: Path, encoding: str, delimiter: str, *, skip: bool) -> Iterator[Fields | None]:
    with path.open("rb") as stream:
        rows = read_rows(decode_chunks(stream, encoding), delimiter)
        if skip:
            next(rows, None)
        yield from rows
