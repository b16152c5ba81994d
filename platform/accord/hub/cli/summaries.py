"""``accord hub summary``: who has sent the tally of a month; its release and its one correction."""

import click

from accord.clock import system_clock
from accord.hub.cli.opened import opened_hub
from accord.hub.summaries import Mark, Release, Table, months_of
from accord.terminal import Terminal, common_options


@click.group()
def summary() -> None:
    """Tallies and the tables made of them."""


@summary.command()
@click.argument("period")
@common_options
def status(terminal: Terminal, period: str) -> None:
    """Say of PERIOD (YYYY-MM or YYYY-Qn) who has sent a tally, who has not, and who acts next."""
    months_of(period)
    with opened_hub(terminal) as services:
        found = services.releases.state(period)
    lines = [
        f"{period}: {len(found.sent)} sent, {len(found.missing)} missing"
        + ("" if not found.missing else ": " + ", ".join(found.missing)),
        f"released: {f'version {found.version}' if found.version else 'no'}"
        + (", final" if found.final else ""),
    ]
    if found.late:
        lines.append("came or corrected after the release: " + ", ".join(found.late))
    terminal.result(
        {
            "month": period,
            "sent": found.sent,
            "missing": found.missing,
            "late": found.late,
            "version": found.version,
            "final": found.final,
            "next_step": found.next_step,
        },
        "\n".join([*lines, found.next_step]),
    )


@summary.command()
@click.argument("period")
@common_options
def release(terminal: Terminal, period: str) -> None:
    """Release the tables of PERIOD, for good: a month to members, a quarter (YYYY-Qn) to anyone.

    With --dry-run it shows what would be shown and what not; nothing is stored.
    """
    months_of(period)
    with opened_hub(terminal, signs=True) as services:
        releases = services.releases
        made = (releases.preview if terminal.dry_run else releases.release)(
            period, now=system_clock()
        )
    _tell(terminal, made)


@summary.command()
@click.argument("month")
@common_options
def amend(terminal: Terminal, month: str) -> None:
    """Correct the released MONTH (YYYY-MM) once, from late and corrected tallies.

    A figure is corrected only where the change by itself could be shown; --dry-run shows which.
    """
    months_of(month)
    with opened_hub(terminal, signs=True) as services:
        made = (
            services.releases.preview(month, now=system_clock(), amended=True)
            if terminal.dry_run
            else services.releases.amend(month, now=system_clock())
        )
    _tell(terminal, made)


def _tell(terminal: Terminal, made: Release) -> None:
    done = not terminal.dry_run
    tables = {
        table.value: {
            mark.value: sum(figure.mark is mark for _, figure in made.rows(table)) for mark in Mark
        }
        for table in Table
        if made.rows(table)
    }
    lines = [
        f"{made.period} (for {made.audience}, version {made.version}): "
        + ("released" if done else "nothing was released (--dry-run)")
        + f"; {made.shown} counts shown, {made.hidden} not shown"
        + (f", {made.corrected} corrected" if made.version > 1 else "")
    ]
    for name, marks in tables.items():
        lines.append(
            f"  {name}: {marks['shown']} shown, {marks['small']} written {made.small_text}, "
            f"{marks['hidden']} hidden"
        )
    if not done:
        lines += [
            f"    {place.table} {place.row}: {made.text(figure)}"
            for place, figure in made.figures.items()
            if figure.mark is not Mark.SMALL
        ]
    terminal.result(
        {
            "month": made.period,
            "audience": made.audience.value,
            "version": made.version,
            "released": done,
            "organisations": made.organisations,
            "shown": made.shown,
            "hidden": made.hidden,
            "corrected": made.corrected,
            "tables": tables,
        },
        "\n".join(lines),
    )
