"""Drafts that wait for a second person, and presets; the plan is opaque here."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import zstandard

from accord.desk.storage.vault import Vault
from accord.kernel.errors import NotFound

MAX_DRAFT = 256 * 1024 * 1024
"""Bytes of record lines in one draft."""


class DraftState(StrEnum):
    """Where a draft stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One draft; times are unix seconds. ``digest`` is over the plan and every line.

    ``sent`` is when all of it had gone; an approved draft without it was cut off.
    """

    no: int
    at: int
    maker: str
    name: str
    plan: bytes
    n: int
    digest: bytes
    state: DraftState
    decided: int | None
    decided_by: str | None
    reason: str | None
    sent: int | None

    @property
    def unsent(self) -> bool:
        """Whether it was approved and has not gone in full."""
        return self.state is DraftState.APPROVED and self.sent is None


_SENT = "(SELECT max(finished) FROM submissions WHERE source = drafts.digest)"
_COLUMNS = ", ".join([*[*Draft.__dataclass_fields__][:-1], _SENT])


def add_draft(
    connection: sqlite3.Connection,
    *,
    at: int,
    maker: str,
    name: str,
    plan: bytes,
    lines: Sequence[bytes],
    digest: bytes,
) -> int:
    """Keep a draft inside the caller's transaction; return its number."""
    packed = zstandard.compress(b"".join(line + b"\n" for line in lines))
    done = connection.execute(
        "INSERT INTO drafts (at, maker, name, plan, n, lines, digest, state)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (at, maker, name, plan, len(lines), packed, digest, DraftState.WAITING.value),
    )
    return done.lastrowid or 0


def drafts(vault: Vault, *, waiting: bool) -> list[Draft]:
    """Return the drafts, the latest first; those that wait for somebody alone, or all.

    One that was approved and has not gone in full waits too.
    """
    rows = vault.connection.execute(
        f"SELECT {_COLUMNS} FROM drafts"  # noqa: S608 - our own column names
        f" WHERE NOT ? OR state = ? OR (state = ? AND {_SENT} IS NULL) ORDER BY no DESC LIMIT 200",
        (waiting, DraftState.WAITING.value, DraftState.APPROVED.value),
    )
    return [_draft(row) for row in rows]


def find_draft(vault: Vault, no: int) -> Draft:
    """Return one draft.

    Raises:
        NotFound: ``draft_unknown``.
    """
    row = vault.connection.execute(
        f"SELECT {_COLUMNS} FROM drafts WHERE no = ?",  # noqa: S608 - our own column names
        (no,),
    ).fetchone()
    if row is None:
        raise NotFound(
            "draft_unknown",
            "There is no such draft.",
            observed=str(no),
            next_step="accord drafts lists those that wait.",
        )
    return _draft(row)


def draft_lines(vault: Vault, no: int) -> list[bytes]:
    """Return the record lines of a draft, without LF; none of one that was refused."""
    row = vault.connection.execute("SELECT lines FROM drafts WHERE no = ?", (no,)).fetchone()
    if row is None or row[0] is None:
        return []
    whole = zstandard.ZstdDecompressor().decompress(row[0], max_output_size=MAX_DRAFT)
    return whole.split(b"\n")[:-1]


def decide_draft(
    connection: sqlite3.Connection,
    draft: Draft,
    state: DraftState,
    *,
    by: str,
    at: int,
    reason: str,
) -> bool:
    """Note what became of a draft; tell whether it still stood as it was read. Refused lines go."""
    lines = "NULL" if state is DraftState.REFUSED else "lines"
    done = connection.execute(
        f"UPDATE drafts SET state = ?, decided = ?, decided_by = ?, reason = ?, lines = {lines}"  # noqa: S608 - a word of ours
        " WHERE no = ? AND digest = ? AND state = ?",
        (state.value, at, by, reason, draft.no, draft.digest, draft.state.value),
    )
    return done.rowcount == 1


def put_preset(connection: sqlite3.Connection, name: str, wishes: bytes) -> None:
    """Keep a preset under its name, in place of an older one."""
    connection.execute(
        "INSERT INTO presets VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET wishes = excluded.wishes",
        (name, wishes),
    )


def remove_preset(connection: sqlite3.Connection, name: str) -> bool:
    """Take a preset away; tell whether there was one."""
    return connection.execute("DELETE FROM presets WHERE name = ?", (name,)).rowcount == 1


def presets(vault: Vault) -> dict[str, bytes]:
    """Return every preset by name."""
    rows = vault.connection.execute("SELECT name, wishes FROM presets ORDER BY name")
    return {row[0]: bytes(row[1]) for row in rows}


def _draft(row: Sequence[object]) -> Draft:
    values = dict(zip(Draft.__dataclass_fields__, row, strict=True))
    return Draft(**values | {"state": DraftState(str(values["state"]))})  # type: ignore[arg-type]
