"""Intake's verb: ``read_export`` opens one file and judges its rows as they are asked for.

Memory does not grow with the file, but for 12 bytes a distinct value (``seen``) and, for
spreadsheets, the sheet itself.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from accord.desk.intake.apart import AlreadySent, Block, judged_apart, worth_it
from accord.desk.intake.columns import Field, Meaning, guess
from accord.desk.intake.context import ContextReader
from accord.desk.intake.guard_lists import Pinned, load_guards
from accord.desk.intake.headers import find_header
from accord.desk.intake.limits import BLOCK_ROWS
from accord.desk.intake.lines import Defaults
from accord.desk.intake.memory import recall, remember
from accord.desk.intake.overrides import apply_overrides, fingerprint
from accord.desk.intake.results import RowResult, Totals
from accord.desk.intake.rows import Judge
from accord.desk.intake.tables import Source, Table, open_table
from accord.kernel.errors import Malformed


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class IntakeOptions:
    """What the user says about a file.

    Attributes:
        mapping: field by column name or number; overrules what is remembered or guessed.
        guards: warninglists, CSV files, or directories of them.
        pinned: lists of the desk, which must be as they were when it read them.
        keep_url: send links as links, not as their sites.
        encoding: Python's name of the encoding; ``None`` guesses.
        delimiter: one character; ``None`` guesses.
        sheet: name of a sheet; ``None`` takes the first that holds anything.
        defaults: network, confidence and basis of rows that do not say it.
        home: directory where mappings are remembered; ``None`` remembers nothing.
        already_sent: says which values were sent before.
        released: numbers of rows that a person lets go although a guard holds them.
        now: unix seconds; times more than a day after it are left out. ``None`` checks nothing.
        apart: judge a large file in a process of its own; only where no other thread runs.
    """

    mapping: Mapping[str, str] = dataclasses.field(default_factory=dict)
    guards: tuple[Path, ...] = ()
    pinned: tuple[Pinned, ...] = ()
    keep_url: bool = False
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    defaults: Defaults = dataclasses.field(default_factory=Defaults)
    home: Path | None = None
    already_sent: AlreadySent | None = None
    released: frozenset[int] = frozenset()
    now: int | None = None
    apart: bool = False


class Intake:
    """One file being read. Iterate it once: it gives lists of ``RowResult`` in file order.

    Attributes:
        source: how the file was read.
        columns: the names of its columns, each once.
        mapping: field by column, ``ignore`` for columns that stay here.
        mapping_origin: ``given``, ``remembered`` or ``guessed``.
        guards: the guard lists in force.
        date_orders: for each column of dates its order, and whether the column shows that order.
        totals: counts over the rows read so far; complete after the iteration.
    """

    def __init__(self, table: Table, options: IntakeOptions, *, apart: bool = False) -> None:
        """Tell what the columns mean and load the guards; ``apart`` judges in another process."""
        self._apart = apart
        self._already_sent = options.already_sent
        self.source: Source = table.source
        self.columns = table.columns
        self.totals = Totals()
        guessed = guess(table.columns, table.sample)
        key = fingerprint(table.columns)
        meaning, orders = apply_overrides(guessed, options.mapping)
        self.mapping_origin = "given" if options.mapping else "guessed"
        remembered = None if options.mapping else _recalled(guessed, options.home, key)
        if remembered is not None:
            (meaning, orders), self.mapping_origin = remembered, "remembered"
        if Field.VALUE not in meaning.values():
            raise Malformed(
                "value_column_unclear",
                "No column holds wallets, domains or links that can be read.",
                observed=", ".join(table.columns)[:300],
                next_step="Say which one: --map COLUMN=value.",
            )
        if options.mapping:
            remember(options.home, key, options.mapping)
        self.mapping = {column: field.value for column, field in meaning.items()}
        guards = load_guards(options.guards, options.pinned)
        self.guards = tuple(guards.lists)
        context = ContextReader(table.columns, meaning, table.sample, orders, options.now)
        self.date_orders = context.date_orders
        self.totals.left_out = context.left_out
        self._rows = table.rows
        self._judge = Judge(
            columns=table.columns,
            meaning=meaning,
            context=context,
            guards=guards,
            defaults=options.defaults,
            keep_url=options.keep_url,
            already_sent=options.already_sent,
            totals=self.totals,
            released=options.released,
        )

    def __iter__(self) -> Iterator[list[RowResult]]:
        """Yield the results block by block."""
        for results, _ in self.with_cells(cells=False):
            yield results

    def with_cells(self, *, cells: bool = True) -> Iterator[Block]:
        """Yield the results of each block, and beside them the cells as they stand in the file.

        Without ``cells`` those need not be given.
        """
        if self._apart:
            asked = self._already_sent or _nothing_sent
            yield from judged_apart(self._judged_asking, self.totals, asked, cells=cells)
        else:
            yield from self._judged()

    def _judged_asking(self, already_sent: AlreadySent) -> Iterator[Block]:
        if self._already_sent is not None:
            self._judge.ask(already_sent)
        return self._judged()

    def _judged(self) -> Iterator[Block]:
        number = 1
        while block := list(islice(self._rows, BLOCK_ROWS)):
            yield self._judge.judge(number, block), block
            number += len(block)


def _recalled(
    guessed: Meaning, home: Path | None, key: str
) -> tuple[Meaning, dict[Field, str]] | None:
    """Return the mapping that is remembered for these columns, or ``None``."""
    overrides = recall(home, key)
    try:
        return apply_overrides(guessed, overrides) if overrides else None
    except Malformed:
        # The file of memories is damaged: it is as good as none.
        return None


def read_export(path: Path, options: IntakeOptions | None = None) -> Intake:
    """Open an export and tell what its columns mean; rows are read when the result is iterated.

    Raises:
        NotFound: ``file_missing``, ``guards_missing``, ``guard_list_missing``.
        Conflict: ``guard_list_changed``.
        Malformed: what is no table, too large or unclear (docs/formats/exports-in.md).
    """
    chosen = options or IntakeOptions()
    table = open_table(
        path,
        find_header,
        encoding=chosen.encoding,
        delimiter=chosen.delimiter,
        sheet=chosen.sheet,
    )
    return Intake(table, chosen, apart=chosen.apart and worth_it(path.stat().st_size))


def _nothing_sent(keys: Sequence[bytes]) -> list[str | None]:
    return [None] * len(keys)
