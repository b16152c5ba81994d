"""Own rows from a file, in blocks: every cell of every column that holds values.

A file of payments may name a sender, a receiver and a transaction in one row: each is a cell of its
own. CSV, TSV, XLSX and XLS are read as for sending (``intake``), Parquet where its library is.
"""

import importlib
import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from accord.desk.intake.columns import Field, guess
from accord.desk.intake.delimited import Fields
from accord.desk.intake.headers import find_header
from accord.desk.intake.limits import BLOCK_ROWS
from accord.desk.intake.rows import row_fault
from accord.desk.intake.tables import Table, open_table
from accord.desk.intake.words import KINDS, fold
from accord.desk.screening.matching import judge_cells
from accord.kernel.errors import Malformed, Unavailable
from accord.kernel.indicators import Kind, Normalised, network_of_label

PARQUET_MAGIC = b"PAR1"
_SHARE = 0.25
_SAMPLE = 120
_MAX_LABELS = 10_000
_TRANSACTION = Kind.TRANSACTION.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Cells to judge, in the order of the file.

    Attributes:
        rows: how many rows the block stands for.
        places: (row number, column index) of each cell; rows are counted from 1.
        networks, kinds: what is told of each cell; empty when nothing is of any.
        unreadable: rows that could not be read, or have more cells than the header.
    """

    rows: int
    places: list[tuple[int, int]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    networks: list[str | None] = field(default_factory=list)
    kinds: list[str | None] = field(default_factory=list)
    unreadable: list[tuple[int, str]] = field(default_factory=list)


class OwnRows:
    """A file of own rows. ``columns`` are all names; ``chosen`` those that hold values."""

    def __init__(
        self,
        path: Path,
        *,
        columns: Sequence[str] = (),
        network: str | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
        sheet: str | None = None,
    ) -> None:
        """Open the file and tell which columns hold values.

        Raises:
            NotFound: ``file_missing``.
            Malformed: ``column_unknown``, ``value_column_unclear``, or what is no table.
            Unavailable: ``parquet_missing``.
        """
        table = _open(path, encoding=encoding, delimiter=delimiter, sheet=sheet)
        self.format = table.source.format
        self.columns = table.columns
        self._rows = table.rows
        meaning = guess(table.columns, table.sample)
        self._chosen = _named(table, columns) if columns else _guessed(table, meaning)
        self._networks = _indices(table, meaning, Field.NETWORK)
        self._kinds = _indices(table, meaning, Field.KIND)[:1]
        self._default = network
        self._transactions = frozenset(_indices(table, meaning, Field.TX))
        self._labels: dict[str, str | None] = {}

    @property
    def chosen(self) -> tuple[str, ...]:
        """The columns whose cells are judged."""
        return tuple(self.columns[index] for index in self._chosen)

    def blocks(self) -> Iterator[Block]:
        """Yield the rows, block by block; once."""
        number = 1
        while rows := list(islice(self._rows, BLOCK_ROWS)):
            yield self._block(number, rows)
            number += len(rows)

    def _block(self, first: int, rows: Sequence[Fields | None]) -> Block:
        block = Block(rows=len(rows))
        told = bool(self._networks or self._kinds or self._transactions or self._default)
        width = len(self.columns)
        for number, row in enumerate(rows, start=first):
            if row is None:
                block.unreadable.append((number, "row_unreadable"))
                continue
            if len(row) > width and any(cell.strip() for cell in row[width:]):
                block.unreadable.append((number, "columns_extra"))
            if len(row) < width and (fault := row_fault(row)):
                block.unreadable.append((number, fault))
                continue
            before = len(block.texts)
            for index in self._chosen:
                cell = row[index] if index < len(row) else ""
                if cell and not cell.isspace():
                    block.places.append((number, index))
                    block.texts.append(cell)
            if told:
                count = len(block.texts) - before
                block.networks.extend([self._network(row)] * count)
                block.kinds.extend(self._kinds_of(row, block.places[before:]))
        return block

    def _network(self, row: Fields) -> str | None:
        for index in self._networks:
            if index < len(row):
                label = row[index]
                known = self._labels.get(label, "")
                if known == "":
                    network = network_of_label(label)
                    known = None if network is None else network.value
                    if len(self._labels) < _MAX_LABELS:
                        self._labels[label] = known
                if known is not None:
                    return known
        return self._default

    def _kinds_of(self, row: Fields, places: Sequence[tuple[int, int]]) -> list[str | None]:
        """Tell the kernel of transactions only: other kinds show by themselves, and people err."""
        whole = any(
            KINDS.get(fold(row[index])) is Kind.TRANSACTION
            for index in self._kinds
            if index < len(row) and row[index]
        )
        return [
            _TRANSACTION if whole or index in self._transactions else None for _, index in places
        ]


def _open(path: Path, *, encoding: str | None, delimiter: str | None, sheet: str | None) -> Table:
    if path.is_file():
        with path.open("rb") as stream:
            parquet = stream.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC
        if parquet:
            return _open_parquet(path)
    return open_table(path, find_header, encoding=encoding, delimiter=delimiter, sheet=sheet)


def _open_parquet(path: Path) -> Table:
    if importlib.util.find_spec("pyarrow") is None:
        raise Unavailable(
            "parquet_missing",
            "Parquet files need a library that is not installed.",
            observed=path.name,
            next_step="Install accord[parquet], or save the file as CSV.",
        )
    # Loaded only for such a file: the library is large, and an extra.
    table: Table = importlib.import_module("accord.desk.screening.parquet").open_parquet(path)
    return table


def _indices(table: Table, meaning: Mapping[str, Field], wanted: Field) -> list[int]:
    return [index for index, name in enumerate(table.columns) if meaning[name] is wanted]


def _named(table: Table, columns: Sequence[str]) -> list[int]:
    unknown = [name for name in columns if name not in table.columns]
    if unknown:
        raise Malformed(
            "column_unknown",
            "The file has no such column.",
            observed=unknown[0][:80],
            next_step=f"It has: {', '.join(table.columns)[:300]}.",
        )
    return sorted({table.columns.index(name) for name in columns})


def _guessed(table: Table, meaning: Mapping[str, Field]) -> list[int]:
    """Return the columns whose name says it, and those where a quarter of the cells are values."""
    chosen = [
        index
        for index, name in enumerate(table.columns)
        if meaning[name] in {Field.VALUE, Field.TX}
        or (meaning[name] is Field.IGNORE and _holds_values(table, index))
    ]
    if not chosen:
        raise Malformed(
            "value_column_unclear",
            "No column holds wallets, domains or links that can be read.",
            observed=", ".join(table.columns)[:300],
            next_step="Say which: --column NAME.",
        )
    return chosen


def _holds_values(table: Table, index: int) -> bool:
    cells = [row[index] for row in table.sample if index < len(row) and row[index].strip()]
    cells = cells[:_SAMPLE]
    outcomes = judge_cells(cells, (), ())
    found = sum(isinstance(one, Normalised) for one in outcomes)
    return bool(cells) and found / len(cells) >= _SHARE
