"""Schemas on the wire: nothing unknown, nothing coerced, one spelling."""

import importlib
import inspect
import pkgutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import RAISE, Schema, ValidationError

from accord.kernel.encoding import b64encode
from accord.protocol import paths, schemas
from accord.protocol.schemas.bundles import NoQuery, ReceiptQuery, StoredBundle
from accord.protocol.schemas.enrolments import EnrolmentRequest, EnrolmentState
from accord.protocol.schemas.feed import FeedPage, FeedQuery
from accord.protocol.schemas.hub import Hub

BUNDLE = "01940000-0000-7000-8000-000000000000"
ALL = [
    kind
    for module in pkgutil.iter_modules(schemas.__path__)
    for _, kind in inspect.getmembers(
        importlib.import_module(f"{schemas.__name__}.{module.name}"), inspect.isclass
    )
    if issubclass(kind, Schema) and kind is not Schema
]
STORED = {"id": BUNDLE, "state": "stored", "index": 7, "checkpoint": "x\n"}


@pytest.mark.parametrize("kind", ALL)
def test_every_schema_refuses_unknown_names(kind: type[Schema]) -> None:
    assert kind().unknown == RAISE
    with pytest.raises(ValidationError, match="Unknown field"):
        kind().load({"surprise": "1"})


def test_an_answer_reads_back_as_it_was_written() -> None:
    assert StoredBundle().load(StoredBundle().dump(STORED)) == STORED
    page = {
        "items": [{"seq": 1, "event": "delivered", "at": 5, "bundle": BUNDLE}],
        "feed": "abcdefgh234567ab",
        "next": 1,
        "more": False,
        "retention": 7_776_000,
    }
    assert FeedPage().load(FeedPage().dump(page)) == page
    request = {"invite": "abc", "statement": b"\0\1"}
    assert EnrolmentRequest().load(EnrolmentRequest().dump(request)) == request


@pytest.mark.parametrize(
    "change",
    [
        {"index": "7"},
        {"index": 7.0},
        {"index": True},
        {"index": -1},
        {"index": 2**63},
        {"index": None},
        {"id": BUNDLE.upper().replace("0", "A")},
        {"id": 1},
        {"state": "receipt"},
        {"checkpoint": ""},
        {"checkpoint": "x" * 40000},
    ],
    ids=str,
)
def test_another_spelling_or_type_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        StoredBundle().load(STORED | change)


@pytest.mark.parametrize("text", ["-1", "+1", "01", " 1", "1_0", "1.0", "", "31", "٣", "1e1"])
def test_a_query_number_has_one_spelling_and_a_bound(text: str) -> None:
    with pytest.raises(ValidationError):
        ReceiptQuery().load({"wait": text})


def test_a_query_number_is_read() -> None:
    assert ReceiptQuery().load({"wait": "30"}) == {"wait": 30}
    assert FeedQuery().load({"after": str(2**63 - 1)})["after"] == 2**63 - 1
    assert FeedQuery().load({}) == {"after": 0, "limit": 100, "wait": 0, "resync": 0}
    assert NoQuery().load({}) == {}


@pytest.mark.parametrize("text", ["AB", "AA=", "AAA", "A A=", "AAB=", "_w==", 7, None, b"AA=="])
def test_base64_has_one_spelling(text: object) -> None:
    with pytest.raises(ValidationError):
        EnrolmentRequest().load({"invite": "abc", "statement": text})


def test_base64_that_is_too_long_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(ValidationError, match="longer"):
        EnrolmentRequest().load({"invite": "abc", "statement": b64encode(bytes(70_000))})


@pytest.mark.parametrize("kind", [Hub, EnrolmentState, FeedPage])
def test_a_missing_member_is_refused(kind: type[Schema]) -> None:
    with pytest.raises(ValidationError, match="required"):
        kind().load({})


@given(st.integers(0, 2**63 - 1))
def test_a_number_in_a_query_is_what_it_says(number: int) -> None:
    assert FeedQuery().load({"after": str(number)})["after"] == number


def test_paths_take_only_checked_names() -> None:
    assert paths.bundle(BUNDLE) == f"/v1/bundles/{BUNDLE}"
    assert paths.receipt(BUNDLE) == f"/v1/bundles/{BUNDLE}/receipt"
    assert paths.tally("2026-03") == "/v1/tallies/2026-03"
    assert paths.enrolment("a" * 26) == f"/v1/enrolments/{'a' * 26}"
    assert paths.enrolment_proof("a" * 26).endswith("/proof")
    assert paths.log_resource(paths.AUDIT_LOG, paths.CHECKPOINT) == "/log/audit/checkpoint"


@pytest.mark.parametrize("month", ["2026-13", "2026-00", "2026-3", "1999-01", "2026-03\n", 3, None])
def test_a_month_has_one_spelling(month: object) -> None:
    with pytest.raises(paths.Malformed, match="month_invalid"):
        paths.parse_month(month)


@pytest.mark.parametrize("text", ["", "A" * 26, "a" * 25, "../" * 9, None])
def test_an_enrolment_id_is_safe_in_a_path(text: object) -> None:
    with pytest.raises(paths.Malformed, match="enrolment_id_invalid"):
        paths.parse_enrolment_id(text)
