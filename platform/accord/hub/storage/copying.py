"""Copying a whole hub's database between places, on one engine or from one to the other.

A copy of an SQLite database is its pages; every other copy goes row by row, within one snapshot of
the source and one transaction of the target. A copy is of this release: both have its tables.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import cast

from sqlalchemy import URL, Connection, Engine, create_engine, func, insert, inspect, select, text
from sqlalchemy.pool import NullPool

from accord.hub.storage.base import Base
from accord.hub.storage.engine import Database, Place, open_database, prepare_tables
from accord.hub.storage.examination import looking_at
from accord.kernel.errors import Conflict

ROWS = 100
"""Rows that are held at once; one may carry 256 KiB of a sealed body."""


def copy_to_file(database: Database, path: Path) -> None:
    """Write ``database`` as it stands at this moment to the new SQLite file ``path``.

    Writers and readers go on meanwhile.
    """
    path.touch(mode=0o600, exist_ok=False)
    if database.address is None:
        _copy_pages(database.reading, path)
        return
    target = create_engine(URL.create("sqlite+pysqlite", database=str(path)), poolclass=NullPool)
    try:
        with database.reading.connect() as reading, target.begin() as writing:
            prepare_tables(writing)
            _copy_rows(reading, writing)
    finally:
        target.dispose()


def copy_from_file(path: Path, address: str) -> None:
    """Put the database of the SQLite file ``path`` into the empty one at ``address``.

    Raises:
        Conflict: ``database_in_use`` when there is anything in it.
        Refused: ``database_unsafe``.
        Unavailable: ``database_unavailable``.
    """
    require_empty(address)
    database = open_database(address)
    try:
        with (
            looking_at(path) as engine,
            engine.connect() as reading,
            database.writing.begin() as writing,
        ):
            _copy_rows(reading, writing)
            _count_on(writing)
    finally:
        database.close()


def require_empty(place: Place) -> None:
    """Check that a PostgreSQL database has no tables.

    Raises:
        Conflict: ``database_in_use``.
    """
    with looking_at(place) as engine:
        tables = inspect(engine).get_table_names()
    if tables:
        raise Conflict(
            "database_in_use",
            "There is something in this database; a restore never goes over it.",
            observed=f"{len(tables)} tables",
            next_step="Give an empty database. Keep the old one: it may be newer than the backup.",
        )


def _copy_pages(source: Engine, path: Path) -> None:
    borrowed = source.raw_connection()
    try:
        with closing(sqlite3.connect(path)) as target:
            cast("SqliteConnection", borrowed.driver_connection).backup(target)
            target.execute("PRAGMA journal_mode=DELETE")
    finally:
        borrowed.close()


def _copy_rows(source: Connection, target: Connection) -> None:
    """Copy every row of every table, those that are pointed at first."""
    for table in Base.metadata.sorted_tables:
        rows = source.execution_options(stream_results=True).execute(select(table)).mappings()
        for part in rows.partitions(ROWS):
            target.execute(insert(table), [dict(row) for row in part])


def _count_on(connection: Connection) -> None:
    """Let PostgreSQL's counters go on behind the numbers that were copied."""
    for table in Base.metadata.sorted_tables:
        column = table.autoincrement_column
        if column is None:
            continue
        named = {"table": table.name, "column": column.name}
        counter = connection.scalar(text("SELECT pg_get_serial_sequence(:table, :column)"), named)
        last = connection.scalar(select(func.max(column)))
        if counter is not None and last is not None:
            connection.execute(
                text("SELECT setval(cast(:counter AS regclass), :last)"),
                {"counter": counter, "last": last},
            )
