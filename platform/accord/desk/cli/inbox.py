"""``accord inbox``: what was received (or sent), the latest first; alerts; what failed to open."""

import click

from accord.clock import moment
from accord.desk.cli.feedback import progress_data, progress_line
from accord.desk.cli.opened import opened_desk
from accord.desk.cli.shown import (
    bundle_data,
    bundle_line,
    hint_data,
    missing_data,
    refused_data,
)
from accord.desk.cli.watch import alert_data, alert_line
from accord.desk.exchange.standing import requests_now
from accord.desk.exchange.timeline import progress_of
from accord.desk.indicators.search import told_states
from accord.desk.indicators.watching import alerts
from accord.desk.storage import Way
from accord.desk.storage.bundles import list_bundles, marks_of
from accord.desk.storage.deliveries import refused_deliveries
from accord.desk.storage.hints import Missing, missing, notices
from accord.kernel.identifiers import OrgId
from accord.terminal import Terminal, common_options

MAX_ITEMS = 1000


@click.command()
@click.option("--sent", is_flag=True, help="What this desk has sent, instead.")
@click.option("--limit", type=click.IntRange(1, MAX_ITEMS), default=50, show_default=True)
@common_options
def inbox(terminal: Terminal, *, sent: bool, limit: int) -> None:
    """List what was received."""
    with opened_desk(terminal) as desk:
        now = desk.clock()
        way = Way.SENT if sent else Way.RECEIVED
        found = list_bundles(desk.vault, way=way, limit=limit)
        items = [
            bundle_data(
                bundle,
                marks_of(desk.vault, bundle.org, bundle.id),
                now=now,
                told=told_states(desk.vault, bundle),
            )
            for bundle in found
        ]
        progress = progress_of(desk.vault, found, now=now) if sent else {}
        refused = [] if sent else refused_deliveries(desk.vault, limit=limit)
        absent = [] if sent else missing(desk.vault)
        told = [] if sent else notices(desk.vault, limit=limit)
        watched = (
            []
            if sent
            else alerts(
                desk.vault,
                now=now,
                limit=limit,
                unseen=True,
                signature_state=desk.signature_state,
            )
        )
        waiting = requests_now(
            desk.vault, desk.config.org or OrgId(""), now=now, way=way, unclosed=True
        )
    lines = []
    for item in items:
        lines.append(bundle_line(item))
        if item["id"] in progress:
            lines.append(f"    {progress_line(progress[item['id']])}")
            item["progress"] = progress_data(progress[item["id"]])
    lines += [f"refused  {row.seq}  {row.org or '?'}  {row.code}" for row in refused]
    lines += [_absent(one) for one in absent]
    lines += [f"told     {moment(one.at)}  {one.event}  {one.subject or ''}" for one in told]
    lines[:0] = [f"watch {one.hit.watch}  {alert_line(one)}" for one in watched]
    overdue, due = sum(one.overdue for one in waiting), sum(one.due for one in waiting)
    if overdue or due:
        lines.insert(0, f"Requests: {overdue} overdue, {due} due within a day. accord requests")
    terminal.result(
        {
            "items": items,
            "refused": [refused_data(row) for row in refused],
            "missing": [missing_data(one) for one in absent],
            "notices": [hint_data(one) for one in told],
            "alerts": [alert_data(one) for one in watched],
            "requests": {"open": len(waiting), "due": due, "overdue": overdue},
        },
        "\n".join(lines) or "Nothing here yet. accord pull fetches what is addressed to you.",
    )


def _absent(one: Missing) -> str:
    why = "it ended before it was fetched" if one.ended else "ask the hub's operator"
    return f"missing  {moment(one.at)}  {one.org}  {one.id}: {why}"
