"""The hub's interface: described as published, and no made-up request gets past it or breaks it."""

import contextlib
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from schemathesis.core import NOT_SET
from tests.support.hub_world import HOST, Desk, World
from tests.support.make_openapi import OUT, document

from accord.kernel.bundle.framing import MAGIC
from accord.kernel.errors import Malformed
from accord.protocol.paths import BUNDLE_TYPE, PROBLEM_TYPE
from accord.webbase.routes import Who, declaration_of

PUBLISHED = json.loads(OUT.read_text("utf-8"))
OPERATIONS = [
    (path, method.upper())
    for path, item in PUBLISHED["paths"].items()
    for method in item
    if method != "parameters"
]
PROBLEM = {
    "$ref": "#/components/schemas/ProblemDocument",
    "components": {"schemas": PUBLISHED["components"]["schemas"]},
}


# A made-up bundle: framing with something of everything, mostly nonsense.
schemathesis.openapi.media_type(BUNDLE_TYPE, st.binary(max_size=200).map(MAGIC.__add__))


@schemathesis.serializer(BUNDLE_TYPE)
def as_they_are(_context: Any, value: bytes) -> bytes:
    return value


def test_the_interface_is_what_was_published(world: World) -> None:
    assert document(world) == OUT.read_text("utf-8")
    assert PUBLISHED["openapi"] == "3.1.0"


def test_every_route_is_described_or_a_page(world: World) -> None:
    described = {path.replace("{", "<").replace("}", ">") for path in PUBLISHED["paths"]}
    for rule in world.app.url_map.iter_rules():
        declared = declaration_of(world.app, rule.endpoint)
        assert declared is not None, rule.rule
        if declared.who in {Who.SIGNED, Who.PROGRAM}:
            assert rule.rule.replace("path:", "") in described, rule.rule


def test_what_needs_a_signature_is_refused_without_one(world: World) -> None:
    for rule in world.app.url_map.iter_rules():
        declared = declaration_of(world.app, rule.endpoint)
        if declared is None or declared.who is not Who.SIGNED:
            continue
        path = rule.rule.replace("<bundle_id>", "x").replace("<month>", "x")
        for method in (rule.methods or set()) & {"GET", "PUT", "POST"}:
            answer = world.client.request(method, path)
            assert (answer.status_code, answer.json()["code"]) == (401, "signature_missing")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"invite":' * 5000 + b"1" + b"}" * 5000,
        b'{"invite":' + b"9" * 5000 + b"}",
        b'{"invite":"\\ud800","statement":"AAAA"}',
    ],
)
def test_a_stranger_breaks_nothing_with_an_unreadable_body(world: World, body: bytes) -> None:
    answer = world.client.post(
        "/v1/enrolments", content=body, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "request_invalid")


def attempts(world: World, desk: Desk) -> Callable[[Any], None]:
    """A check that sends one made-up request unsigned and signed."""
    client = world.app.test_client()

    def attempt(case: Any) -> None:
        query = {name: value for name, value in (case.query or {}).items() if name != "wait"}
        text = urlencode(query, doseq=True)
        body = None if case.body is NOT_SET else case.body
        if not isinstance(body, bytes | None):
            body = json.dumps(body).encode()
        path = case.formatted_path
        kind = None if body is None else (case.media_type or "application/json")
        ways: list[dict[str, str]] = [{} if kind is None else {"Content-Type": kind}]
        # A path with several spellings cannot be signed at all.
        with contextlib.suppress(Malformed):
            ways.append(desk.headers(case.method, path, query=text, body=body, content_type=kind))
        for headers in ways:
            answer = client.open(
                path,
                base_url=f"http://{HOST}",
                method=case.method,
                query_string=text,
                data=body,
                headers=headers,
                buffered=True,
            )
            assert answer.status_code < 500 or answer.status_code == 503, answer.text
            if answer.status_code >= 400:
                assert answer.content_type == PROBLEM_TYPE
                Draft202012Validator(PROBLEM).validate(answer.json)

    return attempt


def test_no_made_up_request_breaks_the_hub(world: World, bank: Desk) -> None:
    attempt = attempts(world, bank)
    schema = schemathesis.openapi.from_dict(PUBLISHED)
    for path, method in OPERATIONS:

        @settings(max_examples=15, suppress_health_check=list(HealthCheck), database=None)
        @given(case=schema[path][method].as_strategy())
        def check(case: Any) -> None:
            attempt(case)

        check()


def test_counts_are_only_for_tools_on_the_same_machine(world: World) -> None:
    near = world.app.test_client().get(
        "/metrics", base_url="http://127.0.0.1:8600", environ_base={"REMOTE_ADDR": "127.0.0.1"}
    )
    far = world.app.test_client().get(
        "/metrics", base_url="http://127.0.0.1:8600", environ_base={"REMOTE_ADDR": "203.0.113.9"}
    )
    assert (near.status_code, far.status_code) == (200, 404)
    assert b"accord_log_size" in near.data
