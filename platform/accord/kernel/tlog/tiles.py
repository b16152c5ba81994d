"""Tiles of a log's tree and the arithmetic over them (C2SP tlog-tiles).

A tile (level L, index N) holds up to 256 hashes; hash i is the root over the leaves
(N*256+i)*256^L … (N*256+i+1)*256^L. The right edge is what an append needs to know of a tree:
the partial tile of each level. Tiles come in through ``read_tile``; nothing is kept here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from accord.kernel.errors import Malformed, VerificationFailed
from accord.kernel.tlog.merkle import EMPTY_ROOT, HASH_SIZE, node_hash, root_packed
from accord.kernel.tlog.tilefiles import (
    MAX_BUNDLE,
    MAX_ENTRY,
    MAX_LEVEL,
    WIDTH,
    Bundle,
    TilePath,
    append_entries,
    entries_path,
    format_entries,
    parse_entries,
    parse_tile_path,
    tile_path,
)

__all__ = [
    "MAX_BUNDLE",
    "MAX_ENTRY",
    "MAX_LEVEL",
    "WIDTH",
    "Bundle",
    "Edge",
    "ReadTile",
    "Tile",
    "TilePath",
    "append",
    "append_entries",
    "consistency_proof",
    "entries_path",
    "format_entries",
    "inclusion_proof",
    "load_edge",
    "parse_entries",
    "parse_tile_path",
    "partial_width",
    "tile_path",
]

ReadTile = Callable[[int, int, int], bytes]
"""``read_tile(level, index, width)`` returns exactly ``32 * width`` bytes."""

_BITS = 8
_FULL = WIDTH * HASH_SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A tile to be stored: ``width`` hashes in ``data``."""

    level: int
    index: int
    width: int
    data: bytes

    @property
    def path(self) -> str:
        """The path at which it is served."""
        return tile_path(self.level, self.index, self.width)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """The right edge of a tree.

    Attributes:
        size: number of leaves.
        levels: for each level the hashes of its partial tile, one after the other (may be empty).
    """

    size: int
    levels: tuple[bytes, ...]

    @classmethod
    def empty(cls) -> "Edge":
        """Return the edge of the tree without leaves."""
        return cls(size=0, levels=())

    def root(self) -> bytes:
        """Return the tree's root."""
        value = b""
        for packed in self.levels:
            value = root_packed(packed + value) if packed or value else b""
        return value or EMPTY_ROOT


def append(edge: Edge, leaf_hashes: Sequence[bytes]) -> tuple[Edge, list[Tile]]:
    """Append leaves and return the new edge with every tile that changed, and no other.

    Args:
        edge: the tree before.
        leaf_hashes: 32 bytes each, in order.

    Raises:
        Malformed: ``hash_size``.
    """
    incoming = b"".join(leaf_hashes)
    if len(incoming) != HASH_SIZE * len(leaf_hashes):
        raise Malformed("hash_size", "Hashes of a tree have 32 bytes each.")
    levels = list(edge.levels)
    tiles: list[Tile] = []
    level = 0
    while incoming:
        if level == len(levels):
            levels.append(b"")
        first = edge.size >> (_BITS * (level + 1))
        packed = levels[level] + incoming
        whole = len(packed) // _FULL
        above = []
        for number in range(whole):
            data = packed[number * _FULL : (number + 1) * _FULL]
            tiles.append(Tile(level=level, index=first + number, width=WIDTH, data=data))
            above.append(root_packed(data))
        rest = packed[whole * _FULL :]
        if rest:
            width = len(rest) // HASH_SIZE
            tiles.append(Tile(level=level, index=first + whole, width=width, data=rest))
        levels[level] = rest
        incoming = b"".join(above)
        level += 1
    return Edge(size=edge.size + len(leaf_hashes), levels=tuple(levels)), tiles


def partial_width(level: int, size: int) -> int:
    """Return the width of the partial tile of ``level`` in a tree of ``size``; 0 if none."""
    return (size >> (_BITS * level)) % WIDTH


def _checked(read_tile: ReadTile, level: int, index: int, width: int) -> bytes:
    data = read_tile(level, index, width)
    if len(data) != width * HASH_SIZE:
        raise VerificationFailed(
            "tile_wrong",
            "A tile has the wrong length.",
            observed=f"{tile_path(level, index, width)}: {len(data)} bytes",
        )
    return data


def load_edge(size: int, read_tile: ReadTile) -> Edge:
    """Return the right edge of a stored tree of ``size`` leaves; the caller compares its root.

    Raises:
        VerificationFailed: ``tile_wrong`` when a tile has the wrong length.
    """
    levels = []
    for level in range(MAX_LEVEL + 1):
        above, width = divmod(size >> (_BITS * level), WIDTH)
        if not above and not width:
            break
        levels.append(_checked(read_tile, level, above, width) if width else b"")
    return Edge(size=size, levels=tuple(levels))


class _Tree:
    """Roots of subtrees of one tree, from tiles; each tile is read once."""

    def __init__(self, size: int, read_tile: ReadTile) -> None:
        self.size = size
        self._read = read_tile
        self._seen: dict[tuple[int, int], bytes] = {}

    def _tile(self, level: int, index: int) -> bytes:
        held = self._seen.get((level, index))
        if held is None:
            width = min(WIDTH, (self.size >> (_BITS * level)) - index * WIDTH)
            held = _checked(self._read, level, index, width)
            self._seen[level, index] = held
        return held

    def root(self, low: int, high: int) -> bytes:
        """Return the root over leaves ``low`` … ``high`` - 1; ``low`` is aligned."""
        count = high - low
        if count & (count - 1) == 0:
            level, bits = divmod(count.bit_length() - 1, _BITS)
            index, offset = divmod(low >> (_BITS * level), WIDTH)
            start = offset * HASH_SIZE
            return root_packed(self._tile(level, index)[start : start + (HASH_SIZE << bits)])
        split = low + _split(count)
        return node_hash(self.root(low, split), self.root(split, high))


def _split(count: int) -> int:
    """Return the largest power of two below ``count``."""
    return 1 << ((count - 1).bit_length() - 1)


def inclusion_proof(index: int, size: int, read_tile: ReadTile) -> list[bytes]:
    """Return the audit path of leaf ``index`` in the tree of ``size``, leaf side first.

    Raises:
        Malformed: ``index_invalid`` when there is no such leaf.
    """
    if not 0 <= index < size:
        raise Malformed("index_invalid", "There is no such leaf.", observed=f"{index} of {size}")
    tree = _Tree(size, read_tile)
    path: list[bytes] = []
    low, high = 0, size
    siblings = []
    while high - low > 1:
        split = low + _split(high - low)
        if index < split:
            siblings.append((split, high))
            high = split
        else:
            siblings.append((low, split))
            low = split
    path.extend(tree.root(*sibling) for sibling in reversed(siblings))
    return path


def consistency_proof(old: int, new: int, read_tile: ReadTile) -> list[bytes]:
    """Return the proof that the tree of ``old`` leaves is a prefix of that of ``new``.

    It is empty for ``old`` 0 and for ``old`` == ``new`` (RFC 9162 clause 2.1.4.1).

    Raises:
        Malformed: ``index_invalid`` unless 0 <= old <= new.
    """
    if not 0 <= old <= new:
        raise Malformed("index_invalid", "The old tree is larger.", observed=f"{old} of {new}")
    if old in {0, new}:
        return []
    tree = _Tree(new, read_tile)
    ranges: list[tuple[int, int]] = []
    low, high, left_spine = 0, new, True
    while old - low != high - low:
        split = low + _split(high - low)
        if old <= split:
            ranges.append((split, high))
            high = split
        else:
            ranges.append((low, split))
            low = split
            left_spine = False
    if not left_spine:
        ranges.append((low, high))
    return [tree.root(*part) for part in reversed(ranges)]
