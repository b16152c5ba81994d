"""SQLite as the hub uses it: WAL, synchronous=FULL, one writing connection, many reading ones.

``synchronous=NORMAL`` lost acknowledged writes in simulated power cuts, FULL none; it is not an
option here. Readers are query-only connections: a face cannot write past the writer.
"""

from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from sqlite3 import OperationalError

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from accord.kernel.errors import Unavailable

BUSY_MILLIS = 10_000
"""How long a connection waits for another process's lock, in milliseconds."""

READERS = 24
"""Reading connections that may be open at once."""

CACHE_KIB = 16_384
"""Page cache of the writing connection in KiB."""


def open_engines(path: Path) -> tuple[Engine, Engine]:
    """Return the writing and the reading engine of the file at ``path``, made when missing."""
    path.touch(mode=0o600)  # before SQLite: the files beside it get the mode of the database
    path.chmod(0o600)
    url = URL.create("sqlite+pysqlite", database=str(path))
    writing = create_engine(url, pool_size=1, max_overflow=0)
    reading = create_engine(url, pool_size=READERS, max_overflow=READERS)
    event.listen(writing, "connect", _prepare_writing)
    event.listen(reading, "connect", _prepare_reading)
    event.listen(writing, "begin", _begin_immediate)
    event.listen(reading, "begin", _begin)
    # The writer judges its own errors: whether a commit failed.
    event.listen(reading, "handle_error", _as_unavailable)
    return writing, reading


def _as_unavailable(context: ExceptionContext) -> None:
    """Say of a disk that cannot be read, or is locked too long, that it is; in our own words."""
    found = context.original_exception
    if isinstance(found, OperationalError):
        raise Unavailable(
            "database_unavailable",
            "The hub's database does not answer.",
            retry_after=5,
            observed=getattr(found, "sqlite_errorname", type(found).__name__),
            next_step="Try again; the operator looks at the disk: accord doctor.",
        ) from found


def _prepare_writing(connection: SqliteConnection, _entry: ConnectionPoolEntry) -> None:
    # Transactions are begun by us, not guessed by the driver.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_MILLIS}",
        f"cache_size=-{CACHE_KIB}",
        "secure_delete=FAST",
        "wal_autocheckpoint=4000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _prepare_reading(connection: SqliteConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={BUSY_MILLIS}")
    connection.execute("PRAGMA query_only=ON")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
