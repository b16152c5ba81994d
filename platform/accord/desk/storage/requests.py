"""Requests, answers and sightings as facts beside the bundles that brought them.

Each row came from a verified bundle, or from one that was sealed here, in the same transaction.
Rows hold codes and times only and outlive the plaintext of their bundles.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from accord.desk.storage.bundles import Way
from accord.desk.storage.vault import Vault
from accord.kernel.errors import NotFound
from accord.kernel.identifiers import BundleId, OrgId


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """A request of ``org``; ``closed`` is when and ``close`` why it was ended."""

    org: OrgId
    id: BundleId
    way: Way
    ask: str
    arrived: int
    deadline: int
    closed: int | None = None
    close: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRow:
    """What ``org`` answered in bundle ``id`` to a request of ``request_org``."""

    request_org: OrgId
    request: BundleId
    org: OrgId
    id: BundleId
    outcome: str
    reason: str | None
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SightingRow:
    """What ``by_org`` saw of a record (or ``WHOLE``) of the bundle of ``org``."""

    org: OrgId
    bundle: BundleId
    record: int
    by_org: OrgId
    by_id: BundleId
    saw: str
    count: str
    period: str
    at: int


_REQUEST = ", ".join(RequestRow.__dataclass_fields__)
_ANSWER = ", ".join(AnswerRow.__dataclass_fields__)
_SIGHTING = ", ".join(SightingRow.__dataclass_fields__)


def add_request(connection: sqlite3.Connection, row: RequestRow) -> None:
    """Keep a new request; only inside a transaction."""
    connection.execute(
        f"INSERT INTO requests ({_REQUEST}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - our own column names
        " ON CONFLICT DO NOTHING",
        (row.org, row.id, row.way.value, row.ask, row.arrived, row.deadline, row.closed, row.close),
    )


def close_request(
    connection: sqlite3.Connection, org: OrgId, id_: BundleId, close: str, *, now: int
) -> None:
    """Note that whoever asked ended the request; the first word stands."""
    connection.execute(
        "UPDATE requests SET closed = ?, close = ? WHERE org = ? AND id = ? AND closed IS NULL",
        (now, close, org, id_),
    )


def add_answer(connection: sqlite3.Connection, row: AnswerRow) -> None:
    """Keep an answer; only inside a transaction."""
    connection.execute(
        f"INSERT INTO answers ({_ANSWER}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",  # noqa: S608 - our own column names
        tuple(getattr(row, name) for name in AnswerRow.__dataclass_fields__),
    )


def add_sightings(connection: sqlite3.Connection, rows: Sequence[SightingRow]) -> None:
    """Keep sightings; only inside a transaction."""
    connection.executemany(
        f"INSERT INTO sightings ({_SIGHTING}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - our own column names
        " ON CONFLICT DO NOTHING",
        [tuple(getattr(row, name) for name in SightingRow.__dataclass_fields__) for row in rows],
    )


def find_request(vault: Vault, id_: str, org: str | None = None) -> RequestRow:
    """Return a request by its bundle's id.

    Raises:
        NotFound: ``request_unknown``.
    """
    row = vault.connection.execute(
        f"SELECT {_REQUEST} FROM requests WHERE id = ? AND (? IS NULL OR org = ?)",  # noqa: S608 - our own column names
        (id_, org, org),
    ).fetchone()
    if row is None:
        raise NotFound(
            "request_unknown",
            "This desk knows no request of this id.",
            observed=id_[:80],
            next_step="accord requests lists those that are here; accord pull fetches more.",
        )
    return _request(row)


def list_requests(
    vault: Vault, *, way: Way | None = None, unclosed: bool = False, limit: int = 1000
) -> list[RequestRow]:
    """Return requests, the earliest deadline first among the open ones, then the closed ones."""
    rows = vault.connection.execute(
        f"SELECT {_REQUEST} FROM requests WHERE (?1 IS NULL OR way = ?1)"  # noqa: S608 - our own column names
        " AND (?2 = 0 OR closed IS NULL) ORDER BY closed IS NOT NULL, deadline, id LIMIT ?3",
        (way and way.value, int(unclosed), limit),
    )
    return [_request(row) for row in rows]


def answers_to(vault: Vault, request: RequestRow) -> list[AnswerRow]:
    """Return all answers to a request in the order in which they were made."""
    rows = vault.connection.execute(
        f"SELECT {_ANSWER} FROM answers WHERE request_org = ? AND request = ? ORDER BY at, id",  # noqa: S608 - our own column names
        (request.org, request.id),
    )
    return [
        AnswerRow(**dict(zip(AnswerRow.__dataclass_fields__, row, strict=True))) for row in rows
    ]


def sightings_of(vault: Vault, org: str, bundle: str) -> list[SightingRow]:
    """Return the last word of each organisation on each record of a bundle, the whole first."""
    rows = vault.connection.execute(
        f"SELECT {_SIGHTING} FROM sightings WHERE org = ? AND bundle = ?"  # noqa: S608 - our own column names
        " ORDER BY record, by_org, saw, at, by_id",
        (org, bundle),
    )
    found = [
        SightingRow(**dict(zip(SightingRow.__dataclass_fields__, row, strict=True))) for row in rows
    ]
    last = {(one.record, one.by_org, one.saw): one for one in found}
    return list(last.values())


def _request(row: Sequence[object]) -> RequestRow:
    values = dict(zip(RequestRow.__dataclass_fields__, row, strict=True))
    return RequestRow(**values | {"way": Way(values["way"])})  # type: ignore[arg-type]
