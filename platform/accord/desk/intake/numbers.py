"""Numbers as exports write them: thousands and decimals of several locales, currencies, grades.

Amounts stay decimal text; no binary fraction is ever made of one.
"""

import decimal
import re
from collections.abc import Iterable
from typing import Final

_CURRENCY = re.compile(r"(?:[A-Za-z]{2,5}|[\u20ac$\u00a3\u00a5\u20bf\u20bd])")
_SPACES = re.compile("[\\s\u00a0\u2007\u2009\u202f'\u2019_]")
_DIGITS = re.compile(r"[0-9]+(?:[.,][0-9]+)*", re.ASCII)
_EXPONENT = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]{1,3}", re.ASCII)
_USUAL = re.compile(r"([0-9]+)(?:([.,])([0-9]+))?(?: ?[A-Z]{3,5})?", re.ASCII)
_GRADES: Final = {
    "very low": 10, "sehr niedrig": 10, "low": 25, "niedrig": 25, "gering": 25, "faible": 25,
    "bajo": 25, "basso": 25, "laag": 25, "med": 50, "medium": 50, "mittel": 50, "moyen": 50,
    "medio": 50, "moderate": 50, "high": 85, "hoch": 85, "eleve": 85, "\u00e9lev\u00e9": 85,
    "alto": 85, "hoog": 85, "very high": 95, "sehr hoch": 95, "certain": 95, "confirmed": 95,
    "sicher": 95, "best\u00e4tigt": 95,
}  # fmt: skip
_FIVE_STEPS = 5
_MAX_AMOUNT = 40


def read_amount(text: str, decimal_mark: str = ".") -> str | None:
    """Return the amount in a cell as plain decimal text, or ``None``.

    Args:
        text: for example ``8657,42 EUR``, ``1.234.567,00``, ``1,234.5``, ``1'234.50``, ``1.2E-5``.
        decimal_mark: what one mark before exactly three digits means: ``1.234`` is one and a bit
            when it is ``.``, one thousand otherwise.
    """
    usual = _USUAL.fullmatch(text)
    if usual:
        # What most cells look like; the answer is that of the steps below.
        whole, mark, tail = usual.groups()
        if mark is None:
            return _plain(whole)
        if len(tail) != 3 or mark == decimal_mark:  # noqa: PLR2004 - a group of thousands
            return _plain(f"{whole}.{tail}")
    bare = _SPACES.sub("", _CURRENCY.sub("", text, count=1) if "e" not in text.lower() else text)
    if _EXPONENT.fullmatch(bare):
        value = format(decimal.Decimal(bare.replace(",", ".")), "f")
        return _plain(value)
    bare = _SPACES.sub("", _CURRENCY.sub("", text))
    if not _DIGITS.fullmatch(bare):
        return None
    marks = [c for c in bare if c in ".,"]
    if not marks:
        return _plain(bare)
    last = marks[-1]
    tail = bare.rpartition(last)[2]
    if len(set(marks)) == 1 and (len(marks) > 1 or (len(tail) == 3 and last != decimal_mark)):  # noqa: PLR2004 - a group of thousands
        return _plain(bare.replace(last, ""))
    if marks.count(last) > 1:
        return None
    whole = bare.rpartition(last)[0].replace(",", "").replace(".", "")
    return _plain(f"{whole}.{tail}")


def _plain(text: str) -> str | None:
    whole, dot, tail = text.partition(".")
    plain = (whole.lstrip("0") or "0") + dot + tail
    return plain if len(plain) <= _MAX_AMOUNT else None


def guess_decimal_mark(cells: Iterable[str]) -> str:
    """Return the decimal mark of a column: the one that stands last before other than 3 digits."""
    comma = dot = 0
    for cell in cells:
        found = re.search(r"([.,])([0-9]+)[^0-9]*\Z", cell)
        if found and len(found[2]) != 3:  # noqa: PLR2004 - three digits may be thousands
            comma += found[1] == ","
            dot += found[1] == "."
    return "," if comma > dot else "."


def read_confidence(text: str) -> int | None:
    """Return 0 to 100 for a grade, share, percentage or step, or ``None``.

    Words as in ``_GRADES``; ``93%`` and ``93`` are 93; ``0.93`` is 93; whole numbers 1 to 5 are
    steps of a scale of five.
    """
    bare = text.strip().casefold()
    if bare in _GRADES:
        return _GRADES[bare]
    percent = bare.endswith("%")
    number = bare.rstrip("% ").replace(",", ".")
    if not re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{1,6})?", number):
        return None
    value = float(number)
    if not percent and "." in number and value <= 1:
        value *= 100
    elif not percent and "." not in number and 1 <= value <= _FIVE_STEPS:
        value *= 100 / _FIVE_STEPS
    return round(value) if value <= 100 else None  # noqa: PLR2004 - a percentage
