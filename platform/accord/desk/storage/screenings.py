"""Files of our own that were matched here: who, why, which file, against what, what came of it.

Written before the file is read (fail closed); the counts are added when the run has ended, so a run
without them was stopped.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from accord.desk.storage.journal import Act, record_act_in
from accord.desk.storage.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreeningEntry:
    """One run; ``rows``, ``matched`` and ``refused`` are ``None`` when it was stopped."""

    no: int
    at: int
    person: str
    reason: str
    name: str
    sha256: bytes
    list_sha256: bytes
    list_records: int
    rows: int | None = None
    matched: int | None = None
    refused: int | None = None


_FIELDS = tuple(ScreeningEntry.__dataclass_fields__)


def begin_screening(vault: Vault, entry: ScreeningEntry) -> int:
    """Write a run down durably, with its act; return its number."""
    kept = _FIELDS[1:8]
    with vault.transaction() as connection:
        done = connection.execute(
            f"INSERT INTO screenings ({', '.join(kept)}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - our own column names
            [getattr(entry, name) for name in kept],
        )
        number = done.lastrowid or 0
        record_act_in(
            connection,
            person=entry.person,
            act=Act.SCREENING_RUN,
            subject=f"{number} sha256={entry.sha256.hex()} lists={entry.list_sha256.hex()}",
            reason=entry.reason,
            now=entry.at,
        )
    return number


def finish_screening(vault: Vault, no: int, *, rows: int, matched: int, refused: int) -> None:
    """Add what came of a run."""
    with vault.transaction() as connection:
        connection.execute(
            "UPDATE screenings SET rows = ?, matched = ?, refused = ? WHERE no = ?",
            (rows, matched, refused, no),
        )


def screenings(vault: Vault, *, limit: int = 100) -> Sequence[ScreeningEntry]:
    """Return the runs of this desk, the latest first."""
    rows = vault.connection.execute(
        f"SELECT {', '.join(_FIELDS)} FROM screenings ORDER BY no DESC LIMIT ?",  # noqa: S608 - our own column names
        (limit,),
    )
    return [ScreeningEntry(**dict(zip(_FIELDS, row, strict=True))) for row in rows]
