"""The strict JSON and base64 that are hashed and signed."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.kernel import encoding
from accord.kernel.errors import Malformed

VALUES = st.recursive(
    st.integers(-(2**53) + 1, 2**53 - 1)
    | st.booleans()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), inner)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), VALUES, max_size=6))
def test_what_is_written_is_read_back_and_written_the_same(obj: dict[str, object]) -> None:
    try:
        data = encoding.dump_object(obj)
    except Malformed as error:
        assert error.code == "json_invalid"  # noqa: PT017 - nested deeper than allowed
        return
    assert encoding.parse_object(data, limit=len(data)) == obj
    assert encoding.dump_object(encoding.parse_object(data, limit=len(data))) == data


@given(st.binary(max_size=200))
def test_any_bytes_give_an_object_or_a_malformed(data: bytes) -> None:
    try:
        obj = encoding.parse_object(data, limit=200)
    except Malformed:
        return
    assert encoding.dump_object(obj) == data


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"a":1,"a":1}', "json_invalid"),
        (b'{"a":1.0}', "json_invalid"),
        (b'{"a":1e3}', "json_invalid"),
        (b'{"a":null}', "json_invalid"),
        (b'{"a":NaN}', "json_invalid"),
        (b'{"a":9007199254740992}', "json_invalid"),
        (b'{"a":"\xff"}', "json_invalid"),
        (b'{"a":"\\ud800"}', "json_invalid"),
        (b"[1]", "json_invalid"),
        (b"", "json_invalid"),
        (b'{"a":1}\n', "json_not_canonical"),
        (b' {"a":1}', "json_not_canonical"),
        (b'{"a": 1}', "json_not_canonical"),
        (b'{"a":"\\u00e9"}', "json_not_canonical"),
        (b'{"a":-0}', "json_not_canonical"),
        (b'\xef\xbb\xbf{"a":1}', "json_invalid"),
        (b'{"a":' + b"[" * 9 + b"]" * 9 + b"}", "json_invalid"),
        (b'{"a":' + b"[" * 100_000, "json_invalid"),
    ],
)
def test_other_spellings_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        encoding.parse_object(data, limit=1_000_000)
    assert caught.value.code == code


def test_brackets_in_a_string_are_not_nesting() -> None:
    data = json.dumps({"a": "[" * 50 + '"{'}, separators=(",", ":")).encode()
    assert encoding.parse_object(data, limit=1000)["a"] == "[" * 50 + '"{'


def test_the_size_is_checked_before_anything_else() -> None:
    with pytest.raises(Malformed, match="longer than 3") as caught:
        encoding.parse_object(b"{{{{{", limit=3)
    assert caught.value.code == "too_long"


@pytest.mark.parametrize("value", [1.0, None, 2**53, "\ud800", {1: 2}, b"x"])
def test_values_without_a_place_are_not_written(value: object) -> None:
    with pytest.raises(Malformed):
        encoding.dump_object({"a": value})


@given(st.binary(max_size=100))
def test_base64_has_one_spelling(data: bytes) -> None:
    text = encoding.b64encode(data)
    assert encoding.b64decode(text, length=len(data)) == data


@pytest.mark.parametrize("text", ["QQ", "QQ=", "QR==", "QQ==\n", "Q Q==", "Q-_=", "é===", 7, None])
def test_base64_of_another_spelling_is_refused(text: object) -> None:
    with pytest.raises(Malformed) as caught:
        encoding.b64decode(text)
    assert caught.value.code == "base64_invalid"


def test_base64_of_another_length_is_refused() -> None:
    with pytest.raises(Malformed, match="canonical base64"):
        encoding.b64decode("QUI=", length=3)


@pytest.mark.parametrize(
    ("obj", "code"),
    [
        ({"a": 1, "b": 2, "x": 3}, "key_unknown"),
        ({"b": 2}, "key_missing"),
        ({"b": 2, "a": 1}, "key_order"),
        ({"a": 1, "c": 3, "b": 2}, "key_order"),
    ],
)
def test_keys_must_be_those_of_the_format_in_its_order(obj: dict[str, object], code: str) -> None:
    with pytest.raises(Malformed) as caught:
        encoding.require_keys(obj, required=("a", "b", "c"), optional=("c",))
    assert caught.value.code == code


def test_an_optional_key_may_be_absent_or_in_its_place() -> None:
    encoding.require_keys({"a": 1, "b": 2}, required=("a", "b", "c"), optional=("c",))
    encoding.require_keys({"a": 1, "b": 2, "c": 3}, required=("a", "b"), optional=("c",))


def test_typed_readers_return_the_value_or_name_the_key() -> None:
    obj: dict[str, object] = {"i": 5, "s": "text", "o": {}, "l": [1], "t": True}
    assert encoding.require_int(obj, "i") == 5
    assert encoding.require_str(obj, "s", limit=4) == "text"
    assert encoding.require_object(obj, "o") == {}
    assert encoding.require_list(obj, "l", maximum=1) == [1]
    for wrong in (
        lambda: encoding.require_int(obj, "t"),
        lambda: encoding.require_int(obj, "i", maximum=4),
        lambda: encoding.require_int(obj, "absent"),
        lambda: encoding.require_str(obj, "s", limit=3),
        lambda: encoding.require_str(obj, "i", limit=3),
        lambda: encoding.require_object(obj, "l"),
        lambda: encoding.require_list(obj, "l", minimum=2, maximum=3),
        lambda: encoding.require_list(obj, "o", maximum=3),
    ):
        with pytest.raises(Malformed) as caught:
            wrong()
        assert caught.value.code == "value_invalid"


@pytest.mark.parametrize(
    "data", [b'{"' + b'\\"' * 32_000, b'\\"' * 32_000, b'{"a":"' + b"\\" * 60_000]
)
def test_strings_that_never_end_cost_no_more_than_their_length(data: bytes) -> None:
    start = time.process_time()
    with pytest.raises(Malformed):
        encoding.parse_object(data, limit=65_536)
    assert time.process_time() - start < 0.5
