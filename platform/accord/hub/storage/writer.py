"""One writer thread with group commit: many acts, one durable transaction.

Each act runs in its own savepoint, so that a refused act leaves nothing and the others go on.
Nobody gets an answer before the commit that holds it is on disk. Participants (the logs) see the
transaction from its begin to its commit and can still make it fail.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError

from accord.kernel.errors import Unavailable

Result = TypeVar("Result")
Act = Callable[[Connection], Result]

_Waiting = tuple[Act[Any], bool, Future[Any]]

MAX_BATCH = 256
"""Acts that share one commit at most."""

MAX_WAITING = 4096
"""Acts that may wait; beyond it callers are told to come back."""


@dataclass(slots=True)
class CommitFigures:
    """What the writer has done since it was made; ``seconds`` of all its commits together."""

    commits: int = 0
    acts: int = 0
    failures: int = 0
    seconds: float = 0.0


class Participant(Protocol):
    """Something that takes part in every transaction of the writer."""

    def begin(self, connection: Connection) -> None:
        """Learn the state under the write lock."""

    def mark(self) -> object:
        """Return a point to which ``rewind`` can go back."""

    def rewind(self, mark: object) -> None:
        """Forget what was staged since ``mark``: the act failed."""

    def before_commit(self, connection: Connection) -> None:
        """Write what was staged; an error here fails the whole transaction."""

    def after_commit(self) -> None:
        """Take note that the transaction is durable."""

    def after_rollback(self) -> None:
        """Forget the transaction."""


class Writer:
    """The only one that writes to the database."""

    def __init__(self, engine: Engine, participants: Sequence[Participant] = ()) -> None:
        """Start the thread; ``close`` ends it."""
        self._engine = engine
        self._participants = tuple(participants)
        self._waiting: queue.Queue[_Waiting | None] = queue.Queue(MAX_WAITING)
        self._closing = False
        self.figures = CommitFigures()
        """For the operator; only the writer's thread changes it."""
        self._entrance = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="hub-writer", daemon=True)
        self._thread.start()

    def run(self, act: Act[Result], *, staged: bool = False) -> Result:
        """Run ``act`` in the next transaction and return its result once that is on disk.

        Args:
            act: what is done.
            staged: it writes through participants, or within savepoints of its own; then it gets
                none from us, which is two statements less.

        Raises:
            Unavailable: ``writer_busy``, ``writer_closed``; ``storage_failed`` (full disk,
                failing sync: nothing of the act may be taken for stored; a retry is safe);
                ``commit_unconfirmed`` (the connection broke in the commit: a retry tells).
            AccordError: whatever ``act`` raised; its savepoint was rolled back.
        """
        future: Future[Result] = Future()
        try:
            with self._entrance:  # nothing is put in behind the mark that ends the thread
                if self._closing:
                    raise Unavailable("writer_closed", "The hub is shutting down.")
                self._waiting.put_nowait((act, staged, future))
        except queue.Full as error:
            raise Unavailable("writer_busy", "Too many acts wait.", retry_after=2) from error
        return future.result()

    @property
    def waiting(self) -> int:
        """How many acts wait for the next transaction."""
        return self._waiting.qsize()

    @property
    def working(self) -> bool:
        """Whether acts are still taken."""
        return self._thread.is_alive() and not self._closing

    def close(self) -> None:
        """Finish what waits and stop."""
        with self._entrance:
            self._closing = True
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        while True:
            first = self._waiting.get()
            if first is None:
                return
            batch = [first]
            last = False
            while len(batch) < MAX_BATCH:
                try:
                    following = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    last = True
                    break
                batch.append(following)
            self._commit(batch)
            if last:
                return

    def _commit(self, batch: list[_Waiting]) -> None:
        done: list[tuple[Future[Any], Any]] = []
        start = time.perf_counter()
        try:
            self._transact(batch, done)
        except Exception as error:  # noqa: BLE001 - this thread must go on: nobody else writes
            self.figures.failures += 1
            for participant in self._participants:
                participant.after_rollback()
            failure = error if isinstance(error, Unavailable) else _storage_failed(error)
            for _, _, future in batch:
                if not future.done():
                    future.set_exception(failure)
            return
        self.figures.commits += 1
        self.figures.acts += len(done)
        self.figures.seconds += time.perf_counter() - start
        for participant in self._participants:
            participant.after_commit()
        for future, result in done:
            future.set_result(result)

    def _transact(self, batch: list[_Waiting], done: list[tuple[Future[Any], Any]]) -> None:
        with self._engine.connect() as connection:
            transaction = connection.begin()
            for participant in self._participants:
                participant.begin(connection)
            for one in batch:
                self._act(connection, one, done)
            for participant in self._participants:
                participant.before_commit(connection)
            try:
                transaction.commit()
            except DBAPIError as error:
                if connection.invalidated:  # the answer was lost, perhaps not the commit
                    raise _commit_unconfirmed(error) from error
                # Closing does not: the next transaction would begin within this one.
                transaction.rollback()
                raise

    def _act(
        self, connection: Connection, one: _Waiting, done: list[tuple[Future[Any], Any]]
    ) -> None:
        act, staged, future = one
        marks = [participant.mark() for participant in self._participants]
        try:
            with nullcontext() if staged else savepoint(connection):
                result = act(connection)
        except (OperationalError, InternalError):
            raise  # the database itself is in trouble: nothing of the batch is kept
        except Exception as error:  # noqa: BLE001 - the caller gets it; the others go on
            for participant, mark in zip(self._participants, marks, strict=True):
                participant.rewind(mark)
            future.set_exception(error)
            return
        done.append((future, result))


@contextmanager
def savepoint(connection: Connection) -> Iterator[None]:
    """Run the block whole or not at all, inside the transaction of an act."""
    connection.exec_driver_sql("SAVEPOINT act")
    try:
        yield
    except (OperationalError, InternalError):
        raise  # the whole transaction goes
    except Exception:
        connection.exec_driver_sql("ROLLBACK TO act")
        connection.exec_driver_sql("RELEASE act")
        raise
    connection.exec_driver_sql("RELEASE act")


def _commit_unconfirmed(error: Exception) -> Unavailable:
    return Unavailable(
        "commit_unconfirmed",
        "The database did not confirm this: it may be stored, or not.",
        retry_after=2,
        observed=type(error).__name__,
        next_step="Send it again: the same bytes are never stored twice.",
    )


def _storage_failed(error: Exception) -> Unavailable:
    return Unavailable(
        "storage_failed",
        "The hub could not store this; nothing was accepted.",
        retry_after=5,
        observed=type(error).__name__,
        next_step="Send it again: the same bytes are never stored twice.",
    )
