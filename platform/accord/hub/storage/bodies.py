"""Sealed bodies: small ones in the row, large ones as content-addressed files.

A file is written, synced and renamed, and its folder synced, before the row that names it is
committed; a crash leaves at most a file that no row names. Bytes are what the senders sealed.
"""

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from accord.kernel.errors import NotFound, Unavailable

INLINE_LIMIT = 256 * 1024
"""Largest body in bytes that is kept in the row itself."""

CHUNK = 1024 * 1024
"""Bytes read at once."""


class BodyStore:
    """A folder of files named by the SHA-256 of their content."""

    def __init__(self, folder: Path) -> None:
        """Use ``folder``, made when it is missing."""
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, data: bytes, *, now: int) -> str:
        """Store ``data`` durably and return its name (hexadecimal SHA-256).

        Also a file that is there gets ``now`` as its time, so that it is not taken for a left-over
        before its row is committed.

        Raises:
            Unavailable: ``storage_failed`` (full disk, failing sync); nothing is left behind.
        """
        name = hashlib.sha256(data).hexdigest()
        path = self._path(name)
        # A name of its own: the same bytes may come twice at once.
        draft = path.with_suffix(f".{secrets.token_hex(8)}.draft")
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            if not path.exists():
                _write(draft, data)
                draft.replace(path)
            os.utime(path, (now, now))
            # Also when it was there: whoever put it may not have come this far yet.
            for folder in (path.parent, self._folder):
                _sync_folder(folder)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise _failed(type(error).__name__) from error
        return name

    def require(self, name: str) -> None:
        """Check that ``name`` is there, under the lock of the writer that deletes.

        Raises:
            Unavailable: ``storage_failed``: it was taken for a left-over meanwhile.
        """
        if not self._path(name).exists():
            raise _failed("gone")

    @contextmanager
    def open(self, name: str) -> Iterator[tuple[int, Iterator[bytes]]]:
        """Give how many bytes ``name`` has, and these in pieces, while the block lasts.

        What is deleted meanwhile is read to its end all the same.

        Raises:
            NotFound: ``body_missing``.
        """
        try:
            file = self._path(name).open("rb")
        except FileNotFoundError as error:
            raise NotFound("body_missing", "The sealed bytes are not there.") from error
        with file:
            yield os.fstat(file.fileno()).st_size, iter(partial(file.read, CHUNK), b"")

    def get(self, name: str) -> bytes:
        """Return the bytes of ``name``.

        Raises:
            NotFound: ``body_missing``.
        """
        with self.open(name) as (_, pieces):
            return b"".join(pieces)

    def delete(self, name: str) -> None:
        """Remove the bytes of ``name``, if they are there."""
        self._path(name).unlink(missing_ok=True)

    def names(self) -> list[str]:
        """Return the names of all files, drafts that a crash left behind among them."""
        return [path.name for path in self._folder.glob("??/*") if path.is_file()]

    def age(self, name: str, *, now: int) -> int:
        """Return how many seconds ago ``name`` was put; -1 when it is not there."""
        try:
            return now - int(self._path(name).stat().st_mtime)
        except FileNotFoundError:
            return -1

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name


def _failed(observed: str) -> Unavailable:
    return Unavailable(
        "storage_failed",
        "The hub could not store this; nothing was accepted.",
        retry_after=5,
        observed=observed,
        next_step="Send it again: the same bytes are never stored twice.",
    )


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
