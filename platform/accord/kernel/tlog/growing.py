"""The root of a tree that only grows, at every size on the way (RFC 9162 clause 2.1).

A desk's journal is such a tree. Its head stands in the hub's audit log as ``size root``: the size
in decimal, a space, the root in 64 lower-case hexadecimal digits.
"""

import re
from dataclasses import dataclass

from accord.kernel.errors import Malformed
from accord.kernel.tlog.merkle import EMPTY_ROOT, node_hash

ANCHORED = "journal.anchored"
"""The class of the event that records a head (``hub.audit.events``)."""

_HEAD = re.compile(r"([1-9][0-9]{0,17}) ([0-9a-f]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class GrownHead:
    """How many leaves a growing tree has, and the root over them (32 bytes)."""

    size: int
    root: bytes


def format_grown(head: GrownHead) -> str:
    """Return a head as it stands in its event."""
    return f"{head.size} {head.root.hex()}"


def parse_grown(text: str) -> GrownHead:
    """Return the head that ``format_grown`` wrote.

    Raises:
        Malformed: ``journal_head_invalid``.
    """
    found = _HEAD.fullmatch(text)
    if found is None:
        raise Malformed(
            "journal_head_invalid",
            "A head of a journal is its size and its root.",
            observed=text[:80].encode("ascii", "backslashreplace").decode("ascii"),
        )
    return GrownHead(size=int(found[1]), root=bytes.fromhex(found[2]))


class GrowingTree:
    """Takes leaf hashes one by one and keeps one hash for each one bit of its size."""

    def __init__(self) -> None:
        """Begin with no leaf."""
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Append the hash of the next leaf."""
        node, size = leaf, self.size
        while size & 1:
            node = node_hash(self._peaks.pop(), node)
            size >>= 1
        self._peaks.append(node)
        self.size += 1

    def head(self) -> GrownHead:
        """Return size and root of the tree so far."""
        return GrownHead(size=self.size, root=self.root())

    def root(self) -> bytes:
        """Return the root over all leaves so far."""
        if not self._peaks:
            return EMPTY_ROOT
        node = self._peaks[-1]
        for peak in self._peaks[-2::-1]:
            node = node_hash(peak, node)
        return node
