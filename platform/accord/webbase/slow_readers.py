"""A reader that does not read gives its thread back.

The server lets a thread wait, without end, while more than its high mark is queued for one
connection. Here the patience with one answer is bounded: some seconds, and more for each byte, so
that whoever reads at ``SLOWEST`` or faster is never cut off.
"""

import socket
import time
from contextlib import suppress

from waitress.channel import ClientDisconnected, HTTPChannel

PATIENCE_SECONDS = 60.0
"""How long a thread waits for a reader of one answer, beyond what the bytes themselves give."""

SLOWEST = 64 * 1024
"""Bytes a second that a reader must take in the long run."""


class PatientChannel(HTTPChannel):  # type: ignore[misc,unused-ignore]
    """A connection whose reader must read."""

    _patience = 0.0

    def service(self) -> None:
        """Answer what was asked, with new patience."""
        self._patience = PATIENCE_SECONDS
        super().service()

    def write_soon(self, data: bytes) -> int:
        """Queue bytes of an answer; return how many.

        Raises:
            ClientDisconnected: the reader is gone, or its time is over.
        """
        with self.outbuf_lock:
            while self.connected and self.total_outbufs_len > self.adj.outbuf_high_watermark:
                self._wait_for_reader()
        self._patience += len(data) / SLOWEST
        written: int = super().write_soon(data)
        return written

    def _wait_for_reader(self) -> None:
        self.server.pull_trigger()
        begun = time.monotonic()
        self.outbuf_lock.wait(max(0.0, self._patience))
        self._patience -= time.monotonic() - begun
        if self._patience <= 0:
            self.will_close = True
            with suppress(OSError):  # so that the loop sees it, however full the socket is
                self.socket.shutdown(socket.SHUT_RDWR)
            self.server.pull_trigger()
            raise ClientDisconnected
