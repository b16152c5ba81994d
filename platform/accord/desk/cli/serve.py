"""``accord desk serve``: the pages on loopback, and the regular work beside them."""

import hashlib
import secrets
import signal
import threading
from types import FrameType

import click
from waitress.server import BaseWSGIServer, MultiSocketServer, create_server

from accord.desk.app import Desk
from accord.desk.app.pages import make_pages
from accord.desk.cli.opened import opened_desk
from accord.desk.cli.pull import tell_failure
from accord.desk.feeds.objects import bring_up
from accord.desk.keyring.tools import Tools
from accord.kernel.errors import AccordError, Unavailable
from accord.terminal import Terminal, common_options

HOST = "127.0.0.1"
THREADS = 6
CHANNEL_SECONDS = 60
MAX_BODY = 1024 * 1024
FEED_SECONDS = 1.0
"""Pause between two looks for what tools should be told."""


@click.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=None, help="0 takes a free one.")
@common_options
def serve(terminal: Terminal, *, port: int | None) -> None:
    """Serve the desk's pages on this computer and keep in touch with the hub, until stopped."""
    with opened_desk(terminal) as desk:
        server = _listen(desk.config.port if port is None else port)
        bound = int(server.effective_port)
        # Sessions end with the process: the cookie key is never written down.
        server.application = make_pages(
            desk, secret_key=secrets.token_bytes(32), instance=_instance(desk), port=bound
        )
        stop = threading.Event()

        def end(_signal: int, _frame: FrameType | None) -> None:
            stop.set()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        _start_work(terminal, desk, stop)
        threading.Thread(
            target=lambda: _keep_feeds(terminal, desk, stop), name="desk-feeds", daemon=True
        ).start()
        threading.Thread(target=server.run, name="desk-http", daemon=True).start()
        url = f"http://localhost:{bound}"
        terminal.line(
            {"ready": True, "url": url, "org": desk.config.org},
            f"The desk serves at {url}. Stop it with Ctrl-C.",
        )
        stop.wait()
        server.close()
        terminal.say("Stopped.")


def _listen(port: int) -> BaseWSGIServer | MultiSocketServer:
    try:
        return create_server(
            _not_ready,
            host=HOST,
            port=port,
            threads=THREADS,
            channel_timeout=CHANNEL_SECONDS,
            max_request_body_size=MAX_BODY,
            ident=None,
            clear_untrusted_proxy_headers=True,
            asyncore_use_poll=True,
        )
    except OSError as error:
        raise Unavailable(
            "port_taken",
            "The port cannot be used.",
            observed=f"{port}: {error.strerror}",
        ) from error


def _start_work(terminal: Terminal, desk: Desk, stop: threading.Event) -> None:
    if desk.config.org is None:
        terminal.say("Not enrolled yet: the pages work, nothing is fetched.")
        return
    rounds = desk.rounds
    threading.Thread(
        target=lambda: rounds.follow(
            stop.wait,
            on_received=lambda _received: None,
            on_failure=lambda error, seconds: tell_failure(terminal, error, seconds),
        ),
        name="desk-rounds",
        daemon=True,
    ).start()


def _keep_feeds(terminal: Terminal, desk: Desk, stop: threading.Event) -> None:
    """Keep what tools read in step with the vault, once there is a tool."""
    tools = Tools(desk.vault)
    while not stop.wait(FEED_SECONDS):
        try:
            if tools.list():
                bring_up(desk.vault, now=desk.clock())
        except AccordError as error:
            terminal.say(f"Feeds for tools: {error.message}")


def _instance(desk: Desk) -> str:
    """Return eight digits that stay the same for this desk: cookies of two desks never mix."""
    return hashlib.sha256(b"accord/desk/instance\0" + desk.keyring.request.public).hexdigest()[:8]


def _not_ready(_environ: object, start_response: object) -> list[bytes]:
    """Stand in for the application until the port is known."""
    if callable(start_response):
        start_response("503 Service Unavailable", [("Content-Length", "0")])
    return [b""]
