"""Where a transparency log's files come from: below an address, or in a directory.

Over HTTP the files that the monitor will ask for are fetched ahead, a few at a time: a log of a
million entries has 8,000 files, and each would else wait for a round trip.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Self
from urllib.parse import SplitResult, urlsplit

import httpx2

from accord.kernel.errors import AccordError, Malformed, NotFound, Unavailable
from accord.kernel.tlog.monitor import CHECKPOINT_PATH
from accord.kernel.tlog.notes import MAX_NOTE
from accord.kernel.tlog.tiles import MAX_BUNDLE

TIMEOUT_SECONDS = 30
WORKERS = 8
"""Requests that are under way at the same time."""
AHEAD = 32
"""Files that are asked for ahead."""

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_MAX_FILE = max(MAX_BUNDLE, MAX_NOTE)


class Source:
    """Where the log's files are: below a URL or in a directory."""

    def __init__(self, place: str) -> None:
        """Take an http or https address, or a directory."""
        self.place = place.rstrip("/")
        self._client: httpx2.Client | None = None
        self._pool = ThreadPoolExecutor(max_workers=WORKERS)
        self._paths: Iterator[str] = iter(())
        self._asked: deque[tuple[str, Future[bytes]]] = deque()
        address = _address(place)
        if address.scheme in {"http", "https"}:
            # A proxy of the environment cannot reach this computer's own loopback.
            self._client = httpx2.Client(
                timeout=TIMEOUT_SECONDS, trust_env=address.hostname not in _LOOPBACK
            )
        elif not Path(place).is_dir():
            raise Unavailable(
                "log_unreachable",
                "There is no such directory.",
                observed=place,
                next_step="Give the log's address, for example https://hub.example/log/audit.",
            )

    def __enter__(self) -> Self:
        """Use the source."""
        return self

    def __exit__(self, *_: object) -> None:
        """Drop what was asked for ahead and close connections."""
        self._pool.shutdown(cancel_futures=True)
        if self._client is not None:
            self._client.close()

    def expect(self, paths: Iterator[str]) -> None:
        """Fetch ``paths`` ahead, in their order; a directory needs no such help."""
        if self._client is not None:
            self._paths = paths
            self._ask_ahead()

    def _ask_ahead(self) -> None:
        while len(self._asked) < AHEAD:
            path = next(self._paths, None)
            if path is None:
                return
            self._asked.append((path, self._pool.submit(self._fetch, path)))

    def fetch(self, path: str) -> bytes:
        """Return the file at ``path`` of the log.

        Raises:
            NotFound: ``log_file_missing``.
            Malformed: ``too_long``.
            Unavailable: ``log_unreachable``, also when there is no checkpoint.
        """
        if self._asked and self._asked[0][0] == path:
            answer = self._asked.popleft()[1]
            self._ask_ahead()
            return answer.result()
        return self._fetch(path)

    def _fetch(self, path: str) -> bytes:
        if self._client is not None:
            return _fetch_url(self._client, f"{self.place}/{path}", path)
        try:
            return read_file(Path(self.place) / PurePosixPath(path), _MAX_FILE)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise _missing(path) from error
        except OSError as error:
            raise Unavailable(
                "log_unreachable", "The log cannot be read.", observed=f"{path}: {error.strerror}"
            ) from error


def _address(place: str) -> SplitResult:
    try:
        return urlsplit(place)
    except ValueError as error:
        raise Unavailable(
            "log_unreachable", "This is neither an address nor a directory.", observed=place[:200]
        ) from error


def _fetch_url(client: httpx2.Client, url: str, path: str) -> bytes:
    data = bytearray()
    try:
        with client.stream("GET", url) as response:
            status = response.status_code
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > _MAX_FILE:
                    raise Malformed("too_long", "A file of the log is too long.", observed=path)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise Unavailable(
            "log_unreachable",
            "The log does not answer.",
            observed=f"{url}: {type(error).__name__}",
            next_step="Check the address and try again.",
        ) from error
    if status in {404, 410}:
        raise _missing(path)
    if status != httpx2.codes.OK:
        raise Unavailable(
            "log_unreachable", "The log does not answer as a log.", observed=f"{path}: {status}"
        )
    return bytes(data)


def _missing(path: str) -> AccordError:
    if path == CHECKPOINT_PATH:
        return Unavailable(
            "log_unreachable",
            "There is no log at this place.",
            observed="no checkpoint",
            next_step="Check the address; a hub's logs are below /log/audit and /log/directory.",
        )
    return NotFound("log_file_missing", "The log lacks a file.", observed=path)


def read_file(path: Path, limit: int) -> bytes:
    """Return a file's bytes.

    Raises:
        Malformed: ``too_long``.
    """
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise Malformed("too_long", f"The file is longer than {limit} bytes.", observed=path.name)
    return data
