"""``accord tally``: count what was sent in a closed month, sign it, send it."""

import click

from accord.desk.cli.opened import opened_desk
from accord.desk.exchange.tally import last_closed_month, make_tally, send_tally
from accord.kernel.statements.tally import Cell
from accord.protocol.paths import parse_month
from accord.terminal import Terminal, common_options


@click.command()
@click.option("--month", help="YYYY-MM; the last closed one by default.")
@common_options
def tally(terminal: Terminal, *, month: str | None) -> None:
    """Make and send the month's signed tally; --dry-run only shows it."""
    with opened_desk(terminal) as desk:
        now = desk.clock()
        name = parse_month(month) if month is not None else last_closed_month(now)
        made = make_tally(desk.vault, desk.org, name, now=now)
        index = None if terminal.dry_run else send_tally(desk.client, desk.keyring, made)
    cells = [_cell(cell) for cell in made.cells]
    total = sum(cell.records for cell in made.cells)
    lines = [
        f"{cell['records']:>9}  {cell['kind']}  {cell['network'] or '–'}  {cell['role']}  "
        f"{cell['country'] or '–'}"
        for cell in cells
    ]
    lines.append(
        f"{name}: {total} records in {len(cells)} cells, "
        + ("not sent." if index is None else f"sent; entry {index} of the audit log.")
    )
    terminal.result(
        {
            "org": made.org,
            "month": name,
            "records": total,
            "cells": cells,
            "sent": index is not None,
            "index": index,
        },
        "\n".join(lines),
    )


def _cell(cell: Cell) -> dict[str, str | int | None]:
    return {
        "kind": cell.kind.value,
        "network": cell.network.value if cell.network else None,
        "role": cell.role.value,
        "country": cell.country,
        "records": cell.records,
    }
