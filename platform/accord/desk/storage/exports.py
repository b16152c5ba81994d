"""What left this desk: each export with its records, so that a recall can name who has them."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from accord.desk.storage.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportEntry:
    """One export: who took what, when, in which form, for whom and why.

    Attributes:
        sha256: of the file; ``None`` for a tool that reads bit by bit.
        records: how many records it holds.
    """

    no: int
    at: int
    person: str
    form: str
    audience: str
    purpose: str
    reason: str
    records: int
    sha256: bytes | None


_COLUMNS = "e.no, e.at, e.person, e.form, e.audience, e.purpose, e.reason, e.records, e.sha256"


def add_export(
    connection: sqlite3.Connection,
    *,
    entry: ExportEntry,
    taken: Mapping[int, Sequence[int]],
) -> int:
    """Write an export down inside the caller's transaction; return its number.

    Args:
        connection: inside a transaction.
        entry: the export; its ``no`` is not looked at.
        taken: row of a bundle -> numbers of its records.
    """
    done = connection.execute(
        "INSERT INTO exports (at, person, form, audience, purpose, reason, records, sha256)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            entry.at,
            entry.person,
            entry.form,
            entry.audience,
            entry.purpose,
            entry.reason,
            entry.records,
            entry.sha256,
        ),
    )
    number = done.lastrowid or 0
    connection.executemany(
        "INSERT INTO exported VALUES (?, ?, ?)",
        [(bundle, number, np.array(some, "<u4").tobytes()) for bundle, some in taken.items()],
    )
    return number


def exports(vault: Vault, *, limit: int = 100) -> list[ExportEntry]:
    """Return the exports of this desk, the latest first."""
    rows = vault.connection.execute(
        f"SELECT {_COLUMNS} FROM exports e ORDER BY e.no DESC LIMIT ?",  # noqa: S608 - our own column names
        (limit,),
    )
    return [_entry(row) for row in rows]


def was_exported(vault: Vault, *, form: str, sha256: bytes) -> bool:
    """Tell whether an export of this form with this fingerprint left the desk."""
    row = vault.connection.execute(
        "SELECT 1 FROM exports WHERE form = ? AND sha256 = ? LIMIT 1", (form, sha256)
    ).fetchone()
    return row is not None


def who_took(vault: Vault, bundle: int, records: Sequence[int] | None = None) -> list[ExportEntry]:
    """Return the exports that hold records of a bundle.

    Args:
        vault: the open vault.
        bundle: the bundle's row.
        records: numbers of the records in question; ``None`` for any.
    """
    rows = vault.connection.execute(
        f"SELECT {_COLUMNS}, x.records FROM exported x JOIN exports e ON e.no = x.export"  # noqa: S608 - our own column names
        " WHERE x.bundle = ? ORDER BY e.no",
        (bundle,),
    )
    wanted = None if records is None else np.array(records, "<u4")
    return [
        _entry(row[:-1])
        for row in rows
        if wanted is None or np.isin(wanted, np.frombuffer(row[-1], "<u4")).any()
    ]


def _entry(row: Sequence[object]) -> ExportEntry:
    return ExportEntry(**dict(zip(ExportEntry.__dataclass_fields__, row, strict=True)))  # type: ignore[arg-type]
