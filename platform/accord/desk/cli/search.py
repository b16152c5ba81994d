"""``accord search``: look values up in this desk's vault, with a stated reason. It asks nobody."""

import sys

import click

from accord.desk.cli.addressing import told_network
from accord.desk.cli.opened import opened_desk, person_here
from accord.desk.cli.shown import search_data, search_text
from accord.desk.indicators import How, Manner
from accord.desk.indicators import search as search_vault
from accord.desk.indicators.search import MAX_VALUES
from accord.terminal import Partly, Terminal, common_options

MAX_LINE = 8192
_ONE_MANNER = "Choose one: whole values (with --network, --subdomains), --prefix or --note."


@click.command()
@click.argument("values", nargs=-1, required=True, metavar="VALUE…|-")
@click.option("--reason", required=True, help="Why, for example a case number.")
@click.option("--network", help="The network of all values, for example btc.")
@click.option("--subdomains", is_flag=True, help="Also what lies below a domain or onion service.")
@click.option("--prefix", is_flag=True, help="Each VALUE is the beginning of one.")
@click.option("--note", is_flag=True, help="Each VALUE is words that a record's note holds.")
@common_options
def search(
    terminal: Terminal,
    *,
    values: tuple[str, ...],
    reason: str,
    network: str | None,
    subdomains: bool,
    prefix: bool,
    note: bool,
) -> None:
    """Look up 1 to 5,000 values; '-' reads one a line. No request leaves this computer."""
    if (subdomains or network is not None) + prefix + note > 1:
        raise click.UsageError(_ONE_MANNER)
    how = How.PREFIX if prefix else How.NOTE if note else How.VALUES
    sought = _from_stdin() if values == ("-",) else list(values)
    told = told_network(network)
    with opened_desk(terminal) as desk:
        report = search_vault(
            desk.vault,
            sought,
            person=person_here(),
            reason=reason,
            now=desk.clock(),
            network=told,
            manner=Manner(how=how, subdomains=subdomains),
            signature_state=desk.signature_state,
        )
    terminal.result(search_data(report), search_text(report))
    if any(result.error is not None for result in report.results):
        raise Partly


def _from_stdin() -> list[str]:
    lines = []
    for line in sys.stdin:
        text = line[:MAX_LINE].strip()
        if text:
            lines.append(text)
        if len(lines) > MAX_VALUES:
            break
    return lines
