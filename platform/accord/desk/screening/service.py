"""One screening, in this order.

(1) the reason, and a free name for the report; (2) the lists in force; (3) the file's columns; (4)
the run is written down; (5) the file is streamed, matches are proved by ``via`` on the record
itself; (6) which records the report holds, and the counts; (7) the report gets its name.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

from accord.desk.indicators.search import (
    EndState,
    check_reason,
    decode_record,
    end_states,
    told_states,
)
from accord.desk.screening.lists import Listed, ListUsed, lists_in_force
from accord.desk.screening.matching import Via, via
from accord.desk.screening.reading import Block, OwnRows
from accord.desk.screening.report import Report, match_line, refused_line, report_to
from accord.desk.screening.workers import Verdicts, judge_all
from accord.desk.storage import Mark, Vault
from accord.desk.storage.bundles import FoundRecord, marks_of, records_at
from accord.desk.storage.digests import file_digest
from accord.desk.storage.exports import ExportEntry, add_export
from accord.desk.storage.screenings import ScreeningEntry, begin_screening, finish_screening
from accord.kernel.errors import Refused
from accord.kernel.indicators import IndicatorRecord, Normalised
from accord.kernel.markings import Purpose

SHOWN = 100
"""Matches that the result itself holds; the report holds all."""

PER_CELL = 20
"""Records told of one cell, the latest; how many there are is told with each."""

SMALL = 4 << 20
"""Bytes of a file that is judged in this process alone."""

_CACHE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenOptions:
    """What the user says about a file.

    Attributes:
        report: where the report goes; ``None`` writes none.
        columns: names of the columns to judge; none: guessed.
        network: network of all cells that no column tells.
        red: compare with TLP:RED too.
        only_lists: compare with bundles of kind ``list`` alone.
        jobs: processes beside this one.
        name: what the file is called; ``None`` for the name under which it lies.
    """

    report: Path | None = None
    columns: tuple[str, ...] = ()
    network: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    red: bool = False
    only_lists: bool = False
    jobs: int = 0
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """One match: a cell of ours and a record of theirs."""

    row: int
    column: str
    match: Via
    found: FoundRecord
    record: IndicatorRecord
    states: tuple[str, ...]
    records: int


@dataclass(slots=True, kw_only=True)
class Screened:
    """What a screening found.

    Attributes:
        matched: rows with a match.
        refused: rows with a cell that could not be judged, or that could not be read.
        codes: why, by how many cells.
        matches: the first ``SHOWN``.
    """

    no: int
    path: Path
    sha256: bytes
    format: str
    columns: tuple[str, ...]
    listed: Listed
    rows: int = 0
    cells: int = 0
    matched: int = 0
    refused: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    matches: list[Matched] = field(default_factory=list)
    report: Path | None = None
    report_sha256: bytes | None = None

    @property
    def lists(self) -> tuple[ListUsed, ...]:
        """The lists used."""
        return self.listed.lists


def screen(
    vault: Vault,
    path: Path,
    options: ScreenOptions,
    *,
    person: str,
    reason: str,
    now: int,
    on_rows: Callable[[int], None] = lambda _count: None,
) -> Screened:
    """Match the rows of ``path`` against the lists in force; ``on_rows`` is told of progress.

    Raises:
        Malformed: ``reason_missing``, ``reason_long``, or why the file is no table.
        Refused: ``lists_none``: there is nothing to compare with.
        Conflict: ``export_exists``.
        Unavailable: ``parquet_missing``, ``screening_worker``.
    """
    check_reason(reason, "A screening")  # (1)
    with contextlib.ExitStack() as stack:
        report = None if options.report is None else stack.enter_context(report_to(options.report))
        listed = lists_in_force(
            vault, now=now, red=options.red, only_lists=options.only_lists
        )  # (2)
        if not listed.records:
            raise _nothing(listed)
        rows = OwnRows(
            path,
            columns=options.columns,
            network=options.network,
            encoding=options.encoding,
            delimiter=options.delimiter,
            sheet=options.sheet,
        )  # (3)
        entry = ScreeningEntry(
            no=0,
            at=now,
            person=person,
            reason=reason.strip(),
            name=(options.name or path.name)[:200],
            sha256=file_digest(path),
            list_sha256=listed.sha256,
            list_records=listed.records,
        )
        done = Screened(
            no=begin_screening(vault, entry),  # (4)
            path=path,
            sha256=entry.sha256,
            format=rows.format,
            columns=rows.chosen,
            listed=listed,
        )
        run = _Run(vault, rows.columns, done, report, now)
        jobs = options.jobs if path.stat().st_size > SMALL else 0
        for block, verdicts in judge_all(listed.terms, rows.blocks(), workers=jobs):
            run.take(block, verdicts)  # (5)
            on_rows(block.rows)
        if report is not None:
            done.report, done.report_sha256 = options.report, report.seal()
            _write_down(vault, done, run.taken, entry)
        finish_screening(
            vault, done.no, rows=done.rows, matched=done.matched, refused=done.refused
        )  # (6); then the report gets its name (7)
    return done


class _Run:
    """Takes verdicts block by block: proves matches, writes lines, counts."""

    def __init__(
        self,
        vault: Vault,
        columns: Sequence[str],
        done: Screened,
        report: Report | None,
        now: int,
    ) -> None:
        self._vault = vault
        self._columns = columns
        self._done = done
        self._write = (lambda _cells: None) if report is None else report.write
        self._now = now
        self._records: dict[int, tuple[FoundRecord, IndicatorRecord]] = {}
        self._fates: dict[int, tuple[Sequence[Mark], Sequence[EndState]]] = {}
        self.taken: dict[int, set[int]] = {}

    def take(self, block: Block, verdicts: Verdicts) -> None:
        done = self._done
        done.rows += block.rows
        done.cells += len(block.texts)
        refused: set[int] = set()
        for row, code in block.unreadable:
            self._refuse(row, "", code, refused)
        self._fetch({number for _, _, numbers in verdicts.near for number in numbers})
        matched: set[int] = set()
        near = {place: (named, numbers) for place, named, numbers in verdicts.near}
        codes = dict(verdicts.refused)
        for place in sorted(near.keys() | codes.keys()):  # in the order of the file
            row, column = block.places[place]
            name = self._columns[column]
            if place in codes:
                self._refuse(row, name, codes[place], refused)
            elif self._match(row, name, *near[place]):
                matched.add(row)
        done.refused += len(refused)
        done.matched += len(matched)

    def _refuse(self, row: int, column: str, code: str, refused: set[int]) -> None:
        refused.add(row)
        self._done.codes[code] += 1
        self._write(refused_line(row, column, code))

    def _match(self, row: int, column: str, named: Normalised, numbers: Sequence[int]) -> bool:
        """Prove the candidates on their records and tell the latest; say whether there is one."""
        proved = [
            (match, *self._records[number])
            for number in reversed(numbers)
            if (match := via(named, self._records[number][1])) is not None
        ]
        for match, found, record in proved[:PER_CELL]:
            states = self._states_of(found)
            self._write(
                match_line(row, column, match, found, record, states=states, records=len(proved))
            )
            self.taken.setdefault(found.bundle.no, set()).add(found.record)
            if len(self._done.matches) < SHOWN:
                self._done.matches.append(
                    Matched(
                        row=row,
                        column=column,
                        match=match,
                        found=found,
                        record=record,
                        states=states,
                        records=len(proved),
                    )
                )
        return bool(proved)

    def _fetch(self, numbers: AbstractSet[int]) -> None:
        """Read records that are not at hand, in one go."""
        lacking = [number for number in numbers if number not in self._records]
        if len(self._records) + len(lacking) > _CACHE:
            self._records.clear()
            lacking = list(numbers)
        for number, found in records_at(self._vault, lacking).items():
            self._records[number] = found, decode_record(found.line)

    def _states_of(self, found: FoundRecord) -> tuple[str, ...]:
        bundle = found.bundle
        fate = self._fates.get(bundle.no)
        if fate is None:
            marks = marks_of(self._vault, bundle.org, bundle.id)
            fate = self._fates[bundle.no] = marks, told_states(self._vault, bundle)
        states = end_states(bundle, found.record, fate[0], now=self._now, told=fate[1])
        return tuple(state.value for state in states)


def _write_down(
    vault: Vault, done: Screened, taken: Mapping[int, AbstractSet[int]], entry: ScreeningEntry
) -> None:
    """Keep which records went into the report, so that a recall can name who has them."""
    export = ExportEntry(
        no=0,
        at=entry.at,
        person=entry.person,
        form="screening",
        audience="own",
        purpose=Purpose.SCREENING.value,
        reason=entry.reason,
        records=sum(len(some) for some in taken.values()),
        sha256=done.report_sha256,
    )
    with vault.transaction() as connection:
        kept = {bundle: sorted(some) for bundle, some in taken.items()}
        add_export(connection, entry=export, taken=kept)


def _nothing(listed: Listed) -> Refused:
    left = "; ".join(f"{code} {count}" for code, count in sorted(listed.withheld.items()))
    return Refused(
        "lists_none",
        "No list that was shared with this organisation is in force: nothing was compared.",
        observed=left or "nothing received",
        next_step="accord pull fetches what is addressed to you; --tlp red takes what is TLP:RED.",
    )
