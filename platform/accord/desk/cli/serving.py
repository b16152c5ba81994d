"""A served desk: the pages on loopback, and the regular work beside them."""

import hashlib
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from waitress.server import BaseWSGIServer, MultiSocketServer, create_server

from accord.desk.app import Desk
from accord.desk.app.pages import make_pages
from accord.desk.cli.opened import opened_desk
from accord.desk.cli.pull import tell_failure
from accord.desk.cli.reminding import Reminder
from accord.desk.config import FILE
from accord.desk.feeds.objects import bring_up
from accord.desk.keyring import KeyFile, Keyring, stamp
from accord.desk.keyring.tools import Tools
from accord.desk.web.bodies import MAX_SERVED, admits_large
from accord.kernel.errors import AccordError, Unavailable
from accord.terminal import Terminal
from accord.webbase.large_bodies import guard_bodies

HOST = "127.0.0.1"
THREADS = 6
CHANNEL_SECONDS = 60
KEY_SECONDS = 1.0
"""Pause between two looks whether another command has changed the keys."""

WORKER_SECONDS = 45.0
"""How long a round may take to end; a poll waits at the hub for up to 30 seconds."""

FEED_SECONDS = 1.0
"""Pause between two looks for what tools should be told."""


def serve(
    terminal: Terminal, keyring: Keyring, passphrase: bytes, stop: threading.Event, port: int
) -> None:
    """Serve until ``stop`` is set.

    Args:
        terminal: where it speaks.
        keyring: the unlocked keys, for the first opening.
        passphrase: opens the desk again.
        stop: set when the process is to end.
        port: on loopback; 0 takes a free one.

    Raises:
        AccordError: ``port_taken``, a code of ``opened_desk``.
    """
    serving = _Serving(terminal=terminal, keyring=keyring, passphrase=passphrase, stop=stop)
    while not stop.is_set():
        serving.generation(port)
    if serving.server is not None:
        serving.server.close()


@dataclass(kw_only=True)
class _Serving:
    """One process that serves: it opens its desk anew when keys or settings were changed.

    Attributes:
        terminal: where it speaks.
        keyring: the unlocked keys for the first opening.
        passphrase: opens the desk again.
        stop: set when the process ends.
        server: made once; only its application changes.
        cookie_key: sessions end with the process: it is never written down.
        instance: stays the same for this process, whatever keys it has.
    """

    terminal: Terminal
    keyring: Keyring | None
    passphrase: bytes = field(repr=False)
    stop: threading.Event
    server: BaseWSGIServer | MultiSocketServer | None = None
    cookie_key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    instance: str = ""

    def generation(self, port: int) -> None:
        """Serve with the present keys until they change or the process ends."""
        keyring, self.keyring = self.keyring, None
        # Both from before they were read: a change in between is one too.
        settings = stamp(self.terminal.home / FILE)
        with opened_desk(self.terminal, self.passphrase, keyring=keyring) as desk:
            over = threading.Event()
            self._listen(desk, port)
            workers = [
                *_start_work(self.terminal, desk, over),
                _started("desk-feeds", lambda: _keep_feeds(self.terminal, desk, over)),
            ]
            while not self.stop.wait(KEY_SECONDS):
                if (stamp(desk.config.keys_file), stamp(desk.config.file)) != (
                    desk.keyring.read_from,
                    settings,
                ):
                    self.terminal.say("Keys or settings were changed; opening the desk again.")
                    break
            over.set()
            if not self.stop.is_set():
                # A poll that still waits at the hub ends by itself; the vault stays open for it.
                for worker in workers:
                    worker.join(WORKER_SECONDS)

    def _listen(self, desk: Desk, port: int) -> None:
        first = self.server is None
        server = self.server or _listen(port, desk.config.home)
        bound = int(server.effective_port)
        self.instance = self.instance or _instance(desk)
        server.application = make_pages(
            desk,
            secret_key=self.cookie_key,
            instance=self.instance,
            port=bound,
            key_file=KeyFile(path=desk.config.keys_file, passphrase=self.passphrase),
        )
        if not first:
            return
        self.server = server
        threading.Thread(target=server.run, name="desk-http", daemon=True).start()
        url = f"http://localhost:{bound}"
        self.terminal.line(
            {"ready": True, "url": url, "org": desk.config.org},
            f"The desk serves at {url}. Stop it with Ctrl-C.",
        )


def _started(name: str, work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread


def _listen(port: int, home: Path) -> BaseWSGIServer | MultiSocketServer:
    try:
        server = create_server(
            _not_ready,
            host=HOST,
            port=port,
            threads=THREADS,
            channel_timeout=CHANNEL_SECONDS,
            max_request_body_size=MAX_SERVED,
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

    def admit(method: str, _path: str, _query: str, headers: Mapping[str, str]) -> bool:
        return admits_large(server.application, method, headers)

    # What is handed over is the organisation's own data: it never lies in a folder of others.
    guard_bodies(server, admit, folder=home)
    return server


def _start_work(terminal: Terminal, desk: Desk, stop: threading.Event) -> list[threading.Thread]:
    if desk.config.org is None:
        terminal.say("Not enrolled yet: the pages work, nothing is fetched.")
        return []
    rounds, reminder = desk.rounds, Reminder(terminal, desk)

    def work() -> None:
        rounds.follow(
            stop.wait,
            on_received=lambda _received: None,
            on_failure=lambda error, seconds: tell_failure(terminal, error, seconds),
            on_round=reminder.tell,
        )

    return [_started("desk-rounds", work)]


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
