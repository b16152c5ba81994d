"""``accord desk serve``: unlock the keys, then load and serve the pages.

Argon2id takes 64 MiB for a moment. What the pages need, as much again, is loaded after that moment
and not under it, so a desk that serves never holds both.
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import cast

import click

from accord.desk.config import read_config
from accord.desk.keyring import Keyring, unlock_keyring
from accord.lazy import loaded
from accord.terminal import Terminal, common_options

ServeUntilStopped = Callable[[Terminal, Keyring, bytes, threading.Event, int], None]


@click.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=None, help="0 takes a free one.")
@common_options
def serve(terminal: Terminal, *, port: int | None) -> None:
    """Serve the desk's pages on this computer and keep in touch with the hub, until stopped."""
    config = read_config(terminal.home)
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    passphrase = terminal.passphrase("Passphrase of the desk")
    keyring = unlock_keyring(config.keys_file, passphrase)
    serve_until_stopped = cast("ServeUntilStopped", loaded("accord.desk.cli.serving", "serve"))
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    port = config.port if port is None else port
    serve_until_stopped(terminal, keyring, passphrase, stop, port)
    terminal.say("Stopped.")
