"""The published JSON Schemas say what the parsers say, as far as a schema can."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tests.support import bundles

from accord.kernel.bundle import framing, manifest, model
from accord.kernel.bundle.manifest import MAX_BODY, MAX_RECIPIENTS
from accord.kernel.encoding import MAX_INT
from accord.kernel.envelope import payload
from accord.kernel.errors import AccordError
from accord.kernel.markings import BundleKind, LegalBasis, Onward, Purpose, Tlp

ROOT = Path(__file__).resolve().parents[3]
BUNDLE = framing.parse_bundle(bundles.sealed())
FULL_HEAD = payload.PayloadHead(
    title="Two storefronts",
    narrative="Seen in\nNovember",
    case_ref="K/17",
    recipients=(bundles.SENDER,),
)
WRITTEN = {
    "header": json.loads(BUNDLE.header_bytes),
    "manifest": json.loads(BUNDLE.envelope.payload),
    "head": json.loads(payload.format_head(bytes(32), FULL_HEAD)),
}
PARSERS = {
    "header": model.parse_header,
    "manifest": manifest.parse_manifest,
    "head": payload.parse_head,
}


def schema(name: str) -> dict[str, Any]:
    value = json.loads((ROOT / f"schemas/asb/{name}.v1.json").read_bytes())
    assert isinstance(value, dict)
    return value


VALIDATORS = {name: Draft202012Validator(schema(name)) for name in WRITTEN}


def accepts(name: str, obj: object) -> bool:
    try:
        PARSERS[name](json.dumps(obj, separators=(",", ":"), ensure_ascii=False).encode())
    except AccordError:
        return False
    return True


@pytest.mark.parametrize("name", WRITTEN)
def test_a_schema_is_a_schema_and_accepts_what_we_write(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))
    VALIDATORS[name].validate(WRITTEN[name])


def places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the path of every value inside ``value``."""
    found = [path] if path else []
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in items:
        found += places(item, (*path, key))
    return found


def put(value: Any, path: tuple[str | int, ...], new: object) -> Any:
    copy = json.loads(json.dumps(value))
    inside = copy
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = new
    return copy


JUNK = (
    st.text(max_size=50)
    | st.integers(-5, 1 << 54)
    | st.booleans()
    | st.just([])
    | st.just({})
    | st.sampled_from(["clear", "none", "x@hub.example", "A" * 44, "A" * 43 + "=", "B" * 43 + "="])
)


@given(st.sampled_from(sorted(WRITTEN)), st.data(), JUNK)
def test_what_a_parser_accepts_its_schema_accepts(
    name: str, data: st.DataObject, junk: object
) -> None:
    path = data.draw(st.sampled_from(places(WRITTEN[name])))
    changed = put(WRITTEN[name], path, junk)
    if accepts(name, changed):
        VALIDATORS[name].validate(changed)


@pytest.mark.parametrize("name", WRITTEN)
def test_a_schema_refuses_each_wrong_type_missing_and_unknown_key(name: str) -> None:
    validator = VALIDATORS[name]
    for path in places(WRITTEN[name]):
        for junk in (None, 1.5, [], "", -1):
            assert not validator.is_valid(put(WRITTEN[name], path, junk)), path
    for key in schema(name)["required"]:
        assert not validator.is_valid({k: v for k, v in WRITTEN[name].items() if k != key})
    assert not validator.is_valid(WRITTEN[name] | {"x": 1})


def test_the_schemas_name_the_codes_and_limits_of_the_program() -> None:
    header, parts = schema("header")["properties"], schema("manifest")["properties"]
    assert header["suite"]["enum"] == list(model.SUITES)
    assert header["kind"]["enum"] == list(BundleKind)
    vocabularies = {"tlp": Tlp, "purpose": Purpose, "legal_basis": LegalBasis, "onward": Onward}
    for key, vocabulary in vocabularies.items():
        assert header["policy"]["properties"][key]["enum"] == list(vocabulary)
    assert header["content"]["properties"]["n"]["maximum"] == model.MAX_RECORDS
    assert header["refs"]["maxItems"] == model.MAX_REFS
    assert header["dir"]["maxItems"] == model.MAX_DIRECTORIES
    assert schema("header")["$defs"]["time"]["maximum"] == MAX_INT
    assert parts["header"]["properties"]["len"]["maximum"] == model.MAX_HEADER
    assert parts["recipients"]["properties"]["n"]["maximum"] == MAX_RECIPIENTS
    assert parts["body"]["properties"]["len"]["maximum"] == MAX_BODY
    head = schema("head")["properties"]
    assert head["title"]["maxLength"] == payload.MAX_TITLE
    assert head["narrative"]["maxLength"] == payload.MAX_NARRATIVE
    assert head["case_ref"]["maxLength"] == payload.MAX_CASE_REF
