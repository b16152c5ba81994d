"""Acknowledgements: one organisation's word, which no hub can invent or change."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.kernel import dsse
from accord.kernel.errors import AccordError, Malformed, VerificationFailed
from accord.kernel.identifiers import BundleId, KeyId, OrgId, make_bundle_id
from accord.kernel.keys import SignerKey, SigningKeyPair
from accord.kernel.statements.acknowledgement import (
    ACKNOWLEDGEMENT_CONTEXT,
    ACKNOWLEDGEMENT_TYPE,
    MAX_ITEMS,
    Acknowledgement,
    Item,
    Outcome,
    format_acknowledgement,
    parse_acknowledgement,
    sign_acknowledgement,
    verify_acknowledgement,
)

NOW = 1_790_000_000
POLICE = OrgId("police@hub.example")
KEY = SigningKeyPair.from_seeds(bytes(32), bytes([1]) * 32)
OTHER = SigningKeyPair.from_seeds(bytes([2]) * 32, bytes([3]) * 32)
OWNERS = {KEY.kid: (POLICE, KEY), OTHER.kid: (OrgId("bank@hub.example"), OTHER)}


def bundle(number: int) -> BundleId:
    return make_bundle_id(NOW * 1000, number.to_bytes(10, "big"))


ITEMS = (
    Item(bundle=bundle(1), manifest=bytes(32), state=Outcome.RECEIVED, time=NOW),
    Item(bundle=bundle(1), manifest=bytes(32), state=Outcome.OPENED, time=NOW + 1),
    Item(bundle=bundle(2), manifest=bytes(32), state=Outcome.RECALL_APPLIED, time=NOW + 2),
    Item(bundle=bundle(3), manifest=bytes(32), state=Outcome.REFUSED, code="root_wrong", time=NOW),
)
SAID = Acknowledgement(org=POLICE, created=NOW + 3, items=ITEMS)
PAYLOAD = format_acknowledgement(SAID)
GOOD = sign_acknowledgement(SAID, KEY)


def signer(kid: KeyId) -> SignerKey:
    if kid not in OWNERS:
        raise VerificationFailed("key_unknown", "No such key.")
    org, pair = OWNERS[kid]
    return SignerKey(org=org, public=pair.public)


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(AccordError) as caught:
        call()
    return caught.value.code


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    obj = json.loads(PAYLOAD)
    change(obj)
    return json.dumps(obj, separators=(",", ":")).encode()


def item(number: int, **values: object) -> Callable[[dict[str, Any]], object]:
    return lambda obj: obj["items"][number].update(values)


def test_bytes_and_values_are_two_forms_of_one_thing() -> None:
    assert parse_acknowledgement(PAYLOAD) == SAID
    assert format_acknowledgement(parse_acknowledgement(PAYLOAD)) == PAYLOAD
    assert verify_acknowledgement(GOOD, signer) == SAID


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (changed(lambda obj: obj.update(v=2)), "value_invalid"),
        (changed(lambda obj: obj.update(extra=1)), "key_unknown"),
        (changed(lambda obj: obj.pop("created")), "key_missing"),
        (changed(lambda obj: obj.update(org="police")), "org_id_invalid"),
        (changed(lambda obj: obj["items"].clear()), "value_invalid"),
        (changed(lambda obj: obj["items"].append(1)), "value_invalid"),
        (changed(lambda obj: obj["items"].append(obj["items"][0])), "item_twice"),
        (changed(item(0, id="x")), "bundle_id_invalid"),
        (changed(item(0, manifest="AAAA")), "base64_invalid"),
        (changed(item(0, state="read")), "outcome_unknown"),
        (changed(item(0, time=-1)), "value_invalid"),
        (changed(item(0, note="x")), "key_unknown"),
        (changed(item(3, state="opened")), "refusal_code_invalid"),
        (changed(item(3, code="Root wrong")), "refusal_code_invalid"),
        (changed(item(3, code="")), "value_invalid"),
        (changed(lambda obj: obj["items"][3].pop("code")), "refusal_code_invalid"),
        (PAYLOAD + b" ", "json_not_canonical"),
        (b" " * 600_000, "too_long"),
    ],
)
def test_a_deformed_acknowledgement_is_refused(data: bytes, code: str) -> None:
    assert code_of(lambda: parse_acknowledgement(data)) == code


def signed(
    payload: bytes, *pairs: SigningKeyPair, context: bytes = ACKNOWLEDGEMENT_CONTEXT
) -> bytes:
    return dsse.sign(ACKNOWLEDGEMENT_TYPE, payload, pairs, context=context)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (signed(PAYLOAD, OTHER), "signer_not_org"),
        (signed(PAYLOAD, KEY, OTHER), "signer_count"),
        (signed(PAYLOAD, SigningKeyPair.generate()), "key_unknown"),
        (signed(PAYLOAD, KEY, context=b"accord/1/tally"), "signature_wrong"),
        (dsse.sign("text/plain", PAYLOAD, [KEY], context=b"x"), "payload_type_wrong"),
    ],
)
def test_nobody_else_can_acknowledge(data: bytes, code: str) -> None:
    assert code_of(lambda: verify_acknowledgement(data, signer)) == code


def test_a_changed_word_breaks_the_signature() -> None:
    envelope = dsse.parse(GOOD, payload_type=ACKNOWLEDGEMENT_TYPE, limit=2**20)
    later = PAYLOAD.replace(b"179", b"178")
    assert parse_acknowledgement(later) != SAID
    data = dsse.join(ACKNOWLEDGEMENT_TYPE, later, envelope.signatures)
    assert code_of(lambda: verify_acknowledgement(data, signer)) == "signature_wrong"


def test_the_largest_acknowledgement_fits_its_limit() -> None:
    items = tuple(
        replace(ITEMS[3], bundle=bundle(number), code="x" * 60) for number in range(MAX_ITEMS)
    )
    said = replace(SAID, items=items)
    assert verify_acknowledgement(sign_acknowledgement(said, KEY), signer) == said
    more = replace(said, items=(*items, replace(ITEMS[3], bundle=bundle(MAX_ITEMS))))
    assert code_of(lambda: sign_acknowledgement(more, KEY)) == "value_invalid"


@given(st.integers(0, len(GOOD) * 8 - 1))
def test_no_single_bit_can_change(bit: int) -> None:
    data = bytearray(GOOD)
    data[bit >> 3] ^= 1 << (bit & 7)
    with pytest.raises(AccordError):
        verify_acknowledgement(bytes(data), signer)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_cleanly(data: bytes) -> None:
    for parse in (parse_acknowledgement, lambda data: verify_acknowledgement(data, signer)):
        with pytest.raises(Malformed):
            parse(data)
