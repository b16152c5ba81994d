"""Sessions that one process keeps in its memory and that end with it: those of a desk's pages.

A session lasts at most ``SESSION_SECONDS``; it ends earlier with the sign-out, or when the
account's id is no longer known (an id that changes with the password ends all of that password).
"""

import hashlib
import secrets
import threading
from collections.abc import Callable

from accord.clock import Clock
from accord.webbase.actor import Actor

SESSION_SECONDS = 8 * 3600
"""Longest session; then the person signs in again."""

MAX_SESSIONS = 10_000
"""Most sessions kept; the oldest ends first."""

TOKEN_BYTES = 32

LoadActor = Callable[[str], Actor | None]
"""Returns the account of an id, or ``None`` when it may no longer sign in."""


class MemorySessions:
    """The sessions of one process, thread-safe and bounded."""

    def __init__(self, *, load: LoadActor, clock: Clock) -> None:
        """Begin without sessions.

        Args:
            load: finds the account of a session.
            clock: tells how old a session is.
        """
        self._load = load
        self._clock = clock
        self._held: dict[bytes, tuple[str, int]] = {}
        self._lock = threading.Lock()

    def begin(self, account: str) -> str:
        """Begin a session of ``account`` and return its token."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        now = self._clock()
        with self._lock:
            for key in [key for key, (_, began) in self._held.items() if _is_over(began, now)]:
                del self._held[key]
            if len(self._held) >= MAX_SESSIONS:
                del self._held[next(iter(self._held))]
            self._held[_key(token)] = (account, now)
        return token

    def find(self, token: str) -> Actor | None:
        """Return whose session this is, or ``None`` when it is over."""
        with self._lock:
            account, began = self._held.get(_key(token), ("", 0))
        if not account or _is_over(began, self._clock()):
            return None
        return self._load(account)

    def end(self, token: str) -> None:
        """End the session; nothing happens when there is none."""
        with self._lock:
            self._held.pop(_key(token), None)


def _key(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _is_over(began: int, now: int) -> bool:
    return not 0 <= now - began <= SESSION_SECONDS
