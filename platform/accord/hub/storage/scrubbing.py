"""Leaving nothing of what is deleted, in free space of the file or in the write-ahead log.

PostgreSQL keeps old row versions until they are vacuumed, and its own log for as long as it is
archived: see docs/operate/audit.md.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text

from accord.hub.storage import postgresql


@contextmanager
def overwriting(connection: Connection) -> Iterator[None]:
    """Overwrite what is deleted or replaced within; only inside an act of the writer."""
    if connection.dialect.name != "sqlite":
        yield
        return
    connection.exec_driver_sql("PRAGMA secure_delete=ON")
    try:
        yield
    finally:
        connection.exec_driver_sql("PRAGMA secure_delete=FAST")


def scrub(engine: Engine, *tables: str) -> None:
    """Drop old versions of rows that the engine keeps beside the present ones."""
    if engine.dialect.name == "sqlite":
        raw = engine.raw_connection()
        try:
            raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            raw.close()
        return
    with (
        engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
        postgresql.unhurried(connection),
    ):
        for table in tables:
            connection.execute(text(f"VACUUM {table}"))
