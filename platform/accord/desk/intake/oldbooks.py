"""The extent of the sheets of an XLS file (BIFF in an OLE container), told without loading it.

Its reader allocates the rectangle between the outermost cells of every sheet, so two cells in
opposite corners of each of many small sheets would exhaust memory. This walks the container's
sector chain and the stream's record headers ([MS-CFB] 2, [MS-XLS] 2.1.4) and adds the rectangles.
"""

import struct
from typing import Final

from accord.desk.intake.limits import MAX_SHEET_CELLS
from accord.kernel.errors import Malformed

_FREE = 0xFFFFFFFA
"""Sector numbers from here on are marks, not sectors."""
_IN_HEADER = 109
_ENTRY = 128
_STREAMS: Final = ("Workbook", "Book")
_BOF: Final = frozenset({0x0809, 0x0409, 0x0209, 0x0009})
_ONE_CELL: Final = frozenset(
    {0x0006, 0x0206, 0x0406, 0x0203, 0x0003, 0x0204, 0x0004, 0x00D6, 0x00FD, 0x027E, 0x007E}
    | {0x0201, 0x0001, 0x0205, 0x0005, 0x0002, 0x0207}
)
_MANY_CELLS: Final = frozenset({0x00BD, 0x00BE})


def unreadable_book() -> Malformed:
    """Return the refusal of a spreadsheet that no reader can make sense of."""
    return Malformed(
        "book_unreadable",
        "The spreadsheet is damaged, locked with a password, or of another kind.",
        next_step="Open it, save it as XLSX or CSV, and try again.",
    )


def check_old_book(data: bytes) -> None:
    """Refuse an XLS file whose sheets together span too many cells.

    Raises:
        Malformed: ``sheet_too_large``, ``book_unreadable``.
    """
    try:
        stream = _workbook_stream(data)
        cells = _spanned_cells(stream)
    except (struct.error, IndexError) as error:
        raise unreadable_book() from error
    if cells > MAX_SHEET_CELLS:
        raise Malformed(
            "sheet_too_large",
            f"The sheets together span at most {MAX_SHEET_CELLS:,} cells.",
            observed=f"{cells:,} cells",
            next_step="Save the sheet as CSV and try again.",
        )


def _workbook_stream(data: bytes) -> bytes:
    shift, mini_shift = struct.unpack_from("<HH", data, 30)
    if shift not in {9, 12} or mini_shift > shift:
        raise unreadable_book()
    size = 1 << shift
    directory_start, cutoff, mini_start = (
        struct.unpack_from("<I", data, at)[0] for at in (48, 56, 60)
    )
    table = _sector_table(data, size)
    directory = _chain(data, table, directory_start, size)
    root = None
    for at in range(0, len(directory) - _ENTRY + 1, _ENTRY):
        entry = directory[at : at + _ENTRY]
        name_size = min(struct.unpack_from("<H", entry, 64)[0], 64)
        name = entry[: max(name_size - 2, 0)].decode("utf-16-le", "replace")
        start, length = struct.unpack_from("<II", entry, 116)
        if root is None:
            root = start
        if name in _STREAMS:
            if length >= cutoff:
                return _chain(data, table, start, size)[:length]
            mini = _chain(data, table, root, size)
            mini_table = struct.iter_unpack("<I", _chain(data, table, mini_start, size))
            small = [number for (number,) in mini_table]
            return _follow(mini, small, start, 1 << mini_shift, offset=0)[:length]
    raise unreadable_book()


def _sector_table(data: bytes, size: int) -> list[int]:
    """Return the file allocation table: for each sector the next one of its chain."""
    numbers = list(struct.unpack_from(f"<{_IN_HEADER}I", data, 76))
    more = struct.unpack_from("<I", data, 68)[0]
    # A table that names more sectors than there are, or runs in a circle, is no table.
    sectors = len(data) // size + 1
    while more < _FREE and len(numbers) <= sectors + _IN_HEADER:
        sector = struct.unpack_from(f"<{size // 4}I", data, size + more * size)
        numbers += sector[:-1]
        more = sector[-1]
    table: list[int] = []
    for number in numbers:
        if number < _FREE:
            at = size + number * size
            piece = data[at : at + size]
            table += struct.unpack(f"<{len(piece) // 4}I", piece[: len(piece) // 4 * 4])
            if len(table) > sectors + size:
                raise unreadable_book()
    return table


def _chain(data: bytes, table: list[int], start: int, size: int) -> bytes:
    # A sector number counts from the sector after the header, which fills one sector.
    return _follow(data, table, start, size, offset=size)


def _follow(data: bytes, table: list[int], start: int, size: int, *, offset: int) -> bytes:
    pieces: list[bytes] = []
    number = start
    while number < _FREE:
        if len(pieces) > len(table):
            raise unreadable_book()
        pieces.append(data[offset + number * size : offset + (number + 1) * size])
        number = table[number]
    return b"".join(pieces)


def _spanned_cells(stream: bytes) -> int:
    """Add the rectangles of all substreams."""
    total = 0
    top, left, bottom, right = 1 << 16, 1 << 16, -1, -1
    at = 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        body = at + 4
        at = body + length
        if kind in _BOF:
            total += max(0, bottom - top + 1) * max(0, right - left + 1)
            top, left, bottom, right = 1 << 16, 1 << 16, -1, -1
        elif (kind in _ONE_CELL or kind in _MANY_CELLS) and length >= 4:  # noqa: PLR2004 - row and column
            row, column = struct.unpack_from("<HH", stream, body)
            last = column
            if kind in _MANY_CELLS and length >= 6:  # noqa: PLR2004 - and the last column
                last = struct.unpack_from("<H", stream, body + length - 2)[0]
            top, bottom = min(top, row), max(bottom, row)
            left, right = min(left, column, last), max(right, column, last)
    return total + max(0, bottom - top + 1) * max(0, right - left + 1)
