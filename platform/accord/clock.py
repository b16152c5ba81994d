"""The one place that reads the machine's clock.

Everything else is given ``now`` (integer unix seconds, UTC) so that tests can move time.
"""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""A source of the present time: integer unix seconds, UTC."""


def system_clock() -> int:
    """Return the present time in integer unix seconds, UTC."""
    return int(time.time())


def system_millis() -> int:
    """Return the present time in integer unix milliseconds, UTC (for UUIDv7)."""
    return time.time_ns() // 1_000_000
