"""Planted weaknesses: a harness that does not find these within ten rounds proves nothing."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from sqlalchemy.pool import ConnectionPoolEntry

from accord.hub.storage import sqlite
from accord.hub.storage.writer import Writer

_PREPARE = sqlite._prepare_writing


def _synchronous(level: str) -> None:
    def prepare(connection: sqlite3.Connection, entry: ConnectionPoolEntry) -> None:
        _PREPARE(connection, entry)
        connection.execute(f"PRAGMA synchronous={level}")

    sqlite._prepare_writing = prepare  # type: ignore[assignment]


def _early_answer() -> None:
    """Answer before the commit: the oldest mistake of all."""
    act = Writer._act

    def hasty(
        self: Writer, connection: Any, todo: Any, future: Future[Any], done: list[Any]
    ) -> None:
        act(self, connection, todo, future, done)
        if done and done[-1][0] is future:
            future.set_result(done.pop()[1])

    Writer._act = hasty  # type: ignore[method-assign]


WEAKNESSES: dict[str, Callable[[], None]] = {
    "synchronous-normal": lambda: _synchronous("NORMAL"),
    "synchronous-off": lambda: _synchronous("OFF"),
    "early-answer": _early_answer,
}
"""What can be planted in the hub's own process; a lying disk is planted in the disk."""


def plant(name: str) -> None:
    """Plant the weakness ``name`` in this process; ``""`` plants none."""
    if name:
        WEAKNESSES[name]()
