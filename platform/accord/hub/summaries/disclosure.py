"""Which counts may be shown: thresholds, dominance, rounding. Pure functions.

Law (flows, "Summaries"): a count is shown at 10 records or more from enough organisations, unless
one gives more than 70 % or the two largest more than 85 %; what is shown is rounded to 5, totals
by themselves; zero looks like any count below 10. What a whole release gives away is the audit's
question (``audit``), not this module's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

MIN_RECORDS = 10
"""Fewest records of a count that is shown."""

ROUNDING = 5
"""Shown counts are multiples of this."""

HALF = ROUNDING // 2
"""How far a true count may lie from its shown one."""

LARGEST_PERCENT = 70
"""Most that one organisation may give."""

TWO_LARGEST_PERCENT = 85
"""Most that two organisations together may give."""


class Audience(StrEnum):
    """Who reads a release."""

    MEMBERS = "members"
    PUBLIC = "public"

    @property
    def min_organisations(self) -> int:
        """Fewest organisations behind a count that is shown."""
        return 3 if self is Audience.MEMBERS else 5


class Mark(StrEnum):
    """What a reader sees of a count."""

    SHOWN = "shown"
    SMALL = "small"
    """Fewer than 10 records, zero included; written ``<10``."""
    HIDDEN = "hidden"
    """10 records or more that would tell about single organisations or other counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A true count. It never leaves this room.

    Attributes:
        records: number of records.
        by_organisation: records of each organisation that gave any.
    """

    records: int
    by_organisation: Mapping[str, int]

    @classmethod
    def of(cls, by_organisation: Mapping[str, int]) -> "Count":
        """Return the count of all that the organisations gave."""
        given = {org: records for org, records in by_organisation.items() if records}
        return cls(records=sum(given.values()), by_organisation=given)


def mark_of(count: Count, audience: Audience) -> Mark:
    """Return what ``audience`` may see of ``count`` by itself."""
    if count.records < MIN_RECORDS:
        return Mark.SMALL
    if len(count.by_organisation) < audience.min_organisations or dominated(count):
        return Mark.HIDDEN
    return Mark.SHOWN


def dominated(count: Count) -> bool:
    """Return whether one organisation gives > 70 % or two together > 85 % of ``count``."""
    largest = sorted(count.by_organisation.values(), reverse=True)[:2]
    return (
        100 * sum(largest[:1]) > LARGEST_PERCENT * count.records
        or 100 * sum(largest) > TWO_LARGEST_PERCENT * count.records
    )


def rounded(records: int) -> int:
    """Return the multiple of 5 next to ``records``; there are no ties."""
    return (records + HALF) // ROUNDING * ROUNDING


def bounds(mark: Mark, records: int) -> tuple[int, int | None]:
    """Return the smallest and largest true count that fits what a reader sees.

    Args:
        mark: what the reader sees.
        records: the true count; only its rounded value is used, and only when it is shown.
    """
    if mark is Mark.SMALL:
        return 0, MIN_RECORDS - 1
    if mark is Mark.HIDDEN:
        return MIN_RECORDS, None
    shown = rounded(records)
    return max(MIN_RECORDS, shown - HALF), shown + HALF
