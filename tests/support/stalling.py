"""A relay between a hub and its database server that can go quiet, as a broken network does."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

CANCEL = (16).to_bytes(4, "big") + (80_877_102).to_bytes(4, "big")
"""How a cancel request begins; it comes on a connection of its own."""


class Relay:
    """Passes bytes on; from the first commit on that it is told to stall, one way stops."""

    def __init__(self, target: Path) -> None:
        """Relay from a port on loopback to the Unix socket ``target``."""
        self._target = str(target)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.stall: str | None = None
        """``request``: the next commit never arrives; ``answer``: nobody hears of it."""
        self.cancels = 0
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Close everything."""
        for one in [self._listening, *self._open]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.socket(socket.AF_UNIX)
                self._open += [near, far]
                try:
                    far.connect(self._target)
                except OSError:  # the server is down
                    near.close()
                    continue
                quiet = threading.Event()
                threading.Thread(target=self._ask, args=(near, far, quiet), daemon=True).start()
                threading.Thread(target=self._answer, args=(far, near, quiet), daemon=True).start()

    def _ask(self, source: socket.socket, sink: socket.socket, quiet: threading.Event) -> None:
        with _ending(source, sink):
            while data := source.recv(65_536):
                if data.startswith(CANCEL):
                    self.cancels += 1
                if self.stall is not None and b"COMMIT" in data:
                    quiet.set()
                    if self.stall == "request":
                        continue
                sink.sendall(data)

    def _answer(self, source: socket.socket, sink: socket.socket, quiet: threading.Event) -> None:
        with _ending(source, sink):
            while data := source.recv(65_536):
                if not quiet.is_set():
                    sink.sendall(data)


@contextlib.contextmanager
def _ending(*ends: socket.socket) -> Iterator[None]:
    """When one way is over, so is the other."""
    with contextlib.suppress(OSError):
        yield
    for one in ends:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
