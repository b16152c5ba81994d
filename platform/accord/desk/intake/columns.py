"""What each column means: told by the user, remembered, or guessed from its name and content.

A guess needs the content to agree with the name, except where the name is plain. The guess is
always shown. Columns that mean nothing to us are ignored: what they hold never leaves the desk.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final

from accord.desk.intake.delimited import Fields
from accord.desk.intake.mending import ADDED
from accord.desk.intake.moments import read_moment
from accord.desk.intake.numbers import read_amount, read_confidence
from accord.desk.intake.words import COUNTRY_NAMES, DIRECTIONS, KINDS, NAMES, ROLES, fold
from accord.kernel.errors import Malformed
from accord.kernel.indicators import Kind, Normalised, network_of_label, normalise_batch


class Field(StrEnum):
    """What a column may mean."""

    VALUE = "value"
    NETWORK = "network"
    KIND = "kind"
    TOKEN = "token"  # noqa: S105 - a coin
    ROLE = "role"
    FIRST = "first"
    LAST = "last"
    CONFIDENCE = "confidence"
    BASIS = "basis"
    NOTE = "note"
    MEMO = "memo"
    COUNTRY = "country"
    VASP = "vasp"
    TX = "tx"
    AMOUNT = "amount"
    DIRECTION = "direction"
    TLP = "tlp"
    IGNORE = "ignore"


MANY: Final = frozenset({Field.VALUE, Field.NETWORK, Field.IGNORE})
"""Fields that several columns may share: the first cell that is not empty counts."""

_SAMPLE_CELLS = 120
_PLAIN = 10
_VALUE_SHARE = 0.25
_ORDER: Final = re.compile(r"(first|last):(dmy|mdy)")

Meaning = dict[str, Field]
"""The field of each column, in the order of the file."""


def fingerprint(columns: Sequence[str]) -> str:
    """Return the key under which a mapping of these columns is remembered."""
    text = "\n".join(fold(name) for name in columns if name not in ADDED)
    return hashlib.sha256(b"accord/1/columns\0" + text.encode("utf-8", "replace")).hexdigest()


def find_header(rows: list[Fields]) -> int | None:
    """Return the index of the header among the first rows, or ``None`` when there is none.

    The header is the first row with a name that we know and no value in it, below any title; a
    file whose first full row holds a value, or what was meant for one, has none.
    """
    widest = max((sum(bool(cell.strip()) for cell in row) for row in rows), default=0)
    fallback = None
    for index, row in enumerate(rows):
        cells = [cell.strip() for cell in row if cell.strip()]
        if not cells:
            continue
        if _is_data(cells):
            # A row above the data that fills as many columns names them.
            return fallback
        if len(cells) >= max(1, widest // 2) and any(_name_score(cell) for cell in cells):
            return index
        if len(cells) >= widest - 1 and fallback is None:
            fallback = index
    return fallback


def _is_data(cells: Sequence[str]) -> bool:
    """Say whether a row holds values; a name with a full stop in it may read as a domain."""
    exact = sum(fold(cell) in _ALL_NAMES for cell in cells)
    domains = 0
    for cell, answer in zip(cells, normalise_batch(cells), strict=True):
        if fold(cell) in _ALL_NAMES:
            continue
        if isinstance(answer, Malformed):
            if answer.code in _MEANT_AS_VALUE:
                return True
        elif answer.kind is not Kind.DOMAIN:
            return True
        elif not exact or not _name_score(cell):
            domains += 1
    return domains > exact


_MEANT_AS_VALUE: Final = frozenset(
    {"private_key", "seed_phrase", "checksum_wrong", "wrong_length", "mixed_case", "shortened"}
    | {"testnet", "retired_onion_v2", "ip_address", "spreadsheet_damage"}
    | {"network_needed", "network_unsupported", "public_suffix"}
)
"""Refusals of what was meant for a value: a row with one is no header, a secret least of all."""


_ALL_NAMES = frozenset(name for names in NAMES.values() for name in names)
_EXACT = {name: Field(field) for field, names in NAMES.items() for name in names}


def _name_score(name: str) -> dict[Field, int]:
    """Return how well a column's name says each field: 10 is plain, 4 to 8 is a part of it."""
    folded = fold(name)
    exact = _EXACT.get(folded)
    scores: dict[Field, int] = {}
    padded = f" {folded} "
    for known, field in _EXACT.items():
        if f" {known} " in padded:
            scores[field] = max(scores.get(field, 0), min(8, 4 + len(known) // 4))
    if exact is not None:
        scores[exact] = _PLAIN
    return scores


def _share(cells: Sequence[str], accepts: Callable[[str], object]) -> float:
    return sum(bool(accepts(cell)) for cell in cells) / len(cells) if cells else 0.0


def _value_share(cells: Sequence[str]) -> float:
    if not cells:
        return 0.0
    answers = normalise_batch(cells)
    return sum(isinstance(answer, Normalised) for answer in answers) / len(cells)


_TESTS: Final[dict[Field, tuple[Callable[[str], object], float]]] = {
    Field.NETWORK: (network_of_label, 0.3),
    Field.KIND: (lambda cell: KINDS.get(fold(cell)), 0.5),
    Field.ROLE: (lambda cell: ROLES.get(fold(cell)), 0.1),
    Field.FIRST: (read_moment, 0.5),
    Field.LAST: (read_moment, 0.5),
    Field.CONFIDENCE: (lambda cell: read_confidence(cell) is not None, 0.5),
    Field.COUNTRY: (lambda cell: COUNTRY_NAMES.get(cell.strip().upper()), 0.5),
    Field.AMOUNT: (read_amount, 0.5),
    Field.DIRECTION: (lambda cell: DIRECTIONS.get(fold(cell)), 0.5),
    Field.TLP: (lambda cell: re.match(r"(?i)tlp|white|clear|green|amber|red", cell.strip()), 0.5),
}
"""What cells of a field look like, and the share of filled cells that must."""


def guess(columns: Sequence[str], sample: Sequence[Fields]) -> Meaning:
    """Return the meaning of each column; no column of ``value`` when none can be told."""
    cells = [_column(sample, index) for index in range(len(columns))]
    scores = [_name_score(name) for name in columns]
    meaning: Meaning = dict.fromkeys(columns, Field.IGNORE)
    _guess_values(columns, sample, scores, [_value_share(column) for column in cells], meaning)
    candidates = sorted(
        (
            (-score, index, field)
            for index, by_field in enumerate(scores)
            for field, score in by_field.items()
            if field is not Field.VALUE
        ),
    )
    taken: set[Field] = set()
    for _, index, field in candidates:
        name = columns[index]
        if meaning[name] is not Field.IGNORE or (field in taken and field not in MANY):
            continue
        if _content_agrees(field, cells[index]):
            meaning[name] = field
            taken.add(field)
    if Field.NETWORK not in taken:
        _guess_unnamed_network(columns, cells, meaning)
    if Field.VALUE not in meaning.values():
        _take_transactions(meaning)
    return meaning


def _column(sample: Sequence[Fields], index: int) -> list[str]:
    filled = (row[index].strip() for row in sample if index < len(row))
    return [cell for cell in filled if cell][:_SAMPLE_CELLS]


def _content_agrees(field: Field, cells: Sequence[str]) -> bool:
    test = _TESTS.get(field)
    return test is None or not cells or _share(cells, test[0]) >= test[1]


def _guess_values(
    columns: Sequence[str],
    sample: Sequence[Fields],
    scores: Sequence[Mapping[Field, int]],
    shares: Sequence[float],
    meaning: Meaning,
) -> None:
    named = [score.get(Field.VALUE, 0) for score in scores]
    fitting = [index for index, share in enumerate(shares) if share >= _VALUE_SHARE]
    if not fitting:
        # Nothing reads as a value: a plain name still says what the rows were meant to be.
        fitting = [index for index, score in enumerate(named) if score == _PLAIN]
    ranked = sorted((-(10 * shares[index] + named[index]), index) for index in fitting)
    chosen: list[int] = []
    for _, index in ranked:
        # A second column of values counts only where it stands in for an empty first one.
        if not chosen or (
            scores[index].get(Field.VALUE, 0) and _never_both(sample, [*chosen, index])
        ):
            chosen.append(index)
            meaning[columns[index]] = Field.VALUE


def _never_both(sample: Sequence[Fields], indices: Sequence[int]) -> bool:
    for row in sample:
        if sum(index < len(row) and bool(row[index].strip()) for index in indices) > 1:
            return False
    return True


def _guess_unnamed_network(
    columns: Sequence[str], cells: Sequence[Sequence[str]], meaning: Meaning
) -> None:
    """Take a column whose cells nearly all name networks, whatever it is called."""
    for index, name in enumerate(columns):
        if meaning[name] in {Field.IGNORE, Field.TOKEN} and cells[index]:
            share = _share(cells[index], network_of_label)
            if share >= 0.9:  # noqa: PLR2004 - without a name, the content must be clear
                meaning[name] = Field.NETWORK
                return


def _take_transactions(meaning: Meaning) -> None:
    """A list of transactions alone: the ids are the values."""
    for name, field in meaning.items():
        if field is Field.TX:
            meaning[name] = Field.VALUE
            return


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
