"""PostgreSQL 15 or newer as the hub uses it: patient, never cancelling, one writer at a time.

Invariants, each learned from a fault that was tried (docs/operate/postgresql.md):

- A statement is never cancelled: cancelling a commit that waits for a standby makes the server
  report success for what may be lost. What takes too long is given up by closing the connection.
- A commit that the server does not confirm within ``COMMIT_SECONDS`` counts as *unknown*.
- A notice about synchronous replication during a commit turns its success into a failure.
- Each writing transaction begins by taking the hub's turn, a lock that ends with the transaction:
  whoever holds it reads the newest state, and no second process can sign beside it.
"""

import select
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

import psycopg
from psycopg import waiting
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq.abc import PGconn
from psycopg.rows import RowFactory, tuple_row
from sqlalchemy import (
    Connection,
    Engine,
    ExceptionContext,
    MetaData,
    create_engine,
    event,
    text,
)
from sqlalchemy.engine.interfaces import IsolationLevel
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

from accord.hub.storage.base import SEALED
from accord.kernel.errors import Refused, Unavailable

Answer = TypeVar("Answer")

STATEMENT_SECONDS = 20.0
"""How long one statement may take before its connection is closed."""

UPKEEP_SECONDS = 3600.0
"""The same for a migration or a vacuum."""

COMMIT_SECONDS = 4.0
"""How long the server may take to confirm a commit."""

TURN_SECONDS = 10.0
"""How long a writer waits for its turn behind the writers of other processes."""

READERS = 8
"""Reading connections that are kept open."""

MORE_READERS = 40
"""Reading connections beyond them when all are busy."""

POOL_SECONDS = 5.0
"""How long a reader waits for a connection when all are busy, as behind a server that stalls."""

OLDEST_SERVER = 150_000
"""The oldest server's version number that is taken: 15.0."""

TURN = 0x6163636F72640001
"""The advisory lock of the writers: "accord" and 1."""

_DEFAULTS = {
    "connect_timeout": "2",
    "tcp_user_timeout": "5000",
    "target_session_attrs": "read-write",
    "application_name": "accord-hub",
}
_TURN_OPTION = "accord_turn_seconds"
_LAY_IDLE = "accord lay idle"
_SYNCHRONOUS = "synchronous replication"
_SAFE = {
    "fsync": {"on"},
    "full_page_writes": {"on"},
    "synchronous_commit": {"on", "remote_apply"},
    "server_encoding": {"UTF8"},
}


class PatientConnection(psycopg.Connection[Any]):
    """A connection that closes itself when the server takes too long, and never cancels."""

    patience: float = STATEMENT_SECONDS

    def __init__(self, pgconn: PGconn, row_factory: RowFactory[Any] = tuple_row) -> None:
        """Watch the notices."""
        super().__init__(pgconn, row_factory)
        self._unreplicated = False
        self.add_notice_handler(self._notice)

    def wait(
        self,
        gen: PQGen[Answer],
        interval: float = 0.1,
        timeout: float | None = None,
    ) -> Answer:
        """Wait for the server, at most ``patience`` seconds; psycopg calls this for everything."""
        wanted = self.patience if timeout is None else timeout
        try:
            answer = waiting.wait(gen, self.pgconn.socket, interval=interval, timeout=wanted)
        except psycopg.errors._WaitTimeout as error:  # noqa: SLF001 - the only sign that it gives
            if timeout is not None:  # who waits for notifications asked for that
                raise
            self.pgconn.finish()
            message = f"the server did not answer within {self.patience:g} seconds"
            raise psycopg.OperationalError(message) from error
        except BaseException as error:
            if not isinstance(error, Exception):
                # An interrupt: psycopg would cancel here, and cancelling forges a success.
                self.pgconn.finish()
            raise
        if self.autocommit:  # each statement is a commit
            self._require_standby()
        return answer

    def commit(self) -> None:
        """Commit.

        Raises:
            psycopg.OperationalError: also when the server reported success without its standby.
        """
        self._unreplicated = False
        with Patience(self, COMMIT_SECONDS):
            super().commit()
        self._require_standby()

    def _require_standby(self) -> None:
        if self._unreplicated:
            self.pgconn.finish()
            message = "the commit was reported without its synchronous standby"
            raise psycopg.OperationalError(message)

    def cancel(self) -> None:
        """Close instead: see the room's invariants."""
        self.pgconn.finish()

    def cancel_safe(self, *, timeout: float = 0.0) -> None:  # noqa: ARG002 - psycopg's signature
        """Close instead: see the room's invariants."""
        self.pgconn.finish()

    def _notice(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        if _SYNCHRONOUS in (diagnostic.message_primary or ""):
            self._unreplicated = True


class Patience:
    """Gives a connection another patience for a while."""

    def __init__(self, connection: PatientConnection, seconds: float) -> None:
        """For ``connection``, so many ``seconds``."""
        self._connection, self._seconds = connection, seconds

    def __enter__(self) -> Self:
        """Begin."""
        self._before, self._connection.patience = self._connection.patience, self._seconds
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""
        self._connection.patience = self._before


def connect(address: str, *, autocommit: bool = False) -> PatientConnection:
    """Return a connection to ``address``, a libpq URI."""
    said = {name: str(value) for name, value in conninfo_to_dict(address).items()}
    return PatientConnection.connect(make_conninfo("", **(_DEFAULTS | said)), autocommit=autocommit)


def _reader(address: str) -> PatientConnection:
    connection = connect(address)
    connection.read_only = True
    return connection


class _TellingPool(QueuePool):
    """A pool that says in our own words that all of its connections are busy."""

    def connect(self) -> PoolProxiedConnection:
        try:
            return super().connect()
        except PoolTimeoutError as error:
            raise _unavailable(error) from error


def open_engines(address: str) -> tuple[Engine, Engine]:
    """Return the writing and the reading engine of the database at ``address``.

    Raises:
        Refused: ``database_unsafe`` when the server would lose what it confirmed, or is too old.
        Unavailable: ``database_unavailable``.
    """
    writing = create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(address),
        use_native_hstore=False,
        pool_size=1,
        max_overflow=0,
    )
    event.listen(writing, "begin", _take_turn)
    event.listen(writing, "checkout", _require_standing)
    return writing, open_reading(address)


def open_beside(address: str) -> Engine:
    """Return an engine for single statements that need not stand in an act of the writer."""
    return _pooled(lambda: connect(address, autocommit=True), "AUTOCOMMIT")


def open_reading(address: str) -> Engine:
    """Return an engine that reads at ``address``; raises as ``open_engines``."""
    reading = _pooled(lambda: _reader(address), "REPEATABLE READ")
    try:
        with reading.connect() as connection:
            _require_safe(connection)
    except BaseException:
        reading.dispose()
        raise
    return reading


def _pooled(creator: Callable[[], PatientConnection], isolation: IsolationLevel) -> Engine:
    """Return an engine of many connections, whose errors are told in our own words.

    Not for the writer, which judges its own errors: whether a commit failed or is unknown.
    """
    pooled = create_engine(
        "postgresql+psycopg://",
        creator=creator,
        isolation_level=isolation,
        use_native_hstore=False,
        pool_size=READERS,
        max_overflow=MORE_READERS,
        pool_use_lifo=True,
        poolclass=_TellingPool,
        pool_timeout=POOL_SECONDS,
    )
    event.listen(pooled, "checkout", _require_standing)
    event.listen(pooled, "handle_error", _as_unavailable)
    return pooled


def _require_standing(raw: object, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Let the pool connect anew when the server has hung up on what lay in it.

    Costs no message: nothing comes to a connection that asked nothing, unless that it is over. One
    that vanished without a word is noticed by the statement, which then fails.
    """
    if not isinstance(raw, PatientConnection):
        raise TypeError(type(raw))
    if record.info.setdefault(_LAY_IDLE, False):
        if raw.closed:
            raise DisconnectionError
        looking = select.poll()
        looking.register(raw.fileno(), select.POLLIN)
        if looking.poll(0):
            raise DisconnectionError
    record.info[_LAY_IDLE] = True


def patient_for_turn(writing: Engine) -> Engine:
    """Return the engine for a start, which waits while another process brings the tables up."""
    return writing.execution_options(**{_TURN_OPTION: UPKEEP_SECONDS})


def _take_turn(connection: Connection) -> None:
    seconds: float = connection.get_execution_options().get(_TURN_OPTION, TURN_SECONDS)
    with Patience(_raw(connection), seconds):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({TURN})")


def unhurried(connection: Connection) -> Patience:
    """Return what lets the statements of a migration or a vacuum take their time."""
    return Patience(_raw(connection), UPKEEP_SECONDS)


def _raw(connection: Connection) -> PatientConnection:
    raw = connection.connection.driver_connection
    if not isinstance(raw, PatientConnection):
        raise TypeError(type(raw))
    return raw


def _as_unavailable(context: ExceptionContext) -> None:
    """Say of a database that is down, full or shutting down that it is, in our own words."""
    found = context.original_exception
    passing = isinstance(found, psycopg.OperationalError | psycopg.InternalError)
    if context.is_disconnect or passing:
        raise _unavailable(found) from found


def _unavailable(found: BaseException | None) -> Unavailable:
    return Unavailable(
        "database_unavailable",
        "The hub's database does not answer.",
        retry_after=5,
        observed=type(found).__name__,
        next_step="Try again; the operator looks at the database server's log.",
    )


def _require_safe(connection: Connection) -> None:
    info = _raw(connection).info
    if info.server_version < OLDEST_SERVER:
        raise _unsafe("server_version", str(info.server_version), "15 or newer")
    for name, allowed in _SAFE.items():
        found = str(connection.scalar(text(f"SHOW {name}")))
        if found not in allowed:
            raise _unsafe(name, found, " or ".join(sorted(allowed)))
    collation = connection.scalar(
        text("SELECT datcollate FROM pg_database WHERE datname = current_database()")
    )
    if str(collation).upper().replace("-", "") not in {"C", "POSIX", "C.UTF8"}:
        raise _unsafe("datcollate", str(collation), "C")


def _unsafe(name: str, found: str, wanted: str) -> Refused:
    return Refused(
        "database_unsafe",
        f"The database's {name} must be {wanted}.",
        observed=found[:60],
        next_step="See the page on PostgreSQL; change the server or make the database anew.",
    )


def keep_sealed_as_it_is(connection: Connection, tables: MetaData) -> None:
    """Tell the server not to try to compress what is sealed."""
    for table in tables.sorted_tables:
        for column in table.columns:
            if SEALED in column.info:
                connection.exec_driver_sql(
                    f"ALTER TABLE {table.name} ALTER COLUMN {column.name} SET STORAGE EXTERNAL"
                )
