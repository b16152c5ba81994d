"""The maker's statement and a record's place have one form, both ways."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.kernel import dsse
from accord.kernel.encoding import dump_object, parse_object
from accord.kernel.errors import AccordError, Malformed, VerificationFailed
from accord.kernel.evidence import statement as statements
from accord.kernel.evidence.place import format_place, parse_place
from accord.kernel.evidence.statement import (
    CONTEXT,
    STATEMENT_TYPE,
    Custody,
    Listed,
    Statement,
    format_statement,
    parse_signed,
    parse_statement,
    sign_statement,
)
from accord.kernel.evidence.verification import join_entries, split_entries
from accord.kernel.identifiers import BundleId, OrgId
from accord.kernel.keys import SigningKeyPair

WORDS = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=30)
TIMES = st.integers(0, 2**40)
STATEMENTS = st.builds(
    Statement,
    org=st.just(OrgId("police@hub.example")),
    made=TIMES,
    person=WORDS,
    reason=WORDS,
    sender=st.just(OrgId("first-bank@hub.example")),
    bundle=st.just(BundleId("01a21219-a400-7628-bf6e-02d1869e294c")),
    index=st.integers(0, 1000),
    states=st.lists(st.sampled_from(["active", "visibility-lost"]), min_size=1, max_size=3).map(
        tuple
    ),
    custody=st.lists(st.builds(Custody, at=TIMES, who=WORDS, what=WORDS), max_size=3).map(tuple),
    files=st.lists(
        st.builds(Listed, name=WORDS, sha256=st.binary(min_size=32, max_size=32), size=TIMES),
        min_size=1,
        max_size=3,
    ).map(tuple),
)


@given(STATEMENTS)
def test_a_statement_has_one_form(made: Statement) -> None:
    payload = format_statement(made)
    assert parse_statement(payload) == made
    assert format_statement(parse_statement(payload)) == payload


@given(st.integers(0, 1_000_000), st.binary(min_size=16, max_size=16), st.integers(0, 20))
def test_a_place_has_one_form(index: int, salt: bytes, steps: int) -> None:
    data = format_place(index=index, salt=salt, path=[bytes([step]) * 32 for step in range(steps)])
    place = parse_place(data)
    assert format_place(index=place.index, salt=place.salt, path=place.path) == data


@given(st.binary(max_size=300))
def test_noise_is_refused_in_order(noise: bytes) -> None:
    for parse in (parse_statement, parse_place, parse_signed):
        with pytest.raises(AccordError):
            parse(noise)
    with contextlib.suppress(Malformed):
        assert join_entries(split_entries(noise)) == noise


@given(STATEMENTS, st.data())
def test_a_field_of_another_kind_is_refused(made: Statement, data: st.DataObject) -> None:
    obj = parse_object(format_statement(made), limit=100_000)
    key = data.draw(st.sampled_from([one for one in obj if one != "v"]))
    for wrong in ({}, True, "\n", [5], ["Not a state!"]):
        with pytest.raises(Malformed):
            parse_statement(dump_object(obj | {key: wrong}))


def test_a_statement_has_one_signer() -> None:
    made = Statement(
        org=OrgId("police@hub.example"),
        made=1,
        person="ana",
        reason="case",
        sender=OrgId("first-bank@hub.example"),
        bundle=BundleId("01a21219-a400-7628-bf6e-02d1869e294c"),
        index=0,
        states=("active",),
        custody=(),
        files=(Listed(name="README.txt", sha256=bytes(32), size=1),),
    )
    keys = [SigningKeyPair.generate(), SigningKeyPair.generate()]
    envelope, found = parse_signed(sign_statement(made, keys[0]))
    assert (found, envelope.signatures[0].kid) == (made, keys[0].kid)
    two = dsse.sign(STATEMENT_TYPE, format_statement(made), keys, context=CONTEXT)
    with pytest.raises(Malformed, match="signers_not_one"):
        parse_signed(two)
    other = dsse.parse(sign_statement(made, keys[0]), payload_type=STATEMENT_TYPE, limit=100_000)
    with pytest.raises(VerificationFailed, match="signature_wrong"):
        dsse.verify(other, lambda _kid: keys[0].public, context=b"accord/1/manifest")
    assert statements.MAX_CUSTODY > 1000
