"""The format's page names every code that the vectors expect and the rooms raise."""

import json
import re
from pathlib import Path

import pytest

from accord.kernel.envelope.packing import padded_size

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/formats/bundle.md").read_text(encoding="utf-8")
SOURCES = sorted(
    path
    for room in ("bundle", "envelope")
    for path in (ROOT / "platform/accord/kernel" / room).glob("*.py")
)
RAISED = re.compile(
    r'(?:Malformed|VerificationFailed|Refused|AccordError)\(\s*"([a-z_]+)"|code="([a-z_]+)"'
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_code_that_a_module_raises_is_on_the_page(path: Path) -> None:
    codes = {a or b for a, b in RAISED.findall(path.read_text(encoding="utf-8"))}
    assert {code for code in codes if f"`{code}`" not in PAGE} == set()


def test_every_code_that_a_vector_expects_is_on_the_page() -> None:
    answers = {
        answer
        for path in (ROOT / "schemas/vectors/asb").glob("*.json")
        for case in json.loads(path.read_bytes())["cases"]
        for answer in case["expect"].values()
    }
    assert len(answers) > 50
    assert {answer for answer in answers if f"`{answer}`" not in PAGE} == set()


def test_the_pages_examples_of_padding_are_true() -> None:
    examples = re.findall(r"padme\(([\d,]+)\) = ([\d,]+)", PAGE)
    assert len(examples) == 3
    for size, padded in examples:
        assert padded_size(int(size.replace(",", ""))) == int(padded.replace(",", ""))


def test_the_pages_links_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", PAGE) if "://" not in link]
    assert links
    for link in links:
        assert (ROOT / "docs/formats" / link).is_file(), link
