"""Hybrid keys and envelopes: both halves hold, or nothing does."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.kernel import dsse, keys
from accord.kernel.encoding import b64encode
from accord.kernel.errors import AccordError, Malformed, VerificationFailed
from accord.kernel.identifiers import KeyId

TYPE = "application/vnd.accord.test.v1+json"
CONTEXT = b"accord/1/test"
ALICE = keys.SigningKeyPair.from_seeds(bytes(32), bytes([1]) * 32)
MALLORY = keys.SigningKeyPair.from_seeds(bytes([2]) * 32, bytes([3]) * 32)
GOOD = dsse.sign(TYPE, b'{"v":1}', [ALICE], context=CONTEXT)


def known(kid: KeyId) -> keys.SigningPublicKey:
    for pair in (ALICE, MALLORY):
        if pair.kid == kid:
            return pair.public
    raise VerificationFailed("unknown_signer", "No such key.")


def parsed(data: bytes) -> dsse.Envelope:
    return dsse.parse(data, payload_type=TYPE, limit=32_768)


def changed(change: Callable[[dict[str, list[dict[str, str]]]], None]) -> bytes:
    obj = json.loads(GOOD)
    change(obj)
    return json.dumps(obj, separators=(",", ":")).encode()


def test_private_parts_never_show() -> None:
    for pair in (ALICE, keys.KemKeyPair.from_seed(bytes(32)), keys.RequestKeyPair.generate()):
        assert "seed" not in repr(pair)
        assert "\\x00" not in repr(pair)


def test_key_ids_are_those_of_the_public_halves() -> None:
    again = keys.SigningPublicKey.from_raw(ALICE.public.raw)
    assert again.kid == ALICE.kid
    assert keys.KemKeyPair.generate().kid != keys.KemKeyPair.generate().kid
    request = keys.RequestKeyPair.from_seed(bytes(32))
    assert request.kid == keys.request_key_id(request.public)


@pytest.mark.parametrize(
    "make",
    [
        lambda: keys.SigningPublicKey(ed25519=bytes(31), mldsa65=bytes(1952)),
        lambda: keys.SigningKeyPair.from_seeds(bytes(32), bytes(31)),
        lambda: keys.KemPublicKey(raw=bytes(1215)),
        lambda: keys.KemPublicKey(raw=b"\xff" * 1216),
        lambda: keys.KemPublicKey(
            raw=keys.KemKeyPair.from_seed(bytes(32)).public.raw[:1184] + bytes(32)
        ),
        lambda: keys.KemKeyPair.from_seed(bytes(33)),
        lambda: keys.RequestKeyPair.from_seed(b""),
        lambda: keys.request_key_id(bytes(31)),
    ],
)
def test_keys_of_a_wrong_shape_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(Malformed) as caught:
        make()
    assert caught.value.code == "key_invalid"


def test_this_build_has_the_post_quantum_primitives() -> None:
    keys.require_post_quantum()


def test_an_envelope_verifies_and_names_its_signers() -> None:
    assert dsse.verify(parsed(GOOD), known, context=CONTEXT) == (ALICE.kid,)
    both = dsse.sign(TYPE, b"{}", [MALLORY, ALICE], context=CONTEXT)
    assert dsse.verify(parsed(both), known, context=CONTEXT) == (MALLORY.kid, ALICE.kid)


def test_pre_authentication_encoding_is_that_of_dsse() -> None:
    assert dsse.pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def flip(position: int) -> Callable[[dict[str, list[dict[str, str]]]], None]:
    def change(obj: dict[str, list[dict[str, str]]]) -> None:
        text = obj["signatures"][position]["sig"]
        obj["signatures"][position]["sig"] = ("B" if text[0] == "A" else "A") + text[1:]

    return change


def test_one_wrong_half_is_enough_to_fail() -> None:
    for position in (0, 1):
        with pytest.raises(VerificationFailed) as caught:
            dsse.verify(parsed(changed(flip(position))), known, context=CONTEXT)
        assert caught.value.code == "signature_wrong"


def test_another_context_string_fails() -> None:
    with pytest.raises(VerificationFailed):
        dsse.verify(parsed(GOOD), known, context=b"accord/1/other")


def test_halves_of_two_signers_do_not_make_one() -> None:
    other = json.loads(dsse.sign(TYPE, b'{"v":1}', [MALLORY], context=CONTEXT))
    mixed = changed(lambda obj: obj["signatures"].__setitem__(1, other["signatures"][1]))
    with pytest.raises(Malformed) as caught:
        parsed(mixed)
    assert caught.value.code == "signature_order"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (changed(lambda obj: obj["signatures"].clear()), "signers_empty"),
        (changed(lambda obj: obj["signatures"].pop()), "signature_order"),
        (changed(lambda obj: obj["signatures"].reverse()), "signature_order"),
        (changed(lambda obj: obj["signatures"].extend(obj["signatures"])), "signer_twice"),
        (changed(lambda obj: obj.update(extra=[])), "key_unknown"),
        (changed(lambda obj: obj["signatures"][0].update(x="y")), "key_unknown"),
        (changed(lambda obj: obj["signatures"].__setitem__(0, "text")), "value_invalid"),  # type: ignore[arg-type]
        (GOOD.replace(b"vnd.accord.test", b"vnd.accord.tost"), "payload_type_wrong"),
        (GOOD[:-1], "json_invalid"),
        (GOOD + b" ", "json_not_canonical"),
        (GOOD.replace(b'"payload":"', b'"payload":"\\n'), "base64_invalid"),
    ],
)
def test_a_deformed_envelope_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        parsed(data)
    assert caught.value.code == code


def test_signing_without_or_with_doubled_signers_is_refused() -> None:
    for signers in ([], [ALICE, ALICE], [keys.SigningKeyPair.generate() for _ in range(17)]):
        with pytest.raises(Malformed):
            dsse.sign(TYPE, b"{}", signers, context=CONTEXT)


@given(st.integers(0, len(GOOD) * 8 - 1))
def test_no_single_bit_can_change(bit: int) -> None:
    data = bytearray(GOOD)
    data[bit >> 3] ^= 1 << (bit & 7)
    with pytest.raises(AccordError):
        dsse.verify(parsed(bytes(data)), known, context=CONTEXT)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_cleanly(data: bytes) -> None:
    with pytest.raises(Malformed):
        parsed(data)


def test_published_key_identifiers_stay_as_they_are() -> None:
    assert b64encode(ALICE.kid) == "pKAmIjoltTnUUx347MvkEecNGzbWZvsCirbLohLxHHM="
