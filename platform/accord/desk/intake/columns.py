"""What each column means: told by the user, remembered, or guessed from its name and content.

A guess needs the content to agree with the name, except where the name is plain. The guess is
always shown. Columns that mean nothing to us are ignored: what they hold never leaves the desk.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final

from accord.desk.intake.delimited import Fields
from accord.desk.intake.moments import DateOrder, read_moment
from accord.desk.intake.numbers import read_amount, read_confidence
from accord.desk.intake.words import (
    BASES,
    COUNTRY_NAMES,
    DIRECTIONS,
    KINDS,
    NAMES,
    PERSONS,
    ROLES,
    fold,
)
from accord.kernel.indicators import Normalised, network_of_label, normalise_batch


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

Meaning = dict[str, Field]
"""The field of each column, in the order of the file."""


_EXACT = {name: Field(field) for field, names in NAMES.items() for name in names}


def name_score(name: str) -> dict[Field, int]:
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


def _is_time(cell: str) -> bool:
    return any(read_moment(cell, order) is not None for order in DateOrder)


_TESTS: Final[dict[Field, tuple[Callable[[str], object], float]]] = {
    Field.NETWORK: (network_of_label, 0.3),
    Field.KIND: (lambda cell: KINDS.get(fold(cell)), 0.5),
    Field.ROLE: (lambda cell: ROLES.get(fold(cell)), 0.1),
    Field.FIRST: (_is_time, 0.5),
    Field.LAST: (_is_time, 0.5),
    Field.BASIS: (lambda cell: BASES.get(fold(cell)), 0.3),
    Field.TX: (re.compile(r"\s*[0-9A-Za-z]{40,128}\s*").fullmatch, 0.3),
    Field.MEMO: (re.compile(r"\s*[0-9a-f]{1,20}\s*").fullmatch, 0.3),
    Field.VASP: (re.compile(r"[^\W\d_]{2}").search, 0.5),
    Field.TOKEN: (re.compile(r"\s*(?=.*[^\W\d_]).{1,24}").fullmatch, 0.8),
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
    scores = [name_score(name) for name in columns]
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
        if field is Field.NOTE and PERSONS.intersection(fold(name).split()):
            # Free text about a person does not become a note by a guess.
            continue
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
