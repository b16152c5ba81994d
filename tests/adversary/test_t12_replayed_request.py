"""T12: someone on the network replays or alters a signed request. It is good once, as it was."""

import secrets

import pytest
from tests.support.hub_world import HOST, Desk, World

from accord.protocol.nonces import MemoryNonceCache
from accord.protocol.signatures import NONCE_MARGIN, verify_request

BODY = b"signed body"
KIND = "application/vnd.accord.statement+json"
PATH = "/v1/acknowledgements"


@pytest.fixture
def headers(mallory: Desk) -> dict[str, str]:
    """A request as it was overheard; nothing in it was sent yet."""
    return mallory.headers("POST", PATH, body=BODY, content_type=KIND)


def code(world: World, method: str, path: str, headers: dict[str, str], body: bytes) -> str:
    answer = world.client.request(method, path, headers=headers, content=body)
    return str(answer.json()["code"])


def test_the_same_request_again_is_refused(world: World, mallory: Desk) -> None:
    headers = mallory.headers("GET", "/v1/feed")
    assert world.client.get("/v1/feed", headers=headers).status_code == 200
    assert code(world, "GET", "/v1/feed", headers, b"") == "nonce_replayed"


@pytest.mark.parametrize(
    ("method", "path", "change", "body", "expected"),
    [
        ("POST", PATH, {}, BODY + b"!", "digest_wrong"),
        ("POST", PATH, {}, b"", "digest_wrong"),
        ("POST", PATH, {"Content-Type": "text/plain"}, BODY, "signature_wrong"),
        ("POST", PATH, {"Host": "localhost:8600"}, BODY, "signature_wrong"),
        ("POST", PATH, {"Content-Digest": ""}, BODY, "signature_wrong"),
        ("PUT", "/v1/tallies/2026-10", {}, BODY, "signature_wrong"),
        ("POST", PATH, {"Signature": "accord=:AAAA:"}, BODY, "signature_wrong"),
        ("POST", PATH, {"Signature": ""}, BODY, "signature_wrong"),
    ],
)
def test_an_altered_request_is_refused(
    world: World,
    headers: dict[str, str],
    method: str,
    path: str,
    change: dict[str, str],
    body: bytes,
    expected: str,
) -> None:
    assert code(world, method, path, headers | change, body) == expected


@pytest.mark.parametrize("query", ["after=1&limit=100", "limit=100&after=0", "after=0", ""])
def test_a_request_is_bound_to_its_query(world: World, mallory: Desk, query: str) -> None:
    signed = mallory.headers("GET", "/v1/feed", query="after=0&limit=100")
    assert code(world, "GET", f"/v1/feed?{query}", signed, b"") == "signature_wrong"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"content-digest" ', ""),
        ('"@query" ', ""),
        ('tag="accord/1"', 'tag="accord/2"'),
        ('alg="ed25519"', 'alg="hmac-sha256"'),
        (";nonce=", ";nonsense="),
    ],
)
def test_a_signature_over_less_or_for_something_else_is_refused(
    world: World, headers: dict[str, str], old: str, new: str
) -> None:
    assert old in headers["Signature-Input"]
    changed = headers | {"Signature-Input": headers["Signature-Input"].replace(old, new)}
    found = code(world, "POST", PATH, changed, BODY)
    assert found in {"signature_wrong", "component_missing"}


def test_an_old_request_is_refused_and_stays_refused(world: World, mallory: Desk) -> None:
    headers = mallory.headers("GET", "/v1/feed")
    world.clock.now += 301
    assert code(world, "GET", "/v1/feed", headers, b"") == "signature_old"


def test_what_was_taken_before_a_restart_is_not_taken_after_it(world: World, mallory: Desk) -> None:
    """The new process has forgotten the nonces; it takes nothing signed before it began."""
    now = world.clock()
    headers = mallory.headers("GET", "/v1/feed", nonce=secrets.token_bytes(16))
    fresh = MemoryNonceCache(since=now + 1 + NONCE_MARGIN)
    with pytest.raises(Exception, match="cannot be told") as caught:
        verify_request(
            method="GET",
            authority=HOST,
            path="/v1/feed",
            headers=headers,
            body=b"",
            lookup=lambda _kid: mallory.request_key.public,
            now=now + 2,
            nonces=fresh,
        )
    assert getattr(caught.value, "code", None) == "nonce_unknowable"


def test_a_session_cookie_does_not_sign_a_request(world: World) -> None:
    cookie = {"Cookie": "accord-hub-00000000=eyJfdXNlcl9pZCI6IjEifQ.x.y"}
    assert code(world, "GET", "/v1/feed", cookie, b"") == "signature_missing"
