"""What a row says beside its value: times, role, confidence, note, in the record's words.

A cell that cannot be read is left out and counted by column; it never refuses its row. Cells
repeat, so what was read of them is kept for a while.
"""

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from accord.desk.intake.columns import Field, Meaning
from accord.desk.intake.delimited import Fields
from accord.desk.intake.moments import DateOrder, guess_order, read_moment
from accord.desk.intake.notes import guard_note
from accord.desk.intake.numbers import guess_decimal_mark, read_amount, read_confidence
from accord.desk.intake.words import BASES, COUNTRY_NAMES, DIRECTIONS, ROLES, fold
from accord.kernel.indicators import Direction, Moment, Move, network_of_label
from accord.kernel.markings import Tlp

_CACHE = 20_000
_FUTURE = 86_400
_TEXT = re.compile(
    r"[^\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+"
)
_MEMO = re.compile(r"[0-9]{1,20}|[0-9a-f]{16}", re.ASCII)
_TLPS: Final = {"white": Tlp.CLEAR, "amber strict": Tlp.AMBER_STRICT} | {
    fold(tlp): tlp for tlp in Tlp
}

Reader = Callable[[str], Any]


@dataclasses.dataclass(slots=True, kw_only=True)
class Context:
    """What a row carries beside its value; every part may be missing."""

    fields: dict[str, Any]
    memo: str | None = None
    tx: str | None = None
    amount: str | None = None
    direction: Direction | None = None
    token: str | None = None
    tlp: Tlp | None = None
    note_masked: bool = False

    def move(self, network: str) -> Move | None:
        """Return the movement of value that the row describes in full, or ``None``."""
        if self.tx is None or self.amount is None or self.direction is None:
            return None
        asset = self.token or network.upper()
        return Move(tx=self.tx, dir=self.direction, amount=self.amount, asset=asset)


class ContextReader:
    """Reads the context of rows of one table."""

    def __init__(
        self,
        columns: Sequence[str],
        meaning: Meaning,
        sample: Sequence[Fields],
        orders: Mapping[Field, str],
        now: int | None,
    ) -> None:
        """Prepare one reader for each column that means something; tell locale habits by sample."""
        self.left_out: Counter[str] = Counter()
        self.date_orders: dict[str, tuple[DateOrder, bool]] = {}
        self._latest = None if now is None else now + _FUTURE
        self._plan: list[tuple[int, str, str, Reader, dict[str, Any]]] = []
        for index, column in enumerate(columns):
            cells = [row[index] for row in sample if index < len(row)]
            reader = self._reader(column, meaning[column], cells, orders)
            if reader is not None:
                self._plan.append((index, column, meaning[column].value, reader, {}))

    @property
    def empty(self) -> bool:
        """No column carries context."""
        return not self._plan

    def _reader(
        self, column: str, field: Field, cells: Sequence[str], orders: Mapping[Field, str]
    ) -> Reader | None:
        if field in {Field.FIRST, Field.LAST}:
            order, shown = guess_order(cells)
            if field in orders:
                order, shown = DateOrder(orders[field]), True
            self.date_orders[column] = (order, shown)
            return lambda cell: self._moment(cell, order)
        if field is Field.AMOUNT:
            mark = guess_decimal_mark(cells)
            return lambda cell: read_amount(cell, mark)
        return _READERS.get(field)

    def _moment(self, cell: str, order: DateOrder) -> Moment | None:
        moment = read_moment(cell, order)
        if moment is not None and self._latest is not None and moment.t > self._latest:
            return None
        return moment

    def read(self, row: Fields) -> Context:
        """Return the context of ``row``."""
        fields: dict[str, Any] = {}
        context = Context(fields=fields)
        width = len(row)
        for index, column, name, reader, cache in self._plan:
            cell = row[index] if index < width else ""
            if not cell or cell.isspace():
                continue
            found = cache.get(cell, cache)
            if found is cache:
                found = reader(cell)
                if len(cache) >= _CACHE:
                    cache.clear()
                cache[cell] = found
            if found is None:
                self.left_out[column] += 1
            elif name in _PLAIN:
                fields[name] = found
            else:
                _put(context, name, found)
        if "last" in fields and "first" in fields:
            self._in_order(fields)
        return context

    def _in_order(self, fields: dict[str, Any]) -> None:
        """Leave out a last time that lies before the first."""
        if fields["first"].t > fields["last"].t:
            del fields["last"]
            self.left_out["last before first"] += 1


def _put(context: Context, name: str, found: Any) -> None:  # noqa: ANN401 - what the field's reader gave
    if name == _NOTE:
        note, masked = found
        context.note_masked = masked
        if note is not None:
            context.fields["note"] = note
    elif name == _ROLE:
        context.fields["roles"] = (found,)
    elif name == _COUNTRY:
        context.fields["countries"] = (found,)
    else:
        setattr(context, name, found)


# Fields by their plain text: the hash of an enumeration's member is Python code.
_NOTE, _ROLE, _COUNTRY = Field.NOTE.value, Field.ROLE.value, Field.COUNTRY.value
_PLAIN: Final = frozenset(
    field.value for field in (Field.FIRST, Field.LAST, Field.CONFIDENCE, Field.BASIS, Field.VASP)
)
"""Fields that stand in the record under their own name; those of ``Context`` are set there."""


def _text(limit: int) -> Reader:
    def read(cell: str) -> str | None:
        bare = " ".join(cell.split())
        return bare if len(bare) <= limit and _TEXT.fullmatch(bare) else None

    return read


def _token(cell: str) -> str | None:
    """Return a token's name; the network's own coin is said by the network already."""
    if network_of_label(cell) is not None:
        return ""
    found: str | None = _text(64)(cell)
    return found


def _memo(cell: str) -> str | None:
    bare = cell.strip()
    return bare if _MEMO.fullmatch(bare) else None


def _tlp(cell: str) -> Tlp | None:
    return _TLPS.get(fold(cell).removeprefix("tlp").strip())


_READERS: Final[dict[Field, Reader]] = {
    Field.ROLE: lambda cell: ROLES.get(fold(cell)),
    Field.CONFIDENCE: read_confidence,
    Field.BASIS: lambda cell: BASES.get(fold(cell)),
    Field.NOTE: guard_note,
    Field.MEMO: _memo,
    Field.COUNTRY: lambda cell: COUNTRY_NAMES.get(cell.strip().upper()),
    Field.VASP: _text(80),
    Field.TX: lambda cell: cell.strip(),
    Field.DIRECTION: lambda cell: DIRECTIONS.get(fold(cell)),
    Field.TOKEN: _token,
    Field.TLP: _tlp,
}
