"""``accord watch``: be told when a value that you look for comes in. It asks nobody."""

from typing import Any

import click

from accord.clock import moment
from accord.desk.cli.addressing import told_network
from accord.desk.cli.correspondence import deadline_of
from accord.desk.cli.opened import opened_desk, person_here
from accord.desk.cli.shown import hit_data
from accord.desk.indicators.watching import (
    MAX_DAYS,
    USUAL_DAYS,
    Alert,
    alerts,
    end_watch,
    set_watch,
)
from accord.desk.storage.watches import (
    MAX_WATCHES,
    Watch,
    count_hits,
    mark_seen,
    watches,
)
from accord.terminal import Terminal, common_options

MAX_HITS = 1000
_REASON = "Why, for example a case number; kept in the journal."


class _ValueOrCommand(click.Group):
    """``accord watch VALUE`` adds; no value is the name of a command."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the named command; a value stands for ``add``."""
        return super().get_command(ctx, cmd_name) or self.commands["add"]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            args = ["add", *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # Options before the value belong to ``add``; the group itself has none but --help.
        if args and args[0].startswith("-") and args[0] not in ctx.help_option_names:
            args = ["add", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ValueOrCommand, subcommand_metavar="VALUE | COMMAND [ARGS]…")
def watch() -> None:
    """Be told when a value comes in. ``accord watch VALUE --reason …`` puts it on watch."""


@watch.command()
@click.argument("value")
@click.option("--reason", required=True, help=_REASON)
@click.option("--network", help="The network of the value, for example btc.")
@click.option("--subdomains", is_flag=True, help="Also what lies below a domain or onion service.")
@click.option(
    "--until",
    default=f"{USUAL_DAYS}d",
    show_default=True,
    help=f"30d, 2026-12-01; at most {MAX_DAYS} days.",
)
@common_options
def add(
    terminal: Terminal,
    *,
    value: str,
    reason: str,
    network: str | None,
    subdomains: bool,
    until: str,
) -> None:
    """Put a value on watch: later bundles that hold it raise an alert here."""
    with opened_desk(terminal) as desk:
        now = desk.clock()
        made = set_watch(
            desk.vault,
            value,
            reason=reason,
            person=person_here(),
            now=now,
            expires=deadline_of(until, now=now),
            network=told_network(network),
            subdomains=subdomains,
        )
    terminal.result(
        watch_data(made, now=now, hits=0, unseen=0),
        f"{_line(made, now)}\nWhat is here already: accord search. "
        "What comes from now on: accord inbox, accord watch list.",
    )


@watch.command("list")
@click.option("--all", "ended", is_flag=True, help="Also those that have ended.")
@click.option("--limit", type=click.IntRange(1, MAX_HITS), default=100, show_default=True)
@common_options
def list_(terminal: Terminal, *, ended: bool, limit: int) -> None:
    """List what is on watch, and the latest hits of each."""
    with opened_desk(terminal) as desk:
        now = desk.clock()
        counts = count_hits(desk.vault)
        found = [
            (
                one,
                *counts.get(one.no, (0, 0)),
                alerts(
                    desk.vault,
                    now=now,
                    limit=limit,
                    watch=one.no,
                    signature_state=desk.signature_state,
                ),
            )
            for one in watches(desk.vault, now=now, ended=ended)
        ]
    terminal.result(
        {
            "watches": [
                watch_data(one, now=now, hits=hits, unseen=unseen)
                | {"alerts": [alert_data(alert) for alert in some]}
                for one, hits, unseen, some in found
            ],
            "limit": MAX_WATCHES,
        },
        "\n".join(
            "\n".join([_line(one, now, hits, unseen), *(f"    {alert_line(a)}" for a in some)])
            for one, hits, unseen, some in found
        )
        or "Nothing is on watch. accord watch VALUE --reason …",
    )


@watch.command()
@click.argument("number", type=click.IntRange(1))
@click.option("--reason", required=True, help=_REASON)
@common_options
def remove(terminal: Terminal, *, number: int, reason: str) -> None:
    """Take a watch off; its hits stay."""
    with opened_desk(terminal) as desk:
        now = desk.clock()
        gone = end_watch(desk.vault, number, person=person_here(), reason=reason, now=now)
        hits, unseen = count_hits(desk.vault).get(number, (0, 0))
    terminal.result(watch_data(gone, now=now, hits=hits, unseen=unseen), _line(gone, now, hits))


@watch.command()
@click.argument("number", type=click.IntRange(1))
@common_options
def seen(terminal: Terminal, *, number: int) -> None:
    """Say that you have seen the hits of a watch: the inbox no longer tells them."""
    with opened_desk(terminal) as desk:
        count = mark_seen(desk.vault, number, now=desk.clock())
    terminal.result({"no": number, "seen": count}, f"{count} hits of watch {number} seen.")


def watch_data(one: Watch, *, now: int, hits: int, unseen: int) -> dict[str, Any]:
    """Return a watch as data."""
    return {
        "no": one.no,
        "kind": one.kind,
        "network": one.network,
        "value": one.value,
        "subdomains": one.subdomains,
        "reason": one.reason,
        "person": one.person,
        "at": one.at,
        "expires": one.expires,
        "removed": one.removed,
        "state": _state(one, now),
        "hits": hits,
        "unseen": unseen,
    }


def alert_data(alert: Alert) -> dict[str, Any]:
    """Return a hit of a watch; ``hit`` is null once the record's plaintext was deleted."""
    return {
        "watch": alert.hit.watch,
        "at": alert.hit.at,
        "seen": alert.hit.seen,
        "org": alert.bundle.org,
        "bundle": alert.bundle.id,
        "record": alert.hit.record,
        "match": alert.hit.found_as,
        "hit": None if alert.found is None else hit_data(alert.found),
    }


def alert_line(alert: Alert) -> str:
    """Return a hit of a watch in one line: what became of it comes first."""
    found = alert.found
    told = "deleted" if found is None else f"{', '.join(found.states)}: {found.found.value}"
    return (
        f"{moment(alert.hit.at)}  {told}  {alert.bundle.org}  {alert.bundle.id} "
        f"record {alert.hit.record}"
    )


def _state(one: Watch, now: int) -> str:
    if one.removed is not None:
        return "removed"
    return "on" if one.stands(now) else "ended"


def _line(one: Watch, now: int, hits: int = 0, unseen: int = 0) -> str:
    below = " and below" if one.subdomains else ""
    new = f" ({unseen} new)" if unseen else ""
    return (
        f"{one.no}  {_state(one, now)}  {one.value}{below}  until {moment(one.expires)}  "
        f"by {one.person}: {one.reason}  {hits} hits{new}"
    )
