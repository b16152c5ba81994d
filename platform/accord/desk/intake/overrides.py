"""What the user says of columns, laid over the guess; and the key under which it is remembered."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Final

from accord.desk.intake.columns import MANY, Field, Meaning
from accord.desk.intake.mending import ADDED
from accord.desk.intake.words import fold
from accord.kernel.errors import Malformed

_ORDER: Final = re.compile(r"(first|last):(dmy|mdy)")


def fingerprint(columns: Sequence[str]) -> str:
    """Return the key under which a mapping of these columns is remembered."""
    text = "\n".join(fold(name) for name in columns if name not in ADDED)
    return hashlib.sha256(b"accord/1/columns\0" + text.encode("utf-8", "replace")).hexdigest()


def apply_overrides(
    guessed: Meaning, overrides: Mapping[str, str]
) -> tuple[Meaning, dict[Field, str]]:
    """Return the mapping with the user's say, and the date orders that it names.

    Args:
        guessed: meaning by column.
        overrides: field by column name or 1-based number; ``first:mdy`` names a date order.

    Raises:
        Malformed: ``column_unknown``, ``field_unknown``, ``column_repeated``.
    """
    names = list(guessed)
    by_name = {fold(name): name for name in reversed(names)}
    result, orders = dict(guessed), dict[Field, str]()
    told: dict[str, Field] = {}
    for column, text in overrides.items():
        chosen = column if column in guessed else by_name.get(fold(column))
        if chosen is None and column.isdecimal() and 1 <= int(column) <= len(names):
            chosen = names[int(column) - 1]
        if chosen is None:
            raise Malformed(
                "column_unknown",
                "The file has no such column.",
                observed=column[:80],
                next_step=f"It has: {', '.join(names)[:300]}.",
            )
        told[chosen] = _parse_field(text, orders)
    for field in set(told.values()):
        if field is Field.IGNORE:
            continue
        for name, old in guessed.items():
            if old is field:
                result[name] = Field.IGNORE
        if field not in MANY and list(told.values()).count(field) > 1:
            raise Malformed(
                "column_repeated", "Only one column can mean this.", observed=str(field)
            )
    return result | told, orders


def _parse_field(text: str, orders: dict[Field, str]) -> Field:
    bare = text.strip().casefold()
    found = _ORDER.fullmatch(bare)
    if found:
        bare = found[1]
        orders[Field(bare)] = found[2]
    try:
        return Field(bare)
    except ValueError as error:
        raise Malformed(
            "field_unknown",
            "A column cannot mean this.",
            observed=text[:40],
            next_step=f"Use one of {', '.join(Field)}.",
        ) from error
