"""Open the vault file, keep one connection a thread, and run transactions.

SQLCipher 4 with a raw 32-byte key: AES-256 and HMAC-SHA512 for each page, so a changed page is
refused. The write-ahead log carries encrypted pages only; temporary tables stay in memory.
"""

import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

import sqlcipher3

from accord.desk.storage.journal_leaves import JOURNAL_VERSION, adopt
from accord.desk.storage.journal_names import NAMED_VERSION, give_name, has_name
from accord.desk.storage.schema import VERSIONS
from accord.kernel.errors import Conflict, NotFound, Refused, Unavailable, VerificationFailed

KEY_SIZE = 32
PAGE_SIZE = 8192
"""One chunk of the term index fits one page (terms.py)."""

BUSY_MS = 20_000
"""Milliseconds that a writer waits for another one."""

CACHE_KIB, WIDE_CACHE_KIB = 4_096, 65_536
"""Pages that a connection keeps, in KiB: every thread of a served desk has one of its own."""

_TERM_KEY = "term_key"
_RESTORE = "Stop the desk, keep its directory as it is, and put back a copy of the whole directory."


class Vault:
    """An open vault. Each thread gets its own connection; close() ends them all."""

    def __init__(self, path: Path, key: bytes) -> None:
        """Remember the place; ``open_vault`` and ``create_vault`` are the ways in."""
        self.path: Final = path
        self._key = key
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self.term_key: bytes = b""

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection (autocommit; write inside ``transaction``)."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = _connect(self.path, self._key)
            self._local.connection = found
            with self._lock:
                self._all.append(found)
        return found

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run one durable transaction; an error undoes all of it.

        Raises:
            Unavailable: ``vault_busy`` or ``vault_full``.
        """
        connection = self.connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlcipher3.OperationalError as error:
            raise _unavailable(error) from error

    def close(self) -> None:
        """Close every connection; the vault cannot be used after it."""
        with self._lock:
            for connection in self._all:
                connection.close()
            self._all.clear()
        self._local = threading.local()

    def setting(self, name: str) -> bytes | None:
        """Return the stored setting ``name``, or ``None``."""
        # A cast: whoever edits the vault may put in a value of any type.
        row = self.connection.execute(
            "SELECT CAST(value AS BLOB) FROM settings WHERE name = ?", (name,)
        ).fetchone()
        return None if row is None else bytes(row[0])

    def put_setting(self, name: str, value: bytes) -> None:
        """Store the setting ``name``."""
        with self.transaction() as connection:
            put_setting(connection, name, value)


@contextmanager
def explained() -> Iterator[None]:
    """Turn what the engine says of a damaged or unusable file into our errors.

    Raises:
        VerificationFailed: ``vault_damaged`` when a page does not hold.
        Unavailable: ``vault_busy`` or ``vault_full``.
    """
    try:
        yield
    except sqlcipher3.OperationalError as error:
        raise _unavailable(error) from error
    except sqlcipher3.DatabaseError as error:
        raise _damaged(error) from error


def check_pages(vault: Vault) -> str:
    """Check every page's authentication code and the structure; return how many pages there are.

    Raises:
        VerificationFailed: ``vault_damaged``.
    """
    with explained():
        bad = vault.connection.execute("PRAGMA cipher_integrity_check").fetchone()
        told = vault.connection.execute("PRAGMA quick_check(1)").fetchone()
        (pages,) = vault.connection.execute("PRAGMA page_count").fetchone()
    if bad is not None or told != ("ok",):
        raise _damaged((bad or told)[0])
    return f"{pages} pages hold"


def put_setting(connection: sqlite3.Connection, name: str, value: bytes) -> None:
    """Store the setting ``name`` inside a transaction of the caller."""
    connection.execute(
        "INSERT INTO settings VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def remove_setting(connection: sqlite3.Connection, name: str) -> bool:
    """Take a setting away inside a transaction of the caller; tell whether there was one."""
    return connection.execute("DELETE FROM settings WHERE name = ?", (name,)).rowcount == 1


def create_vault(path: Path, key: bytes) -> Vault:
    """Make a new, empty vault.

    Raises:
        Conflict: ``vault_exists``; an existing file is never overwritten.
    """
    _check_key(key)
    if path.exists():
        raise Conflict(
            "vault_exists",
            "There is a vault already.",
            observed=path.name,
            next_step="Choose another --home, or use the one that is there.",
        )
    path.touch(mode=0o600)
    vault = Vault(path, key)
    _bring_up_to_date(vault)
    vault.put_setting(_TERM_KEY, secrets.token_bytes(KEY_SIZE))
    return open_loaded(vault)


def open_vault(path: Path, key: bytes) -> Vault:
    """Open an existing vault and bring its schema up to date.

    Raises:
        NotFound: ``vault_missing``.
        VerificationFailed: ``vault_key_wrong``; another key, or the file was changed;
            ``vault_damaged`` when a later page was.
        Refused: ``vault_newer``; a newer accord wrote it.
    """
    _check_key(key)
    if not path.is_file():
        raise NotFound(
            "vault_missing",
            "There is no vault here.",
            observed=path.name,
            next_step="Run accord desk init.",
        )
    vault = Vault(path, key)
    try:
        with explained():
            _bring_up_to_date(vault)
            return open_loaded(vault)
    except BaseException:
        vault.close()
        raise


def open_loaded(vault: Vault) -> Vault:
    """Read what every later call needs; refuse a vault without it."""
    vault.term_key = vault.setting(_TERM_KEY) or b""
    if len(vault.term_key) != KEY_SIZE:
        raise VerificationFailed("vault_damaged", "The vault lacks the key of its index.")
    if not has_name(vault.connection):
        raise VerificationFailed("vault_damaged", "The vault lacks the name of its journal.")
    return vault


def widen_cache(connection: sqlite3.Connection) -> None:
    """Let a connection that takes in many records keep more pages."""
    connection.execute(f"PRAGMA cache_size = -{WIDE_CACHE_KIB}")


def _check_key(key: bytes) -> None:
    if len(key) != KEY_SIZE:
        raise VerificationFailed("vault_key_wrong", f"A vault key has {KEY_SIZE} bytes.")


def _connect(path: Path, key: bytes) -> sqlite3.Connection:
    connection = cast(
        "sqlite3.Connection",
        sqlcipher3.connect(
            str(path), isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000
        ),
    )
    try:
        connection.execute("PRAGMA cipher_log_level = NONE")
        connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        connection.execute(f"PRAGMA cipher_page_size = {PAGE_SIZE}")
        _open_first_page(connection, path)
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = FAST")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute("PRAGMA wal_autocheckpoint = 4096")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlcipher3.DatabaseError as error:
        connection.close()
        if _no_database(error):
            raise _damaged(error) from error
        raise _unavailable(error) from error
    except VerificationFailed:
        connection.close()
        raise
    return connection


def _open_first_page(connection: sqlite3.Connection, path: Path) -> None:
    """Read the first page alone: it tells a wrong key from damage further on."""
    try:
        connection.execute("PRAGMA user_version").fetchone()
    except sqlcipher3.DatabaseError as error:
        if not _no_database(error):
            raise
        if path.stat().st_size % PAGE_SIZE:
            raise _damaged(path.stat().st_size) from error
        raise VerificationFailed(
            "vault_key_wrong",
            "The vault does not open with this desk's key: it is another desk's, or its first"
            " page is damaged.",
            observed=path.name,
            next_step=_RESTORE,
        ) from error


def _no_database(error: Exception) -> bool:
    return "not a database" in str(error) or "malformed" in str(error)


def _damaged(seen: object) -> VerificationFailed:
    return VerificationFailed(
        "vault_damaged",
        "The vault's file is damaged or was changed.",
        observed=str(seen)[:80],
        next_step=_RESTORE,
    )


def _unavailable(error: Exception) -> Unavailable:
    text = str(error)
    # Where a file beside the vault finds no room, the engine speaks of an I/O error only.
    if "full" in text or "I/O" in text:
        return Unavailable(
            "vault_full",
            "The disk is full, or it fails.",
            observed=text[:80],
            next_step="Free space and try again; then check the disk.",
        )
    return Unavailable(
        "vault_busy",
        "The vault cannot be used now.",
        observed=text[:80],
        next_step="Wait for the other command to end, and try again.",
    )


def _bring_up_to_date(vault: Vault) -> None:
    with vault.transaction() as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > len(VERSIONS):
            raise Refused(
                "vault_newer",
                "A newer accord wrote this vault.",
                observed=f"schema {version}, known {len(VERSIONS)}",
                next_step="Install the newer version again.",
            )
        for script in VERSIONS[version:]:
            for statement in _statements(script):
                connection.execute(statement)
        if version < JOURNAL_VERSION:
            adopt(connection)
        if version < NAMED_VERSION:
            give_name(connection)
        connection.execute(f"PRAGMA user_version = {len(VERSIONS)}")


def _statements(script: str) -> list[str]:
    # executescript() would commit first; no statement here holds a semicolon of its own but those
    # of comments, which are taken away.
    bare = "\n".join(line for line in script.splitlines() if not line.strip().startswith("--"))
    return [part for part in bare.split(";") if part.strip()]
