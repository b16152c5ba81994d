"""Rows of a delimited text file, streamed: one row that cannot be read never blocks another.

The quoting is that of RFC 4180 as ``csv`` reads it in strict mode. Where strict reading fails (a
quote that never closes, text after a closing quote) the one physical line where the row begins is
read by itself, leniently, and reading goes on with the next line.
"""

import bisect
import csv
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from accord.desk.intake.limits import MAX_CELL_CHARS, MAX_LINE_CHARS, MAX_RECORD_LINES
from accord.kernel.errors import Malformed

DELIMITERS: Final = (";", "\t", ",", "|")
_SEP_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_SNIFF_ROWS = 200
_QUOTE = '"'
_SHARE = 0.7

Fields = list[str]


class Unended(list[str]):
    """The cells of a last row without a line end: the file may have been cut in its middle."""


class Guessed(list[str]):
    """The cells of a line whose quotes do not fit, as far as they could be told apart."""


class _RowTooLong(Exception):
    """A quoted cell runs over too many lines, or a cell has too many characters."""


class _Lines:
    """Physical lines of a text that comes in chunks; can go back to where a row began."""

    def __init__(self, chunks: Iterator[str]) -> None:
        self._chunks = chunks
        self._lines: list[str] = []
        self._quoted: list[int] = []
        self.position = 0
        """Index in the present lines of the next one to give."""
        self._tail = ""
        self._ended = False
        self.mark = 0
        """Index in the present lines where the row that is being read began."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        place = self.position
        if place >= len(self._lines):
            self._refill()
            place = self.position
        self.position = place + 1
        return self._lines[place]

    def next_is_plain(self) -> bool:
        """Tell whether the next line is at hand and holds no quote."""
        return self.position < len(self._lines) and _QUOTE not in self._lines[self.position]

    def gave_unended(self) -> bool:
        """Tell whether the line given last is the text's last one, without a line end."""
        return self._ended and not self._lines[self.position - 1].endswith("\n")

    def take_plain(self) -> list[str]:
        """Return the lines at hand up to the first that holds a quote; each is a row by itself."""
        after = bisect.bisect_left(self._quoted, self.position)
        end = self._quoted[after] if after < len(self._quoted) else len(self._lines)
        plain = self._lines[self.position : end]
        self.position = self.mark = end
        return plain

    def first_again(self) -> str:
        """Return the line where the unfinished row began; the next one given is the one after."""
        self.position = self.mark + 1
        return self._lines[self.mark]

    def _refill(self) -> None:
        if self.position - self.mark > MAX_RECORD_LINES:
            raise _RowTooLong
        kept = self._lines[self.mark :]
        while True:
            if self._ended:
                raise StopIteration
            fresh = self._fresh()
            if fresh:
                break
        self._lines = kept + fresh
        self._quoted = [place for place, line in enumerate(self._lines) if _QUOTE in line]
        self.position = len(kept)
        self.mark = 0

    def _fresh(self) -> list[str]:
        chunk = next(self._chunks, None)
        if chunk is None:
            self._ended = True
            return [self._tail] if self._tail else []
        lines = (self._tail + chunk).split("\n")
        self._tail = lines.pop()
        if len(self._tail) > MAX_LINE_CHARS or (lines and max(map(len, lines)) > MAX_LINE_CHARS):
            raise Malformed(
                "line_too_long",
                f"A line has more than {MAX_LINE_CHARS} characters; this is no export.",
                next_step="Save the sheet as CSV again.",
            )
        return [line + "\n" for line in lines]


def read_rows(chunks: Iterator[str], delimiter: str) -> Iterator[Fields | None]:
    r"""Yield the cells of each row, or ``None`` for a row that cannot be read.

    A last row without a line end is ``Unended``, one whose quotes do not fit ``Guessed``.

    Args:
        chunks: text with ``\n`` line ends.
        delimiter: one character.

    Raises:
        Malformed: ``line_too_long``.
    """
    lines = _Lines(chunks)
    while True:
        yield from _plain_rows(lines.take_plain(), delimiter)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            for fields in reader:
                _check_cells(fields)
                lines.mark = lines.position
                yield Unended(fields) if lines.gave_unended() else fields
                if lines.next_is_plain():
                    break
            else:
                return
        except (csv.Error, _RowTooLong):
            yield _leniently(lines.first_again(), delimiter)
            lines.mark = lines.position


def _plain_rows(lines: list[str], delimiter: str) -> list[Fields | None]:
    """Read lines without quotes in one go, or each by itself when one of them cannot be read."""
    rows: list[Fields | None]
    try:
        _check_cells(lines)
        rows = [*csv.reader(lines, delimiter=delimiter, strict=True)]
    except (csv.Error, _RowTooLong):
        return [_leniently(line, delimiter) for line in lines]
    if lines and not lines[-1].endswith("\n"):
        rows[-1] = Unended(rows[-1] or [])
    return rows


def _leniently(line: str, delimiter: str) -> Fields | None:
    """Read one line by itself; a quote that never closes in it is taken as a plain character."""
    try:
        fields = next(csv.reader([line], delimiter=delimiter), None)
        if fields is None or any("\n" in field for field in fields):
            plain = csv.reader([line], delimiter=delimiter, quoting=csv.QUOTE_NONE)
            fields = next(plain, None)
        if fields is None:
            return None
        _check_cells(fields)
    except (csv.Error, _RowTooLong):
        return None
    return Guessed(fields) if line.endswith("\n") else Unended(fields)


def _check_cells(fields: Fields) -> None:
    # The limit of csv itself holds for the whole process, so others may have changed it.
    if max(map(len, fields), default=0) > MAX_CELL_CHARS:
        raise _RowTooLong


def sep_line(sample: str) -> str | None:
    """Return the delimiter that a first line ``sep=;`` names, or ``None`` without such a line."""
    first = sample.partition("\n")[0]
    found = _SEP_LINE.fullmatch(first.strip("\r ")) or _SEP_LINE.fullmatch(first.strip("\r"))
    return found.group(1) if found else None


def guess_delimiter(sample: str) -> str:
    """Return the delimiter whose rows agree most in width; a comma where nothing divides."""
    best, best_score = ",", (0.0, 0)
    for candidate in DELIMITERS:
        widths = _widths(sample, candidate)
        if not widths:
            continue
        width, count = widths.most_common(1)[0]
        share = count / widths.total()
        score = (round(share, 1), width)
        if width > 1 and share >= _SHARE and score > best_score:
            best, best_score = candidate, score
    return best


def _widths(sample: str, delimiter: str) -> Counter[int]:
    whole = sample[: sample.rfind("\n") + 1] or sample
    widths: Counter[int] = Counter()
    for number, fields in enumerate(read_rows(iter([whole]), delimiter)):
        if number >= _SNIFF_ROWS:
            break
        if fields:
            widths[len(fields)] += 1
    return widths
