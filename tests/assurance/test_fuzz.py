"""The fuzzer has a way into every parser, and finds a parser that breaks."""

import random

import pytest
from tests.assurance.fuzz import PARSERS, corpus, fuzz_one
from tests.support.error_codes import error_codes

from accord.kernel.errors import Malformed
from accord.kernel.indicators import normalise


@pytest.fixture(scope="module")
def seeds() -> list[bytes]:
    return corpus()


@pytest.fixture(scope="module")
def known() -> set[str]:
    return set(error_codes())


@pytest.mark.parametrize("name", PARSERS)
def test_nothing_made_up_breaks_the_parser(name: str, seeds: list[bytes], known: set[str]) -> None:
    chance = random.Random(name)
    found = fuzz_one(PARSERS[name], seeds, count=150, chance=chance, known=known)
    assert found["faults"] == []
    assert found["seeds"] > 0, "no seed is taken: mutations would not come far"


def test_a_parser_that_breaks_is_found(known: set[str]) -> None:
    def careless(data: bytes) -> object:
        if len(data) % 7 == 0:
            raise KeyError(len(data))
        raise Malformed("json_invalid", "No.")

    found = fuzz_one(careless, [b"123456"], count=300, chance=random.Random(1), known=known)
    assert any(fault.startswith("KeyError") for fault in found["faults"])


def test_a_code_that_nobody_lists_is_found(known: set[str]) -> None:
    def raises(_data: bytes) -> object:
        raise Malformed("made_up_here", "No.")

    found = fuzz_one(raises, [b"x"], count=3, chance=random.Random(1), known=known)
    assert any("made_up_here" in fault for fault in found["faults"])


@pytest.mark.parametrize("text", ["http://a\ud800.example/x", "http://192.0.2.1/\udcff"])
def test_half_of_a_surrogate_pair_is_no_address(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        normalise(text)
    assert caught.value.code == "url_invalid"
