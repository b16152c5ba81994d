"""Every change of the hub's tables since the first, as alembic revisions.

A published revision never changes. ``upgrade`` brings a database of any earlier release up.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

HEAD = "0018"
"""The revision that the tables of this release have."""

_FOLDER = Path(__file__).parent


def configuration(connection: Connection) -> Config:
    """Return alembic's configuration for ``connection``."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    return config


def revision_of(connection: Connection) -> str | None:
    """Return the revision of a database, ``None`` for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def is_known(connection: Connection, revision: str) -> bool:
    """Return whether this release has ``revision``."""
    known = ScriptDirectory.from_config(configuration(connection)).walk_revisions()
    return revision in {one.revision for one in known}


def stamp(connection: Connection) -> None:
    """Note that the tables just made are those of ``HEAD``."""
    command.stamp(configuration(connection), HEAD)


def upgrade(connection: Connection) -> None:
    """Bring the database to ``HEAD`` inside the caller's transaction."""
    command.upgrade(configuration(connection), HEAD)
