"""Our own events of the hub's audit trail, as far as they were verified, and what they lack."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from accord.desk.storage.vault import Vault
from accord.kernel.identifiers import BundleId, OrgId
from accord.kernel.tlog.heads import OrgHead, start_of


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnEventRow:
    """Event ``seq`` of ours: number in the log, class, who acted, on what, outcome, time.

    ``sender`` is whose bundle it is about; empty of other things, and in events of before hubs told
    it. ``opened`` and ``path`` are kept of acceptances and of heads of our journals: what opens to
    us, and the path (32-byte hashes, one after the other) under the checkpoint of ``size``, which
    the vault has.
    """

    seq: int
    number: int
    what: str
    actor: str
    subject: str
    outcome: str
    at: int
    sender: str = ""
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


def own_events_of(vault: Vault, org: OrgId, bundle: BundleId) -> list[OwnEventRow]:
    """Return the events on the bundle that we, ``org``, sent under this id, in the log's order.

    A delivery concerns its recipient and the sender alone, so that one of before hubs told the
    sender is of a bundle of ours when somebody else took it.
    """
    names = _COLUMNS[: _COLUMNS.index("opened")]
    rows = vault.connection.execute(
        f"SELECT {', '.join(names)} FROM own_events WHERE subject = ?"  # noqa: S608 - our own names
        " AND (sender = ? OR (sender = '' AND what = 'bundle.delivered' AND actor <> ?))"
        " ORDER BY seq",
        (bundle, org, org),
    )
    return [OwnEventRow(**dict(zip(names, row, strict=True))) for row in rows]


# A subject is empty when the hub had erased it, its time being over, before we saw the event.


def unlogged_acceptances(vault: Vault, org: OrgId, *, size: int) -> list[tuple[str, int]]:
    """Return our bundles that the hub said it logged below ``size`` and did not: id and index."""
    rows = vault.connection.execute(
        "SELECT id, log_index FROM outbox WHERE log_index IS NOT NULL AND log_index < ?"
        " AND NOT EXISTS (SELECT 1 FROM own_events WHERE own_events.what = 'bundle.accepted'"
        " AND (own_events.subject = '' OR (own_events.subject = outbox.id"
        " AND own_events.sender = ?)) AND own_events.number = outbox.log_index)"
        " ORDER BY log_index",
        (size, org),
    )
    return [(row[0], row[1]) for row in rows]


def unlogged_deliveries(vault: Vault, org: OrgId, *, before: int) -> list[str]:
    """Return ids of bundles that we, ``org``, got before second ``before`` without an event.

    Events of before hubs told the sender count one bundle each, of whichever sender: two that came
    under one id need two of them.
    """
    rows = vault.connection.execute(
        "SELECT id, count(DISTINCT org) - (SELECT count(*) FROM own_events"
        "  WHERE own_events.what = 'bundle.delivered' AND own_events.subject = deliveries.id"
        "  AND own_events.sender = '' AND own_events.actor = ?) AS lacking"
        " FROM deliveries WHERE id IS NOT NULL AND at < ?"
        " AND NOT EXISTS (SELECT 1 FROM own_events WHERE own_events.what = 'bundle.delivered'"
        "  AND own_events.subject = '')"
        " AND NOT EXISTS (SELECT 1 FROM own_events WHERE own_events.what = 'bundle.delivered'"
        "  AND own_events.subject = deliveries.id AND own_events.sender = deliveries.org"
        "  AND own_events.actor = ?)"
        " GROUP BY id HAVING lacking > 0 ORDER BY id",
        (org, before, org),
    )
    return [row[0] for row in rows]
