"""``accord recalls``: what was taken back, who has applied it, and who has it from here."""

import click

from accord.desk.cli.feedback import recall_here_data, recall_here_lines
from accord.desk.cli.opened import opened_desk
from accord.desk.cli.shown import recall_data, recall_line
from accord.desk.exchange.recalls import recalls, recalls_here
from accord.terminal import Terminal, common_options

MAX_ITEMS = 1000


@click.command(name="recalls")
@click.option("--in", "only_in", is_flag=True, help="Only what others took back.")
@click.option("--out", "only_out", is_flag=True, help="Only what you took back.")
@click.option("--limit", type=click.IntRange(1, MAX_ITEMS), default=50, show_default=True)
@common_options
def list_recalls(terminal: Terminal, *, only_in: bool, only_out: bool, limit: int) -> None:
    """List recalls, the latest first: who has applied yours; who took what others took back."""
    both = only_in == only_out
    with opened_desk(terminal) as desk:
        now = desk.clock()
        ours = recalls(desk.vault, desk.org, now=now, limit=limit) if both or only_out else []
        theirs = recalls_here(desk.vault, desk.org, limit=limit) if both or only_in else []
    sent = [recall_data(one) for one in ours]
    lines = [recall_line(one) for one in sent]
    for one in theirs:
        lines += recall_here_lines(one)
    terminal.result(
        {"sent": sent, "received": [recall_here_data(one) for one in theirs]},
        "\n".join(lines) or "Nothing was taken back.",
    )
