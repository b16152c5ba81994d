"""``accord hub summary``: who has sent the tally of a month, and the release of its tables."""

import click

from accord.clock import system_clock
from accord.hub.cli.opened import opened_hub
from accord.kernel.directory.organisation import Status
from accord.protocol.paths import parse_month
from accord.terminal import Terminal, common_options


@click.group()
def summary() -> None:
    """Tallies and the tables made of them."""


@summary.command()
@click.argument("month")
@common_options
def status(terminal: Terminal, month: str) -> None:
    """Say who has sent the tally of MONTH (YYYY-MM) and who has not."""
    name = parse_month(month)
    with opened_hub(terminal) as services:
        sent = services.summaries.senders(name)
        members = [
            one.org
            for one in services.directory.refresh().organisations()
            if one.status is Status.ACTIVE
        ]
    missing = [org for org in members if org not in sent]
    terminal.result(
        {"month": name, "sent": sorted(sent), "missing": missing},
        f"{name}: {len(sent)} sent, {len(missing)} missing"
        + ("" if not missing else ": " + ", ".join(missing)),
    )


@summary.command()
@click.argument("month")
@common_options
def release(terminal: Terminal, month: str) -> None:
    """Release the tables of MONTH (YYYY-MM) to members; once, and for good."""
    name = parse_month(month)
    with opened_hub(terminal, signs=True) as services:
        if terminal.dry_run:
            sent = len(services.summaries.senders(name))
            terminal.result(
                {"month": name, "released": False, "organisations": sent},
                f"{name}: {sent} organisations have sent their tally; nothing was released",
            )
            return
        made = services.releases.release(name, now=system_clock())
    terminal.result(
        {
            "month": name,
            "released": True,
            "organisations": made.organisations,
            "shown": made.shown,
            "hidden": made.hidden,
        },
        f"{name}: released; {made.shown} counts shown, {made.hidden} not shown",
    )
