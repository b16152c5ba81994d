"""``accord digest``: what happened, in counts alone; a text that may go by mail."""

import dataclasses
import datetime as dt
import re

import click

from accord.desk.cli.opened import opened_desk
from accord.desk.cli.shown import LAST_MOMENT, moment
from accord.desk.exchange.digest import Digest, digest
from accord.kernel.errors import Malformed
from accord.terminal import Terminal, common_options

_AGO = re.compile(r"([1-9][0-9]{0,3})([hd])")


@click.command(name="digest")
@click.option(
    "--since", default="24h", show_default=True, help="24h, 7d, 2026-12-01 or 2026-12-01T12:00."
)
@common_options
def show_digest(terminal: Terminal, *, since: str) -> None:
    """Count what came, was opened, waits and is late. No value, title or name is in it."""
    with opened_desk(terminal) as desk:
        now = desk.clock()
        found = digest(desk.vault, desk.org, since=since_of(since, now=now), now=now)
    terminal.result(dataclasses.asdict(found), digest_text(found))


def since_of(text: str, *, now: int) -> int:
    """Return ``24h``, ``7d``, ``2026-12-01`` or ``2026-12-01T12:00`` (UTC) as unix seconds.

    Raises:
        Malformed: ``since_unreadable``, also for what lies ahead.
    """
    ago = _AGO.fullmatch(text)
    try:
        at = now - int(ago[1]) * (3600 if ago[2] == "h" else 86_400) if ago else _date(text)
    except (ValueError, OverflowError):
        at = LAST_MOMENT
    if not 0 <= at <= now:
        raise Malformed(
            "since_unreadable",
            "A time that has passed is 24h, 7d, 2026-12-01 or 2026-12-01T12:00 (UTC).",
            observed=text[:40],
        )
    return at


def _date(text: str) -> int:
    found = dt.datetime.fromisoformat(text)
    return int((found if found.tzinfo else found.replace(tzinfo=dt.UTC)).timestamp())


def digest_text(found: Digest) -> str:
    """Return the digest as the text of a mail."""
    lines = (
        f"Accord desk, {moment(found.since)} to {moment(found.until)}",
        "",
        f"Arrived: {found.arrived} bundles, {found.records} records",
        f"Could not be opened here: {found.unopened}",
        f"Sent: {found.sent} bundles",
        f"Opened by recipients: {found.opened}; could not be opened: {found.refused}",
        f"Came back: {found.sightings} bundles of sightings, {found.answers} answers",
        f"Requests that came: {found.requests}",
        f"Requests that wait for you: {found.waiting}; {found.due} due, {found.overdue} overdue",
        f"Requests of yours that are overdue: {found.late}",
        f"Recalls that came: {found.recalls}; {found.calls} of what was exported here",
        f"Recalls of yours under way: {found.unconfirmed}; {found.recalls_late} overdue",
        f"Watches: {found.hits} hits; {found.unseen} that nobody has looked at",
        "",
        "Counts alone. The rest is at the desk: accord inbox, accord requests, accord recalls.",
    )
    return "\n".join(lines)
