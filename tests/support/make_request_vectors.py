"""Writes ``schemas/vectors/requests/signed.json``: signed requests and what becomes of each.

Run: ``python -m tests.support.make_request_vectors``. The signatures of the broken ones are made here
by hand, so that another implementation finds the very check that it lacks.
"""

import base64
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from accord.kernel.keys import RequestKeyPair
from accord.protocol.signatures import MAX_AGE, sign_request

OUT = Path(__file__).resolve().parents[2] / "schemas/vectors/requests/signed.json"
KEY = RequestKeyPair.from_seed(bytes(range(32)))
NOW = 1_800_000_000
BODY = b'{"a":1}'
TYPE = "application/json"
CALL = {
    "method": "PUT",
    "authority": "hub.example:8443",
    "path": "/v1/tallies/2026-10",
    "query": "a=b&c",
}
NAMES = ("@method", "@authority", "@path", "@query", "content-digest", "content-type")


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def request(**change: Any) -> dict[str, Any]:
    """A request that is signed by the rules, as a vector writes it."""
    parts = (
        CALL | {"body": BODY, "content_type": TYPE, "now": NOW, "nonce": bytes(range(16))} | change
    )
    headers = sign_request(key=KEY, **parts)
    return _vector(headers, parts["body"], {name: parts[name] for name in CALL})


def _vector(headers: dict[str, str], body: bytes | None, call: dict[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = dict(call) | {"headers": headers}
    if body is not None:
        made["body"] = text(body)
    return made


def by_hand(
    names: tuple[str, ...] = NAMES, digest: str = "", spelling: str = "{}", **params: str
) -> dict[str, Any]:
    """A request that is soundly signed, but by other rules."""
    values = {
        "@method": CALL["method"],
        "@authority": CALL["authority"],
        "@path": CALL["path"],
        "@query": f"?{CALL['query']}",
        "content-digest": digest or f"sha-256=:{text(hashlib.sha256(BODY).digest())}:",
        "content-type": TYPE,
    }
    chosen = {
        "created": str(NOW),
        "keyid": f'"{text(KEY.kid)}"',
        "alg": '"ed25519"',
        "expires": str(NOW + MAX_AGE),
        "nonce": f'"{bytes(range(16)).hex()}"',
        "tag": '"accord/1"',
    } | params
    line = "(" + " ".join(f'"{name}"' for name in names) + ")"
    line += "".join(f";{name}={value}" for name, value in chosen.items() if value)
    base = "".join(f'"{name}": {values[name]}\n' for name in names)
    signature = KEY.private.sign(f'{base}"@signature-params": {line}'.encode())
    headers = {
        "Content-Digest": values["content-digest"],
        "Content-Type": TYPE,
        "Signature-Input": spelling.format(f"accord={line}"),
        "Signature": f"accord=:{text(signature)}:",
    }
    return _vector(headers, BODY, dict(CALL))


def without(made: dict[str, Any], name: str) -> dict[str, Any]:
    return made | {"headers": {key: value for key, value in made["headers"].items() if key != name}}


def cases() -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Name, what is expected, the request, and what is special about the receiver."""
    good = request()
    yield "a signed PUT", "ok", good, {}
    yield (
        "a signed GET without a body",
        "ok",
        request(method="GET", body=None, content_type=None),
        {},
    )
    yield "a body of no bytes", "ok", request(body=b""), {}
    yield "in its last second", "ok", good, {"now": NOW + MAX_AGE}
    yield "no signature", "signature_missing", without(good, "Signature"), {}
    yield "no signature input", "signature_missing", without(good, "Signature-Input"), {}
    for part, value in (
        ("method", "POST"),
        ("authority", "other.example"),
        ("path", "/v1/feed"),
        ("query", ""),
    ):
        yield f"moved to another {part}", "signature_wrong", good | {part: value}, {}
    yield "another body", "digest_wrong", good | {"body": text(b"{}")}, {}
    yield "no digest", "component_missing", without(good, "Content-Digest"), {}
    bare = request(body=None, content_type=None)
    yield (
        "a body under a signature without one",
        "component_missing",
        bare | {"body": text(BODY)},
        {},
    )
    yield "only the method covered", "component_missing", by_hand(("@method",)), {}
    yield "the query not covered", "component_missing", by_hand(NAMES[:3] + NAMES[4:]), {}
    yield "another order", "component_missing", by_hand((NAMES[1], NAMES[0], *NAMES[2:])), {}
    yield "another tag", "signature_wrong", by_hand(tag='"accord/2"'), {}
    yield "another algorithm", "signature_wrong", by_hand(alg='"hmac-sha256"'), {}
    yield "no nonce", "signature_wrong", by_hand(nonce=""), {}
    yield "a short nonce", "signature_wrong", by_hand(nonce='"00"'), {}
    yield "no expiry", "signature_wrong", by_hand(expires=""), {}
    yield "a longer life", "signature_wrong", by_hand(expires=str(NOW + MAX_AGE + 1)), {}
    yield "a parameter of its own", "signature_wrong", by_hand(extra="1"), {}
    yield "a key that is not known", "signature_wrong", by_hand(keyid=f'"{text(bytes(32))}"'), {}
    yield "a created that is text", "signature_wrong", by_hand(created=f'"{NOW}"'), {}
    yield "another spelling", "signature_wrong", by_hand(spelling="{} "), {}
    yield "another digest besides", "digest_wrong", by_hand(digest=_two_digests()), {}
    yield "too old", "signature_old", good, {"now": NOW + MAX_AGE + 1}
    yield "from the future", "clock_skew", good, {"now": NOW - MAX_AGE - 1}
    two = {
        name: f"{value}, {value}" if name.startswith("Sig") else value
        for name, value in good["headers"].items()
    }
    yield "the same label twice", "signature_wrong", good | {"headers": two}, {}
    yield "received before", "nonce_replayed", good, {"seen": [bytes(range(16)).hex()]}


def _two_digests() -> str:
    return f"sha-256=:{text(hashlib.sha256(BODY).digest())}:, sha-512=:{text(hashlib.sha512(BODY).digest())}:"


def document() -> str:
    """The file's text."""
    made = {
        "about": "Signed requests (docs/formats/signed-requests.md) and what becomes of each.",
        "key": {"seed": text(KEY.seed), "public": text(KEY.public), "kid": text(KEY.kid)},
        "cases": [
            {"name": name, "expect": expect, "now": NOW} | special | {"request": made}
            for name, expect, made, special in cases()
        ],
    }
    return json.dumps(made, indent=1) + "\n"


if __name__ == "__main__":
    OUT.write_text(document(), encoding="utf-8")
    sys.stdout.write(f"{OUT.name}: {len(list(cases()))} cases\n")
