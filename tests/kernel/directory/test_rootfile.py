"""The root file: strict form, thresholds, successors, and the log policies made from it."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.directory_people import (
    AUDIT_LOG,
    DIRECTORY_LOG,
    HUB,
    REGISTRARS,
    ROOT,
    SIGNED_ROOT,
    START,
    WITNESSES,
    signing,
)

from accord.kernel import dsse
from accord.kernel.directory.registrars import Registrar, format_registrar, parse_registrar
from accord.kernel.directory.rootfile import (
    ROOT_CONTEXT,
    ROOT_TYPE,
    format_root,
    parse_root,
    sign_root,
    verify_root,
    verify_successor,
)
from accord.kernel.errors import AccordError, Malformed, VerificationFailed
from accord.kernel.keys import SigningPublicKey
from accord.kernel.tlog.checkpoint import Checkpoint, add_cosignatures, verify_cosigned
from accord.kernel.tlog.notes import LogKeyPair

PAYLOAD = ROOT.payload
NEXT = replace(ROOT, version=2, prev=ROOT.sha256, registrars=ROOT.registrars[1:])


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    obj = json.loads(PAYLOAD)
    change(obj)
    return json.dumps(obj, separators=(",", ":")).encode()


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(AccordError) as caught:
        call()
    return caught.value.code


def test_bytes_and_values_are_two_forms_of_one_thing() -> None:
    assert parse_root(PAYLOAD) == ROOT
    assert format_root(parse_root(PAYLOAD)) == PAYLOAD
    assert parse_root(NEXT.payload) == NEXT
    assert verify_root(SIGNED_ROOT) == ROOT


def test_a_witness_may_tell_its_address() -> None:
    witnesses = (replace(ROOT.witnesses[0], url="https://w1.ngo.example/"), ROOT.witnesses[1])
    told = replace(ROOT, witnesses=witnesses)
    assert parse_root(told.payload) == told


def twice(key: str) -> Callable[[dict[str, Any]], object]:
    return lambda obj: obj[key]["keys"].append(obj[key]["keys"][0])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (changed(lambda obj: obj.update(v=2)), "value_invalid"),
        (changed(lambda obj: obj.update(extra=1)), "key_unknown"),
        (changed(lambda obj: obj.pop("created")), "key_missing"),
        (changed(lambda obj: obj.update(hub=obj.pop("hub"))), "key_order"),
        (changed(lambda obj: obj.update(hub="Hub.example")), "origin_invalid"),
        (changed(lambda obj: obj.update(version=0)), "value_invalid"),
        (changed(lambda obj: obj.update(version=2)), "value_invalid"),
        (changed(lambda obj: obj.update(hub="other.example")), "root_vkey_wrong"),
        (changed(lambda obj: obj["logs"]["audit"].reverse()), "root_vkey_wrong"),
        (changed(lambda obj: obj["logs"]["audit"].pop()), "value_invalid"),
        (changed(lambda obj: obj["logs"]["audit"].__setitem__(0, 7)), "value_invalid"),
        (changed(lambda obj: obj["logs"]["audit"].__setitem__(0, "no")), "vkey_invalid"),
        (changed(lambda obj: obj["logs"].pop("audit")), "key_missing"),
        (changed(lambda obj: obj["registrars"].update(threshold=0)), "value_invalid"),
        (changed(lambda obj: obj["registrars"].update(threshold=4)), "value_invalid"),
        (changed(lambda obj: obj["registrars"]["keys"].clear()), "value_invalid"),
        (changed(lambda obj: obj["registrars"]["keys"].__setitem__(0, 1)), "value_invalid"),
        (changed(lambda obj: obj["registrars"]["keys"][0].update(key="AAAA")), "key_invalid"),
        (changed(lambda obj: obj["registrars"]["keys"][0].update(name="A B")), "org_name_invalid"),
        (changed(twice("registrars")), "registrar_twice"),
        (changed(lambda obj: obj["witnesses"].update(quorum=0)), "value_invalid"),
        (changed(lambda obj: obj["witnesses"].update(quorum=3)), "value_invalid"),
        (changed(lambda obj: obj["witnesses"]["keys"].clear()), "value_invalid"),
        (changed(lambda obj: obj["witnesses"]["keys"].__setitem__(0, 1)), "value_invalid"),
        (changed(lambda obj: obj["witnesses"]["keys"][0].update(name="x")), "root_vkey_wrong"),
        (changed(lambda obj: obj["witnesses"]["keys"][0].update(url="")), "value_invalid"),
        (PAYLOAD + b" ", "json_not_canonical"),
        (PAYLOAD[:-1], "json_invalid"),
        (b"[]", "json_invalid"),
        (b" " * 600_000, "too_long"),
    ],
)
def test_a_deformed_root_file_is_refused(data: bytes, code: str) -> None:
    assert code_of(lambda: parse_root(data)) == code


def test_a_witness_that_stands_twice_is_refused() -> None:
    with pytest.raises(Malformed):
        parse_root(changed(twice("witnesses")))


def test_a_key_half_cannot_be_counted_under_two_ids() -> None:
    mixed = SigningPublicKey(
        ed25519=REGISTRARS[0].public.ed25519, mldsa65=signing(9).public.mldsa65
    )
    registrars = (*ROOT.registrars, Registrar(name="mixed", key=mixed))
    assert code_of(lambda: sign_root(replace(ROOT, registrars=registrars), REGISTRARS)) == (
        "registrar_twice"
    )


def test_both_logs_may_not_share_keys() -> None:
    same = LogKeyPair(
        name=f"{HUB}/audit",
        ed25519_seed=AUDIT_LOG.ed25519_seed,
        mldsa44_seed=DIRECTORY_LOG.mldsa44_seed,
    )
    shared = replace(ROOT, audit_log=same.vkeys)
    assert code_of(lambda: parse_root(shared.payload)) == "root_vkey_wrong"


@pytest.mark.parametrize("signers", [REGISTRARS[:1], (signing(9),), (REGISTRARS[0], signing(9))])
def test_too_few_registrars_prove_nothing(signers: tuple[Any, ...]) -> None:
    assert code_of(lambda: verify_root(sign_root(ROOT, signers))) == "threshold_missed"


def test_a_strangers_signature_beside_enough_others_counts_for_nothing() -> None:
    assert verify_root(sign_root(ROOT, [signing(9), *REGISTRARS[:2]])) == ROOT


def test_one_wrong_signature_of_a_registrar_refuses_the_file() -> None:
    envelope = dsse.parse(sign_root(ROOT, REGISTRARS), payload_type=ROOT_TYPE, limit=2**20)
    pairs = list(envelope.signatures)
    pairs[2] = replace(pairs[2], ed25519=bytes(64))
    data = dsse.join(ROOT_TYPE, PAYLOAD, pairs)
    assert code_of(lambda: verify_root(data)) == "signature_wrong"


def test_another_context_does_not_count() -> None:
    data = dsse.sign(ROOT_TYPE, PAYLOAD, REGISTRARS, context=b"accord/1/charter")
    assert code_of(lambda: verify_root(data)) == "signature_wrong"
    assert ROOT_CONTEXT == b"accord/1/root"


def test_a_successor_needs_both_thresholds() -> None:
    assert verify_successor(sign_root(NEXT, REGISTRARS), ROOT) == NEXT
    assert verify_successor(sign_root(NEXT, REGISTRARS[1:]), ROOT) == NEXT


def test_new_registrars_alone_cannot_follow() -> None:
    usurpers = (signing(20), signing(21))
    root = replace(
        NEXT,
        registrars=tuple(
            Registrar(name=f"new-{number}", key=pair.public) for number, pair in enumerate(usurpers)
        ),
    )
    data = sign_root(root, usurpers)
    assert verify_root(data) == root
    assert code_of(lambda: verify_successor(data, ROOT)) == "threshold_missed"


@pytest.mark.parametrize(
    "root",
    [
        replace(NEXT, version=3),
        replace(NEXT, prev=bytes(32)),
        replace(ROOT, created=START + 1),
    ],
)
def test_a_root_file_that_is_not_the_next_one_is_refused(root: Any) -> None:
    data = sign_root(root, REGISTRARS)
    assert code_of(lambda: verify_successor(data, ROOT)) == "root_not_successor"


def cosigned(lines: list[bytes]) -> bytes:
    note = DIRECTORY_LOG.sign(Checkpoint(origin=DIRECTORY_LOG.name, size=1, root=bytes(32)), START)
    for line in lines:
        note = add_cosignatures(note, line)
    return note


def test_the_policy_wants_both_keys_of_enough_witnesses() -> None:
    checkpoint = Checkpoint(origin=DIRECTORY_LOG.name, size=1, root=bytes(32))
    lines = [witness.cosign(checkpoint, START) for witness in WITNESSES]
    policy = ROOT.log_policy("directory")
    assert verify_cosigned(cosigned(lines[:1]), policy) == checkpoint
    strict = replace(ROOT, quorum=2).log_policy("directory")
    assert verify_cosigned(cosigned(lines), strict) == checkpoint
    halves = [lines[0].split(b"\n")[0] + b"\n", lines[1].split(b"\n")[1] + b"\n"]
    for short, rule in [([], policy), (lines[:1], strict), (halves, policy)]:
        with pytest.raises(VerificationFailed):
            verify_cosigned(cosigned(short), rule)


def test_a_checkpoint_of_the_other_log_does_not_count() -> None:
    checkpoint = Checkpoint(origin=DIRECTORY_LOG.name, size=1, root=bytes(32))
    note = cosigned([WITNESSES[0].cosign(checkpoint, START)])
    with pytest.raises(AccordError):
        verify_cosigned(note, ROOT.log_policy("audit"))


def test_there_are_two_logs() -> None:
    assert ROOT.log_origin("audit") == "hub.example/audit"
    assert ROOT.log_vkeys("audit") != ROOT.log_vkeys("directory")
    assert code_of(lambda: ROOT.log_policy("other")) == "log_unknown"


def test_a_registrars_public_file_has_one_form() -> None:
    data = format_registrar(ROOT.registrars[0])
    assert parse_registrar(data) == ROOT.registrars[0]
    for bad in (data[:-2], data + b"\n\n", data.replace(b'"v":1', b'"v":2'), b"{}"):
        with pytest.raises(Malformed):
            parse_registrar(bad)


@given(st.integers(0, len(PAYLOAD) * 8 - 1))
def test_no_single_bit_of_the_payload_can_change(bit: int) -> None:
    data = bytearray(PAYLOAD)
    data[bit >> 3] ^= 1 << (bit & 7)
    envelope = dsse.parse(SIGNED_ROOT, payload_type=ROOT_TYPE, limit=2**20)
    with pytest.raises(AccordError):
        verify_root(dsse.join(ROOT_TYPE, bytes(data), envelope.signatures))


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_cleanly(data: bytes) -> None:
    for parse in (verify_root, parse_root, parse_registrar):
        with pytest.raises(Malformed):
            parse(data)
