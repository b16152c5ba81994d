"""Statements: strict form, which operation carries what, and who must sign."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.directory_people import (
    BANK,
    BANK_KEYS,
    HUB,
    REGISTRARS,
    START,
    YEAR,
    enrolled,
    enrolment,
    keys_of,
)

from accord.kernel import dsse
from accord.kernel.directory.authority import verify_enrolment_request
from accord.kernel.directory.entries import (
    CharterPoint,
    RootPoint,
    format_point,
    parse_entry,
)
from accord.kernel.directory.statements import (
    MAX_LIFETIME,
    STATEMENT_CONTEXT,
    STATEMENT_TYPE,
    Op,
    Statement,
    countersign,
    format_statement,
    parse_payload,
    parse_statement,
    sign_statement,
)
from accord.kernel.encoding import b64encode
from accord.kernel.errors import AccordError, Malformed
from accord.kernel.identifiers import OrgId

ENROLMENT = format_statement(enrolment())
OTHER = keys_of(9)
LATER = Statement(org=BANK, seq=2, prev=bytes(32), op=Op.SUSPEND, not_before=START + 9)
ALL_OPS = (
    LATER,
    replace(LATER, op=Op.RESUME),
    replace(LATER, op=Op.RESUME, profile=enrolment().profile, roles=("hotline",)),
    replace(LATER, op=Op.REVOKE),
    replace(LATER, op=Op.REVOKE, compromised_since=START),
    replace(LATER, op=Op.LEAVE),
    replace(LATER, op=Op.ROTATE, kem=OTHER.kem.public, not_after=START + YEAR),
    replace(
        LATER,
        op=Op.ROTATE,
        kem=OTHER.kem.public,
        sig=OTHER.sig.public,
        request_key=OTHER.request.public,
        not_after=START + YEAR,
        compromised_since=START,
    ),
    replace(
        LATER,
        op=Op.RECOVER,
        kem=OTHER.kem.public,
        sig=OTHER.sig.public,
        request_key=OTHER.request.public,
        recovery=OTHER.recovery.public,
        not_after=START + YEAR,
    ),
)


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(AccordError) as caught:
        call()
    return caught.value.code


def changed(change: Callable[[dict[str, Any]], object], payload: bytes = ENROLMENT) -> bytes:
    obj = json.loads(payload)
    change(obj)
    return json.dumps(obj, separators=(",", ":")).encode()


def put(**values: object) -> Callable[[dict[str, Any]], object]:
    return lambda obj: obj.update(values)


def profile(**values: object) -> Callable[[dict[str, Any]], object]:
    return lambda obj: obj["profile"].update(values)


@pytest.mark.parametrize("statement", [enrolment(), *ALL_OPS])
def test_bytes_and_values_are_two_forms_of_one_thing(statement: Statement) -> None:
    payload = format_statement(statement)
    assert parse_payload(payload) == statement
    assert format_statement(parse_payload(payload)) == payload


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (changed(put(v=2)), "value_invalid"),
        (changed(put(extra=1)), "key_unknown"),
        (changed(lambda obj: obj.pop("org")), "key_missing"),
        (changed(lambda obj: obj.update(v=obj.pop("v"))), "key_order"),
        (changed(put(org="Bank@hub.example")), "org_id_invalid"),
        (changed(put(seq=0)), "value_invalid"),
        (changed(put(seq=2)), "chain_invalid"),
        (changed(put(op="promote")), "op_unknown"),
        (changed(put(op="peer")), "op_reserved"),
        (changed(put(op="rotate")), "op_field"),
        (changed(lambda obj: obj.pop("recovery")), "op_field"),
        (changed(lambda obj: obj.pop("roles")), "op_field"),
        (changed(put(compromised_since=1)), "op_field"),
        (changed(profile(kind="bank")), "kind_unknown"),
        (changed(profile(country="UK")), "country_unknown"),
        (changed(profile(country=["NL"])), "country_unknown"),
        (changed(profile(name="")), "value_invalid"),
        (changed(profile(name="x" * 121)), "value_invalid"),
        (changed(profile(name="First\u202eBank")), "json_not_canonical"),
        (changed(profile(name=" First Bank")), "value_invalid"),
        (changed(profile(contact="a\nb")), "value_invalid"),
        (changed(profile(phone="1")), "key_unknown"),
        (changed(put(kem="AAAA")), "key_invalid"),
        (changed(put(kem=b64encode(b"\xff" * 1216))), "key_invalid"),
        (
            changed(put(kem=b64encode(BANK_KEYS.kem.public.raw[:1184] + bytes(32)))),
            "key_invalid",
        ),
        (changed(put(sig="AAAA")), "key_invalid"),
        (changed(put(request_key="AAAA")), "base64_invalid"),
        (changed(put(recovery=b64encode(BANK_KEYS.sig.public.raw))), "key_invalid"),
        (changed(put(not_after=START)), "validity_invalid"),
        (changed(put(not_after=START + MAX_LIFETIME + 1)), "validity_invalid"),
        (changed(put(not_before=-1)), "value_invalid"),
        (changed(put(roles=["b", "a"])), "role_invalid"),
        (changed(put(roles=["aa", "aa"])), "role_invalid"),
        (changed(put(roles=["Hotline"])), "role_invalid"),
        (changed(put(roles=[7])), "role_invalid"),
        (changed(put(roles=["aa"] * 17)), "value_invalid"),
        (ENROLMENT + b"\n", "json_not_canonical"),
        (b"x" * 30_000, "too_long"),
    ],
)
def test_a_deformed_enrolment_is_refused(data: bytes, code: str) -> None:
    assert code_of(lambda: parse_payload(data)) == code


def test_a_name_that_turns_the_reading_direction_is_refused() -> None:
    told = enrolment().profile
    assert told is not None
    hostile = replace(enrolment(), profile=replace(told, name="First\u202eBank"))
    assert code_of(lambda: parse_payload(format_statement(hostile))) == "value_invalid"


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        (replace(LATER, prev=None), "chain_invalid"),
        (replace(LATER, seq=1), "chain_invalid"),
        (replace(LATER, seq=1, prev=None), "chain_invalid"),
        (replace(enrolment(), seq=2, prev=bytes(32)), "chain_invalid"),
        (replace(LATER, op=Op.ROTATE), "op_field"),
        (replace(LATER, op=Op.ROTATE, not_after=START + YEAR), "op_field"),
        (replace(ALL_OPS[6], recovery=OTHER.recovery.public), "op_field"),
        (replace(ALL_OPS[6], roles=("hotline",)), "op_field"),
        (replace(ALL_OPS[6], profile=enrolment().profile), "op_field"),
        (replace(ALL_OPS[8], recovery=None), "op_field"),
        (replace(ALL_OPS[8], roles=()), "op_field"),
        (replace(LATER, compromised_since=START), "op_field"),
        (replace(LATER, op=Op.REVOKE, compromised_since=START + 10), "validity_invalid"),
    ],
)
def test_an_operation_carries_its_own_fields_only(statement: Statement, code: str) -> None:
    assert code_of(lambda: parse_payload(format_statement(statement))) == code


def test_registrars_add_signatures_without_changing_the_payload() -> None:
    asked = sign_statement(enrolment(), [BANK_KEYS.sig])
    half = countersign(asked, REGISTRARS[:1])
    whole = parse_statement(countersign(half, REGISTRARS[1:2]))
    assert whole.envelope.payload == ENROLMENT
    assert whole.digest == parse_statement(asked).digest
    assert [pair.kid for pair in whole.envelope.signatures] == [
        BANK_KEYS.sig.kid,
        REGISTRARS[0].kid,
        REGISTRARS[1].kid,
    ]
    assert code_of(lambda: countersign(half, REGISTRARS[:1])) == "signer_twice"


def test_signing_checks_the_content_first() -> None:
    with pytest.raises(Malformed):
        sign_statement(replace(enrolment(), roles=("B",)), [BANK_KEYS.sig])


def test_an_enrolment_request_is_verified_before_registrars_see_it() -> None:
    asked = sign_statement(enrolment(), [BANK_KEYS.sig])
    assert verify_enrolment_request(asked, hub=HUB).statement == enrolment()
    assert verify_enrolment_request(enrolled(), hub=HUB).statement == enrolment()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (sign_statement(enrolment(), [OTHER.sig]), "statement_not_enrolment"),
        (sign_statement(enrolment(), [REGISTRARS[0], BANK_KEYS.sig]), "statement_not_enrolment"),
        (sign_statement(LATER, [BANK_KEYS.sig]), "statement_not_enrolment"),
        (sign_statement(enrolment(OrgId("bank@other.example")), [BANK_KEYS.sig]), "hub_wrong"),
        (
            dsse.sign(STATEMENT_TYPE, ENROLMENT, [BANK_KEYS.sig], context=b"accord/1/root"),
            "signature_wrong",
        ),
    ],
)
def test_a_wrong_enrolment_request_is_refused(data: bytes, code: str) -> None:
    assert code_of(lambda: verify_enrolment_request(data, hub=HUB)) == code


POINT = CharterPoint(version=3, sha256=bytes(range(32)), size=1000)


def test_points_have_one_form() -> None:
    for point in (POINT, RootPoint(version=2, sha256=bytes(32), size=1)):
        assert parse_entry(format_point(point)) == point
    assert format_point(POINT) == (
        b'{"v":1,"charter":{"version":3,"sha256":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",'
        b'"len":1000}}'
    )
    asking = replace(POINT, registrars=2)
    assert parse_entry(format_point(asking)) == asking
    assert format_point(asking).endswith(b'"len":1000,"registrars":2}}')


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (format_point(POINT).replace(b'"version":3', b'"version":0'), "value_invalid"),
        (format_point(POINT).replace(b'"len":1000', b'"len":0'), "value_invalid"),
        (format_point(POINT).replace(b'"len"', b'"size"'), "key_unknown"),
        (format_point(POINT)[:-1] + b',"x":1}', "key_unknown"),
        (format_point(replace(POINT, registrars=17)), "value_invalid"),
        (format_point(POINT).replace(b'"len"', b'"registrars":2,"len"'), "key_order"),
        (format_point(POINT) + b" ", "json_not_canonical"),
        (b'{"v":1,"charter":3}', "value_invalid"),
        (b'{"v":1,"other":{}}', "entry_unknown"),
        (b'{"v":1,"root":' + b" " * 2000, "too_long"),
        (b"", "json_invalid"),
    ],
)
def test_a_deformed_leaf_is_refused(data: bytes, code: str) -> None:
    assert code_of(lambda: parse_entry(data)) == code


GOOD = enrolled()


@given(st.integers(0, len(GOOD) * 8 - 1))
def test_no_single_bit_of_a_leaf_can_change(bit: int) -> None:
    data = bytearray(GOOD)
    data[bit >> 3] ^= 1 << (bit & 7)
    keys = {pair.kid: pair.public for pair in (BANK_KEYS.sig, *REGISTRARS)}
    with pytest.raises((AccordError, KeyError)):
        dsse.verify(
            parse_statement(bytes(data)).envelope, keys.__getitem__, context=STATEMENT_CONTEXT
        )


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_cleanly(data: bytes) -> None:
    for parse in (parse_payload, parse_statement, parse_entry):
        with pytest.raises(Malformed):
            parse(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.sampled_from(sorted(json.loads(ENROLMENT))), JSON)
def test_any_value_in_any_field_is_read_or_refused_cleanly(key: str, value: Any) -> None:
    data = changed(put(**{key: value}))
    try:
        statement = parse_payload(data)
    except Malformed:
        return
    assert format_statement(statement) == data
