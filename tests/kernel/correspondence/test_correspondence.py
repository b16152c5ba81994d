"""Requests, answers, sightings and notices: the published vectors, one byte form, strict parsers."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from accord.kernel.bundle.model import DirectoryPoint, HandlingPolicy, Header
from accord.kernel.correspondence.notice import Notice, format_notice, parse_notice, read_notice
from accord.kernel.correspondence.request import (
    AboutRecords,
    AboutValue,
    Ask,
    Close,
    Closing,
    Request,
    format_closing,
    format_request,
    parse_request,
    read_request,
)
from accord.kernel.correspondence.response import (
    DeclineReason,
    Outcome,
    Response,
    format_response,
    parse_response,
    read_response,
)
from accord.kernel.correspondence.sighting import (
    Count,
    Period,
    Saw,
    Sighting,
    format_sighting,
    parse_sighting,
    read_sightings,
)
from accord.kernel.encoding import dump_object
from accord.kernel.errors import AccordError, Malformed
from accord.kernel.identifiers import BundleId, KeyId, OrgId, make_bundle_id
from accord.kernel.indicators import Kind, Network
from accord.kernel.markings import BundleKind, LegalBasis, Onward, Purpose, Tlp

ROOT = Path(__file__).resolve().parents[3]
CASES = json.loads((ROOT / "schemas/vectors/correspondence/lines.json").read_bytes())["cases"]
READ: dict[str, Callable[[Header, Sequence[bytes]], Any]] = {
    "request": read_request,
    "response": read_response,
    "sighting": read_sightings,
    "notice": lambda _header, lines: read_notice(lines),
}
FORMAT: dict[type, Callable[[Any], bytes]] = {
    Request: format_request,
    Closing: format_closing,
    Response: format_response,
    Sighting: format_sighting,
    Notice: format_notice,
}


def header(kind: str, refs: Sequence[str], created: int, expires: int) -> Header:
    return Header(
        id=make_bundle_id(created * 1000, bytes(10)),
        kind=BundleKind(kind),
        org=OrgId("police@hub.example"),
        sig=KeyId(bytes(32)),
        created=created,
        expires=expires,
        policy=HandlingPolicy(
            tlp=Tlp.AMBER,
            purpose=Purpose.INVESTIGATION,
            legal_basis=LegalBasis.LAW_ENFORCEMENT,
            onward=Onward.NONE,
        ),
        n=1,
        root=bytes(32),
        directory=(DirectoryPoint(origin="hub.example/directory", size=1, root=bytes(32)),),
        refs=tuple(BundleId(ref) for ref in refs),
    )


def outcome_of(case: dict[str, Any]) -> str:
    lines = [line.encode() for line in case["lines"]]
    try:
        said = READ[case["kind"]](header(case["kind"], **case["header"]), lines)
    except AccordError as error:
        return error.code
    if case["kind"] == "response":
        said, records = said
        for number, one in enumerate(records, start=1):
            if isinstance(one, Malformed):
                return f"ok: record {number} {one.code}"
    parts = said if isinstance(said, tuple) else (said,)
    assert [FORMAT[type(part)](part) for part in parts] == lines[: len(parts)]
    return "ok"


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['kind']}: {case['name']}")
def test_published_lines_are_read_as_the_vectors_say(case: dict[str, Any]) -> None:
    assert outcome_of(case) == case["expect"]


@pytest.mark.parametrize("kind", READ)
def test_the_schema_takes_what_the_parser_takes(kind: str) -> None:
    path = ROOT / "schemas" / "correspondence" / f"{kind}.v1.json"
    schema = Draft202012Validator(json.loads(path.read_bytes()))
    beyond = {
        # What the schema's own description says that it cannot say.
        *("refs_other", "lines_count", "deadline_invalid", "sightings_order", "about_twice"),
        *("value_not_canonical", "network_mismatch", "key_order", "json_not_canonical"),
        *("response_records", "value_invalid", "about_many"),
    }
    for case in (one for one in CASES if one["kind"] == kind and one["lines"]):
        fits = schema.is_valid(json.loads(case["lines"][0]))
        if case["expect"].startswith("ok"):
            assert fits, case["name"]
        elif case["expect"] not in beyond:
            assert not fits, case["name"]


words = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x24F, exclude_characters="\x7f\xad").filter(
        lambda sign: not 0x7F <= ord(sign) <= 0x9F
    ),
    min_size=1,
    max_size=40,
)
texts = st.none() | st.lists(words, min_size=1, max_size=4).map("\n".join)
ids = st.binary(min_size=10, max_size=10).map(lambda raw: make_bundle_id(1_795_600_000_000, raw))
records = st.lists(st.integers(0, 2**40), unique=True, max_size=5).map(
    lambda some: tuple(sorted(some))
)
about_records = st.builds(
    AboutRecords, bundle=ids, org=st.just(OrgId("bank@hub.example")), records=records
)
about_values = st.sampled_from(
    [
        AboutValue(
            kind=Kind.WALLET, network=Network.BTC, value="1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
        ),
        AboutValue(kind=Kind.DOMAIN, network=None, value="example.org"),
        AboutValue(
            kind=Kind.WALLET,
            network=Network.BTC,
            value="1BoatSLRHtKNngkdXEeobR76b53LETtpyT",
            memo="7",
        ),
    ]
)
requests = st.builds(
    Request,
    ask=st.sampled_from(Ask),
    about=st.lists(
        about_records | about_values,
        min_size=1,
        max_size=6,
        unique_by=lambda one: one.bundle if isinstance(one, AboutRecords) else one,
    ).map(tuple),
    basis=words,
    deadline=st.integers(0, 2**53 - 1),
    contact=words,
    text=texts,
)
closings = st.builds(Closing, close=st.sampled_from(Close), text=texts)
declined = st.builds(
    Response,
    outcome=st.just(Outcome.DECLINED),
    reason=st.sampled_from(DeclineReason),
    reference=st.none() | words,
    text=texts,
)
answered = st.builds(
    Response,
    outcome=st.sampled_from([one for one in Outcome if one is not Outcome.DECLINED]),
    reference=st.none() | words,
    text=texts,
)
sightings = st.builds(
    Sighting,
    record=st.none() | st.integers(0, (1 << 20) - 1),
    saw=st.sampled_from(Saw),
    count=st.sampled_from(Count),
    period=st.sampled_from(Period),
)
notices = st.builds(Notice, subject=words, text=texts.filter(bool), contact=st.none() | words)


@given(requests | closings)
def test_a_request_survives_its_one_byte_form(said: Request | Closing) -> None:
    line = FORMAT[type(said)](said)
    assert parse_request(line) == said


@given(declined | answered)
def test_an_answer_survives_its_one_byte_form(said: Response) -> None:
    assert parse_response(format_response(said)) == said


@given(sightings)
def test_a_sighting_survives_its_one_byte_form_or_contradicts_itself(said: Sighting) -> None:
    none = said.count is Count.NONE
    if (said.saw is Saw.SEEN and none) or (said.saw is Saw.NOT_SEEN and not none):
        with pytest.raises(Malformed, match="count_contradicts"):
            parse_sighting(format_sighting(said))
    else:
        assert parse_sighting(format_sighting(said)) == said


@given(notices)
def test_a_notice_survives_its_one_byte_form(said: Notice) -> None:
    assert parse_notice(format_notice(said)) == said


PARSERS = (parse_request, parse_response, parse_sighting, parse_notice)
json_values = st.recursive(
    st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
names = st.sampled_from(
    ["ask", "about", "basis", "deadline", "contact", "text", "close", "outcome", "reason", "record",
     "saw", "count", "period", "subject"]
)  # fmt: skip


@given(st.binary(max_size=200) | st.dictionaries(names, json_values, max_size=6))
def test_whatever_comes_is_refused_with_a_code_or_has_one_byte_form(given_: Any) -> None:
    try:
        line = given_ if isinstance(given_, bytes) else dump_object(given_)
    except Malformed:
        return  # half of a surrogate pair: nothing that could be written
    for parse in PARSERS:
        try:
            said = parse(line)
        except AccordError:
            continue
        assert FORMAT[type(said)](said) == line
