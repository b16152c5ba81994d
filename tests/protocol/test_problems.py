"""Problem documents: every class has its status, and a desk reads back what the hub raised."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.kernel import errors
from accord.kernel.errors import AccordError, Conflict, Malformed, Refused, Unavailable
from accord.protocol.problems import (
    CLASSES,
    STATUS_OF_CODE,
    error_of,
    internal_problem,
    problem_of,
)

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, AccordError) and kind is not AccordError
]


def test_every_class_of_the_tree_is_in_the_table_once() -> None:
    assert sorted(entry.kind.__name__ for entry in CLASSES) == sorted(
        kind.__name__ for kind in KINDS
    )
    assert len({entry.status for entry in CLASSES}) == len(CLASSES)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_comes_back_as_itself(kind: type[AccordError]) -> None:
    error = kind("some_code", "A sentence.", observed="7", next_step="Do this.")
    problem = problem_of(error, request_id="r")
    back = error_of(problem.status, json.dumps(problem.as_dict()).encode())
    assert type(back) is kind
    assert (back.code, back.message) == ("some_code", "A sentence.")
    assert (back.observed, back.next_step) == ("7", "Do this.")


@pytest.mark.parametrize("code", STATUS_OF_CODE)
def test_a_code_with_its_own_status_has_it(code: str) -> None:
    problem = problem_of(Unavailable(code, "A sentence.", retry_after=9))
    assert problem.status == STATUS_OF_CODE[code]
    assert problem.as_dict()["retry_after"] == 9


def test_absent_parts_are_left_out() -> None:
    members = problem_of(Refused("no", "No.")).as_dict()
    assert set(members) == {"type", "title", "status", "detail", "code"}


def test_an_internal_error_says_nothing() -> None:
    assert set(internal_problem(request_id="r").as_dict()) == {
        "type",
        "title",
        "status",
        "code",
        "next_step",
        "request_id",
    }


def test_an_answer_of_a_proxy_becomes_an_error_too() -> None:
    assert isinstance(error_of(502, b"<html>"), Unavailable)
    assert isinstance(error_of(429, b"{}"), Unavailable)
    assert isinstance(error_of(413, b"[]"), Malformed)
    assert isinstance(error_of(409, b"null"), Conflict)
    assert isinstance(error_of(418, b""), Refused)
    assert error_of(502, b"").code == "http_502"


def test_a_hostile_answer_is_shortened_and_cleaned() -> None:
    body = json.dumps({"code": "BAD CODE", "detail": "\x1b[31m" + "x" * 9000}).encode()
    error = error_of(403, body)
    assert error.code == "http_403"
    assert "\x1b" not in error.message
    assert len(error.message) <= 500


@given(st.integers(400, 599), st.binary(max_size=300))
def test_any_answer_becomes_an_error_of_the_tree(status: int, body: bytes) -> None:
    assert isinstance(error_of(status, body), AccordError)


@given(st.integers(400, 599), st.dictionaries(st.text(max_size=12), st.text(max_size=30)))
def test_any_members_become_an_error_of_the_tree(status: int, members: dict[str, str]) -> None:
    error = error_of(status, json.dumps(members | {"retry_after": "\u0661"}).encode())
    assert isinstance(error, AccordError)
