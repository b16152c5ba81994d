"""The published JSON Schemas say what the parsers say, as far as a schema can."""

import itertools
import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tests.support.directory_people import BANK, ROOT, START, YEAR, enrolment, keys_of

from accord.kernel.directory.entries import CharterPoint, RootPoint, format_point, parse_entry
from accord.kernel.directory.registrars import format_registrar, parse_registrar
from accord.kernel.directory.rootfile import parse_root
from accord.kernel.directory.statements import Op, format_statement, parse_payload
from accord.kernel.errors import Malformed
from accord.kernel.identifiers import make_bundle_id
from accord.kernel.indicators.kinds import Kind, Network
from accord.kernel.indicators.records import Role
from accord.kernel.policy.charter import DEFAULT_CHARTER
from accord.kernel.statements.acknowledgement import (
    Acknowledgement,
    Item,
    Outcome,
    format_acknowledgement,
    parse_acknowledgement,
)
from accord.kernel.statements.tally import Cell, Tally, format_tally, month_end, parse_tally

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas" / "directory"
FULL_ROOT = replace(
    ROOT,
    version=2,
    prev=bytes(32),
    witnesses=(replace(ROOT.witnesses[0], url="https://w1.ngo.example/"), ROOT.witnesses[1]),
)
SAID = Acknowledgement(
    org=BANK,
    created=START,
    items=(
        Item(
            bundle=make_bundle_id(START * 1000, bytes(10)),
            manifest=bytes(32),
            state=Outcome.OPENED,
            time=START,
        ),
        Item(
            bundle=make_bundle_id(START * 1000, bytes(10)),
            manifest=bytes(32),
            state=Outcome.REFUSED,
            code="root_wrong",
            time=START,
        ),
    ),
)
TALLY = Tally(
    org=BANK,
    month="2026-10",
    created=month_end("2026-10"),
    cells=(
        Cell(kind=Kind.DOMAIN, role=Role.UNKNOWN, records=3),
        Cell(kind=Kind.WALLET, network=Network.BTC, role=Role.PAYMENT, country="DE", records=2),
    ),
)
WRITTEN: dict[str, bytes] = {
    "root": FULL_ROOT.payload,
    "registrar": format_registrar(ROOT.registrars[0]).strip(),
    "statement": format_statement(enrolment()),
    "charter-point": format_point(CharterPoint(version=1, sha256=bytes(32), size=9, registrars=2)),
    "root-point": format_point(RootPoint(version=1, sha256=bytes(32), size=9)),
    "acknowledgement": format_acknowledgement(SAID),
    "tally": format_tally(TALLY),
}
PARSERS: dict[str, Callable[[bytes], object]] = {
    "root": parse_root,
    "registrar": parse_registrar,
    "statement": parse_payload,
    "charter-point": parse_entry,
    "root-point": parse_entry,
    "acknowledgement": parse_acknowledgement,
    "tally": parse_tally,
}


def schema(name: str) -> dict[str, Any]:
    value = json.loads((SCHEMAS / f"{name}.v1.json").read_bytes())
    assert isinstance(value, dict)
    return value


VALIDATORS = {name: Draft202012Validator(schema(name)) for name in [*WRITTEN, "charter"]}


def accepts(name: str, obj: object) -> bool:
    try:
        PARSERS[name](json.dumps(obj, separators=(",", ":"), ensure_ascii=False).encode())
    except Malformed:
        return False
    return True


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *itertools.chain.from_iterable(places(v, (*path, k)) for k, v in inner)]


def put(value: Any, path: tuple[Any, ...], new: object) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = put(value[path[0]], path[1:], new)
    return copy


def test_every_schema_is_there() -> None:
    found = {path.name.removesuffix(".v1.json") for path in SCHEMAS.glob("*.json")}
    assert found >= set(VALIDATORS)


@pytest.mark.parametrize("name", WRITTEN)
def test_a_schema_is_a_schema_and_accepts_what_we_write(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))
    VALIDATORS[name].validate(json.loads(WRITTEN[name]))


def test_the_default_charter_fits_its_schema() -> None:
    Draft202012Validator.check_schema(schema("charter"))
    VALIDATORS["charter"].validate(tomllib.loads(DEFAULT_CHARTER))


@pytest.mark.parametrize("name", WRITTEN)
def test_a_missing_or_added_key_is_refused_by_both(name: str) -> None:
    obj = json.loads(WRITTEN[name])
    for path in places(obj):
        if path and isinstance(path[-1], str):
            parent = obj
            for step in path[:-1]:
                parent = parent[step]
            less = {key: value for key, value in parent.items() if key != path[-1]}
            assert accepts(name, put(obj, path[:-1], less)) <= VALIDATORS[name].is_valid(
                put(obj, path[:-1], less)
            )
            more = put(obj, path[:-1], {**parent, "surplus": 1})
            assert not accepts(name, more)
            assert not VALIDATORS[name].is_valid(more)


ANYTHING = st.recursive(
    st.booleans()
    | st.integers(-5, 2**53)
    | st.text(max_size=6)
    | st.sampled_from(["rotate", "ngo", "DE", "hotline", "AAAA", "btc", "domain", "opened"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)


@given(st.data())
def test_what_a_parser_accepts_its_schema_accepts(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(WRITTEN)))
    obj = json.loads(WRITTEN[name])
    changed = put(obj, data.draw(st.sampled_from(places(obj))), data.draw(ANYTHING))
    if accepts(name, changed):
        VALIDATORS[name].validate(changed)


OTHER = keys_of(9)
FIELDS: dict[str, Any] = {
    "profile": enrolment().profile,
    "kem": OTHER.kem.public,
    "sig": OTHER.sig.public,
    "request_key": OTHER.request.public,
    "recovery": OTHER.recovery.public,
    "not_after": START + YEAR,
    "roles": ("hotline",),
    "compromised_since": START,
}


@pytest.mark.parametrize("op", [op for op in Op if op is not Op.PEER])
def test_parser_and_schema_agree_on_every_set_of_fields(op: Op) -> None:
    base = replace(enrolment(), op=op, **dict.fromkeys(FIELDS), seq=1, prev=None)
    for seq, prev in ((1, None), (2, bytes(32)), (1, bytes(32)), (2, None)):
        for chosen in itertools.product((False, True), repeat=len(FIELDS)):
            fields = {key: FIELDS[key] for key, take in zip(FIELDS, chosen, strict=True) if take}
            obj = json.loads(format_statement(replace(base, seq=seq, prev=prev, **fields)))
            assert accepts("statement", obj) == VALIDATORS["statement"].is_valid(obj), obj
