"""Patterns of guard lists that end in bounded time, whatever they are asked about.

Python's engine tries every way in which a pattern may lie on a text, so a clumsy or hostile list
could hold up the intake for ever. The number of ways is bounded here before a pattern is taken:
what repeats something that itself has several ways is refused, and so is a product of ways above
``MAX_WAYS``. A text longer than ``MAX_TEXT`` is not judged by patterns; it is held.
"""

import re
from collections.abc import Iterable
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

MAX_TEXT = 255
"""Characters: every domain, and links of the usual length."""

MAX_WAYS = 1 << 16
"""Ways in which a pattern may lie on a text from one place: two free repeats of ``MAX_TEXT``."""

_PLAIN = frozenset(
    {codes.LITERAL, codes.NOT_LITERAL, codes.ANY, codes.IN, codes.AT, codes.GROUPREF}
)
_REPEATS = frozenset({codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT})
_AROUND = frozenset({codes.ASSERT, codes.ASSERT_NOT})


def compiled(pattern: str) -> re.Pattern[str] | None:
    """Return the pattern ready for use, or ``None`` when it could take too long.

    Raises:
        re.error, RecursionError, OverflowError: it is none.
    """
    ready = re.compile(pattern, re.IGNORECASE)
    parsed = parser.parse(pattern, re.IGNORECASE)
    return ready if _ways(parsed) <= MAX_WAYS else None


def _ways(items: Iterable[Any]) -> int:
    """Return in how many ways a sequence may lie on a text from one place, at most."""
    ways = 1
    for code, what in items:
        ways = min(ways * _ways_of(code, what), MAX_WAYS + 1)
    return ways


def _ways_of(code: Any, what: Any) -> int:  # noqa: ANN401 - the parser's own items
    if code in _PLAIN:
        return 1
    if code is codes.SUBPATTERN:
        return _ways(what[-1])
    if code is codes.ATOMIC_GROUP:
        return _ways(what)
    if code in _AROUND:
        return _ways(what[1])
    if code is codes.BRANCH:
        return sum(map(_ways, what[1]))
    if code in _REPEATS:
        return _repeated(*what)
    return MAX_WAYS + 1


def _repeated(least: int, most: int, body: Iterable[Any]) -> int:
    ways, most = _ways(body), min(int(most), MAX_TEXT)
    if ways == 1:
        return max(most - least + 1, 1)
    total = 0
    for times in range(least, max(most, least) + 1):
        total += ways**times
        if total > MAX_WAYS:
            return MAX_WAYS + 1
    return total
