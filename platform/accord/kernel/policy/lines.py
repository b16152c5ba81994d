"""On which line of a charter's text each key stands, so that an error can name the line.

The text has been parsed as TOML before; this module only finds lines and decides nothing.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from accord.kernel.errors import Malformed

_STRING_OR_COMMENT = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'"
    r"|#[^\n]*",
    re.DOTALL,
)
_NOT_NEWLINE = re.compile(r"[^\n]")

Place = tuple[str, int, str]
"""Table (``""`` for the top), number of the table of that name from 1, key (``""`` for itself)."""


@dataclass(frozen=True, slots=True)
class KeyLines:
    """Line numbers, from 1, by place."""

    lines: dict[Place, int] = field(default_factory=dict)

    def of(self, table: str, number: int, key: str) -> int | None:
        """Return the line of ``key``, else that of its table, else ``None``."""
        for place in ((table, number, key), (table, number, ""), ("", 1, table)):
            if place in self.lines:
                return self.lines[place]
        return None

    @contextmanager
    def naming(self, table: str, number: int, key: str) -> Iterator[None]:
        """Add the line of ``key`` to what an error inside says was seen."""
        try:
            yield
        except Malformed as error:
            line = self.of(table, number, key)
            where = "" if line is None else f"line {line}"
            observed = ": ".join(part for part in (where, error.observed) if part)
            raise Malformed(
                error.code, error.message, observed=observed or None, next_step=error.next_step
            ) from error


def key_lines(text: str) -> KeyLines:
    """Return the lines of all keys of ``text``, which is valid TOML."""
    masked = _STRING_OR_COMMENT.sub(lambda found: _NOT_NEWLINE.sub("_", found[0]), text)
    found = KeyLines()
    counts: dict[str, int] = {}
    table, number, depth = "", 1, 0
    for line, (blank, whole) in enumerate(
        zip(masked.split("\n"), text.split("\n"), strict=True), start=1
    ):
        if depth == 0 and blank.lstrip().startswith("["):
            table = whole.partition("]")[0].strip().lstrip("[").strip().strip("\"'")
            number = counts[table] = counts.get(table, 0) + 1
            found.lines[table, number, ""] = line
        elif depth == 0 and "=" in blank:
            key = whole[: blank.index("=")].strip().strip("\"'")
            found.lines.setdefault((table, number, key), line)
        depth += sum(map(blank.count, "[{")) - sum(map(blank.count, "]}"))
    return found
