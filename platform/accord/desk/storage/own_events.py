"""Our own events of the hub's audit trail, as far as they were verified, and what they lack."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from accord.desk.storage.vault import Vault
from accord.kernel.identifiers import OrgId
from accord.kernel.tlog.heads import OrgHead, start_of


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnEventRow:
    """Event ``seq`` of ours: number in the log, class, who acted, on what, outcome, time.

    ``opened`` and ``path`` are kept of acceptances alone: what opens to us, and the path (32-byte
    hashes, one after the other) under the checkpoint of ``size``, which the vault has, too.
    """

    seq: int
    number: int
    what: str
    actor: str
    subject: str
    outcome: str
    at: int
    opened: bytes | None = None
    path: bytes | None = None
    size: int | None = None


_COLUMNS = tuple(OwnEventRow.__dataclass_fields__)


def own_head(vault: Vault, org: OrgId) -> OrgHead:
    """Return how far our events were verified."""
    row = vault.connection.execute("SELECT seq, number, chain, bound FROM own_head").fetchone()
    if row is None:
        return start_of(org)
    return OrgHead(org=org, seq=row[0], number=row[1], chain=bytes(row[2]), bound=bool(row[3]))


def last_compared(vault: Vault) -> int | None:
    """Return when our events were last compared with what we did, or ``None``."""
    row = vault.connection.execute("SELECT checked FROM own_head").fetchone()
    return None if row is None else int(row[0])


def add_own_events(
    connection: sqlite3.Connection, head: OrgHead, rows: Sequence[OwnEventRow], *, now: int
) -> None:
    """Keep verified events and the head that they lead to, inside the caller's transaction."""
    connection.executemany(
        f"INSERT OR IGNORE INTO own_events ({', '.join(_COLUMNS)})"  # noqa: S608 - our own names
        f" VALUES ({', '.join('?' * len(_COLUMNS))})",
        [tuple(getattr(row, name) for name in _COLUMNS) for row in rows],
    )
    connection.execute(
        "INSERT INTO own_head (only, seq, number, chain, bound, checked) VALUES (1, ?, ?, ?, ?, ?)"
        " ON CONFLICT (only) DO UPDATE SET seq = excluded.seq, number = excluded.number,"
        " chain = excluded.chain, bound = excluded.bound, checked = excluded.checked"
        " WHERE excluded.seq >= own_head.seq",
        (head.seq, head.number, head.chain, int(head.bound), now),
    )


def own_events_of(vault: Vault, subject: str) -> list[OwnEventRow]:
    """Return the events on one thing, for example a bundle, in the log's order."""
    names = _COLUMNS[: _COLUMNS.index("opened")]
    rows = vault.connection.execute(
        f"SELECT {', '.join(names)} FROM own_events WHERE subject = ? ORDER BY seq",  # noqa: S608 - our own names
        (subject,),
    )
    return [OwnEventRow(**dict(zip(names, row, strict=True))) for row in rows]


# A subject is empty when the hub had erased it, its time being over, before we saw the event.


def unlogged_acceptances(vault: Vault, *, size: int) -> list[tuple[str, int]]:
    """Return our bundles that the hub said it logged below ``size`` and did not: id and index."""
    rows = vault.connection.execute(
        "SELECT id, log_index FROM outbox WHERE log_index IS NOT NULL AND log_index < ?"
        " AND NOT EXISTS (SELECT 1 FROM own_events WHERE own_events.what = 'bundle.accepted'"
        " AND own_events.subject IN (outbox.id, '') AND own_events.number = outbox.log_index)"
        " ORDER BY log_index",
        (size,),
    )
    return [(row[0], row[1]) for row in rows]


def unlogged_deliveries(vault: Vault, *, before: int) -> list[str]:
    """Return bundles that we got before second ``before`` and whose delivery was not logged."""
    rows = vault.connection.execute(
        "SELECT DISTINCT id FROM deliveries WHERE id IS NOT NULL AND at < ?"
        " AND NOT EXISTS (SELECT 1 FROM own_events WHERE own_events.what = 'bundle.delivered'"
        " AND own_events.subject IN (deliveries.id, '')) ORDER BY id",
        (before,),
    )
    return [row[0] for row in rows]
