"""Over real HTTP: a large body comes in only behind a signature that holds."""

import http.client
import secrets
import socket
import threading
from collections.abc import Iterator

import pytest
from tests.support.hub_world import Desk, World
from waitress.server import create_server

from accord.hub.app import make_hub
from accord.hub.web.signed import MAX_SIGNED_BODY, admits_large
from accord.kernel.markings import OrgKind
from accord.webbase.large_bodies import SMALL_BODY, guard_bodies

LARGE = SMALL_BODY + 1
BUNDLE = "application/vnd.accord.bundle"
PATH = "/v1/bundles/019a0000-0000-7000-8000-000000000000"


@pytest.fixture
def port(world: World) -> Iterator[int]:
    server = create_server(
        lambda _environ, _start: [b""],
        host="127.0.0.1",
        port=0,
        max_request_body_size=MAX_SIGNED_BODY,
    )
    number = int(server.effective_port)
    server.application = make_hub(world.services, secret_key=secrets.token_bytes(32), port=number)
    authorities = world.config.known_authorities(number)
    guard_bodies(server, admits_large(world.services.directory, world.clock, authorities))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield number
    server.close()
    thread.join(timeout=5)


def answer_to_headers(port: int, headers: dict[str, str], *, method: str = "PUT") -> int | None:
    """Send the headers and no byte of the body; the status, or None when the hub waits for it."""
    lines = [f"{method} {PATH} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        try:
            return int(connection.recv(4096).split()[1])
        except TimeoutError:
            return None


def test_a_stranger_is_refused_before_the_body(port: int, world: World, bank: Desk) -> None:
    stranger = Desk(name="stranger", kind=OrgKind.FINANCIAL, world=world)
    signed = stranger.headers(
        "PUT", PATH, body=b"x", content_type=BUNDLE, authority=f"127.0.0.1:{port}"
    )
    assert answer_to_headers(port, {"Content-Length": str(LARGE)}) == 413
    assert answer_to_headers(port, {"Transfer-Encoding": "chunked"}) == 413
    assert answer_to_headers(port, signed | {"Content-Length": str(LARGE)}) == 413
    late = bank.headers(
        "PUT", PATH, body=b"x", content_type=BUNDLE, authority=f"127.0.0.1:{port}", now=1
    )
    assert answer_to_headers(port, late | {"Content-Length": str(LARGE)}) == 413
    other = bank.headers("PUT", PATH, body=b"x", content_type=BUNDLE, authority="other.test")
    assert answer_to_headers(port, other | {"Content-Length": str(LARGE)}) == 413
    assert answer_to_headers(port, {"Content-Length": str(SMALL_BODY)}) is None


def test_a_member_sends_a_large_bundle(port: int, bank: Desk, police: Desk) -> None:
    values = [f"http://host-{secrets.token_hex(28)}.example.net/{n}" for n in range(30_000)]
    bundle_id, bundle = bank.seal(police, values=values)
    assert len(bundle) > SMALL_BODY
    path = f"/v1/bundles/{bundle_id}"
    headers = bank.headers(
        "PUT", path, body=bundle, content_type=BUNDLE, authority=f"127.0.0.1:{port}"
    )
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("PUT", path, body=bundle, headers=headers)
    assert connection.getresponse().status == 202
    connection.close()


def test_a_member_is_asked_for_the_body(port: int, bank: Desk) -> None:
    signed = bank.headers(
        "PUT", PATH, body=b"x", content_type=BUNDLE, authority=f"127.0.0.1:{port}"
    )
    assert answer_to_headers(port, signed | {"Content-Length": str(LARGE)}) is None
