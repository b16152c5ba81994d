"""Heads of the journal that this desk sent, each written down before it is sent.

``number`` is its event's number in the hub's audit log, once the hub has told it. What the hub said
when it last refused a head or a restart is kept until it takes one.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from accord.desk.storage.vault import Vault, put_setting, remove_setting
from accord.kernel.tlog.growing import GrownHead

_REFUSED = "journal_refused"
_DIGITS = 12
"""Digits of the largest second that is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The code with which the hub refused a head or a restart, and the second."""

    code: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SentHead:
    """A head that was sent at second ``at``; ``number`` is ``None`` while no answer came."""

    head: GrownHead
    at: int
    number: int | None


def sent_heads(vault: Vault) -> list[SentHead]:
    """Return every head that was sent, in order."""
    rows = vault.connection.execute(
        "SELECT size, root, at, number FROM journal_heads ORDER BY size, at"
    )
    return [_sent(row) for row in rows]


def last_sent(vault: Vault) -> SentHead | None:
    """Return the newest head that was sent, or ``None``."""
    row = vault.connection.execute(
        "SELECT size, root, at, number FROM journal_heads ORDER BY at DESC, size DESC LIMIT 1"
    ).fetchone()
    return None if row is None else _sent(row)


def leaf_count(vault: Vault) -> int:
    """Return how many rows the journal has."""
    (count,) = vault.connection.execute("SELECT count(*) FROM journal_leaves").fetchone()
    return int(count)


def begin_head(connection: sqlite3.Connection, head: GrownHead, *, now: int) -> None:
    """Write down that a head is being sent."""
    connection.execute(
        "INSERT INTO journal_heads (size, root, at) VALUES (?, ?, ?)"
        " ON CONFLICT (size, root) DO UPDATE SET at = excluded.at",
        (head.size, head.root, now),
    )


def finish_head(vault: Vault, head: GrownHead, *, number: int) -> None:
    """Write down the number of a head's event in the hub's audit log; no refusal stands then."""
    with vault.transaction() as connection:
        drop_refusal(connection)
        connection.execute(
            "UPDATE journal_heads SET number = ? WHERE size = ? AND root = ?",
            (number, head.size, head.root),
        )


def keep_refusal(vault: Vault, code: str, *, now: int) -> None:
    """Write down that the hub refused a head or a restart."""
    with vault.transaction() as connection:
        put_setting(connection, _REFUSED, f"{now} {code}".encode())


def drop_refusal(connection: sqlite3.Connection) -> None:
    """Write down that no refusal stands, inside the caller's transaction."""
    remove_setting(connection, _REFUSED)


def last_refusal(vault: Vault) -> Refusal | None:
    """Return the refusal that stands, or ``None``; one that cannot be read is one all the same."""
    kept = vault.setting(_REFUSED)
    if kept is None:
        return None
    at, _, code = kept.partition(b" ")
    second = int(at) if at.isdigit() and len(at) <= _DIGITS else 0
    return Refusal(code=code.decode("ascii", "replace"), at=second)


def first_second_after(vault: Vault, place: int) -> int | None:
    """Return the earliest second of the rows after ``place``, or ``None`` when there are none."""
    (at,) = vault.connection.execute(
        "SELECT min(CAST(COALESCE(acts.at, searches.at) AS INTEGER)) FROM journal_leaves"
        " LEFT JOIN acts ON kind = 'act' AND acts.no = journal_leaves.no"
        " LEFT JOIN searches ON kind <> 'act' AND searches.no = journal_leaves.no"
        " WHERE place > ?",
        (place,),
    ).fetchone()
    return None if at is None else int(at)


def unlogged_heads(vault: Vault, *, what: Sequence[str], size: int) -> list[SentHead]:
    """Return heads that the hub said it logged below ``size``, as one of ``what``, and did not."""
    marks = ", ".join("?" * len(what))
    rows = vault.connection.execute(
        "SELECT size, root, at, number FROM journal_heads WHERE number < ? AND NOT EXISTS"  # noqa: S608 - marks alone
        f" (SELECT 1 FROM own_events WHERE own_events.what IN ({marks})"
        " AND own_events.number = journal_heads.number) ORDER BY number",
        (size, *what),
    )
    return [_sent(row) for row in rows]


def _sent(row: tuple[int, bytes, int, int | None]) -> SentHead:
    head = GrownHead(size=row[0], root=bytes(row[1]))
    return SentHead(head=head, at=row[2], number=row[3])
