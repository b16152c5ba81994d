"""SQLite as the hub uses it: WAL, synchronous=FULL, one writing connection, many reading ones.

``synchronous=NORMAL`` lost acknowledged writes in simulated power cuts, FULL none; it is not an
option here. Readers are query-only connections: a face cannot write past the writer.
"""

from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection as SqliteConnection

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from accord.hub.storage.base import Base
from accord.hub.storage.migrations import HEAD, revision_of, stamp, upgrade

BUSY_MILLIS = 10_000
"""How long a connection waits for another process's lock, in milliseconds."""

READERS = 24
"""Reading connections that may be open at once."""

CACHE_KIB = 16_384
"""Page cache of the writing connection in KiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The two engines of one database file: ``writing`` is for the writer alone."""

    writing: Engine
    reading: Engine

    def close(self) -> None:
        """Close all connections."""
        self.reading.dispose()
        self.writing.dispose()


def open_database(path: Path) -> Database:
    """Open the database at ``path``; an empty one gets its tables, an older one is brought up.

    The caller has imported the rooms whose tables it needs.
    """
    path.touch(mode=0o600)  # before SQLite: the files beside it get the mode of the database
    path.chmod(0o600)
    url = URL.create("sqlite+pysqlite", database=str(path))
    writing = create_engine(url, pool_size=1, max_overflow=0)
    reading = create_engine(url, pool_size=READERS, max_overflow=READERS)
    event.listen(writing, "connect", _prepare_writing)
    event.listen(reading, "connect", _prepare_reading)
    event.listen(writing, "begin", _begin_immediate)
    event.listen(reading, "begin", _begin)
    with writing.begin() as connection:
        _prepare_tables(connection)
    return Database(writing=writing, reading=reading)


def _prepare_tables(connection: Connection) -> None:
    """Make the tables of an empty database, or bring those of an earlier release up."""
    found = revision_of(connection)
    if found is None:
        Base.metadata.create_all(connection)
        stamp(connection)
    elif found != HEAD:
        upgrade(connection)


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
