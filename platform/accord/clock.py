"""The one place that reads the machine's clock, and how a time is written for people.

Everything else is given ``now`` (integer unix seconds, UTC) so that tests can move time.
"""

import datetime as dt
import time
from collections.abc import Callable

LAST_MOMENT = 253_402_300_799
"""The last second of the year 9999, the last that a calendar here can show."""

Clock = Callable[[], int]
"""A source of the present time: integer unix seconds, UTC."""


def system_clock() -> int:
    """Return the present time in integer unix seconds, UTC."""
    return int(time.time())


def system_millis() -> int:
    """Return the present time in integer unix milliseconds, UTC (for UUIDv7)."""
    return time.time_ns() // 1_000_000


def moment(seconds: int | None) -> str:
    """Return unix seconds as a UTC time for people; beyond the year 9999 as the number."""
    if seconds is None:
        return "–"
    if not 0 <= seconds <= LAST_MOMENT:  # a sender may sign any time
        return str(seconds)
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
