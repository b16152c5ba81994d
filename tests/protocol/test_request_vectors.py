"""The published vectors of signed requests hold, and are what their maker writes."""

import base64
import json

import pytest
from tests.support.make_request_vectors import OUT, document

from accord.kernel.errors import AccordError, NotFound
from accord.kernel.identifiers import KeyId
from accord.protocol.nonces import MemoryNonceCache
from accord.protocol.signatures import verify_request

VECTORS = json.loads(OUT.read_text("utf-8"))
KID = KeyId(base64.b64decode(VECTORS["key"]["kid"]))


def lookup(kid: KeyId) -> bytes:
    if kid != KID:
        raise NotFound("key_unknown", "No such key.")
    return base64.b64decode(VECTORS["key"]["public"])


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_a_request_meets_its_fate(case: dict) -> None:
    request = case["request"]
    nonces = MemoryNonceCache()
    for nonce in case.get("seen", []):
        nonces.claim(KID, nonce, until=case["now"] + 900, now=case["now"])
    body = base64.b64decode(request["body"]) if "body" in request else None

    def verify() -> KeyId:
        return verify_request(
            method=request["method"],
            authority=request["authority"],
            path=request["path"],
            query=request["query"],
            headers=request["headers"],
            body=body,
            lookup=lookup,
            now=case["now"],
            nonces=nonces,
        )

    if case["expect"] == "ok":
        assert verify() == KID
        return
    with pytest.raises(AccordError) as caught:
        verify()
    assert caught.value.code == case["expect"]


def test_the_file_is_what_its_maker_writes() -> None:
    assert OUT.read_text("utf-8") == document()
