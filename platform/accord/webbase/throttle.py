"""How often someone may try to sign in.

Each attempt is counted before its password is looked at, under the account's name and under the
source address; both are limited. A limit is a delay, never a lock-out that needs an operator.
"""

import threading
from dataclasses import dataclass
from typing import Protocol

from accord.kernel.errors import Unavailable

WINDOW = 900
"""Seconds over which attempts are counted."""

PER_ACCOUNT = 10
PER_SOURCE = 50
"""Attempts in one window; a source may be a whole office."""

MAX_NAME = 80
"""Characters of a name that are looked at."""

MAX_KEYS = 100_000
"""Most counters kept; the oldest goes first."""


class Throttle(Protocol):
    """Counts attempts; a program with several processes counts in its database."""

    def attempt(self, *, account: str, source: str, now: int) -> None:
        """Count one attempt, or raise Unavailable ``too_many_attempts``."""

    def succeeded(self, *, account: str) -> None:
        """Forget the attempts of an account whose owner has signed in."""


@dataclass(slots=True)
class _Counter:
    began: int
    attempts: int = 0


class SignInThrottle:
    """Counters of one process, thread-safe and bounded."""

    def __init__(self, *, per_account: int = PER_ACCOUNT, per_source: int = PER_SOURCE) -> None:
        """Start with nothing counted."""
        self._limits = {"account": per_account, "source": per_source}
        self._counters: dict[tuple[str, str], _Counter] = {}
        self._lock = threading.Lock()

    def attempt(self, *, account: str, source: str, now: int) -> None:
        """Count one attempt; call this before the password is checked.

        Args:
            account: the name as typed; its case and outer spaces do not matter.
            source: the client's address.
            now: present unix second.

        Raises:
            Unavailable: ``too_many_attempts``.
        """
        keys = (("source", source), ("account", folded(account)))
        with self._lock:
            for key in keys:
                counter = self._counter(key, now)
                if counter.attempts >= self._limits[key[0]]:
                    raise too_many_attempts(counter.began + WINDOW - now)
                counter.attempts += 1

    def succeeded(self, *, account: str) -> None:
        """Forget the attempts of an account whose owner has signed in."""
        with self._lock:
            self._counters.pop(("account", folded(account)), None)

    def _counter(self, key: tuple[str, str], now: int) -> _Counter:
        counter = self._counters.get(key)
        if counter is None or not 0 <= now - counter.began < WINDOW:
            self._counters.pop(key, None)
            if len(self._counters) >= MAX_KEYS:
                del self._counters[next(iter(self._counters))]
            counter = self._counters[key] = _Counter(began=now)
        return counter


def too_many_attempts(seconds: int) -> Unavailable:
    """Return the refusal of an attempt; ``seconds`` until the window ends."""
    return Unavailable(
        "too_many_attempts",
        "Too many attempts to sign in.",
        retry_after=max(1, seconds),
        next_step="Wait, then try again.",
    )


def folded(account: str) -> str:
    """Return a name as it is counted: without outer spaces, in one case, cut."""
    # Cut: what strangers type must not fill the memory. No account has so long a name.
    return account.strip()[:MAX_NAME].casefold()
