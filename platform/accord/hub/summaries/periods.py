"""Closed periods: a month (``2026-10``) for members, a quarter (``2026-Q4``) for the public."""

import re

from accord.hub.summaries.disclosure import Audience
from accord.kernel.errors import Malformed
from accord.kernel.statements.tally import month_end

_QUARTER = re.compile(r"(20[2-9][0-9])-Q([1-4])")
_MONTHS = 3


def months_of(period: str) -> tuple[str, ...]:
    """Return the months of ``period``: three of a quarter, itself for a month.

    Raises:
        Malformed: ``month_invalid``, also for what is neither.
    """
    found = _QUARTER.fullmatch(period)
    if found is None:
        month_end(period)
        return (period,)
    first = (int(found[2]) - 1) * _MONTHS + 1
    return tuple(f"{found[1]}-{month:02}" for month in range(first, first + _MONTHS))


def check_quarter(text: str) -> None:
    """Refuse what is no quarter, in words about quarters.

    Raises:
        Malformed: ``quarter_invalid``.
    """
    if _QUARTER.fullmatch(text) is None:
        raise Malformed(
            "quarter_invalid",
            "A quarter is a year and its number, for example 2026-Q3.",
            observed=text[:20],
        )


def audience_of(period: str) -> Audience:
    """Return who reads the releases of ``period``.

    Raises:
        Malformed: ``month_invalid``.
    """
    return Audience.PUBLIC if len(months_of(period)) > 1 else Audience.MEMBERS


def quarter_of(month: str) -> str:
    """Return the quarter in which ``month`` lies."""
    return f"{month[:4]}-Q{(int(month[5:]) + 2) // _MONTHS}"


def require_closed(period: str, *, now: int) -> None:
    """Check that ``period`` is over.

    Raises:
        Malformed: ``month_invalid``, ``month_open``.
    """
    if now < month_end(months_of(period)[-1]):
        raise Malformed("month_open", "A period is released when it is over.", observed=period)
