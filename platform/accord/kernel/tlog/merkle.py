"""Merkle tree hashing and proofs of RFC 9162 clause 2.1, over bytes in memory.

Used by the transparency logs, by the recipient entries of a bundle and by its content root.
Hashes are 32 bytes, SHA-256. Verification raises; nothing here returns a bare truth value.
"""

import hashlib
from collections.abc import Sequence

from accord.kernel.errors import Malformed, VerificationFailed

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of the tree without leaves (RFC 9162 clause 2.1.1)."""

_LEAF = b"\x00"
_NODE = b"\x01"
_PAIR = 2 * HASH_SIZE


def leaf_hash(entry: bytes) -> bytes:
    """Return SHA-256(0x00 ‖ entry)."""
    return hashlib.sha256(_LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(_NODE + left + right).digest()


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """Return the root over ``leaf_hashes`` (each 32 bytes), in order."""
    return root_packed(b"".join(leaf_hashes))


def root_packed(packed: bytes) -> bytes:
    """Return the root over leaf hashes that stand one after the other in ``packed``.

    Level by level: an odd last node moves up unchanged, which is the same tree as splitting at
    the largest power of two (RFC 9162 clause 2.1.1).

    Raises:
        Malformed: ``hash_size`` when ``packed`` is not a multiple of 32 bytes.
    """
    if len(packed) % HASH_SIZE:
        raise Malformed("hash_size", "Hashes of a tree have 32 bytes each.")
    if not packed:
        return EMPTY_ROOT
    sha256 = hashlib.sha256
    level = packed
    while len(level) > HASH_SIZE:
        whole = len(level) // _PAIR * _PAIR
        above = b"".join(
            [sha256(_NODE + level[at : at + _PAIR]).digest() for at in range(0, whole, _PAIR)]
        )
        level = above + level[whole:]
    return level


def inclusion_path(index: int, leaf_hashes: Sequence[bytes]) -> list[bytes]:
    """Return the audit path of leaf ``index``, leaf side first (RFC 9162 clause 2.1.3.1).

    Raises:
        Malformed: ``index_invalid`` when there is no such leaf.
    """
    if not 0 <= index < len(leaf_hashes):
        raise Malformed("index_invalid", "There is no such leaf.", observed=str(index))
    path = []
    level = list(leaf_hashes)
    while len(level) > 1:
        if index ^ 1 < len(level):
            path.append(level[index ^ 1])
        above = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            above.append(level[-1])
        level = above
        index //= 2
    return path


def verify_inclusion(
    *, index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes
) -> None:
    """Verify an audit path (RFC 9162 clause 2.1.3.2).

    Args:
        index: position of the leaf, from 0.
        size: number of leaves of the tree.
        leaf: the leaf's hash.
        path: siblings, leaf side first.
        root: the tree's root.

    Raises:
        VerificationFailed: ``inclusion_wrong``.
    """
    if root_from_path(index=index, size=size, leaf=leaf, path=path) != root:
        raise VerificationFailed("inclusion_wrong", "The proof does not lead to the root.")


def root_from_path(*, index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes:
    """Return the root to which an audit path leads; the caller compares it.

    Raises:
        VerificationFailed: ``inclusion_wrong`` when the path cannot belong to such a tree.
    """
    wrong = VerificationFailed("inclusion_wrong", "The proof does not fit the tree's size.")
    if not 0 <= index < size or any(len(step) != HASH_SIZE for step in path):
        raise wrong
    position, last, value = index, size - 1, leaf
    for step in path:
        if last == 0:
            raise wrong
        if position & 1 or position == last:
            value = node_hash(step, value)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            value = node_hash(value, step)
        position >>= 1
        last >>= 1
    if last != 0:
        raise wrong
    return value


def verify_consistency(
    *, old_size: int, new_size: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]
) -> None:
    """Verify that the tree of ``old_size`` is a prefix of that of ``new_size``.

    Source: RFC 9162 clause 2.1.4.2. Callers handle an empty old tree themselves.

    Raises:
        VerificationFailed: ``consistency_wrong``.
    """
    wrong = VerificationFailed(
        "consistency_wrong", "The newer tree does not continue the older one."
    )
    if not 0 < old_size <= new_size or any(len(step) != HASH_SIZE for step in path):
        raise wrong
    if old_size == new_size:
        if path or old_root != new_root:
            raise wrong
        return
    steps = list(path)
    if old_size & (old_size - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        raise wrong
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position >>= 1
        last >>= 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise wrong
        if position & 1 or position == last:
            first = node_hash(step, first)
            second = node_hash(step, second)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            second = node_hash(second, step)
        position >>= 1
        last >>= 1
    if last != 0 or first != old_root or second != new_root:
        raise wrong
