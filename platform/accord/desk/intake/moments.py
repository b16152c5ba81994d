"""Times as exports write them: ISO 8601, local dates, month names, Excel serials, epoch.

A time without a zone is taken as UTC. What cannot be read gives ``None``; nothing is guessed but
the century of a two-digit year and, by the whole column, the order of day and month.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum

from accord.kernel.indicators import Moment, Precision


class DateOrder(StrEnum):
    """Order of day and month in dates such as 03/04/2025."""

    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


_ISO = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?"
    r"\s?(Z|UTC|[+-]\d{2}:?\d{2})?)?",
    re.IGNORECASE | re.ASCII,
)
_CLOCK = r"(?:,?[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?\s*([AaPp]\.?[Mm]\.?)?)?"
_LOCAL = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})\.?" + _CLOCK, re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})[./](\d{1,2})[./](\d{1,2})" + _CLOCK, re.ASCII)
_NAMED = re.compile(
    r"(\d{1,2})(?:\.|st|nd|rd|th)?[\s.-]*(?:de\s+)?([^\W\d_]{3,10})\.?[\s.,-]*(?:de\s+)?"
    r"(\d{4}|\d{2})" + _CLOCK
)
_NAME_FIRST = re.compile(r"([^\W\d_]{3,10})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})" + _CLOCK)
_MONTH = re.compile(r"([^\W\d_]{3,10})\.?[\s/-]+(?:de\s+)?(\d{4})")
_MONTH_NUMBER = re.compile(r"(?:(\d{1,2})[./-](\d{4})|(\d{4})[./-](\d{1,2}))", re.ASCII)
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})", re.ASCII)
_YEAR = re.compile(r"(?:19|20)\d{2}", re.ASCII)
_NUMBER = re.compile(r"\d{5,13}(?:[.,]\d{1,12})?", re.ASCII)
_ABOUT = re.compile(r"(?:ca|circa|c|approx|about|um|etwa|vers|env|around|~)\b\.?\s*", re.IGNORECASE)
_MONTHS = {
    prefix: number
    for number, prefixes in enumerate(
        (
            "jan jän ene gen", "feb fev fév", "mar mär mrz maa", "apr abr avr",
            "may mai mag mei maj",
            "jun juin giu cze", "jul juil lug lip", "aug ago aou aoû sie", "sep set wrz",
            "oct okt ott out paz", "nov lis", "dec dez dic déc gru",
        ),
        start=1,
    )
    for prefix in prefixes.split()
}  # fmt: skip
_EXCEL_EPOCH = dt.date(1899, 12, 30).toordinal()
_UNIX_EPOCH = dt.date(1970, 1, 1).toordinal()
_SERIALS = (20_000, 80_000)
"""Excel day numbers of 1954 to 2119."""
_SECONDS = (315_532_800, 4_102_444_800)
"""Unix seconds of 1980 to 2100."""
_DAY = 86_400
_CENTURY = 70
_NOON = 12
_LAST_MONTH = 12


def read_moment(text: str, order: DateOrder = DateOrder.DAY_FIRST) -> Moment | None:
    """Return the time that a cell holds, or ``None``."""
    bare = text.strip()
    if not bare or len(bare) > 40:  # noqa: PLR2004 - no date is longer
        return None
    found = _ISO.fullmatch(bare)
    try:
        if found:
            return _iso(found)
        if _NUMBER.fullmatch(bare):
            return _numbered(bare)
        return _written(bare, order)
    except (ValueError, OverflowError):
        return None


def _iso(found: re.Match[str]) -> Moment | None:
    year, month, day, hour, minute, second, zone = found.groups()
    start = _midnight(int(year), int(month), int(day))
    if hour is None:
        return _checked(start, Precision.DAY)
    moment = start + _seconds(int(hour), int(minute), int(second or 0))
    if zone and zone[0] in "+-":
        digits = zone[1:].replace(":", "")
        shift = _seconds(int(digits[:2]), int(digits[2:]), 0)
        moment += -shift if zone[0] == "+" else shift
    return _checked(moment, Precision.SECOND)


def _midnight(year: int, month: int, day: int) -> int:
    return (dt.date(year, month, day).toordinal() - _UNIX_EPOCH) * _DAY


def _seconds(hour: int, minute: int, second: int) -> int:
    if hour > 23 or minute > 59 or second > 60:  # noqa: PLR2004 - the clock
        raise ValueError("no time of day")  # noqa: TRY003 - caught in read_moment
    return hour * 3600 + minute * 60 + min(second, 59)


def _checked(moment: int, precision: Precision) -> Moment | None:
    return Moment(t=moment, p=precision) if moment >= 0 else None


def _numbered(text: str) -> Moment | None:
    """Read a bare number: Excel serial, compact date, unix seconds or milliseconds."""
    whole, _, rest = text.replace(",", ".").partition(".")
    number = int(whole)
    if _SERIALS[0] <= number < _SERIALS[1]:
        start = (_EXCEL_EPOCH + number - _UNIX_EPOCH) * _DAY
        if not rest.strip("0"):
            return _checked(start, Precision.DAY)
        return _checked(start + round(float("0." + rest) * _DAY), Precision.SECOND)
    compact = _COMPACT.fullmatch(text)
    if compact:
        return _checked(_midnight(*map(int, compact.groups())), Precision.DAY)
    if number > _SECONDS[1]:
        number //= 1000
    return Moment(t=number, p=Precision.SECOND) if _SECONDS[0] <= number < _SECONDS[1] else None


def _written(text: str, order: DateOrder) -> Moment | None:
    bare = _ABOUT.sub("", text, count=1) if not text[0].isdigit() else text
    if found := _LOCAL.fullmatch(bare):
        one, _, two, year, *clock = found.groups()
        day, month = (one, two) if order is DateOrder.DAY_FIRST else (two, one)
        return _timed(_full_year(year), int(month), int(day), clock)
    if found := _YEAR_FIRST.fullmatch(bare):
        year, month, day, *clock = found.groups()
        return _timed(int(year), int(month), int(day), clock)
    if found := _NAMED.fullmatch(bare):
        day, name, year, *clock = found.groups()
        return _timed(_full_year(year), _month_number(name), int(day), clock)
    if found := _NAME_FIRST.fullmatch(bare):
        name, day, year, *clock = found.groups()
        return _timed(int(year), _month_number(name), int(day), clock)
    return _coarse(bare)


def _coarse(text: str) -> Moment | None:
    """Read a month or a year."""
    if found := _MONTH.fullmatch(text):
        start = _midnight(int(found[2]), _month_number(found[1]), 1)
        return _checked(start, Precision.MONTH)
    if found := _MONTH_NUMBER.fullmatch(text):
        month, year = (found[1], found[2]) if found[1] else (found[4], found[3])
        return _checked(_midnight(int(year), int(month), 1), Precision.MONTH)
    if _YEAR.fullmatch(text):
        return _checked(_midnight(int(text), 1, 1), Precision.YEAR)
    return None


def _full_year(text: str) -> int:
    year = int(text)
    if len(text) > 2:  # noqa: PLR2004 - written out
        return year
    return year + (2000 if year < _CENTURY else 1900)


def _month_number(name: str) -> int:
    folded = name.casefold()
    number = _MONTHS.get(folded[:4]) or _MONTHS.get(folded[:3])
    if number is None:
        plain = "".join(
            c for c in unicodedata.normalize("NFD", folded) if not unicodedata.combining(c)
        )
        number = _MONTHS.get(plain[:3])
    if number is None:
        raise ValueError("no month")  # noqa: TRY003 - caught in read_moment
    return number


def _timed(year: int, month: int, day: int, clock: list[str | None]) -> Moment | None:
    start = _midnight(year, month, day)
    hour, minute, second, half = clock
    if hour is None or minute is None:
        return _checked(start, Precision.DAY)
    hours = int(hour)
    if half:
        hours = hours % _NOON + (_NOON if half[0] in "pP" else 0)
    return _checked(start + _seconds(hours, int(minute), int(second or 0)), Precision.SECOND)


def guess_order(cells: Iterable[str]) -> tuple[DateOrder, bool]:
    """Return the order of day and month in a column, and whether the column itself shows it."""
    day_first = month_first = 0
    for cell in cells:
        found = _LOCAL.fullmatch(cell.strip())
        if found:
            day_first += int(found[1]) > _LAST_MONTH
            month_first += int(found[3]) > _LAST_MONTH
    order = DateOrder.MONTH_FIRST if month_first > day_first else DateOrder.DAY_FIRST
    return order, day_first != month_first
