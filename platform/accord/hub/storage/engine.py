"""The hub's database on either engine: where it is, its two engines, its tables.

Everything that differs between the engines stands in this room. SQLite is one file for one serving
process; PostgreSQL may be written to by several at once.
"""

import secrets
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from accord.hub.storage import postgresql, sqlite
from accord.hub.storage.base import Base
from accord.hub.storage.migrations import HEAD, is_known, revision_of, stamp, upgrade
from accord.hub.storage.wakeups import Announcer
from accord.hub.storage.writer import Participant
from accord.kernel.errors import Refused, Unavailable

Place = Path | str
"""A file for SQLite, or the address (libpq URI) of a PostgreSQL database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The engines of one database: ``writing`` is for the writer alone.

    ``address`` is that of a PostgreSQL server; then other processes may serve beside this one, and
    ``beside`` is for the single statements by which they agree, ``name`` is this process's.
    """

    writing: Engine
    reading: Engine
    beside: Engine | None = None
    address: str | None = None
    name: str = field(default_factory=lambda: secrets.token_hex(8))

    def participants(self) -> list[Participant]:
        """Return what takes part in the writer's transactions for other processes' sake."""
        return [] if self.address is None else [Announcer(self.name)]

    def close(self) -> None:
        """Close all connections."""
        for engine in (self.beside, self.reading, self.writing):
            if engine is not None:
                engine.dispose()


def open_database(place: Place) -> Database:
    """Open the database at ``place``; an empty one gets its tables, an older one is brought up.

    The caller has imported the rooms whose tables it needs. All revisions are one transaction: what
    ends in the middle (a kill, a full disk) leaves the database as it was, and the next start does
    all of it. Processes that start together wait for the first.

    Raises:
        Refused: ``database_unsafe``, ``database_newer``.
        Unavailable: ``database_unavailable``, ``migration_failed``.
    """
    address = place if isinstance(place, str) else None
    writing, reading = (
        sqlite.open_engines(place) if isinstance(place, Path) else postgresql.open_engines(place)
    )
    beside = None if address is None else postgresql.open_beside(address)
    database = Database(writing=writing, reading=reading, beside=beside, address=address)
    try:
        with postgresql.patient_for_turn(writing).begin() as connection:
            prepare_tables(connection)
    except SQLAlchemyError as error:
        database.close()
        raise _migration_failed(error) from error
    except BaseException:
        database.close()
        raise
    return database


def prepare_tables(connection: Connection) -> None:
    """Make the tables of an empty database, or bring those of an earlier release up."""
    on_server = connection.dialect.name == "postgresql"
    found = revision_of(connection)
    with postgresql.unhurried(connection) if on_server else nullcontext():
        if found is None:
            Base.metadata.create_all(connection)
            if on_server:
                postgresql.keep_sealed_as_it_is(connection, Base.metadata)
            stamp(connection)
        elif found != HEAD:
            if not is_known(connection, found):
                raise Refused(
                    "database_newer",
                    "A newer release wrote this database; this one would not understand it.",
                    observed=f"revision {found[:20]}; this release ends at {HEAD}",
                    next_step="Install the release that wrote it.",
                )
            upgrade(connection)


def _migration_failed(error: SQLAlchemyError) -> Unavailable:
    original = getattr(error, "orig", None)
    named = getattr(original, "sqlite_errorname", type(original or error).__name__)
    return Unavailable(
        "migration_failed",
        "The database could not be made ready for this release; it is as it was before.",
        observed=str(named),
        next_step="Make room, or mend the database server, and start again.",
    )
