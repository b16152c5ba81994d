"""A guard list's pattern ends in bounded time, or is refused before it is used."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.desk.intake.guards import Guards
from accord.desk.intake.patterns import MAX_TEXT, compiled
from accord.kernel.indicators import Normalised, normalise


@pytest.mark.parametrize(
    "pattern",
    [
        *("(a+)+$", "(a|a)*b", "(a|ab)*c", "(.*)*x", "(?:a?){60}a{60}", "(x+x+)+y", "(?=(a+)+)b"),
        *(".*.*.*=", "([a-z]+[.])*com", "(a{1,9}){1,9}", "(?>(a+)+)b", "(a)?(?(1)b|c)"),
    ],
)
def test_what_could_take_too_long_is_refused(pattern: str) -> None:
    assert compiled(pattern) is None


@pytest.mark.parametrize(
    "pattern",
    [
        *("^big-[a-z]+\\.com$", "(^|\\.)example\\.org$", "^(www\\.)?shop[0-9]{1,3}\\.", "a{3}", ""),
        *("^.*evil.*$", "(?:foo|bar)baz", "[a-z0-9]{10}\\.onion", "(?:ab){4}", "a++b"),
    ],
)
def test_the_usual_ones_are_taken(pattern: str) -> None:
    assert compiled(pattern) is not None


@given(st.from_regex(r"[ab(|)*+?.]{1,12}", fullmatch=True), st.text("ab", max_size=40))
def test_what_is_taken_matches_as_before(pattern: str, text: str) -> None:
    try:
        ready = compiled(pattern)
    except re.error:
        return
    if ready is not None:
        assert bool(ready.search(text)) == bool(re.search(pattern, text, re.IGNORECASE))


def test_a_value_too_long_for_patterns_is_held() -> None:
    guards = Guards(patterns=[(re.compile("nothing-like-it"), "a list")])
    for length, held in ((10, False), (MAX_TEXT, True)):
        found = normalise(f"https://shop.example-fraud.org/{'a' * length}")
        assert isinstance(found, Normalised)
        assert (guards.hit(found) is not None) is held
