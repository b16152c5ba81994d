"""What a witness remembers: its logs and, for each, the largest tree that it cosigned.

SQLite with synchronous=FULL. Compare and persist happen in one immediate transaction, so that two
threads or two processes cannot interleave. Triggers refuse a head that goes back, whatever the
code above does. Nothing is ever deleted.
"""

import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from accord.kernel.errors import Conflict, Refused, Unavailable
from accord.witness.config import MAX_LOGS

SCHEMA_VERSION = 1
MAX_EVIDENCE = 1000
"""Most pairs of contradicting checkpoints that are kept; each was signed by its log."""

_BUSY_SECONDS = 10
_SCHEMA = """
CREATE TABLE identity (
  id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL, vkeys TEXT NOT NULL
) STRICT;
CREATE TABLE log (origin TEXT PRIMARY KEY, vkeys TEXT NOT NULL, added INTEGER NOT NULL) STRICT;
CREATE TABLE head (
  origin TEXT PRIMARY KEY REFERENCES log (origin),
  size INTEGER NOT NULL CHECK (size >= 0),
  root BLOB NOT NULL CHECK (length(root) = 32),
  note BLOB NOT NULL,
  time INTEGER NOT NULL
) STRICT;
CREATE TABLE evidence (
  origin TEXT NOT NULL REFERENCES log (origin),
  size INTEGER NOT NULL,
  root BLOB NOT NULL,
  note BLOB NOT NULL,
  seen INTEGER NOT NULL,
  PRIMARY KEY (origin, size, root)
) STRICT;
CREATE TRIGGER head_never_goes_back BEFORE UPDATE ON head
WHEN NEW.origin <> OLD.origin OR NEW.size < OLD.size OR NEW.time < OLD.time
  OR (NEW.size = OLD.size AND NEW.root <> OLD.root)
BEGIN SELECT RAISE(ABORT, 'a head never goes back'); END;
CREATE TRIGGER head_is_never_deleted BEFORE DELETE ON head
BEGIN SELECT RAISE(ABORT, 'a head is never deleted'); END;
CREATE TRIGGER log_never_changes BEFORE UPDATE ON log
BEGIN SELECT RAISE(ABORT, 'a log never changes'); END;
CREATE TRIGGER log_is_never_deleted BEFORE DELETE ON log
BEGIN SELECT RAISE(ABORT, 'a log is never deleted'); END;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whose state this is: the name and the vkeys (0x04, 0x06) of the witness."""

    name: str
    vkeys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessedLog:
    """A log that the witness follows: origin and the vkeys that must all have signed."""

    origin: str
    vkeys: tuple[str, ...]

    @property
    def origin_sha256(self) -> str:
        """SHA-256 of the origin in hex: how the log is named in the monitoring path."""
        return hashlib.sha256(self.origin.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The largest tree cosigned: ``note`` carries the log's and the witness's signatures.

    ``time`` is the cosignature's, in unix seconds; 0 for a head that was pinned by the operator.
    """

    size: int
    root: bytes
    note: bytes
    time: int


class Transaction:
    """Reads and writes of one immediate transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use an open transaction."""
        self._connection = connection

    def log(self, origin: str) -> WitnessedLog | None:
        """Return the log ``origin``, or ``None`` when the witness does not follow it."""
        row = self._connection.execute(
            "SELECT vkeys FROM log WHERE origin = ?", (origin,)
        ).fetchone()
        return None if row is None else WitnessedLog(origin=origin, vkeys=tuple(row[0].split("\n")))

    def logs(self) -> list[WitnessedLog]:
        """Return every log, ordered by origin."""
        rows = self._connection.execute("SELECT origin, vkeys FROM log ORDER BY origin")
        return [WitnessedLog(origin=row[0], vkeys=tuple(row[1].split("\n"))) for row in rows]

    def add_log(self, log: WitnessedLog, *, now: int) -> bool:
        """Add a log; ``False`` when it is already there with the same keys.

        Raises:
            Conflict: ``log_keys_differ``; a log's keys never change.
            Refused: ``too_many_logs``.
        """
        known = self.log(log.origin)
        if known is not None:
            if known != log:
                raise Conflict(
                    "log_keys_differ",
                    "This witness follows that log under other keys, and they never change.",
                    observed=log.origin,
                    next_step="A log with new keys needs a new origin.",
                )
            return False
        if len(self.logs()) >= MAX_LOGS:
            raise Refused("too_many_logs", f"A witness follows at most {MAX_LOGS} logs.")
        self._connection.execute(
            "INSERT INTO log VALUES (?, ?, ?)", (log.origin, "\n".join(log.vkeys), now)
        )
        return True

    def head(self, origin: str) -> Head | None:
        """Return the largest tree of ``origin`` that was cosigned, or ``None`` before the first."""
        row = self._connection.execute(
            "SELECT size, root, note, time FROM head WHERE origin = ?", (origin,)
        ).fetchone()
        return None if row is None else Head(size=row[0], root=row[1], note=row[2], time=row[3])

    def set_head(self, origin: str, head: Head) -> None:
        """Keep ``head``; the database itself refuses to go back."""
        self._connection.execute(
            "INSERT INTO head VALUES (?, ?, ?, ?, ?) ON CONFLICT (origin) DO UPDATE SET "
            "size = excluded.size, root = excluded.root, note = excluded.note, "
            "time = excluded.time",
            (origin, head.size, head.root, head.note, head.time),
        )

    def add_evidence(self, origin: str, head: Head) -> None:
        """Keep a checkpoint that the log signed and that contradicts what was cosigned."""
        (count,) = self._connection.execute("SELECT count(*) FROM evidence").fetchone()
        if count < MAX_EVIDENCE:
            self._connection.execute(
                "INSERT OR IGNORE INTO evidence VALUES (?, ?, ?, ?, ?)",
                (origin, head.size, head.root, head.note, head.time),
            )

    def evidence(self, origin: str) -> list[Head]:
        """Return the contradicting checkpoints of ``origin`` that were kept."""
        rows = self._connection.execute(
            "SELECT size, root, note, seen FROM evidence WHERE origin = ? ORDER BY seen, size",
            (origin,),
        )
        return [Head(size=row[0], root=row[1], note=row[2], time=row[3]) for row in rows]


class WitnessDatabase:
    """The witness's state file; safe to share between threads."""

    def __init__(self, connection: sqlite3.Connection, identity: Identity) -> None:
        """Use ``create`` or ``open``."""
        self._connection = connection
        self._lock = threading.Lock()
        self.identity = identity

    @classmethod
    def create(cls, path: Path, identity: Identity) -> "WitnessDatabase":
        """Make the state of a new witness, bound to its keys.

        Raises:
            Conflict: ``witness_exists``.
        """
        if path.exists():
            raise Conflict("witness_exists", "There is a witness already.", observed=path.name)
        path.touch(mode=0o600)
        connection = _connect(path)
        connection.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version = {SCHEMA_VERSION};COMMIT;")
        database = cls(connection, identity)
        with database.transaction():
            connection.execute(
                "INSERT INTO identity VALUES (1, ?, ?)", (identity.name, "\n".join(identity.vkeys))
            )
        return database

    @classmethod
    def open(cls, path: Path) -> "WitnessDatabase":
        """Open the state that ``create`` made.

        Raises:
            Refused: ``witness_state_missing`` or ``witness_state_unknown``.
        """
        if not path.is_file():
            raise Refused(
                "witness_state_missing",
                "There is no state of a witness; without it, one could sign a fork.",
                observed=str(path),
                next_step="Make a witness with 'accord witness init'. When the state was lost, "
                "retire the old identity first.",
            )
        try:
            connection = _connect(path)
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            row = (
                connection.execute("SELECT name, vkeys FROM identity").fetchone()
                if version == SCHEMA_VERSION
                else None
            )
        except sqlite3.DatabaseError as error:
            raise Refused(
                "witness_state_unknown", "The state file is damaged.", observed=path.name
            ) from error
        if row is None:
            raise Refused(
                "witness_state_unknown",
                "The state file is of another version or unfinished.",
                observed=f"version {version}",
            )
        return cls(connection, Identity(name=row[0], vkeys=tuple(row[1].split("\n"))))

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Run one immediate transaction; committed and on disk when it ends without error.

        Raises:
            Unavailable: ``witness_storage_failed``; nothing was kept, or it is unknown.
        """
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield Transaction(self._connection)
                    self._connection.execute("COMMIT")
                finally:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
            except sqlite3.Error as error:
                raise Unavailable(
                    "witness_storage_failed",
                    "The witness could not keep its state.",
                    observed=error.sqlite_errorname if _named(error) else type(error).__name__,
                    next_step="Check the disk; the request can be repeated.",
                ) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def _named(error: sqlite3.Error) -> bool:
    return hasattr(error, "sqlite_errorname")


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection
