"""``accord inbox``: what was received (or sent), the latest first; and what could not be opened."""

import click

from accord.desk.cli.opened import opened_desk
from accord.desk.cli.shown import bundle_data, bundle_line, refused_data
from accord.desk.storage import Way
from accord.desk.storage.bundles import list_bundles, marks_of
from accord.desk.storage.deliveries import refused_deliveries
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
        items = [
            bundle_data(bundle, marks_of(desk.vault, bundle.org, bundle.id), now=now)
            for bundle in list_bundles(desk.vault, way=way, limit=limit)
        ]
        refused = [] if sent else refused_deliveries(desk.vault, limit=limit)
    lines = [bundle_line(item) for item in items]
    lines += [f"refused  {row.seq}  {row.org or '?'}  {row.code}" for row in refused]
    terminal.result(
        {"items": items, "refused": [refused_data(row) for row in refused]},
        "\n".join(lines) or "Nothing here yet. accord pull fetches what is addressed to you.",
    )
