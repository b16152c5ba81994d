"""Who looked for what, and why: written before an answer is given (fail closed)."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import zstandard

from accord.desk.storage.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchEntry:
    """One search: number, time, person, reason, how many values, how many were found."""

    no: int
    at: int
    person: str
    reason: str
    n: int
    found: int | None


def begin_search(vault: Vault, *, person: str, reason: str, values: Sequence[str], now: int) -> int:
    """Write the search down durably and return its number; only then may it be answered."""
    packed = zstandard.compress(msgspec.json.encode(list(values)))
    with vault.transaction() as connection:
        done = connection.execute(
            "INSERT INTO searches (at, person, reason, values_sought, n) VALUES (?, ?, ?, ?, ?)",
            (now, person, reason, packed, len(values)),
        )
        return done.lastrowid or 0


def finish_search(vault: Vault, no: int, *, found: int) -> None:
    """Add how many of the values were found."""
    with vault.transaction() as connection:
        connection.execute("UPDATE searches SET found = ? WHERE no = ?", (found, no))


def searches(vault: Vault, *, limit: int = 100) -> list[SearchEntry]:
    """Return the searches of this desk, the latest first."""
    rows = vault.connection.execute(
        "SELECT no, at, person, reason, n, found FROM searches ORDER BY no DESC LIMIT ?", (limit,)
    )
    return [
        SearchEntry(no=row[0], at=row[1], person=row[2], reason=row[3], n=row[4], found=row[5])
        for row in rows
    ]


def record_act(vault: Vault, *, person: str, act: str, subject: str, reason: str, now: int) -> None:
    """Write down a view, an erasure or another act on stored records."""
    with vault.transaction() as connection:
        connection.execute(
            "INSERT INTO acts (at, person, act, object, reason) VALUES (?, ?, ?, ?, ?)",
            (now, person, act, subject, reason),
        )
