"""The files of a log: paths of tiles and of entry bundles, and a bundle's bytes (C2SP tlog-tiles).

Invariants: one spelling of each path; ``parse_entries(format_entries(e)) == e``. What the hashes
in a tile mean is the business of ``tiles``.
"""

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from accord.kernel.errors import Malformed
from accord.kernel.tlog.treehead import MAX_SIZE

WIDTH = 256
"""Hashes of a full tile, entries of a full bundle."""
MAX_LEVEL = 7
"""Highest level that a tree of 2^63 - 1 entries reaches."""
MAX_ENTRY = 65_535
"""Longest entry in bytes (its length is a u16)."""
MAX_BUNDLE = WIDTH * (MAX_ENTRY + 2)
"""Longest entry bundle in bytes."""

_GROUP = 1000
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


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
