"""docs/errors.md names every code of the source, and no other."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.support.error_codes import NO_ERRORS, Code, error_codes

ROW = re.compile(r"\| `([a-z][a-z0-9_]*)` \| ([a-z, -]+) \| (.+) \| (.+) \|")
MADE_UP = {"quota_now", "some_code"}
AGAIN = "run: python -m tests.support.make_errors_page"


@pytest.fixture(scope="module")
def codes() -> Mapping[str, Code]:
    return error_codes()


@pytest.fixture(scope="module")
def rows(project: Path) -> list[tuple[str, str, str, str]]:
    text = (project / "docs" / "errors.md").read_text(encoding="utf-8")
    lines = text[text.index("| code | kind |") :].splitlines()[2:]
    found = [ROW.fullmatch(line) for line in lines]
    assert all(found), "a line of the table has another form"
    return [match.groups() for match in found if match]  # type: ignore[misc]


def test_every_code_of_the_source_is_explained(
    codes: Mapping[str, Code], rows: list[tuple[str, str, str, str]]
) -> None:
    assert sorted(set(codes) - {row[0] for row in rows}) == [], AGAIN


def test_no_code_is_explained_that_the_source_lacks(
    codes: Mapping[str, Code], rows: list[tuple[str, str, str, str]]
) -> None:
    assert sorted({row[0] for row in rows} - set(codes)) == [], AGAIN


def test_each_code_stands_once_in_order(rows: list[tuple[str, str, str, str]]) -> None:
    names = [row[0] for row in rows]
    assert names == sorted(set(names))


def test_each_code_has_a_meaning_and_a_next_step(rows: list[tuple[str, str, str, str]]) -> None:
    assert [row[0] for row in rows if len(row[2]) < 10 or len(row[3]) < 10] == []


def test_the_reader_of_the_source_finds_the_codes_that_the_suite_expects(
    codes: Mapping[str, Code], project: Path
) -> None:
    """A code that a test waits for but the reader misses shows a hole in the reader."""
    expected = re.compile(r"\.code == \"([a-z][a-z0-9_]+)\"")
    suites = [*(project / "tests").rglob("test_*.py")]
    seen = {name for path in suites for name in expected.findall(path.read_text(encoding="utf-8"))}
    ours = {name for name in seen if not name.startswith("http_")}
    assert len(ours) > 50
    assert sorted(ours - set(codes) - NO_ERRORS - MADE_UP) == []
