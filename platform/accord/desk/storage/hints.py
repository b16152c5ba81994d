"""What the hub's feed told: hints, kept apart from what signed bundles did.

A hint changes nothing that is stored: it is shown beside it. A bundle that the feed announced and
that never came stays here as missing, so that a hub that withholds one is seen.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accord.desk.storage.vault import Vault

DELIVERED = "delivered"
EXPIRED = "expired"

_FIELDS = ("seq", "event", "org", "id", "kind", "subject", "at")
_COLUMNS = ", ".join(_FIELDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """One item of the feed: about the bundle (``org``, ``id``), or a notice about ``subject``."""

    seq: int
    event: str
    org: str | None
    id: str | None
    kind: str | None
    subject: str | None
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A bundle that was announced and did not come; ``ended``: the hub told its expiry since."""

    org: str
    id: str
    kind: str
    at: int
    ended: bool


def add_hints(connection: sqlite3.Connection, hints: Sequence[Hint]) -> None:
    """Keep hints inside the caller's transaction; a repeated one changes nothing."""
    connection.executemany(
        f"INSERT INTO hints ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",  # noqa: S608 - our own column names
        [tuple(getattr(hint, name) for name in _FIELDS) for hint in hints],
    )


def forget_hints(connection: sqlite3.Connection) -> None:
    """Forget all of them, because the feed is read from its beginning again."""
    connection.execute("DELETE FROM hints")


def settle_deliveries(connection: sqlite3.Connection) -> None:
    """Forget the announcements of what has come, opened or refused."""
    connection.execute(
        "DELETE FROM hints WHERE event = ? AND EXISTS (SELECT 1 FROM deliveries"
        " WHERE deliveries.id = hints.id AND deliveries.org = hints.org)",
        (DELIVERED,),
    )
    # A delivery whose sender and id could not be read is known by its number alone.
    connection.execute(
        "DELETE FROM hints WHERE event = ? AND EXISTS (SELECT 1 FROM deliveries"
        " WHERE deliveries.seq = hints.seq AND deliveries.id IS NULL)",
        (DELIVERED,),
    )


def missing(vault: Vault) -> list[Missing]:
    """Return what was announced and has not come, the oldest first."""
    rows = vault.connection.execute(
        "SELECT org, id, kind, at, EXISTS (SELECT 1 FROM hints AS later WHERE later.event = ?"
        " AND later.org = hints.org AND later.id = hints.id)"
        " FROM hints WHERE event = ? ORDER BY seq",
        (EXPIRED, DELIVERED),
    )
    return [
        Missing(org=row[0], id=row[1], kind=row[2], at=row[3], ended=bool(row[4])) for row in rows
    ]


def hints_of(vault: Vault, org: str, id_: str) -> list[Hint]:
    """Return what the feed told about one bundle, in its order, but its delivery."""
    rows = vault.connection.execute(
        f"SELECT {_COLUMNS} FROM hints WHERE id = ? AND org = ? AND event <> ? ORDER BY seq",  # noqa: S608 - our own column names
        (id_, org, DELIVERED),
    )
    return [_hint(row) for row in rows]


def notices(vault: Vault, *, limit: int) -> list[Hint]:
    """Return what the feed told about no bundle in particular, the latest first."""
    rows = vault.connection.execute(
        f"SELECT {_COLUMNS} FROM hints WHERE id IS NULL ORDER BY seq DESC LIMIT ?",  # noqa: S608 - our own column names
        (limit,),
    )
    return [_hint(row) for row in rows]


def _hint(row: Sequence[Any]) -> Hint:
    return Hint(**dict(zip(_FIELDS, row, strict=True)))
