"""``accord hub serve``: the hub under waitress, until it is told to stop."""

import gc
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

import click
from waitress.server import BaseWSGIServer, create_server

from accord.hub.app import make_hub
from accord.hub.cli.opened import Unlocked, unlock_hub
from accord.hub.cli.processes import serve_together
from accord.hub.config import HubConfig
from accord.hub.services import Services
from accord.hub.web.signed import MAX_SIGNED_BODY, admits_large
from accord.kernel.errors import Refused, Unavailable
from accord.terminal import Terminal, common_options
from accord.webbase.large_bodies import guard_bodies

CONNECTIONS = 4000
"""Connections that may be open at once; slow ones wait in the server's loop, not in a thread."""

BACKLOG = 1024
"""Connections that may wait to be taken."""

MAX_PROCESSES = 32
"""Most processes of one ``serve``."""

COLLECTOR = (50_000, 20, 50)
"""Objects and collections between runs of the garbage collector's generations."""

CHANNEL_SECONDS = 120
"""How long an idle or dripping connection is kept."""


@click.command()
@click.option(
    "--processes",
    type=click.IntRange(1, MAX_PROCESSES),
    default=1,
    show_default=True,
    help="Processes that serve together; more than one needs a PostgreSQL database.",
)
@common_options
def serve(terminal: Terminal, *, processes: int) -> None:
    """Serve until stopped (SIGTERM or Ctrl-C). Prints one line when it is ready."""
    unlocked = unlock_hub(terminal)
    config = unlocked.config
    if processes > 1 and not config.database:
        raise Refused(
            "processes_need_server",
            "A hub on SQLite is served by one process.",
            observed=f"{processes} processes",
            next_step="Set 'database' in hub.toml, or leave --processes out.",
        )
    place = Place(unlocked=unlocked, listening=_listen(config))

    def ready() -> None:
        url = f"http://{config.host}:{place.port}"
        terminal.line(
            {"ready": True, "url": url, "origin": config.origin, "logs": f"{url}/log"},
            f"The hub {config.origin} serves at {url}. Stop it with Ctrl-C.",
        )

    with place.listening:
        if processes == 1:
            serve_here(place, ready)
        else:
            serve_together(processes, lambda told: serve_here(place, told), ready)
    terminal.say("Stopped.")


@dataclass(frozen=True, kw_only=True)
class Place:
    """What the processes of one hub share: the keys and the listening socket."""

    unlocked: Unlocked
    listening: socket.socket

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self.listening.getsockname()[1])


def serve_here(place: Place, ready: Callable[[], None]) -> None:
    """Serve in this process until SIGTERM or SIGINT; call ``ready`` when requests are answered."""
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    services = place.unlocked.build()
    try:
        services.jobs.first_round()
        server = _server(place, services)
        services.jobs.start()
        # What is loaded now stays: the collector need not walk over it again and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECTOR)
        threading.Thread(target=server.run, name="hub-http", daemon=True).start()
        ready()
        stop.wait()
        server.close()
    finally:
        services.close()


def _server(place: Place, services: Services) -> BaseWSGIServer:
    config = place.unlocked.config
    # The same key in every process and after a restart: sessions are rows of the database.
    cookie_key = services.people.keys.cookie_key
    server = create_server(
        make_hub(services, secret_key=cookie_key, port=place.port),
        sockets=[place.listening],
        threads=config.threads,
        connection_limit=CONNECTIONS,
        channel_timeout=CHANNEL_SECONDS,
        max_request_body_size=MAX_SIGNED_BODY,
        ident=None,
        clear_untrusted_proxy_headers=True,
        asyncore_use_poll=True,
    )
    authorities = config.known_authorities(place.port)
    guard_bodies(server, admits_large(services.directory, services.clock, authorities))
    return server


def _listen(config: HubConfig) -> socket.socket:
    try:
        return socket.create_server((config.host, config.port), backlog=BACKLOG)
    except OSError as error:
        raise Unavailable(
            "port_taken",
            "The port cannot be used.",
            observed=f"{config.host}:{config.port}: {error.strerror}",
        ) from error
