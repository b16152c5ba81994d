"""``accord witness serve``: listen on loopback until told to stop."""

import signal
import sys
from types import FrameType
from typing import NoReturn

import click

from accord.clock import system_clock
from accord.kernel.keys import require_post_quantum
from accord.terminal import Terminal, common_options
from accord.witness.app import WitnessServer
from accord.witness.cli.identity import load_witness_keys
from accord.witness.config import WitnessConfig
from accord.witness.service import Witness
from accord.witness.storage import WitnessDatabase


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8473,
    show_default=True,
    help="Port on loopback; 0 lets the system choose.",
)
@common_options
def serve(terminal: Terminal, port: int) -> None:
    """Answer add-checkpoint requests until SIGTERM; prints one line when ready."""
    require_post_quantum()
    config = WitnessConfig(home=terminal.home)
    database = WitnessDatabase.open(config.database)
    keys = load_witness_keys(config.keys, terminal.passphrase("Passphrase of the witness's keys"))
    witness = Witness(database, keys, system_clock)
    server = WitnessServer(witness, port=port)
    signal.signal(signal.SIGTERM, _stop)
    logs = [log.origin for log in witness.book.logs()]
    terminal.line(
        {"url": server.url, "name": witness.name, "vkeys": list(witness.vkeys), "logs": logs},
        f"Witness {witness.name} at {server.url}, {len(logs)} logs.",
    )
    server.run()
    database.close()


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)
