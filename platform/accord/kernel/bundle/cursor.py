"""A reader of length-prefixed bytes that never reads past the end and never leaves a rest.

Numbers are unsigned and big-endian. It knows no format but the magic that it is told.
"""

from accord.kernel.errors import Malformed
from accord.kernel.tlog.merkle import HASH_SIZE


class Cursor:
    """A position in ``data``; every step moves it forward."""

    def __init__(self, data: bytes, *, magic: bytes) -> None:
        """Start behind ``magic``.

        Raises:
            Malformed: ``bundle_truncated``, ``bundle_magic``.
        """
        self._data, self._at = data, 0
        if self.take(len(magic)) != magic:
            raise Malformed("bundle_magic", "The file does not start like one of its kind.")

    def take(self, size: int) -> bytes:
        """Return the next ``size`` bytes.

        Raises:
            Malformed: ``bundle_truncated``.
        """
        end = self._at + size
        if end > len(self._data):
            raise Malformed(
                "bundle_truncated",
                "The file ends too early.",
                observed=f"{len(self._data)} bytes, {end} needed",
                next_step="Fetch it again.",
            )
        part = self._data[self._at : end]
        self._at = end
        return part

    def number(self, width: int) -> int:
        """Return the next number of ``width`` bytes."""
        return int.from_bytes(self.take(width), "big")

    def sized(self, width: int, *, limit: int | None = None, code: str = "") -> bytes:
        """Return a part behind its length of ``width`` bytes.

        Raises:
            Malformed: ``code`` when it is longer than ``limit``, ``bundle_truncated``.
        """
        size = self.number(width)
        if limit is not None and size > limit:
            raise Malformed(code, f"A part is longer than {limit} bytes.", observed=f"{size} bytes")
        return self.take(size)

    def path(self) -> tuple[bytes, ...]:
        """Return a Merkle path: a count of one byte, then so many hashes."""
        return tuple(self.take(HASH_SIZE) for _ in range(self.number(1)))

    def end(self) -> None:
        """Check that nothing follows.

        Raises:
            Malformed: ``bundle_trailing``.
        """
        if self._at != len(self._data):
            raise Malformed(
                "bundle_trailing",
                "There are bytes after the end.",
                observed=f"{len(self._data) - self._at} bytes",
            )
