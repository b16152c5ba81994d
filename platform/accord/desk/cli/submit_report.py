"""What a dry run prints: one JSON document, or a short report for a person."""

import contextlib
import dataclasses
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import msgspec

from accord.desk.intake.mending import RefusedRows
from accord.desk.intake.results import Result, RowResult, Totals
from accord.desk.intake.service import Intake
from accord.kernel.errors import Refused
from accord.terminal import Failed, Partly, error_body

MAX_LISTED = 10_000
"""Rows up to which the JSON document lists every row."""

_SHOWN = 10
_ENCODER = msgspec.json.Encoder()
_WORDS = {
    Result.READY: "ready",
    Result.CHANGED: "ready, written differently than typed",
    Result.REFUSED: "refused",
    Result.HELD: "held for a person to look at",
    Result.DUPLICATE: "duplicates",
    Result.BLANK: "blank",
}


def nothing_left(totals: Totals, *, taken_up: bool = False) -> Refused | None:
    """Return why no row can be used and none waits for a person; ``None`` when one can or does.

    Args:
        totals: rows by result.
        taken_up: a killed submission was brought to its end; its rows are duplicates by now.
    """
    if totals.usable or totals.by_result[Result.HELD] or taken_up:
        return None
    seen = ", ".join(f"{count} {result}" for result, count in totals.by_result.items() if count)
    if totals.by_result[Result.DUPLICATE]:
        return Refused(
            "nothing_new",
            "These recipients have got every row of this file that can be sent.",
            observed=seen,
            next_step="The report names when and in which bundle each went. Mend what was "
            "refused, if any: --refused FILE writes those rows.",
        )
    return Refused(
        "nothing_usable",
        "No row of this file can be sent.",
        observed=seen or "no rows",
        next_step="Mend the rows that --refused FILE writes, or name the column with --map.",
    )


def outcome_of(totals: Totals, nothing: Refused | None) -> None:
    """Leave with the exit code that the totals call for; return when all is well.

    Raises:
        Partly: some rows are refused or held.
        Failed: with ``nothing``, which the report has told.
    """
    if nothing is not None:
        raise Failed(error=nothing)
    if totals.by_result[Result.HELD] or totals.by_result[Result.REFUSED]:
        raise Partly


def error_data(nothing: Refused | None) -> dict[str, Any]:
    """Return what the report says of ``nothing``."""
    return {} if nothing is None else {"error": error_body(nothing)}


class DryRun:
    """One reading of a file, with what is kept of it for the report."""

    def __init__(self, intake: Intake, name: str) -> None:
        """Prepare; ``run`` reads the rows."""
        self._intake = intake
        self._name = name
        self._records: list[dict[str, Any]] = []
        self._told: list[RowResult] = []
        self._records_file: str | None = None

    @property
    def records_left_out(self) -> int:
        """Rows that the JSON document does not list."""
        return self._intake.totals.rows - len(self._records)

    def run(
        self, advance: Callable[[int], None], *, records: Path | None, refused: Path | None
    ) -> None:
        """Read all rows; write the files that were asked for.

        Raises:
            Refused: ``output_unwritable``.
        """
        for results in self.blocks(records=records, refused=refused):
            advance(len(results))

    def blocks(self, *, records: Path | None, refused: Path | None) -> Iterator[list[RowResult]]:
        """Yield the results block by block; write the files that were asked for on the way.

        Raises:
            Refused: ``output_unwritable``.
        """
        intake = self._intake
        with contextlib.ExitStack() as stack:
            try:
                out = stack.enter_context(_private(records)) if records else None
                rows = None
                if refused:
                    columns, delimiter = intake.columns, intake.source.delimiter
                    rows = stack.enter_context(RefusedRows(refused, columns, delimiter))
            except OSError as error:
                raise Refused(
                    "output_unwritable",
                    "An output file cannot be written.",
                    observed=str(error.strerror),
                    next_step="Choose another place.",
                ) from error
            for results, cells in intake.with_cells(cells=rows is not None):
                self._keep(results)
                if out is not None:
                    out.write(_ENCODER.encode_lines([_listed(result) for result in results]))
                if rows is not None:
                    rows.write(results, cells)
                yield results
        self._records_file = records.name if records else None

    def _keep(self, results: list[RowResult]) -> None:
        if self._intake.totals.rows <= MAX_LISTED:
            self._records += [_listed(result) for result in results]
        else:
            self._records.clear()
        room = _SHOWN - len(self._told)
        if room > 0:
            self._told += [
                result for result in results if result.result in {Result.REFUSED, Result.HELD}
            ][:room]

    def data(self) -> dict[str, Any]:
        """Return the JSON document (schemas/cli/submit-dry-run.v1.json)."""
        intake, totals = self._intake, self._intake.totals
        return {
            "totals": {result.value: totals.by_result[result] for result in Result},
            "refused_by_code": _sorted(totals.refused_by_code),
            "held_by_code": _sorted(totals.held_by_code),
            "mapping": intake.mapping,
            "mapping_origin": intake.mapping_origin,
            "source": msgspec.to_builtins(intake.source),
            "guards": [one.name for one in intake.guards],
            "guard_lists": [dataclasses.asdict(one) for one in intake.guards],
            "left_out": _sorted(totals.left_out),
            "strictest_tlp": totals.strictest_tlp,
            "records": self._records,
            "records_left_out": self.records_left_out,
            "records_file": self._records_file,
        }

    def human(self, *, sent: bool = False) -> str:
        """Return the short report; ``sent`` when rows have left this computer."""
        intake, totals = self._intake, self._intake.totals
        lines = [f"{self._name}: {totals.rows:,} rows, read as {_source_words(intake)}"]
        lines += _column_lines(intake)
        lines.append("")
        for result in Result:
            count = totals.by_result[result]
            if count or result is Result.READY:
                lines.append(f"{count:>9,}  {_WORDS[result]}")
        for title, counts in (
            ("Refused", totals.refused_by_code),
            ("Held", totals.held_by_code),
            ("Not carried, cells that could not be read", totals.left_out),
        ):
            if counts:
                parts = ", ".join(f"{name} {count:,}" for name, count in _sorted(counts).items())
                lines.append(f"{title}: {parts}")
        lines += [f"  row {told.row}: {told.message} [{told.code}]" for told in self._told]
        lines += _guard_lines(intake)
        if totals.strictest_tlp is not None:
            lines.append(f"Strictest marking in the rows: {totals.strictest_tlp}.")
        if not sent:
            lines.append("Nothing has left this computer yet.")
        return "\n".join(lines)


def _private(path: Path) -> IO[bytes]:
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    if stat.S_ISREG(os.fstat(number).st_mode):
        os.fchmod(number, 0o600)  # also when the file was there before
    return os.fdopen(number, "wb")


def _listed(result: RowResult) -> dict[str, Any]:
    return {
        "row": result.row,
        "result": result.result,
        "kind": result.kind,
        "network": result.network,
        "value": result.value,
        "code": result.code,
        "message": result.message,
    }


def _sorted(counts: Counter[str]) -> Mapping[str, int]:
    return dict(counts.most_common())


def _source_words(intake: Intake) -> str:
    source = intake.source
    if source.sheet is not None:
        return f"{source.format.upper()}, sheet {source.sheet!r}"
    delimiter = {"\t": "tab", " ": "space"}.get(source.delimiter or "", repr(source.delimiter))
    return f"text, {source.encoding}, cells parted by {delimiter}"


def _guard_lines(intake: Intake) -> list[str]:
    if not intake.guards:
        return ["No guard lists loaded: accord desk guards add DIR, or --guards DIR for once."]
    lines = [f"{len(intake.guards)} guard lists loaded."]
    for one in intake.guards[:_SHOWN]:
        version = f", version {one.version}" if one.version else ""
        lines.append(f"  {one.name}{version}, sha256 {one.sha256[:12]}, {one.entries:,} entries")
    more = len(intake.guards) - _SHOWN
    return [*lines, f"  and {more} more; --json tells all"] if more > 0 else lines


def _column_lines(intake: Intake) -> list[str]:
    lines = []
    if not intake.source.header_row:
        lines.append("  no header found: the first row holds a value")
    for column, field in intake.mapping.items():
        if field == "ignore":
            continue
        order = intake.date_orders.get(column)
        hint = ""
        if order is not None and not order[1]:
            hint = f" (day and month not told apart; taken as {order[0]})"
        lines.append(f"  {column} -> {field}{hint}")
    ignored = [column for column, field in intake.mapping.items() if field == "ignore"]
    if ignored:
        lines.append(f"  stays here: {', '.join(ignored)}")
    lines.append(f"  ({intake.mapping_origin}; change with --map COLUMN=FIELD)")
    return lines
