"""The outbox: sealed bundles on their way, so that a killed command goes on where it stopped.

The sealed bytes lie in a file beside the vault (they are sealed, so they may), synced before
their row is written; the row is written in the same transaction as the bundle's own records. A
row leaves the states ``sealed`` and ``stored`` only with a verified receipt or a refusal.
"""

import hashlib
import itertools
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from accord.desk.storage.vault import Vault
from accord.kernel.errors import Unavailable, VerificationFailed
from accord.kernel.identifiers import BundleId, OrgId


class OutboxState(StrEnum):
    """How far a sealed bundle came."""

    SEALED = "sealed"
    STORED = "stored"
    RECEIPTED = "receipted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """One sealed bundle. ``receipt`` is the verified tlog-proof with its openings."""

    id: BundleId
    digest: bytes
    size: int
    state: OutboxState
    recipients: tuple[OrgId, ...]
    created: int
    code: str | None
    message: str | None
    log_index: int | None
    receipt: bytes | None
    receipted: int | None


_COLUMNS = ", ".join(OutboxRow.__dataclass_fields__)


def outbox_path(vault: Vault, id_: BundleId) -> Path:
    """Return where the sealed bytes of ``id_`` lie."""
    return vault.path.parent / "outbox" / f"{id_}.asb"


def write_sealed(vault: Vault, id_: BundleId, sealed: bytes) -> None:
    """Write the sealed bytes durably; the row comes after, with ``add_outbox``.

    Raises:
        Unavailable: ``outbox_unwritable``; nothing counts as sealed.
    """
    path = outbox_path(vault, id_)
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with path.open("wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        _sync_directory(path.parent)
    except OSError as error:
        raise Unavailable(
            "outbox_unwritable",
            "The sealed bundle could not be written to the disk.",
            observed=error.strerror,
            next_step="Free space or mend the directory's rights, and run the command again.",
        ) from error


def read_sealed(vault: Vault, row: OutboxRow) -> bytes:
    """Return the sealed bytes of ``row``.

    Raises:
        VerificationFailed: ``outbox_damaged`` when they are gone or not the ones that we wrote.
    """
    path = outbox_path(vault, row.id)
    sealed = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(sealed).digest() != row.digest:
        raise VerificationFailed(
            "outbox_damaged",
            "A sealed bundle in the outbox is gone or was changed.",
            observed=path.name,
            next_step="Restore the desk's directory from a backup, or submit the file again.",
        )
    return sealed


def add_outbox(
    connection: sqlite3.Connection,
    *,
    id_: BundleId,
    sealed: bytes,
    recipients: Sequence[OrgId],
    now: int,
) -> None:
    """Add a bundle in state ``sealed`` inside the caller's transaction."""
    connection.execute(
        "INSERT INTO outbox (id, digest, size, state, recipients, created)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            id_,
            hashlib.sha256(sealed).digest(),
            len(sealed),
            OutboxState.SEALED.value,
            " ".join(recipients),
            now,
        ),
    )


def outbox_row(vault: Vault, id_: BundleId) -> OutboxRow | None:
    """Return the row of a bundle that was sealed here, or ``None``."""
    row = vault.connection.execute(
        f"SELECT {_COLUMNS} FROM outbox WHERE id = ?",  # noqa: S608 - our own column names
        (id_,),
    ).fetchone()
    return None if row is None else _row(row)


def recipients_served(vault: Vault) -> list[tuple[OrgId, ...]]:
    """Return each set of recipients that a bundle from here went to, but for refused ones."""
    rows = vault.connection.execute(
        "SELECT DISTINCT recipients FROM outbox WHERE state != ?", (OutboxState.REFUSED.value,)
    )
    return [tuple(OrgId(org) for org in named.split()) for (named,) in rows]


def unfinished(vault: Vault) -> list[OutboxRow]:
    """Return what still waits for the hub or for its receipt, the oldest first."""
    rows = vault.connection.execute(
        f"SELECT {_COLUMNS} FROM outbox WHERE state IN (?, ?) ORDER BY id",  # noqa: S608 - our own column names
        (OutboxState.SEALED.value, OutboxState.STORED.value),
    )
    return [_row(row) for row in rows]


HELD = "held_aside"
"""Code of a stored bundle that the hub holds aside until its operator decides."""


def mark_stored(vault: Vault, id_: BundleId, log_index: int, *, held: str | None = None) -> None:
    """The hub stored it; the receipt is still to come. A later state stays.

    ``held`` says why the hub keeps it aside undelivered, when it does.
    """
    code = None if held is None else HELD
    words = None if held is None else f"The hub holds it aside until its operator decides: {held}."
    values = (OutboxState.STORED.value, log_index, code, words)
    _leave_sealed(vault, id_, "state = ?, log_index = ?, code = ?, message = ?", values)


def mark_receipted(vault: Vault, id_: BundleId, receipt: bytes, *, now: int) -> None:
    """Keep the verified receipt and drop the sealed file."""
    values = (OutboxState.RECEIPTED.value, receipt, now)
    with vault.transaction() as connection:
        connection.execute(
            "UPDATE outbox SET state = ?, receipt = ?, receipted = ? WHERE id = ?", (*values, id_)
        )
    outbox_path(vault, id_).unlink(missing_ok=True)


def mark_refused(vault: Vault, id_: BundleId, *, code: str, message: str) -> None:
    """The hub refused it for good; its records do not count as sent. A later state stays."""
    values = (OutboxState.REFUSED.value, code, message)
    _leave_sealed(vault, id_, "state = ?, code = ?, message = ?", values)
    outbox_path(vault, id_).unlink(missing_ok=True)


def remove_orphans(vault: Vault) -> int:
    """Delete sealed files without a row: their command was killed before it committed."""
    folder = vault.path.parent / "outbox"
    removed = 0
    for path in sorted(folder.glob("*.asb")) if folder.is_dir() else []:
        if outbox_row(vault, BundleId(path.stem)) is None:
            path.unlink()
            removed += 1
    return removed


def begin_submission(
    vault: Vault, base: bytes, *, source: bytes | None, name: str | None, now: int
) -> tuple[bytes, bool]:
    """Open a submission; return its key, and whether a killed command had opened it before.

    Args:
        vault: the open vault.
        base: digest of what is sent to whom; a repeat after the end gets a key of its own.
        source: SHA-256 of the file, if there is one.
        name: the file's name, for people.
        now: unix seconds.
    """
    with vault.transaction() as connection:
        for attempt in itertools.count():
            key = hashlib.sha256(base + attempt.to_bytes(8, "big")).digest()
            row = connection.execute(
                "SELECT finished FROM submissions WHERE key = ?", (key,)
            ).fetchone()
            if row is None:
                connection.execute(
                    "INSERT INTO submissions VALUES (?, ?, ?, ?, NULL)", (key, source, name, now)
                )
                return key, False
            if row[0] is None:
                return key, True
    raise Unavailable("vault_busy", "The submission could not be opened.")


def finish_submission(vault: Vault, key: bytes, *, now: int) -> None:
    """Close a submission: every bundle of it is sealed."""
    with vault.transaction() as connection:
        connection.execute("UPDATE submissions SET finished = ? WHERE key = ?", (now, key))


def finished_source(vault: Vault, source: bytes) -> int | None:
    """Return when a file with this digest was last submitted in full, or ``None``."""
    row = vault.connection.execute(
        "SELECT max(finished) FROM submissions WHERE source = ?", (source,)
    ).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def submissions_of(vault: Vault, source: bytes) -> frozenset[bytes]:
    """Return the keys of the submissions of a file with this digest."""
    rows = vault.connection.execute("SELECT key FROM submissions WHERE source = ?", (source,))
    return frozenset(bytes(row[0]) for row in rows)


@contextmanager
def only_sender(vault: Vault) -> Iterator[None]:
    """Hold the right to seal; the system gives it back when the process ends, however it ends.

    Raises:
        Unavailable: ``sender_busy`` while another command seals.
    """
    lock = sqlite3.connect(vault.path.parent / "sender.lock", isolation_level=None, timeout=0)
    try:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise Unavailable(
                "sender_busy",
                "Another command of this desk is sending.",
                retry_after=5,
                next_step="Wait for it to end, and try again.",
            ) from error
        yield
    finally:
        lock.close()


def _leave_sealed(vault: Vault, id_: BundleId, change: str, values: Sequence[object]) -> None:
    with vault.transaction() as connection:
        connection.execute(
            f"UPDATE outbox SET {change} WHERE id = ? AND state = ?",  # noqa: S608 - texts of this module
            (*values, id_, OutboxState.SEALED.value),
        )


def _row(row: Sequence[Any]) -> OutboxRow:
    values = dict(zip(OutboxRow.__dataclass_fields__, row, strict=True))
    recipients = tuple(OrgId(org) for org in values["recipients"].split())
    return OutboxRow(**values | {"state": OutboxState(values["state"]), "recipients": recipients})


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
