"""``accord hub serve``: the hub under waitress, until it is told to stop."""

import gc
import signal
import threading
from types import FrameType

import click
from waitress.server import BaseWSGIServer, create_server

from accord.hub.app import make_hub
from accord.hub.cli.opened import opened_hub
from accord.hub.config import HubConfig
from accord.hub.web.signed import MAX_SIGNED_BODY, admits_large
from accord.kernel.errors import Unavailable
from accord.terminal import Terminal, common_options
from accord.webbase.large_bodies import guard_bodies

CONNECTIONS = 4000
"""Connections that may be open at once; slow ones wait in the server's loop, not in a thread."""

COLLECTOR = (50_000, 20, 50)
"""Objects and collections between runs of the garbage collector's generations."""

CHANNEL_SECONDS = 120
"""How long an idle or dripping connection is kept."""


@click.command()
@common_options
def serve(terminal: Terminal) -> None:
    """Serve until stopped (SIGTERM or Ctrl-C). Prints one line when it is ready."""
    with opened_hub(terminal) as services:
        services.jobs.first_round()
        config = services.config
        server = _listen(config)
        port = server.effective_port
        # The same key in every process and after a restart: sessions are rows of the database.
        cookie_key = services.people.keys.cookie_key
        server.application = make_hub(services, secret_key=cookie_key, port=int(port))
        authorities = config.known_authorities(int(port))
        guard_bodies(server, admits_large(services.directory, services.clock, authorities))
        stop = threading.Event()

        def end(_signal: int, _frame: FrameType | None) -> None:
            stop.set()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        services.jobs.start()
        # What is loaded now stays: the collector need not walk over it again and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECTOR)
        loop = threading.Thread(target=server.run, name="hub-http", daemon=True)
        loop.start()
        url = f"http://{config.host}:{port}"
        terminal.line(
            {"ready": True, "url": url, "origin": config.origin, "logs": f"{url}/log"},
            f"The hub {config.origin} serves at {url}. Stop it with Ctrl-C.",
        )
        stop.wait()
        server.close()
        terminal.say("Stopped.")


def _listen(config: HubConfig) -> BaseWSGIServer:
    try:
        return create_server(
            _NotReady(),
            host=config.host,
            port=config.port,
            threads=config.threads,
            connection_limit=CONNECTIONS,
            channel_timeout=CHANNEL_SECONDS,
            max_request_body_size=MAX_SIGNED_BODY,
            ident=None,
            clear_untrusted_proxy_headers=True,
            asyncore_use_poll=True,
        )
    except OSError as error:
        raise Unavailable(
            "port_taken",
            "The port cannot be used.",
            observed=f"{config.host}:{config.port}: {error.strerror}",
        ) from error


class _NotReady:
    """Takes the place of the application until the port is known."""

    def __call__(self, _environ: object, start_response: object) -> list[bytes]:
        """Answer that the hub is not ready."""
        if callable(start_response):
            start_response("503 Service Unavailable", [("Content-Length", "0")])
        return [b""]
