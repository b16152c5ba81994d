"""Tiles of a log's tree and the arithmetic over them (C2SP tlog-tiles).

A tile (level L, index N) holds up to 256 hashes; hash i is the root over the leaves
(N*256+i)*256^L … (N*256+i+1)*256^L. The right edge is what an append needs to know of a tree:
the partial tile of each level. Tiles come in through ``read_tile``; nothing is kept here.
"""

import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from accord.kernel.errors import Malformed, VerificationFailed
from accord.kernel.tlog.merkle import EMPTY_ROOT, HASH_SIZE, node_hash, root_packed
from accord.kernel.tlog.treehead import MAX_SIZE

WIDTH = 256
"""Hashes of a full tile, entries of a full bundle."""
MAX_LEVEL = 7
"""Highest level that a tree of 2^63 - 1 entries reaches."""
MAX_ENTRY = 65_535
"""Longest entry in bytes (its length is a u16)."""
MAX_BUNDLE = WIDTH * (MAX_ENTRY + 2)
"""Longest entry bundle in bytes."""

ReadTile = Callable[[int, int, int], bytes]
"""``read_tile(level, index, width)`` returns exactly ``32 * width`` bytes."""

_BITS = 8
_FULL = WIDTH * HASH_SIZE
_GROUP = 1000
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


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
class Bundle:
    """An entry bundle to be stored: ``width`` entries in ``data``."""

    index: int
    width: int
    data: bytes

    @property
    def path(self) -> str:
        """The path at which it is served."""
        return entries_path(self.index, self.width)


@dataclass(frozen=True, slots=True, kw_only=True)
class TilePath:
    """A parsed path; ``level`` is ``None`` for an entry bundle."""

    level: int | None
    index: int
    width: int


def _index_path(index: int) -> str:
    text = f"{index % _GROUP:03d}"
    while index >= _GROUP:
        index //= _GROUP
        text = f"x{index % _GROUP:03d}/{text}"
    return text


def _suffix(width: int) -> str:
    return "" if width == WIDTH else f".p/{width}"


def tile_path(level: int, index: int, width: int) -> str:
    """Return the path of a tile, for example ``tile/0/x001/x234/067`` or ``tile/1/000.p/7``."""
    return f"tile/{level}/{_index_path(index)}{_suffix(width)}"


def entries_path(index: int, width: int) -> str:
    """Return the path of an entry bundle, for example ``tile/entries/000.p/44``."""
    return f"tile/entries/{_index_path(index)}{_suffix(width)}"


def parse_tile_path(path: str) -> TilePath:
    """Parse the path of a tile or an entry bundle; only the canonical spelling passes.

    Raises:
        Malformed: ``tile_path_invalid``.
    """
    match = _PATH.fullmatch(path)
    if match is not None:
        level = None if match["level"] == "entries" else int(match["level"])
        index = int(match["index"].replace("/", "").replace("x", ""))
        width = int(match["width"] or WIDTH)
        known = (level is None or level <= MAX_LEVEL) and index <= MAX_SIZE and width <= WIDTH
        if known and path == (
            entries_path(index, width) if level is None else tile_path(level, index, width)
        ):
            return TilePath(level=level, index=index, width=width)
    raise Malformed(
        "tile_path_invalid",
        "This is not the path of a tile.",
        observed=path[:80].encode("ascii", "backslashreplace").decode("ascii"),
    )


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


def append_entries(size: int, partial: bytes, entries: Sequence[bytes]) -> list[Bundle]:
    """Return the entry bundles that change when ``entries`` follow a tree of ``size`` entries.

    Args:
        size: entries before.
        partial: the data of the last, partial bundle before (empty when ``size`` is a multiple
            of 256).
        entries: the new entries, each at most 65,535 bytes.

    Raises:
        Malformed: ``entry_too_long``.
    """
    bundles: list[Bundle] = []
    done = 0
    while done < len(entries):
        at = size + done
        index, held = divmod(at, WIDTH)
        part = entries[done : done + WIDTH - held]
        data = (partial if done == 0 else b"") + format_entries(part)
        bundles.append(Bundle(index=index, width=held + len(part), data=data))
        done += len(part)
    return bundles


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


def format_entries(entries: Sequence[bytes]) -> bytes:
    """Return the bytes of an entry bundle: u16 length ‖ entry, repeated.

    Raises:
        Malformed: ``entry_too_long``.
    """
    parts = []
    for entry in entries:
        if len(entry) > MAX_ENTRY:
            raise Malformed(
                "entry_too_long",
                f"A log entry has at most {MAX_ENTRY} bytes.",
                observed=f"{len(entry)} bytes",
            )
        parts.append(struct.pack(">H", len(entry)))
        parts.append(entry)
    return b"".join(parts)


def parse_entries(data: bytes) -> list[bytes]:
    """Return the entries of a bundle, at most 256.

    Raises:
        Malformed: ``entries_malformed``.
    """
    entries: list[bytes] = []
    at, end = 0, len(data)
    while at < end:
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        if start > end or at > end or len(entries) == WIDTH:
            raise Malformed(
                "entries_malformed",
                "An entry bundle is cut short or holds more than 256 entries.",
                observed=f"{end} bytes",
            )
        entries.append(data[start:at])
    return entries
