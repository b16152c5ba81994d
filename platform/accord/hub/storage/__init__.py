"""Where the hub keeps things: one database with one writer, and files for large sealed bodies.

The room knows no bundle and no log; it gives transactions, a base for tables, and room for bytes.
"""

from accord.hub.storage.base import SEALED, Base
from accord.hub.storage.bodies import BodyStore
from accord.hub.storage.engine import Database, Place, open_database
from accord.hub.storage.scrubbing import overwriting, scrub
from accord.hub.storage.snapshots import snapshot
from accord.hub.storage.turns import WITNESSES, Turn
from accord.hub.storage.upserts import Upsert, adding, adding_many, replacing
from accord.hub.storage.wakeups import Listener
from accord.hub.storage.writer import Participant, Writer

__all__ = [
    "SEALED",
    "WITNESSES",
    "Base",
    "BodyStore",
    "Database",
    "Listener",
    "Participant",
    "Place",
    "Turn",
    "Upsert",
    "Writer",
    "adding",
    "adding_many",
    "open_database",
    "overwriting",
    "replacing",
    "scrub",
    "snapshot",
]
