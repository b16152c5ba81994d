"""What the hub delivered: one row for each sequence number, opened or not, until acknowledged.

Nothing is dropped in silence: a delivery that could not be opened keeps its code, and its sealed
bytes when they are not too long (the hub still has the others).
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from accord.desk.storage.vault import Vault, put_setting

MAX_KEPT = 1024 * 1024
"""Bytes of a quarantined delivery that are kept here."""

_CURSOR = "delivery_cursor"
_FIELDS = ("seq", "org", "id", "manifest", "state", "at", "code", "message")
_COLUMNS = ", ".join(_FIELDS)


class DeliveryState(StrEnum):
    """What became of a delivery."""

    OPENED = "opened"
    RECALL_APPLIED = "recall-applied"
    REFUSED = "refused"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """One delivery. ``code`` and ``message`` say why it was refused."""

    seq: int
    org: str | None
    id: str | None
    manifest: bytes | None
    state: DeliveryState
    at: int
    code: str | None = None
    message: str | None = None


def add_delivery(connection: sqlite3.Connection, row: DeliveryRow, raw: bytes | None) -> None:
    """Record a delivery and move the cursor to it, inside the caller's transaction."""
    kept = raw if raw is not None and len(raw) <= MAX_KEPT else None
    connection.execute(
        "INSERT INTO deliveries (seq, org, id, manifest, state, code, message, raw, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            row.seq,
            row.org,
            row.id,
            row.manifest,
            row.state.value,
            row.code,
            row.message,
            kept,
            row.at,
        ),
    )
    # Two commands may receive at once: the cursor never goes back.
    found = connection.execute("SELECT value FROM settings WHERE name = ?", (_CURSOR,)).fetchone()
    if found is None or int(found[0]) < row.seq:
        put_setting(connection, _CURSOR, str(row.seq).encode())


def delivery_cursor(vault: Vault) -> int:
    """Return the sequence number of the last delivery that was dealt with; 0 at first."""
    value = vault.setting(_CURSOR)
    return int(value) if value else 0


def was_delivered(vault: Vault, org: str | None, id_: str) -> bool:
    """Tell whether a delivery of (org, id) was dealt with, opened or refused."""
    row = vault.connection.execute(
        "SELECT 1 FROM deliveries WHERE id = ? AND org = ? LIMIT 1", (id_, org)
    ).fetchone()
    return row is not None


def archive_deliveries(connection: sqlite3.Connection) -> None:
    """Give the rows of an earlier feed numbers below 0, so that the next one's find room."""
    (lowest,) = connection.execute(
        "SELECT min(0, coalesce(min(seq), 0)) FROM deliveries"
    ).fetchone()
    connection.execute("UPDATE deliveries SET seq = ? - seq WHERE seq > 0", (lowest,))
    put_setting(connection, _CURSOR, b"0")


def unacknowledged(vault: Vault, *, limit: int) -> list[DeliveryRow]:
    """Return deliveries that the sender has no signed acknowledgement of yet, oldest first."""
    rows = vault.connection.execute(
        f"SELECT {_COLUMNS} FROM deliveries"  # noqa: S608 - our own column names
        " WHERE acknowledged IS NULL AND id IS NOT NULL AND manifest IS NOT NULL"
        " ORDER BY seq LIMIT ?",
        (limit,),
    )
    return [_row(row) for row in rows]


def refused_deliveries(vault: Vault, *, limit: int) -> list[DeliveryRow]:
    """Return the deliveries that could not be opened, the latest first."""
    rows = vault.connection.execute(
        f"SELECT {_COLUMNS} FROM deliveries"  # noqa: S608 - our own column names
        " WHERE state = ? ORDER BY seq DESC LIMIT ?",
        (DeliveryState.REFUSED.value, limit),
    )
    return [_row(row) for row in rows]


def mark_acknowledged(vault: Vault, seqs: Sequence[int], *, now: int) -> None:
    """Note that the hub took our acknowledgement of these deliveries."""
    with vault.transaction() as connection:
        connection.executemany(
            "UPDATE deliveries SET acknowledged = ? WHERE seq = ?", [(now, seq) for seq in seqs]
        )


def _row(row: Sequence[Any]) -> DeliveryRow:
    values = dict(zip(_FIELDS, row, strict=True))
    return DeliveryRow(**values | {"state": DeliveryState(values["state"])})
