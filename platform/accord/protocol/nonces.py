"""Nonces that were seen: a signed request is good once.

Invariant: a nonce that was claimed is refused for as long as its signature could still be
accepted, also when the clock goes back and also when the memory is full (then everything is
refused for a moment: forgetting would let a replay through).
"""

import hashlib
import threading
from collections import Counter
from typing import Protocol

from accord.kernel.errors import Unavailable
from accord.kernel.identifiers import KeyId

SLOT_SECONDS = 60
"""Nonces are forgotten together, one slot of this many seconds at a time."""

MAX_RETRY = 600
"""Longest wait in seconds that is advised."""

MAX_NONCES = 1_000_000
"""Most nonces kept, about 100 bytes each."""

MAX_NONCES_PER_KEY = 250_000
"""Most nonces of one key, so that one member cannot fill the memory of all."""


class NonceCache(Protocol):
    """Memory of nonces that all processes of one hub share."""

    def claim(self, kid: KeyId, nonce: str, *, until: int, now: int) -> bool:
        """Take ``nonce`` of the key ``kid``.

        Args:
            kid: the key that signed it; call this only after its signature was verified.
            nonce: the nonce's text.
            until: unix second up to which the signature could be accepted.
            now: present unix second.

        Returns:
            True when the nonce is new, False when it was taken before.

        Raises:
            Unavailable: ``nonces_full``, or ``nonce_unknowable`` when it may have been taken
                before a restart or a jump of the clock; a new signature helps, after a while.
        """


class MemoryNonceCache:
    """A nonce memory for one process, bounded, thread-safe.

    Args:
        since: nonces whose time ends before this unix second are refused. A process that starts
            anew has forgotten what it saw; with ``since`` = start + ``signatures.NONCE_MARGIN``
            it takes no request that was signed before it started.
        capacity: most nonces kept.
        per_key: most nonces kept of one key.
    """

    def __init__(
        self,
        *,
        since: int = 0,
        capacity: int = MAX_NONCES,
        per_key: int = MAX_NONCES_PER_KEY,
    ) -> None:
        """Start empty."""
        self._forgotten_until = since
        self._capacity = capacity
        self._per_key = per_key
        self._slots: dict[int, dict[bytes, KeyId]] = {}
        self._by_key: Counter[KeyId] = Counter()
        self._size = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return how many nonces are kept."""
        return self._size

    def claim(self, kid: KeyId, nonce: str, *, until: int, now: int) -> bool:
        """See ``NonceCache.claim``."""
        name = hashlib.sha256(kid + nonce.encode("utf-8")).digest()[:16]
        with self._lock:
            self._forget(now)
            if until < self._forgotten_until:
                raise Unavailable(
                    "nonce_unknowable",
                    "It cannot be told whether this signed request was received before.",
                    retry_after=min(self._forgotten_until - until, MAX_RETRY),
                    next_step="Sign it again; if this repeats, set this computer's clock.",
                )
            if any(name in slot for slot in self._slots.values()):
                return False
            if self._size >= self._capacity or self._by_key[kid] >= self._per_key:
                raise Unavailable(
                    "nonces_full",
                    "Too many signed requests in a short time.",
                    retry_after=SLOT_SECONDS,
                )
            self._slots.setdefault(until // SLOT_SECONDS, {})[name] = kid
            self._by_key[kid] += 1
            self._size += 1
            return True

    def _forget(self, now: int) -> None:
        for slot in [slot for slot in self._slots if (slot + 1) * SLOT_SECONDS <= now]:
            gone = self._slots.pop(slot)
            self._size -= len(gone)
            self._by_key.subtract(gone.values())
            # What was forgotten can no longer be told from new, should the clock go back.
            self._forgotten_until = max(self._forgotten_until, (slot + 1) * SLOT_SECONDS)
