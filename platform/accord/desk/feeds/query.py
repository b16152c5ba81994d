"""What a TAXII client asks for: filters, page, cursor, each parsed strictly (TAXII 2.1, 3.2-3.5).

A cursor carries the filters of the question that it continues, and wins over whatever is repeated
beside it; it is bound to its collection and signed, so that it survives a restart and another
process, and nobody can make one.
"""

import base64
import binascii
import contextlib
import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

import msgspec

from accord.kernel.errors import Malformed

DEFAULT_LIMIT, MAX_LIMIT = 1_000, 5_000
MAX_NEXT = 4_096
MAX_MATCHES = 100
"""Values of one match filter."""

SPEC_VERSION = "2.1"
_TAG = 16
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)
_ID = re.compile(r"[a-z0-9-]{1,100}--[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TYPE = re.compile(r"[a-z0-9-]{1,250}")
_SPEC = re.compile(r"\d{1,3}\.\d{1,3}")
_MATCHES = ("id", "type", "version", "spec_version")
ALL_MATCHES = frozenset(_MATCHES)


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One question: filters and where the page begins (``after``, unix microseconds)."""

    after: int = 0
    limit: int = DEFAULT_LIMIT
    ids: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    versions: tuple[int | str, ...] = ("last",)
    none: bool = False
    """A filter that nothing here can meet was asked for."""


def parse_question(
    arguments: Mapping[str, Sequence[str]],
    *,
    collection: str,
    key: bytes,
    matches: frozenset[str] = ALL_MATCHES,
) -> Question:
    """Return the question in a query string.

    Args:
        arguments: name -> all its values.
        collection: id of the collection, to which a cursor is bound.
        key: signs cursors.
        matches: the match filters that this endpoint has.

    Raises:
        Malformed: ``query_invalid`` or ``cursor_invalid``; unknown match fields are ignored
            (3.4.1), everything else that cannot be read is refused.
    """
    single: dict[str, str] = {}
    for name, values in arguments.items():
        if len(values) > 1:
            raise _invalid(name)
        single[name] = values[0]
    limit = _limit(single.get("limit"))
    if single.get("next"):
        return msgspec.structs.replace(
            _open(single["next"], collection=collection, key=key), limit=limit
        )
    if "next" in single:
        raise Malformed("cursor_invalid", "This cursor is empty.")
    after = _micros(single["added_after"], "added_after") if "added_after" in single else 0
    found = {
        name: _words(single[f"match[{name}]"], name)
        for name in _MATCHES
        if f"match[{name}]" in single and name in matches
    }
    specs = found.get("spec_version", ())
    if any(_SPEC.fullmatch(word) is None for word in specs):
        raise _invalid("match[spec_version]")
    return Question(
        after=after,
        limit=limit,
        ids=_all(found.get("id", ()), _ID, "match[id]"),
        types=_all(found.get("type", ()), _TYPE, "match[type]"),
        versions=_versions(found.get("version", ())),
        none=bool(specs) and SPEC_VERSION not in specs,
    )


def cursor(question: Question, *, after: int, collection: str, key: bytes) -> str:
    """Return the cursor that continues ``question`` after the object added at ``after``."""
    text = msgspec.json.encode(msgspec.structs.replace(question, after=after))
    return base64.urlsafe_b64encode(_tag(text, collection, key) + text).rstrip(b"=").decode()


def _open(text: str, *, collection: str, key: bytes) -> Question:
    raw = b""
    if len(text) <= MAX_NEXT and text.isascii():
        with contextlib.suppress(binascii.Error):
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if not hmac.compare_digest(raw[:_TAG], _tag(raw[_TAG:], collection, key)):
        raise Malformed(
            "cursor_invalid",
            "This cursor is not one of this collection.",
            next_step="Ask again without next.",
        )
    return msgspec.json.decode(raw[_TAG:], type=Question)


def _tag(text: bytes, collection: str, key: bytes) -> bytes:
    return hmac.digest(key, collection.encode() + b"\0" + text, hashlib.sha256)[:_TAG]


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not text.isascii() or not text.isdigit() or len(text) > len(str(10**9)) or int(text) < 1:
        raise _invalid("limit")
    return min(int(text), MAX_LIMIT)


def _words(text: str, name: str) -> tuple[str, ...]:
    words = tuple(text.split(","))
    if len(words) > MAX_MATCHES or not all(words):
        raise _invalid(f"match[{name}]")
    return words


def _all(words: Sequence[str], form: re.Pattern[str], name: str) -> tuple[str, ...]:
    if any(form.fullmatch(word) is None for word in words):
        raise _invalid(name)
    return tuple(words)


def _versions(words: Sequence[str]) -> tuple[int | str, ...]:
    if not words:
        return ("last",)
    if "all" in words and len(words) > 1:
        raise _invalid("match[version]")
    return tuple(
        word if word in {"last", "first", "all"} else _micros(word, "match[version]") // 1000
        for word in words
    )


def _micros(text: str, name: str) -> int:
    """Return unix microseconds; clients write 0 to 9 digits of a fraction."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise _invalid(name)
    try:
        moment = dt.datetime.fromisoformat(match.group(1) + "+00:00")
        return int(moment.timestamp()) * 1_000_000 + int(((match.group(2) or "") + "000000")[:6])
    except (ValueError, OverflowError) as error:
        raise _invalid(name) from error


def timestamp(micros: int) -> str:
    """Return a TAXII timestamp: exactly six digits of a fraction (TAXII 2.1, 2)."""
    moment = dt.datetime.fromtimestamp(micros // 1_000_000, tz=dt.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{micros % 1_000_000:06d}Z"


def _invalid(name: str) -> Malformed:
    return Malformed(
        "query_invalid", f"The parameter {name[:60]} cannot be read.", next_step="See TAXII 2.1, 3."
    )
