"""T25: a stranger wears the hub out: large bodies, slow senders, endless attempts."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import httpx2
import pytest
from tests.support.hub_world import Desk, World
from waitress.server import create_server

from accord.hub.web.signed import MAX_SIGNED_BODY
from accord.webbase.factory import MAX_BODY


@pytest.fixture(scope="module")
def server(world: World) -> Iterator[int]:
    """The application as `accord hub serve` runs it, on a port of its own."""
    made = create_server(
        world.app, host="127.0.0.1", port=0, threads=4, connection_limit=200, channel_timeout=20
    )
    loop = threading.Thread(target=made.run, daemon=True)
    loop.start()
    yield int(made.effective_port)
    made.close()
    loop.join(5)


class Endless:
    """A body whose reading is counted."""

    def __init__(self) -> None:
        """Nothing was read yet."""
        self.read_bytes = 0

    def read(self, size: int = -1) -> bytes:
        size = 65_536 if size < 0 else size
        self.read_bytes += size
        return bytes(size)

    def tell(self) -> int:
        return 0

    def seek(self, *_: int) -> int:
        return 0

    def readline(self, size: int = -1) -> bytes:
        return self.read(size)


def test_a_body_without_a_true_signature_is_not_read(world: World, mallory: Desk) -> None:
    path = "/v1/bundles/019e0000-0000-7000-8000-000000000000"
    signed = mallory.headers("PUT", path, body=b"x", content_type="application/vnd.accord.bundle")
    for headers in ({}, signed | {"Signature": "accord=:" + "A" * 86 + "==:"}):
        body = Endless()
        answer = world.app.test_client().put(
            path,
            base_url="http://127.0.0.1:8600",
            input_stream=body,
            headers=headers | {"Content-Length": str(MAX_SIGNED_BODY)},
        )
        assert answer.status_code == 401
        assert body.read_bytes == 0


@pytest.mark.parametrize("path", ["/v1/enrolments", "/sign-in"])
def test_a_body_beyond_the_limit_is_refused(world: World, path: str) -> None:
    body = Endless()
    answer = world.app.test_client().post(
        path,
        base_url="http://127.0.0.1:8600",
        input_stream=body,
        headers={"Content-Length": str(2**31), "Content-Type": "application/json"},
    )
    assert answer.status_code in {400, 403, 413}
    assert body.read_bytes <= 2 * MAX_BODY


def test_many_slow_senders_do_not_keep_others_out(server: int) -> None:
    slow = []
    head = b"PUT /v1/bundles/x HTTP/1.1\r\nHost: 127.0.0.1:8600\r\nContent-Length: 900000\r\n\r\n"
    for _ in range(60):
        connection = socket.create_connection(("127.0.0.1", server))
        connection.sendall(head + b"drip")
        slow.append(connection)
    try:
        for _ in range(5):
            answer = httpx2.get(
                f"http://127.0.0.1:{server}/healthz", headers={"Host": "127.0.0.1:8600"}, timeout=5
            )
            assert answer.status_code == 200
    finally:
        for connection in slow:
            connection.close()


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1:8600\r\nX: " + b"a" * 300_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 300_000 + b" HTTP/1.1\r\n\r\n",
        b"POST /v1/enrolments HTTP/1.1\r\nHost: 127.0.0.1:8600\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    ],
    ids=["long header", "long path", "two lengths", "two hosts"],
)
def test_a_malformed_request_ends_with_one_refusal(server: int, raw: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server), timeout=5) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        # A refusal that is not read to its end may come as a reset.
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(65_536):
                answer += part
    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")) or answer == b""
    assert b"accord_answers" not in answer
