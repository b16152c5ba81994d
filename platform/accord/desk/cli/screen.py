"""``accord screen``: match a file of own rows against what was shared with us, on this computer."""

import os
from pathlib import Path
from typing import Any

import click

from accord.desk.cli.addressing import told_network
from accord.desk.cli.opened import opened_desk, person_here
from accord.desk.screening import Screened, ScreenOptions
from accord.desk.screening import screen as screen_file
from accord.desk.screening.lists import ListUsed
from accord.desk.screening.service import Matched
from accord.kernel.errors import Unavailable
from accord.terminal import Partly, Terminal, common_options

MAX_JOBS = 16
_TOLD = 20


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--reason", required=True, help="Why, for example the monthly check; it is kept.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Report to make, as CSV.")
@click.option("--column", "columns", multiple=True, help="A column of values; may be repeated.")
@click.option("--network", help="The network of the values, where no column says it.")
@click.option("--lists-only", is_flag=True, help="Only bundles that were sent as lists.")
@click.option("--tlp", type=click.Choice(["red"]), help="'red': use what is TLP:RED, too.")
@click.option("--encoding", help="Encoding of the file, when the guess is wrong.")
@click.option("--delimiter", help="Delimiter of the file, when the guess is wrong.")
@click.option("--sheet", help="Sheet of a workbook.")
@click.option(
    "--jobs",
    type=click.IntRange(0, MAX_JOBS),
    help="Processes that share a large file. Default: one a core; 0: this process alone.",
)
@common_options
def screen(  # noqa: PLR0913 - one parameter for each option
    terminal: Terminal,
    *,
    file: Path,
    reason: str,
    output: Path | None,
    columns: tuple[str, ...],
    network: str | None,
    lists_only: bool,
    tlp: str | None,
    encoding: str | None,
    delimiter: str | None,
    sheet: str | None,
    jobs: int | None,
) -> None:
    """Match the rows of FILE (CSV, TSV, XLSX, XLS, Parquet). Nothing leaves this computer."""
    options = ScreenOptions(
        report=output,
        columns=columns,
        network=told_network(network),
        encoding=encoding,
        delimiter=delimiter,
        sheet=sheet,
        red=tlp is not None,
        only_lists=lists_only,
        jobs=min(os.cpu_count() or 1, MAX_JOBS) if jobs is None else jobs,
    )
    with opened_desk(terminal) as desk, terminal.progress("rows") as counter:
        try:
            done = screen_file(
                desk.vault,
                file,
                options,
                person=person_here(),
                reason=reason,
                now=desk.clock(),
                on_rows=counter.advance,
            )
        except KeyboardInterrupt as error:
            raise Unavailable(
                "screening_stopped",
                "The screening was stopped; no report was written.",
                next_step="Run it again.",
            ) from error
    terminal.result(_data(done), _text(done))
    if done.refused:
        raise Partly


def _data(done: Screened) -> dict[str, Any]:
    return {
        "no": done.no,
        "file": str(done.path),
        "sha256": done.sha256.hex(),
        "format": done.format,
        "columns": list(done.columns),
        "rows": done.rows,
        "cells": done.cells,
        "matched": done.matched,
        "refused": done.refused,
        "codes": dict(sorted(done.codes.items())),
        "lists": [_list_data(one) for one in done.lists],
        "list_records": done.listed.records,
        "list_sha256": done.listed.sha256.hex(),
        "withheld": dict(sorted(done.listed.withheld.items())),
        "matches": [_match_data(one) for one in done.matches],
        "report": None if done.report is None else str(done.report),
        "report_sha256": None if done.report_sha256 is None else done.report_sha256.hex(),
    }


def _list_data(one: ListUsed) -> dict[str, Any]:
    bundle = one.bundle
    return {
        "org": bundle.org,
        "bundle": bundle.id,
        "kind": bundle.kind,
        "title": bundle.title,
        "tlp": bundle.tlp,
        "records": one.records,
        "sha256": one.sha256.hex(),
    }


def _match_data(one: Matched) -> dict[str, Any]:
    record, bundle = one.record, one.found.bundle
    return {
        "row": one.row,
        "column": one.column,
        "match": one.match.value,
        "kind": record.kind.value,
        "network": None if record.network is None else record.network.value,
        "value": record.value,
        "org": bundle.org,
        "bundle": bundle.id,
        "record": one.found.record,
        "tlp": bundle.tlp,
        "confidence": record.confidence,
        "basis": record.basis.value,
        "states": list(one.states),
        "records": one.records,
    }


def _text(done: Screened) -> str:
    first = (
        f"{done.rows} rows, {done.cells} values in {', '.join(done.columns)}: "
        f"{done.matched} rows match, {done.refused} rows could not be judged in full."
    )
    lines = [first]
    lines += [f"    row {one.row}  {_line(one)}" for one in done.matches[:_TOLD]]
    lines += [f"refused  {code}: {count}" for code, count in sorted(done.codes.items())]
    lines += [
        f"list  {one.bundle.org}  {one.bundle.id}  {one.records} records  {one.sha256.hex()}"
        for one in done.lists[:_TOLD]
    ]
    if len(done.lists) > _TOLD:
        lines.append(f"and {len(done.lists) - _TOLD} more lists: --json names them")
    lines.append(
        f"Compared with {done.listed.records} records of {len(done.lists)} lists, "
        f"SHA-256 {done.listed.sha256.hex()}. Screening {done.no} of the journal."
    )
    lines += [f"left out  {code}: {n} records" for code, n in sorted(done.listed.withheld.items())]
    if done.report is not None and done.report_sha256 is not None:
        lines.append(f"Report {done.report}, SHA-256 {done.report_sha256.hex()}")
    elif done.matched or done.refused:
        lines.append("For every match and every reason: -o report.csv")
    return "\n".join(lines)


def _line(one: Matched) -> str:
    return (
        f"{one.match}  {one.record.value}  {one.found.bundle.org}  {one.found.bundle.id} "
        f"record {one.found.record}  {', '.join(one.states)}"
    )
