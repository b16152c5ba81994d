"""A reader that stalls gives its thread back; one that reads slowly gets everything."""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator

import pytest
from waitress.server import BaseWSGIServer, create_server

from accord.webbase import slow_readers
from accord.webbase.large_bodies import guard_bodies

HIGH = 1024 * 1024
BLOCK = 256 * 1024
BLOCKS = 64
"""Together far more than sockets and the high mark hold."""


def app(environ: dict[str, str], start: Callable[..., object]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/small":
        start("200 OK", [("Content-Length", "2")])
        return [b"ok"]
    start("200 OK", [("Content-Length", str(BLOCK * BLOCKS))])
    return (bytes(BLOCK) for _ in range(BLOCKS))


@pytest.fixture
def port() -> Iterator[int]:
    server = create_server(
        app,
        host="127.0.0.1",
        port=0,
        threads=1,
        outbuf_high_watermark=HIGH,
        asyncore_use_poll=True,
    )
    assert isinstance(server, BaseWSGIServer)
    guard_bodies(server, lambda *_: False)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield int(server.effective_port)
    server.close()
    thread.join(timeout=5)


def ask(port: int, path: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    return connection


def test_a_thread_is_given_back_by_a_reader_that_never_reads(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_readers, "PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr(slow_readers, "SLOWEST", 10**12)
    with ask(port, "/large") as stalled, ask(port, "/small") as other:
        assert b"200 OK" in other.recv(4096), "the only thread is free again"
        got = 0
        while piece := _piece(stalled):
            got += len(piece)
        assert got < BLOCK * BLOCKS, "and the stalled connection was closed"


def _piece(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1024 * 1024)
    except ConnectionResetError:
        return b""


def test_a_slow_reader_that_goes_on_reading_gets_all(port: int) -> None:
    with ask(port, "/large") as slow:
        got = b""
        time.sleep(0.5)
        while len(got) < BLOCK * BLOCKS:
            piece = slow.recv(64 * 1024)
            assert piece, "cut off"
            got += piece
        assert got.startswith(b"HTTP/1.1 200 OK")
