"""Values that people of this desk want to hear of, and each record that held one when it came.

A hit is kept once a record: the key says so. A watch is never deleted: it ends by its date or
because somebody took it off, and its hits stay.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from accord.desk.storage.journal import Act, record_act_in
from accord.desk.storage.vault import Vault
from accord.kernel.errors import Conflict, NotFound, Refused

MAX_WATCHES = 1_000
"""Watches that stand at a time."""

_FIELDS = (
    *("no", "sought", "kind", "network", "value", "subdomains", "reason", "person", "at"),
    *("expires", "removed", "removed_by"),
)
_COLUMNS = ", ".join(_FIELDS)
_STANDS = "removed IS NULL AND expires > ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One watch: what was typed, its canonical form, why, by whom, until when.

    Attributes:
        subdomains: also what lies below ``value``, a host.
        removed: when somebody took it off, or ``None``.
    """

    no: int
    sought: str
    kind: str
    network: str | None
    value: str
    subdomains: bool
    reason: str
    person: str
    at: int
    expires: int
    removed: int | None = None
    removed_by: str | None = None

    def stands(self, now: int) -> bool:
        """Tell whether it is on at ``now``."""
        return self.removed is None and self.expires > now


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchHit:
    """Record ``record`` of the bundle in row ``bundle`` held what watch ``watch`` names."""

    watch: int
    bundle: int
    record: int
    found_as: str
    at: int
    seen: int | None = None


def add_watch(vault: Vault, new: Watch, terms: Sequence[str]) -> Watch:
    """Put a value on watch, with its act; the ``no`` of ``new`` is not looked at.

    Raises:
        Conflict: ``watch_exists``.
        Refused: ``watches_many``.
    """
    with vault.transaction() as connection:
        standing = list(_select(connection, _STANDS, new.at))
        for one in standing:
            if _same(one) == _same(new):
                raise Conflict(
                    "watch_exists",
                    "This value is on watch already.",
                    observed=f"watch {one.no} of {one.person}",
                    next_step="accord watch list shows it.",
                )
        if len(standing) >= MAX_WATCHES:
            raise Refused(
                "watches_many",
                f"At most {MAX_WATCHES} values are on watch at a time.",
                next_step="Take some off: accord watch remove NO.",
            )
        values = [getattr(new, name) for name in _FIELDS[1:]]
        marks = ", ".join("?" * (len(values) + 1))
        done = connection.execute(
            f"INSERT INTO watches ({', '.join(_FIELDS[1:])}, terms) VALUES ({marks})",  # noqa: S608 - our own column names
            (*values, msgspec.json.encode(list(terms))),
        )
        made = _one(connection, done.lastrowid or 0)
        _act(connection, made, "on", person=new.person, reason=new.reason, now=new.at)
        return made


def remove_watch(vault: Vault, no: int, *, person: str, reason: str, now: int) -> Watch:
    """Take a watch off, with its act.

    Raises:
        NotFound: ``watch_unknown``: there is none of this number that stands.
    """
    with vault.transaction() as connection:
        done = connection.execute(
            f"UPDATE watches SET removed = ?, removed_by = ? WHERE no = ? AND {_STANDS}",  # noqa: S608 - our own words
            (now, person, no, now),
        )
        if not done.rowcount:
            raise _unknown(no)
        gone = _one(connection, no)
        _act(connection, gone, "off", person=person, reason=reason, now=now)
        return gone


def watches(vault: Vault, *, now: int, ended: bool = False) -> list[Watch]:
    """Return the watches that stand, with ``ended`` also the others; the latest first."""
    where = "1 OR ?" if ended else _STANDS
    return list(_select(vault.connection, f"{where} ORDER BY no DESC", now))


def standing_terms(connection: sqlite3.Connection, *, now: int) -> Mapping[str, list[Watch]]:
    """Return the watches that stand, by each term (texts.py) that a record may have."""
    found: defaultdict[str, list[Watch]] = defaultdict(list)
    rows = connection.execute(
        f"SELECT {_COLUMNS}, terms FROM watches WHERE {_STANDS}",  # noqa: S608 - our own column names
        (now,),
    )
    for row in rows:
        watch = _watch(row[:-1])
        for term in msgspec.json.decode(row[-1], type=list[str]):
            found[term].append(watch)
    return found


def add_watch_hits(connection: sqlite3.Connection, hits: Iterable[WatchHit]) -> None:
    """Keep hits inside the caller's transaction; a repeated one changes nothing."""
    connection.executemany(
        "INSERT INTO watch_hits VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [(one.watch, one.bundle, one.record, one.found_as, one.at, one.seen) for one in hits],
    )


def watch_hits(
    vault: Vault, *, watch: int | None = None, unseen: bool = False, limit: int
) -> list[WatchHit]:
    """Return hits, the latest first: of one watch or of all, of all or those nobody has seen."""
    rows = vault.connection.execute(
        "SELECT watch, bundle, record, found_as, at, seen FROM watch_hits"
        " WHERE (?1 IS NULL OR watch = ?1) AND (NOT ?2 OR seen IS NULL)"
        " ORDER BY at DESC, bundle DESC, record LIMIT ?3",
        (watch, unseen, limit),
    )
    return [
        WatchHit(
            watch=row[0], bundle=row[1], record=row[2], found_as=row[3], at=row[4], seen=row[5]
        )
        for row in rows
    ]


def count_hits(vault: Vault) -> dict[int, tuple[int, int]]:
    """Return how many hits each watch has, and how many of them nobody has seen."""
    rows = vault.connection.execute(
        "SELECT watch, count(*), sum(seen IS NULL) FROM watch_hits GROUP BY watch"
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def mark_seen(vault: Vault, no: int, *, now: int) -> int:
    """Note that the hits of a watch were looked at; return how many were new.

    Raises:
        NotFound: ``watch_unknown``.
    """
    with vault.transaction() as connection:
        _one(connection, no)
        done = connection.execute(
            "UPDATE watch_hits SET seen = ? WHERE watch = ? AND seen IS NULL", (now, no)
        )
        return done.rowcount


def _same(watch: Watch) -> tuple[object, ...]:
    return watch.kind, watch.network, watch.value, watch.subdomains


def _select(connection: sqlite3.Connection, where: str, now: int) -> Iterable[Watch]:
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM watches WHERE {where}",  # noqa: S608 - our own words
        (now,),
    )
    return map(_watch, rows)


def _one(connection: sqlite3.Connection, no: int) -> Watch:
    for found in _select(connection, "no = ?", no):
        return found
    raise _unknown(no)


def _watch(row: Sequence[object]) -> Watch:
    values = dict(zip(_FIELDS, row, strict=True))
    return Watch(**values | {"subdomains": bool(values["subdomains"])})  # type: ignore[arg-type]


def _unknown(no: int) -> NotFound:
    return NotFound(
        "watch_unknown",
        "No watch of this number stands.",
        observed=str(no),
        next_step="accord watch list shows those that do.",
    )


def _act(
    connection: sqlite3.Connection, watch: Watch, word: str, *, person: str, reason: str, now: int
) -> None:
    subject = f"{watch.no} {word}"
    record_act_in(
        connection, person=person, act=Act.WATCH_SET, subject=subject, reason=reason, now=now
    )
