"""A program of its own that reads one sheet and writes its rows as JSON lines. Run by path.

A spreadsheet may be built so that a small file fills any memory (one long text shown in a million
cells). So it is read outside of the desk's process, under limits that the system enforces: what
dies is this reader. It imports nothing of ours.

Output: ``{"sheets": […], "sheet": name or null}``, then one array of texts (or ``null`` for a row
that is too long) a row, then ``"end"``. Exit code 3: the file cannot be read.
"""

import datetime as dt
import sys

import msgspec
import python_calamine

try:
    import resource
except ImportError:  # not on Windows, where only the checks before reading protect
    resource = None  # type: ignore[assignment]

MAX_MEMORY = 3 << 30
"""Bytes of address space, unless the command line says less."""

MAX_SECONDS = 900
"""Seconds of processor time."""

MAX_ROW_CHARS = 1 << 20
"""Characters of one row; a longer one is no export."""

UNREADABLE = 3
"""Exit code for a file that is no spreadsheet or is damaged."""

_BATCH = 512
_EXACT = 1e15


def cell_text(cell: object) -> str:
    """Return the text of a typed cell: whole numbers without ``.0``, times in ISO 8601."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < _EXACT else repr(cell)
    if isinstance(cell, dt.datetime):
        # A day without a time of day is a date.
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ")
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return "" if cell is None else str(cell)


def _limit(memory: int) -> None:
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _choose(
    book: python_calamine.CalamineWorkbook, wanted: str
) -> python_calamine.CalamineSheet | None:
    """Return the sheet that was named, else the first that holds anything."""
    names = book.sheet_names
    if wanted:
        return book.get_sheet_by_name(wanted) if wanted in names else None
    sheets = (book.get_sheet_by_name(name) for name in names)
    return next((sheet for sheet in sheets if sheet.height), None)


def _write(path: str, wanted: str) -> None:
    out = sys.stdout.buffer
    encoder = msgspec.json.Encoder()
    with python_calamine.CalamineWorkbook.from_path(path) as book:
        sheet = _choose(book, wanted)
        name = None if sheet is None else sheet.name
        out.write(encoder.encode({"sheets": list(book.sheet_names), "sheet": name}) + b"\n")
        if sheet is None:
            out.write(b'"end"\n')
            return
        # Columns before the first filled one count, as they do on the screen; so do rows, which
        # the iteration gives by itself.
        left = sheet.start[1] if sheet.start else 0
        waiting: list[list[str] | None] = []
        for row in sheet.iter_rows():
            texts = [""] * left + [cell_text(cell) for cell in row]
            waiting.append(texts if sum(map(len, texts)) <= MAX_ROW_CHARS else None)
            if len(waiting) >= _BATCH:
                out.write(encoder.encode_lines(waiting))
                waiting.clear()
        out.write(encoder.encode_lines(waiting))
        out.write(b'"end"\n')


def main() -> int:
    """Read what the command line names: file, sheet (empty takes the first), bytes of memory."""
    _limit(min(MAX_MEMORY, int(sys.argv[3])))
    try:
        _write(sys.argv[1], sys.argv[2])
    except (python_calamine.CalamineError, OSError, UnicodeError):
        return UNREADABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
