"""The charter's form: strict, no empty rule, signed as the bytes that people wrote."""

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.kernel import dsse
from accord.kernel.errors import AccordError, Malformed
from accord.kernel.keys import SigningKeyPair
from accord.kernel.policy.charter import (
    CHARTER_TYPE,
    DEFAULT_CHARTER,
    MAX_CHARTER,
    parse_charter,
    sign_charter,
    verify_charter,
)

TEXT = DEFAULT_CHARTER
DATA = TEXT.encode()
KEYS = [SigningKeyPair.from_seeds(bytes([n]) * 32, bytes([n]) * 32) for n in range(1, 4)]
REGISTRARS = {pair.kid: pair.public for pair in KEYS[:2]}


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(AccordError) as caught:
        call()
    return caught.value.code


def swap(old: str, new: str) -> bytes:
    assert old in TEXT
    return TEXT.replace(old, new, 1).encode()


def test_the_default_charter_is_a_charter() -> None:
    charter = parse_charter(DATA)
    assert (charter.version, charter.size) == (1, len(DATA))
    assert charter.sha256 == hashlib.sha256(DATA).digest()
    assert len(charter.rules) == 5
    assert max(map(len, TEXT.splitlines())) <= 100


def test_the_order_of_keys_and_comments_are_free_but_change_the_hash() -> None:
    other = swap('version = 1\nname = "Default charter"', 'name = "Default charter"\nversion = 1')
    charter = parse_charter(other)
    assert charter.rules == parse_charter(DATA).rules
    assert charter.sha256 != parse_charter(DATA).sha256


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xff", "toml_invalid"),
        (b"a = ", "toml_invalid"),
        (b"format = " + b"9" * 5000, "toml_invalid"),
        (b"a = " + b"[" * 5000, "toml_invalid"),
        (b"#" * (MAX_CHARTER + 1), "too_long"),
        (b"", "key_missing"),
        (swap("format = 1", "format = 2"), "value_invalid"),
        (swap("format = 1", "format = 1.0"), "value_invalid"),
        (swap("format = 1", "format = true"), "value_invalid"),
        (swap("version = 1", "version = 0"), "value_invalid"),
        (swap("version = 1", "version = 2026-01-01"), "value_invalid"),
        (swap("version = 1", "version = 1\nextra = 1"), "key_unknown"),
        (swap("version = 1\n", ""), "key_missing"),
        (b"format=1\nversion=1\nname='x'\nrule=[]\ngrant=[]", "value_invalid"),
        (b"format=1\nversion=1\nname='x'\nrule=[1]\ngrant=[]", "value_invalid"),
        (b"format=1\nversion=1\nname='x'\nrule={}\ngrant=[]", "value_invalid"),
        (swap('name = "financial-to-police"', 'name = "Police"'), "name_invalid"),
        (swap('name = "financial-answers"', 'name = "financial-to-police"'), "name_twice"),
        (swap('name = "members"', 'name = "financial-to-police"'), "name_twice"),
        (swap('words = "Financial', 'words = "\\u0007Financial'), "value_invalid"),
        (swap('from = ["financial"]', 'from = ["bank"]'), "org_kind_unknown"),
        (swap('from = ["financial"]', "from = []"), "value_invalid"),
        (swap('from = ["financial"]', 'from = "financial"'), "value_invalid"),
        (swap('from = ["financial"]', "from = [1]"), "value_invalid"),
        (swap('from = ["financial"]', 'from = ["financial", "financial"]'), "value_invalid"),
        (swap('from = ["financial"]\n', ""), "key_missing"),
        (swap('kinds = ["indicators"', 'kinds = ["all"'), "bundle_kind_unknown"),
        (swap('max_tlp = "red"', 'max_tlp = "white"'), "tlp_unknown"),
        (swap('max_tlp = "red"', "max_tlp = 4"), "tlp_unknown"),
        (swap('"prevention"', '"any"'), "purpose_unknown"),
        (swap('jurisdictions = ["any"]', 'jurisdictions = ["nl"]'), "country_unknown"),
        (swap('jurisdictions = ["any"]', "jurisdictions = []"), "value_invalid"),
        (swap('onward = ["none"', 'onward = ["all"'), "onward_unknown"),
        (swap("approval = false", "approval = 0"), "value_invalid"),
        (swap("approval = false", 'approval = "no"'), "value_invalid"),
        (swap("reply_only = true", "reply_only = 1"), "value_invalid"),
        (swap("retention_days = 1825", "retention_days = 0"), "value_invalid"),
        (swap("retention_days = 1825", "retention_days = 3651"), "value_invalid"),
        (swap('from_capabilities = ["hotline"]', "from_capabilities = []"), "value_invalid"),
        (swap('from_capabilities = ["hotline"]', 'from_capabilities = ["H"]'), "name_invalid"),
        (swap('actions = ["audit:view"', 'actions = ["all"'), "action_unknown"),
        (swap('kinds = ["oversight"]', "kinds = []"), "value_invalid"),
    ],
)
def test_a_deformed_charter_is_refused(data: bytes, code: str) -> None:
    assert code_of(lambda: parse_charter(data)) == code


def test_a_charter_is_signed_by_the_threshold_as_it_is() -> None:
    signed = sign_charter(DATA, KEYS[:2])
    assert verify_charter(signed, registrars=REGISTRARS, threshold=2) == parse_charter(DATA)
    assert dsse.parse(signed, payload_type=CHARTER_TYPE, limit=2**20).payload == DATA


@pytest.mark.parametrize(
    ("data", "threshold", "code"),
    [
        (sign_charter(DATA, KEYS[:1]), 2, "threshold_missed"),
        (sign_charter(DATA, KEYS[1:]), 2, "threshold_missed"),
        (sign_charter(DATA, KEYS[:2]), 0, "threshold_missed"),
        (
            dsse.sign(CHARTER_TYPE, DATA, KEYS[:2], context=b"accord/1/root"),
            2,
            "signature_wrong",
        ),
        (
            dsse.sign("application/toml", DATA, KEYS[:2], context=b"accord/1/charter"),
            2,
            "payload_type_wrong",
        ),
        (DATA, 2, "json_invalid"),
    ],
)
def test_a_charter_that_too_few_signed_is_refused(data: bytes, threshold: int, code: str) -> None:
    call = lambda: verify_charter(data, registrars=REGISTRARS, threshold=threshold)  # noqa: E731
    assert code_of(call) == code


def test_a_deformed_charter_is_not_signed() -> None:
    assert code_of(lambda: sign_charter(b"", KEYS)) == "key_missing"


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_cleanly(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse_charter(data)


LINES = TEXT.splitlines()


@given(st.integers(0, len(LINES) - 1), st.text(max_size=30))
def test_any_line_in_any_place_is_read_or_refused_cleanly(place: int, line: str) -> None:
    data = "\n".join([*LINES[:place], line, *LINES[place + 1 :]]).encode("utf-8", "replace")
    try:
        charter = parse_charter(data)
    except Malformed:
        return
    assert charter.rules
