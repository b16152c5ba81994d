"""Where the header of a table is: below titles, above data, or nowhere.

Invariant: a row that holds a value, a mistyped one or a secret is never taken for a header, so no
such cell becomes the name of a column.
"""

from collections.abc import Sequence
from typing import Final

from accord.desk.intake.columns import name_score
from accord.desk.intake.delimited import Fields
from accord.desk.intake.words import NAMES, fold
from accord.kernel.errors import Malformed
from accord.kernel.indicators import Kind, normalise_batch

_EXACT_NAMES = frozenset(name for names in NAMES.values() for name in names)


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
        if len(cells) >= max(1, widest // 2) and any(name_score(cell) for cell in cells):
            return index
        if len(cells) >= widest - 1 and fallback is None:
            fallback = index
    return fallback


def _is_data(cells: Sequence[str]) -> bool:
    """Say whether a row holds values; a name with a full stop in it may read as a domain."""
    exact = sum(fold(cell) in _EXACT_NAMES for cell in cells)
    domains = 0
    for cell, answer in zip(cells, normalise_batch(cells), strict=True):
        if fold(cell) in _EXACT_NAMES:
            continue
        if isinstance(answer, Malformed):
            if answer.code in _MEANT_AS_VALUE:
                return True
        elif answer.kind is not Kind.DOMAIN:
            return True
        elif not exact or not name_score(cell):
            domains += 1
    return domains > exact


_MEANT_AS_VALUE: Final = frozenset(
    {"private_key", "seed_phrase", "checksum_wrong", "wrong_length", "mixed_case", "shortened"}
    | {"testnet", "retired_onion_v2", "ip_address", "spreadsheet_damage"}
    | {"network_needed", "network_unsupported", "public_suffix"}
)
"""Refusals of what was meant for a value: a row with one is no header, a secret least of all."""
