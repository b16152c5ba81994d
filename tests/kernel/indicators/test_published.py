"""The published vectors and schema say what the code does, and the page names every code."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.support import make_indicator_vectors as vectors

from accord.kernel.errors import Malformed
from accord.kernel.indicators import encode_line, parse_line

ROOT = Path(__file__).resolve().parents[3]
PUBLISHED = ROOT / "schemas/vectors/indicators"
SOURCE = ROOT / "platform/accord/kernel/indicators"


def cases(name: str) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads((PUBLISHED / name).read_bytes())["cases"]
    return content


def validator() -> Draft202012Validator:
    schema = json.loads((ROOT / "schemas/indicators/record.v1.json").read_bytes())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("name", vectors.FILES)
def test_the_published_file_is_what_its_maker_makes(name: str) -> None:
    assert (PUBLISHED / name).read_text(encoding="utf-8") == vectors.FILES[name]()


def test_every_value_has_the_published_answer() -> None:
    for case in cases("values.json"):
        got = vectors.expected(case["input"], case.get("network"), case.get("kind"))
        assert got == case["expect"], case


def test_every_line_has_the_published_answer() -> None:
    for case in cases("records.json"):
        line = case["line"].encode()
        if case["expect"] == "ok":
            assert encode_line(parse_line(line)) == line
        else:
            with pytest.raises(Malformed) as caught:
                parse_line(line)
            assert caught.value.code == case["expect"], case


def test_the_schema_refuses_what_a_schema_can() -> None:
    schema = validator()
    refused = 0
    for case in cases("records.json"):
        try:
            valid = schema.is_valid(json.loads(case["line"]))
        except json.JSONDecodeError:
            continue
        if case["expect"] == "ok":
            assert valid, case
        else:
            refused += not valid
    assert refused >= 13


def test_the_page_lists_every_code_that_the_room_raises() -> None:
    page = (ROOT / "docs/formats/indicators.md").read_text(encoding="utf-8")
    raised = set()
    for path in SOURCE.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        raised |= set(re.findall(r"(?:Malformed|refused)\(\s*\"([a-z0-9_]+)\"", text))
    assert len(raised) > 25
    assert {code for code in raised if f"`{code}`" not in page} == set()
