"""``accord digest``: what happened, in counts alone; a text that may go by mail."""

import dataclasses

import click

from accord.desk.cli.opened import opened_desk
from accord.desk.exchange.digest import digest
from accord.desk.exchange.digest_text import USUAL, digest_text, since_of
from accord.terminal import Terminal, common_options


@click.command(name="digest")
@click.option(
    "--since", default=USUAL, show_default=True, help="24h, 7d, 2026-12-01 or 2026-12-01T12:00."
)
@common_options
def show_digest(terminal: Terminal, *, since: str) -> None:
    """Count what came, was opened, waits and is late. No value, title or name is in it."""
    with opened_desk(terminal) as desk:
        now = desk.clock()
        found = digest(desk.vault, desk.org, since=since_of(since, now=now), now=now)
    terminal.result(dataclasses.asdict(found), digest_text(found))
