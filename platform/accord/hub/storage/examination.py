"""Looking at a hub's database without changing it: no migration, no write, no wait for the writer.

For the doctor and for restoring; everything else opens the database by ``open_database``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from accord.hub.storage import postgresql
from accord.hub.storage.engine import Place
from accord.hub.storage.migrations import HEAD, revision_of
from accord.kernel.errors import NotFound, Refused, Unavailable, VerificationFailed

BUSY_SECONDS = 2
"""How long a lock of another process is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseState:
    """What a database is: its schema's revision and whether its pages hold together."""

    revision: str | None
    damage: str | None


@contextmanager
def looking_at(place: Place) -> Iterator[Engine]:
    """Give an engine that can read the database at ``place`` and nothing else.

    Raises:
        NotFound: ``database_missing``.
        Refused: ``database_unsafe``.
        Unavailable: ``database_unavailable``.
    """
    engine = postgresql.open_reading(place) if isinstance(place, str) else _file(place)
    try:
        yield engine
    finally:
        engine.dispose()


def _file(path: Path) -> Engine:
    if not path.is_file():
        raise NotFound(
            "database_missing",
            "The hub's database is not there.",
            observed=str(path),
            next_step="Restore the newest backup; a hub without its database starts no new log.",
        )
    address = f"sqlite+pysqlite:///file:{path}?mode=ro&uri=true&timeout={BUSY_SECONDS}"
    return create_engine(address, poolclass=NullPool)


def database_state(engine: Engine, *, thorough: bool = False) -> DatabaseState:
    """Return the state of the database; PostgreSQL watches over its own pages (checksums).

    Args:
        engine: from ``looking_at``.
        thorough: also compare every index with its table; takes longer.

    Raises:
        Unavailable: ``database_busy``.
        VerificationFailed: ``database_damaged`` when it cannot even be read.
    """
    pragma = "integrity_check(1)" if thorough else "quick_check(1)"
    try:
        with engine.connect() as connection:
            revision = revision_of(connection)
            if engine.dialect.name == "postgresql":
                return DatabaseState(revision=revision, damage=None)
            told = str(connection.exec_driver_sql(f"PRAGMA {pragma}").scalar())
    except DBAPIError as error:
        if "locked" in str(error.orig) or "busy" in str(error.orig):
            raise Unavailable(
                "database_busy",
                "Another process holds the database's lock.",
                observed=str(error.orig),
                next_step="See which process has it: a hub that serves lets go within a second.",
            ) from error
        raise _damaged(str(error.orig)) from error
    return DatabaseState(revision=revision, damage=None if told == "ok" else told[:200])


def require_sound(state: DatabaseState) -> str:
    """Return what was seen of a sound database of this release.

    Raises:
        VerificationFailed: ``database_damaged``.
        Refused: ``database_newer``: a later release wrote it.
    """
    if state.damage is not None:
        raise _damaged(state.damage)
    if state.revision is not None and state.revision > HEAD:
        raise Refused(
            "database_newer",
            "A newer release wrote this database; this one would not understand it.",
            observed=f"revision {state.revision}, here {HEAD}",
            next_step="Install the release that wrote it.",
        )
    if state.revision != HEAD:
        return f"whole; revision {state.revision}, brought to {HEAD} at the next start"
    return f"whole; revision {HEAD}"


def _damaged(observed: str) -> VerificationFailed:
    return VerificationFailed(
        "database_damaged",
        "The database's pages do not hold together.",
        observed=observed,
        next_step="Stop the hub, keep a copy, restore the newest backup.",
    )
