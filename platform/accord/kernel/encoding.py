"""Text forms of bytes: canonical base64 and the strict JSON that is hashed and signed.

Invariants: ``dump_object(parse_object(b)) == b`` and ``parse_object(dump_object(o)) == o``.
What is signed is always the bytes as received; this module only proves that they have one form.
It does not parse record lines (``kernel.indicators``) and reads no file.

Source: RFC 4648 clause 4 (base64), RFC 8259 (JSON), RFC 8785 clause 3.2.2.2 (string escaping).
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from typing import NoReturn

from accord.kernel.errors import Malformed

MAX_INT = 2**53 - 1
"""Largest integer that every JSON reader keeps exactly (RFC 8259 clause 6)."""

MAX_DEPTH = 8
"""Deepest nesting of objects and arrays that a signed object may have."""

JsonValue = object
"""A parsed JSON value: ``str``, ``int``, ``bool``, ``list`` or ``dict``; never float or null."""

# RFC 8785 leaves DEL and everything above U+001F unescaped; the encoder agrees.
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
# Possessive, and content with an unclosed string: linear in the input, whatever it is.
_NO_BRACKETS = re.compile(rb'(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[^\[\]{}"]++)++', re.DOTALL)


def b64encode(data: bytes) -> str:
    """Return padded standard base64 (RFC 4648 clause 4) of ``data``."""
    return base64.b64encode(data).decode("ascii")


def b64decode(text: object, *, length: int | None = None) -> bytes:
    """Return the bytes of canonical padded base64 ``text``.

    Args:
        text: the value found; anything but a string is refused.
        length: exact number of bytes expected, if it is fixed.

    Raises:
        Malformed: ``base64_invalid`` when ``text`` is not canonical base64 or has another length.
    """
    if not isinstance(text, str):
        _refuse_base64("not a string")
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        _refuse_base64("not base64", cause=error)
    if b64encode(data) != text:
        _refuse_base64("not the canonical spelling")
    if length is not None and len(data) != length:
        _refuse_base64(f"{len(data)} bytes instead of {length}")
    return data


def _refuse_base64(observed: str, *, cause: Exception | None = None) -> NoReturn:
    raise Malformed("base64_invalid", "This is not canonical base64.", observed=observed) from cause


def dump_object(obj: Mapping[str, JsonValue]) -> bytes:
    """Return the one byte form of ``obj``: keys as they stand, no white space, UTF-8.

    Raises:
        Malformed: ``json_invalid`` for floats, nulls, other types, integers above 2^53 - 1 or
            lone surrogates.
    """
    _check_value(obj, MAX_DEPTH)
    return _encoded(obj)


def _encoded(value: JsonValue) -> bytes:
    try:
        return _encode(value).encode("utf-8")
    except UnicodeEncodeError as error:
        raise Malformed("json_invalid", "A string holds half of a surrogate pair.") from error


def parse_object(data: bytes, *, limit: int) -> dict[str, JsonValue]:
    """Parse one strict JSON object.

    Args:
        data: the bytes as received.
        limit: largest size in bytes; checked before anything is parsed.

    Raises:
        Malformed: ``too_long``, ``json_invalid`` (syntax, duplicate key, float, null, integer of
            2^53 or more, nesting deeper than 8, not UTF-8, not an object) or
            ``json_not_canonical`` (another spelling of the same object).
    """
    if len(data) > limit:
        raise Malformed(
            "too_long", f"The object is longer than {limit} bytes.", observed=f"{len(data)} bytes"
        )
    _check_depth(data)
    try:
        value = _decode(data.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Malformed("json_invalid", "This is not valid JSON.") from error
    if not isinstance(value, dict):
        raise Malformed("json_invalid", "A JSON object is expected.")
    if b"null" in data:  # perhaps within a string only: then piece by piece, as when it is written
        _check_value(value, MAX_DEPTH)
    if _encoded(value) != data:
        raise Malformed(
            "json_not_canonical",
            "The object is not in its one byte form (no white space, plain escaping).",
        )
    return value


def _check_depth(data: bytes) -> None:
    if data.count(b"{") + data.count(b"[") <= MAX_DEPTH:
        return
    depth = 0
    for bracket in _NO_BRACKETS.sub(b"", data):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise Malformed("json_invalid", f"Nesting is deeper than {MAX_DEPTH}.")


def _unique_pairs(pairs: Sequence[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise Malformed("json_invalid", "A key stands twice in one object.")
    return result


def _no_number(_text: str) -> NoReturn:
    raise Malformed("json_invalid", "Floats and special numbers have no place here.")


def _bounded_int(text: str) -> int:
    value = int(text)
    _check_scalar(value)
    return value


_decode = json.JSONDecoder(
    object_pairs_hook=_unique_pairs,
    parse_int=_bounded_int,
    parse_float=_no_number,
    parse_constant=_no_number,
).decode


def _check_value(value: JsonValue, depth: int) -> None:
    """Refuse what has no place in signed JSON; half a surrogate pair shows when it is encoded."""
    if isinstance(value, dict):
        _check_depth_left(depth)
        for key, item in value.items():
            if not isinstance(key, str):
                raise Malformed("json_invalid", "A key is not a string.")
            if not isinstance(item, str):
                _check_value(item, depth - 1)
    elif isinstance(value, list | tuple):
        _check_depth_left(depth)
        for item in value:
            _check_value(item, depth - 1)
    else:
        _check_scalar(value)


def _check_depth_left(depth: int) -> None:
    if depth == 0:
        raise Malformed("json_invalid", f"Nesting is deeper than {MAX_DEPTH}.")


def _check_scalar(value: JsonValue) -> None:
    if isinstance(value, str):
        return
    if not isinstance(value, int):
        raise Malformed(
            "json_invalid", "Only strings, integers, booleans, lists and objects are allowed."
        )
    if abs(value) > MAX_INT:
        raise Malformed("json_invalid", "An integer is 2^53 or larger.")


def require_keys(
    obj: Mapping[str, JsonValue], *, required: Sequence[str], optional: Sequence[str] = ()
) -> None:
    """Check that ``obj`` has exactly the keys of its format, in the format's order.

    Args:
        obj: a parsed object.
        required: keys that must be present, in the order in which they are written.
        optional: keys that may be present. Where an optional key stands among the required ones,
            give the full order in ``required`` and repeat the optional names here.

    Raises:
        Malformed: ``key_unknown``, ``key_missing`` or ``key_order``.
    """
    order = [*required, *(key for key in optional if key not in required)]
    for key in obj:
        if key not in order:
            raise Malformed("key_unknown", "A key is not part of this format.", observed=key[:40])
    for key in required:
        if key not in obj and key not in optional:
            raise Malformed("key_missing", f"The key '{key}' is missing.")
    if [key for key in order if key in obj] != list(obj):
        raise Malformed("key_order", "The keys are not in the order of the format.")


def require_int(
    obj: Mapping[str, JsonValue], key: str, *, minimum: int = 0, maximum: int = MAX_INT
) -> int:
    """Return ``obj[key]`` as an integer within the bounds (both included).

    Raises:
        Malformed: ``value_invalid`` when it is missing, not an integer or out of bounds.
    """
    value = obj.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
        raise Malformed("value_invalid", f"'{key}' must be an integer from {minimum} to {maximum}.")
    return value


def require_str(obj: Mapping[str, JsonValue], key: str, *, limit: int, minimum: int = 1) -> str:
    """Return ``obj[key]`` as text of ``minimum`` to ``limit`` characters.

    Raises:
        Malformed: ``value_invalid`` when it is missing, not a string or of another length.
    """
    value = obj.get(key)
    if not isinstance(value, str) or not minimum <= len(value) <= limit:
        raise Malformed(
            "value_invalid", f"'{key}' must be text of {minimum} to {limit} characters."
        )
    return value


def require_object(obj: Mapping[str, JsonValue], key: str) -> dict[str, JsonValue]:
    """Return ``obj[key]`` as an object.

    Raises:
        Malformed: ``value_invalid`` when it is missing or another type.
    """
    value = obj.get(key)
    if not isinstance(value, dict):
        raise Malformed("value_invalid", f"'{key}' must be an object.")
    return value


def require_list(
    obj: Mapping[str, JsonValue], key: str, *, minimum: int = 0, maximum: int
) -> list[JsonValue]:
    """Return ``obj[key]`` as a list of ``minimum`` to ``maximum`` items.

    Raises:
        Malformed: ``value_invalid`` when it is missing, another type or of another length.
    """
    value = obj.get(key)
    if not isinstance(value, list) or not minimum <= len(value) <= maximum:
        raise Malformed("value_invalid", f"'{key}' must be a list of {minimum} to {maximum} items.")
    return value
