"""A database that fails at one step: the step is lost, or kept and reported as failed.

Works below SQLAlchemy, where the driver is: each statement of a transaction and its commit is a
step. What it raises is the driver's own error, so that the hub sees what a bad disk would show.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Engine

COMMIT = "commit"


class FailingDatabase:
    """Counts the steps of the writing engine, and fails at the one that it was told."""

    def __init__(self, engine: Engine) -> None:
        """Sit below ``engine``."""
        self._engine = engine
        self.steps: list[str] = []
        self._at = -1
        self._kept = False

    @contextmanager
    def failing(self, at: int, *, kept: bool) -> Iterator[None]:
        """Fail at step ``at`` (from 0) once; with ``kept`` the step is done all the same."""
        self.steps, self._at, self._kept = [], at, kept
        with self._installed():
            yield
        self._at = -1

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count the steps and fail at none."""
        with self.failing(-1, kept=False):
            yield

    @contextmanager
    def _installed(self) -> Iterator[None]:
        dialect = self._engine.dialect
        execute, many, commit = dialect.do_execute, dialect.do_executemany, dialect.do_commit

        def do_execute(cursor: Any, statement: str, *rest: Any, **more: Any) -> None:
            self._step(statement, lambda: execute(cursor, statement, *rest, **more))

        def do_executemany(cursor: Any, statement: str, *rest: Any, **more: Any) -> None:
            self._step(statement, lambda: many(cursor, statement, *rest, **more))

        def do_commit(connection: Any) -> None:
            self._step(COMMIT, lambda: commit(connection))

        dialect.do_execute = do_execute  # type: ignore[method-assign]
        dialect.do_executemany = do_executemany  # type: ignore[method-assign]
        dialect.do_commit = do_commit  # type: ignore[method-assign]
        try:
            yield
        finally:
            del dialect.do_execute, dialect.do_executemany, dialect.do_commit

    def _step(self, name: str, act: Any) -> None:
        number = len(self.steps)
        self.steps.append(" ".join(name.split()[:3]))
        if number != self._at:
            act()
            return
        if self._kept:
            act()
        raise self._error()

    def _error(self) -> Exception:
        if self._engine.dialect.name == "sqlite":
            return sqlite3.OperationalError("disk I/O error")
        return psycopg.OperationalError("server closed the connection unexpectedly")
