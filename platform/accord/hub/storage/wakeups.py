"""Telling the other processes of a hub that something was committed, and hearing it from them.

What is told is only *that*, never *what*: whoever waits looks for itself. A notice that is lost
costs a second, never an item, since nobody waits longer than that without looking.
"""

import threading
from collections.abc import Callable, Sequence

import psycopg
import structlog
from sqlalchemy import Connection

from accord.hub.storage.postgresql import connect

CHANNEL = "accord_hub"
LOOK_SECONDS = 1.0
"""Longest time until the listener sees that it was told to stop, or tries to connect again."""

log = structlog.get_logger("accord.hub.wakeups")


class Announcer:
    """A participant of the writer that announces each of its commits, in this process's name."""

    def __init__(self, name: str) -> None:
        """Announce as ``name``."""
        self._name = name

    def begin(self, connection: Connection) -> None:
        """Nothing to learn."""

    def mark(self) -> object:
        """Nothing is staged."""
        return None

    def rewind(self, mark: object) -> None:
        """Nothing was staged."""

    def before_commit(self, connection: Connection) -> None:
        """Announce it; the server tells nobody before the commit."""
        connection.exec_driver_sql("SELECT pg_notify(%s, %s)", (CHANNEL, self._name))

    def after_commit(self) -> None:
        """Nothing to do."""

    def after_rollback(self) -> None:
        """The announcement is gone with the transaction."""


class Listener:
    """Wakes those who wait in this process whenever another one has committed."""

    def __init__(self, address: str, wake: Sequence[Callable[[], None]], *, name: str) -> None:
        """Listen at ``address`` once started.

        Args:
            address: of the database.
            wake: called for each announcement of another process.
            name: of this process; who acts here has already woken those whom it concerns.
        """
        self._address = address
        self._name = name
        self._wake = tuple(wake)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="hub-listener", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                with connect(self._address, autocommit=True) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self._tell()  # what came while nobody listened
                    while not self._stop.is_set():
                        heard = connection.notifies(timeout=LOOK_SECONDS, stop_after=1)
                        if any(one.payload != self._name for one in heard):
                            self._tell()
            except psycopg.Error as error:
                log.warning("listener.failed", reason=type(error).__name__)
                self._stop.wait(LOOK_SECONDS)

    def _tell(self) -> None:
        for wake in self._wake:
            wake()
