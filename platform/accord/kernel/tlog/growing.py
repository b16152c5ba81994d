"""The root of a tree that only grows, at every size on the way (RFC 9162 clause 2.1).

A desk's journal is such a tree. Its head stands in the hub's audit log as ``size root``: the size
in decimal, a space, the root in 64 lower-case hexadecimal digits.
"""

import re
from collections.abc import Sequence
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


class GrownTree:
    """Every node of a tree over leaf hashes, for roots and paths at any of its sizes.

    Sizes and places are those of the tree; the caller asks for none beyond it.
    """

    def __init__(self, leaves: Sequence[bytes]) -> None:
        """Hash each full pair once, level by level."""
        self.size = len(leaves)
        self._levels = [list(leaves)]
        while len(below := self._levels[-1]) > 1:
            pairs = zip(below[::2], below[1::2], strict=False)
            self._levels.append([node_hash(left, right) for left, right in pairs])

    def root(self, size: int) -> bytes:
        """Return the root over the first ``size`` leaves."""
        return self._node((size - 1).bit_length(), 0, size) if size else EMPTY_ROOT

    def path(self, index: int, size: int) -> list[bytes]:
        """Return the path of leaf ``index`` (from 0) to that root, leaf side first."""
        found = []
        for level in range((size - 1).bit_length()):
            beside = (index >> level) ^ 1
            if beside << level < size:
                found.append(self._node(level, beside, size))
        return found

    def _node(self, level: int, at: int, size: int) -> bytes:
        """Return the node over leaves ``at * 2**level`` and on, as far as ``size`` goes."""
        if (at + 1) << level <= size:
            return self._levels[level][at]
        left, right = at * 2, at * 2 + 1
        if right << (level - 1) >= size:
            return self._node(level - 1, left, size)
        below = level - 1
        return node_hash(self._node(below, left, size), self._node(below, right, size))
