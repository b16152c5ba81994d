"""One table of a charter, read key by key; each error names the line of the key.

The order of keys is free, since people write TOML; everything else is strict.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from accord.kernel.encoding import MAX_INT, JsonValue, require_int, require_list, require_str
from accord.kernel.errors import Malformed
from accord.kernel.markings import parse_code
from accord.kernel.policy.lines import KeyLines

MAX_LIST = 300

ANY = "any"
SAME = "same"

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,58}[a-z0-9]")
_COUNTRY = re.compile(r"[A-Z]{2}")

Vocabulary = TypeVar("Vocabulary", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Entry:
    """A table of the charter, read key by key; each error names the key's line."""

    table: str
    number: int
    obj: dict[str, JsonValue]
    lines: KeyLines

    def at(self, key: str) -> AbstractContextManager[None]:
        """Give a context in which errors name the line of ``key``."""
        return self.lines.naming(self.table, self.number, key)

    def check_keys(self, *, required: Sequence[str], optional: Sequence[str], what: str) -> None:
        """Refuse an unknown key, then a missing one."""
        # TOML is written by people: unlike in signed JSON the order of keys is free.
        for key in self.obj:
            if key not in required and key not in optional:
                with self.at(key):
                    raise Malformed("key_unknown", f"A {what} has no such key.", observed=key[:40])
        for key in required:
            if key not in self.obj:
                with self.at(""):
                    raise Malformed("key_missing", f"A {what} needs the key '{key}'.")

    def integer(self, key: str, *, minimum: int, maximum: int = MAX_INT) -> int:
        """Return an integer within the bounds."""
        with self.at(key):
            return require_int(self.obj, key, minimum=minimum, maximum=maximum)

    def text(self, key: str, *, limit: int) -> str:
        """Return a text of 1 to ``limit`` characters."""
        with self.at(key):
            return require_str(self.obj, key, limit=limit)

    def codes(self, key: str, vocabulary: type[Vocabulary], code: str) -> frozenset[Vocabulary]:
        """Return a list of closed words, not empty, each once."""
        with self.at(key):
            return frozenset(
                parse_code(vocabulary, text, code=code) for text in _texts(self.obj, key)
            )

    def code(self, key: str, vocabulary: type[Vocabulary], code: str) -> Vocabulary:
        """Return one closed word."""
        with self.at(key):
            return parse_code(vocabulary, self.obj[key], code=code)

    def flag(self, key: str, *, default: bool | None = None) -> bool:
        """Return true or false, or ``default`` when the key is not there."""
        value = self.obj.get(key, default)
        with self.at(key):
            if not isinstance(value, bool):
                raise Malformed("value_invalid", f"'{key}' must be true or false.")
        return value

    def name(self) -> str:
        """Return the name of the table."""
        name = self.text("name", limit=60)
        with self.at("name"):
            if _NAME.fullmatch(name) is None:
                raise Malformed(
                    "name_invalid",
                    "A name has lower-case letters, digits and hyphens.",
                    observed=name,
                )
        return name

    def words(self) -> str:
        """Return its sentence: one line."""
        words = self.text("words", limit=200)
        with self.at("words"):
            if not words.isprintable():
                raise Malformed("value_invalid", "'words' must be one line of printable text.")
        return words

    def capabilities(self, key: str) -> frozenset[str]:
        """Return a list of capabilities; empty when the key is not there."""
        with self.at(key):
            found = _texts(self.obj, key) if key in self.obj else []
            for text in found:
                if _NAME.fullmatch(text) is None:
                    raise Malformed(
                        "name_invalid",
                        "A capability has lower-case letters, digits and hyphens.",
                        observed=text[:60],
                    )
        return frozenset(found)

    def jurisdictions(self) -> frozenset[str]:
        """Return ``any``, ``same`` or countries."""
        with self.at("jurisdictions"):
            found = _texts(self.obj, "jurisdictions")
            for text in found:
                if text not in {ANY, SAME} and _COUNTRY.fullmatch(text) is None:
                    raise Malformed(
                        "country_unknown",
                        "A jurisdiction is 'any', 'same' or a country as ISO 3166-1 alpha-2.",
                        observed=text[:40],
                    )
        return frozenset(found)


def _texts(obj: Mapping[str, JsonValue], key: str) -> list[str]:
    found = []
    for value in require_list(obj, key, minimum=1, maximum=MAX_LIST):
        if not isinstance(value, str):
            raise Malformed("value_invalid", f"'{key}' must be a list of texts.")
        found.append(value)
    if len(set(found)) != len(found):
        raise Malformed("value_invalid", f"'{key}' names something twice.")
    return found
