"""No large body before its signature: the server's parser asks at the end of the headers.

The server buffers a whole body before the application sees the request, so a stranger could fill
the disk. A signature covers the body's digest (RFC 9421, Content-Digest) and can be checked before
the body comes; without one that holds, a body above ``SMALL_BODY`` or of unknown length is refused
with 413 and the connection is closed. The application checks everything again. A body for which
there is no room is refused with 507 and the code that the application would give.
"""

import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from waitress.buffers import OverflowableBuffer, TempfileBasedBuffer
from waitress.parser import HTTPRequestParser
from waitress.server import BaseWSGIServer
from waitress.utilities import Error, RequestEntityTooLarge

from accord.webbase.full_disk import disk_full, is_full
from accord.webbase.slow_readers import PatientChannel

SMALL_BODY = 1024 * 1024
"""Bytes that anybody may send; every route that is not signed takes less."""

Admit = Callable[[str, str, str, Mapping[str, str]], bool]
"""Says of method, path, query and headers (lower-case names) whether a large body may come."""


class _NoRoom(Error):  # type: ignore[misc,unused-ignore]
    """The server's own answer, before there is an application to ask."""

    code = 507
    reason = "Insufficient Storage"


def guard_bodies(server: BaseWSGIServer, admit: Admit, *, folder: Path | None = None) -> None:
    """Let ``server`` take a large body only when ``admit`` says so; call before it runs.

    Args:
        server: not yet running.
        admit: judges a request by its headers.
        folder: where bodies that do not fit into memory are buffered, in files without a name;
            the system's own place by itself.
    """

    class Parser(HTTPRequestParser):  # type: ignore[misc,unused-ignore]
        """Judges a request once, when its headers are complete."""

        completed: bool

        def received(self, data: bytes) -> int:
            """Take bytes; return how many."""
            before = self.headers_finished
            try:
                taken: int = super().received(data)
            except OSError as error:
                return self._refused(error, len(data))
            if before or not self.headers_finished or self.completed:
                return taken
            if folder is not None and self.body_rcv is not None:
                # Nothing of the body has been taken yet.
                self.body_rcv.buf = _BufferIn(self.adj.inbuf_overflow, folder)
            large = self.chunked or self.content_length > SMALL_BODY
            if large and not admit(self.command, self.path, self.query, self._plain_headers()):
                self.error = RequestEntityTooLarge("a large body needs a signature that holds")
                self.completed = True
            return taken

        def _refused(self, error: OSError, size: int) -> int:
            """Answer that there is no room, and take no more."""
            if not is_full(error):
                raise error
            if self.body_rcv is not None:
                with suppress(OSError):  # closing would write the rest
                    self.body_rcv.buf.close()
                self.body_rcv.buf = OverflowableBuffer(self.adj.inbuf_overflow)
            full = disk_full()
            self.error = _NoRoom(f"{full.code}: {full.message} {full.next_step}")
            self.completed = True
            return size

        def _plain_headers(self) -> dict[str, str]:
            return {name.replace("_", "-").lower(): text for name, text in self.headers.items()}

    class Channel(PatientChannel):
        """A connection whose requests are judged, and whose reader must read."""

        parser_class = Parser

    server.channel_class = Channel


class _FileIn(TempfileBasedBuffer):  # type: ignore[misc,unused-ignore]
    def __init__(self, folder: Path, before: object) -> None:
        self._folder = folder
        super().__init__(before)

    def newfile(self) -> IO[bytes]:
        return tempfile.TemporaryFile("w+b", dir=self._folder)


class _BufferIn(OverflowableBuffer):  # type: ignore[misc,unused-ignore]
    """The server's buffer, with its files in ``folder``."""

    def __init__(self, overflow: int, folder: Path) -> None:
        super().__init__(overflow)
        self._folder = folder

    def _set_large_buffer(self) -> None:
        before: Any = self.buf
        self.buf: Any = _FileIn(self._folder, before)
        if before is not None:
            before.close()
        self.overflowed = True
