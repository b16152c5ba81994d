"""Which values a file has held already, in 12 bytes each, so that ten million rows fit.

A value is known by 64 bits of a hash keyed anew for each run, so nobody can prepare two values
that collide; by chance two of ten million do with a probability of 3 in a million. Kept as sorted
runs that are merged while they are small, as a log-structured tree does.
"""

import hashlib
import secrets
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_MAX_RUN = 1 << 20
"""Entries of the longest run that is still merged; bounds the memory that a merge borrows."""


class Seen:
    """The first row of each value, asked and told in blocks."""

    def __init__(self) -> None:
        """Start with none."""
        self._key = secrets.token_bytes(16)
        self._runs: list[tuple[NDArray[np.uint64], NDArray[np.uint32]]] = []

    def first_rows(self, keys: Sequence[bytes], rows: Sequence[int]) -> list[int]:
        """Return for each key the row that had it first: its own row when it is new.

        Args:
            keys: what identifies a value.
            rows: the row of each key, rising over all calls.
        """
        if not keys:
            return []
        blake, key = hashlib.blake2b, self._key
        joined = b"".join([blake(text, digest_size=8, key=key).digest() for text in keys])
        digests = np.frombuffer(joined, np.uint64)
        own = np.asarray(rows, np.uint32)
        unique, index, inverse = np.unique(digests, return_index=True, return_inverse=True)
        first = own[index]
        known = np.zeros(len(unique), bool)
        for run, run_rows in self._runs:
            place = np.minimum(np.searchsorted(run, unique), len(run) - 1)
            same = run[place] == unique
            first = np.where(same, run_rows[place], first)
            known |= same
        self._add(unique[~known], first[~known])
        answer: list[int] = first[inverse].tolist()
        return answer

    def _add(self, digests: NDArray[np.uint64], rows: NDArray[np.uint32]) -> None:
        if not len(digests):
            return
        runs = self._runs
        while runs and len(runs[-1][0]) < 2 * len(digests) and len(digests) < _MAX_RUN:
            older, older_rows = runs.pop()
            digests = np.concatenate([older, digests])
            order = np.argsort(digests, kind="stable")
            digests, rows = digests[order], np.concatenate([older_rows, rows])[order]
        runs.append((digests, rows))
