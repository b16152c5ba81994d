"""``accord pull``: receive, check, store and acknowledge what is addressed to this desk."""

import threading

import click

from accord.desk.app import Desk
from accord.desk.cli.opened import opened_desk
from accord.desk.cli.shown import pull_data, pull_line, received_data
from accord.desk.exchange.pull import Received
from accord.kernel.errors import AccordError
from accord.terminal import Partly, Terminal, common_options


@click.command()
@click.option("--follow", is_flag=True, help="Go on until stopped; one line for each bundle.")
@click.option("--resync", is_flag=True, help="Read the hub's whole feed again; fetch what lacks.")
@common_options
def pull(terminal: Terminal, *, follow: bool, resync: bool) -> None:
    """Receive what is addressed to you. What cannot be opened is kept, with its reason."""
    with opened_desk(terminal) as desk:
        if follow:
            _follow(terminal, desk)
            return
        with terminal.progress("bundles") as counter:
            report = desk.rounds.once(
                on_received=lambda _received: counter.advance(), resync=resync
            )
        terminal.result(pull_data(report), pull_line(report))
        if report.refused or report.quarantined:
            raise Partly


def _follow(terminal: Terminal, desk: Desk) -> None:
    stop = threading.Event()
    try:
        desk.rounds.follow(
            stop.wait,
            on_received=lambda one: _print(terminal, one),
            on_failure=lambda error, seconds: tell_failure(terminal, error, seconds),
        )
    except KeyboardInterrupt:
        terminal.say("Stopped.")


def tell_failure(terminal: Terminal, error: AccordError, seconds: int) -> None:
    """Say what failed and when it is tried again."""
    terminal.say(f"{error} Next try in {seconds} s.")


def _print(terminal: Terminal, received: Received) -> None:
    data = received_data(received)
    words = f"{data['state']}  {data['id']}  {data['org']}  {data['records']} records"
    terminal.line(data, words if data["code"] is None else f"{words}  {data['code']}")
