"""The objects that tools read, kept ready as text and brought up to what the vault holds.

``added`` is a moment in unix microseconds, one for each object, strictly rising; the last of a
batch falls on a whole millisecond, because some tools cut what they remember to that (reference:
OpenCTI). It is given inside the transaction that stores the object.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import msgspec

from accord.desk.export.rules import Audience, withheld
from accord.desk.export.selection import CARRYING, Selected
from accord.desk.export.stix import Ended, StixObject, objects_of, surroundings_of
from accord.desk.indicators.search import EndState
from accord.desk.storage import StoredBundle, Vault, Way
from accord.desk.storage.bundles import (
    WHOLE,
    MarkState,
    bundles_after,
    find_bundle,
    has_bundle,
    lines_of,
    quarantined_of,
)
from accord.desk.storage.exports import ExportEntry, add_export
from accord.desk.storage.vault import put_setting
from accord.kernel.indicators import IndicatorRecord
from accord.kernel.markings import Onward, Tlp

BATCH = 2_000
"""Objects whose moments are given at once."""

GRACE_DAYS = 30
"""Days for which a revoked object is still told, before it is deleted."""

_MILLI = 1_000
_SECOND = 1_000_000
_DAY = 86_400
_PLACE = "taxii:bundle"
_REVOKING = frozenset({MarkState.RETRACTED, MarkState.SUPERSEDED})
_decode = msgspec.json.Decoder(IndicatorRecord).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One stored object: when it was added, what it is, its text."""

    added: int
    id: str
    type: str
    version: int
    data: bytes


def bring_up(vault: Vault, *, now: int) -> int:
    """Add what came in, tell what was taken back, delete what is over; return how many changed.

    Each bundle is one transaction with the entry of the journal of exports that names its records.
    """
    changed = 0
    place = int(vault.setting(_PLACE) or b"0")
    for bundle in bundles_after(vault, place, way=Way.RECEIVED):
        with vault.transaction() as connection:
            changed += _add_bundle(vault, connection, bundle, now)
            put_setting(connection, _PLACE, str(bundle.no).encode())
    return changed + _tell_marks(vault, now) + _delete_over(vault, now)


def _add_bundle(
    vault: Vault, connection: sqlite3.Connection, bundle: StoredBundle, now: int
) -> int:
    if bundle.kind not in CARRYING or bundle.purged or bundle.expires <= now:
        return 0
    if withheld(Tlp(bundle.tlp), Onward(bundle.onward), Audience.OWN, red=False) is not None:
        return 0
    aside = {record for record, _ in quarantined_of(vault, bundle)}
    records = [number for number in range(bundle.n) if number not in aside]
    if not records:
        return 0

    def objects() -> Iterator[StixObject]:
        yield from surroundings_of(bundle)
        for number, line in enumerate(lines_of(vault, bundle)):
            if number not in aside:
                yield from objects_of(_selected(bundle, number, line))

    entry = ExportEntry(
        no=0,
        at=now,
        person="",
        form="taxii",
        audience=Audience.OWN.value,
        purpose=bundle.purpose,
        reason="feeds of this desk",
        records=len(records),
        sha256=None,
    )
    add_export(connection, entry=entry, taken={bundle.no: records})
    return _add(connection, objects(), bundle.no, now)


def _selected(
    bundle: StoredBundle, number: int, line: bytes, state: EndState = EndState.ACTIVE
) -> Selected:
    return Selected(bundle=bundle, record=number, found=_decode(line), states=(state,))


def _tell_marks(vault: Vault, now: int) -> int:
    """Add a later version of each indicator whose record ended since the last time."""
    told = vault.connection.execute(
        "SELECT m.org, m.id, m.record, m.state, min(m.at) FROM marks m"
        " LEFT JOIN taxii_marks t USING (org, id, record, state) WHERE t.org IS NULL"
        " GROUP BY m.org, m.id, m.record, m.state"
    ).fetchall()
    changed = 0
    for org, id_, record, state, at in told:
        if not has_bundle(vault, org, id_):
            continue  # it may still come
        bundle = find_bundle(vault, id_, org)
        with vault.transaction() as connection:
            ended = Ended(state=state, at=max(at, now), revoked=MarkState(state) in _REVOKING)
            objects = _ended(vault, connection, bundle, record, ended)
            changed += _add(connection, objects, bundle.no, now)
            connection.execute(
                "INSERT INTO taxii_marks VALUES (?, ?, ?, ?)", (org, id_, record, state)
            )
    return changed


def _ended(
    vault: Vault, connection: sqlite3.Connection, bundle: StoredBundle, record: int, ended: Ended
) -> Iterator[StixObject]:
    given = connection.execute(
        "SELECT 1 FROM taxii_objects WHERE bundle = ? LIMIT 1", (bundle.no,)
    ).fetchone()
    if given is None:
        return  # never told, so there is nothing to take back
    aside = {number for number, _ in quarantined_of(vault, bundle)}
    for number, line in enumerate(lines_of(vault, bundle)):
        if record in (WHOLE, number) and number not in aside:
            yield from objects_of(
                _selected(bundle, number, line, EndState(ended.state)), ended=ended
            )


def _delete_over(vault: Vault, now: int) -> int:
    """Delete objects of bundles whose plaintext is gone, and of those taken back long ago."""
    with vault.transaction() as connection:
        gone = connection.execute(
            "SELECT DISTINCT t.bundle FROM taxii_objects t JOIN bundles b ON b.no = t.bundle"
            " WHERE b.purged IS NOT NULL"
        ).fetchall()
        gone += connection.execute(
            "SELECT DISTINCT b.no FROM marks m JOIN bundles b USING (org, id)"
            " JOIN taxii_objects t ON t.bundle = b.no"
            " WHERE m.record = ? AND m.state IN ('retracted', 'superseded') AND m.at < ?",
            (WHOLE, now - GRACE_DAYS * _DAY),
        ).fetchall()
        changed = 0
        for (bundle,) in set(gone):
            names = connection.execute(
                "SELECT DISTINCT id FROM taxii_objects WHERE bundle = ?", (bundle,)
            ).fetchall()
            done = connection.execute("DELETE FROM taxii_objects WHERE bundle = ?", (bundle,))
            changed += done.rowcount
            # A value that another bundle holds too: its newest version is now the last one.
            connection.executemany(
                "UPDATE taxii_objects SET last = 1 WHERE id = ?1 AND version ="
                " (SELECT max(version) FROM taxii_objects WHERE id = ?1)",
                names,
            )
        return changed


def _add(
    connection: sqlite3.Connection, objects: Iterable[StixObject], bundle: int, now: int
) -> int:
    changed = 0
    source = iter(objects)
    while batch := list(islice(source, BATCH)):
        new = [one for one in batch if _is_new(connection, one)]
        # Both collections end on a whole millisecond: the indicators', and the one of all.
        ends = {
            max((place for place, one in enumerate(new) if one.observable is kind), default=-1)
            for kind in (False, True)
        }
        added = max(now * _SECOND, _last_added(connection))
        for place, one in enumerate(new):
            added += 1
            if place in ends:
                added = -(-added // _MILLI) * _MILLI
            _insert(connection, one, added, bundle)
        changed += len(new)
    return changed


def _is_new(connection: sqlite3.Connection, one: StixObject) -> bool:
    found = connection.execute(
        "SELECT 1 FROM taxii_objects WHERE id = ? AND version = ?", (one.id, one.version)
    ).fetchone()
    return found is None


def _insert(connection: sqlite3.Connection, one: StixObject, added: int, bundle: int) -> None:
    first, newest = connection.execute(
        "SELECT count(*) = 0, coalesce(max(version), -1) < ? FROM taxii_objects WHERE id = ?",
        (one.version, one.id),
    ).fetchone()
    if not first and newest:
        connection.execute("UPDATE taxii_objects SET last = 0 WHERE id = ? AND last = 1", (one.id,))
    shared = one.type in {"identity", "marking-definition"}
    connection.execute(
        "INSERT OR IGNORE INTO taxii_objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            int(one.observable),
            added,
            one.id,
            one.type,
            one.version,
            int(first or newest),
            int(first),
            None if shared else bundle,
            one.data,
        ),
    )


def _last_added(connection: sqlite3.Connection) -> int:
    (last,) = connection.execute(
        "SELECT max(coalesce((SELECT max(added) FROM taxii_objects WHERE observable = 0), 0),"
        " coalesce((SELECT max(added) FROM taxii_objects WHERE observable = 1), 0))"
    ).fetchone()
    return int(last)


def find(
    vault: Vault,
    *,
    observables: bool,
    after: int,
    limit: int,
    ids: Sequence[str] = (),
    types: Sequence[str] = (),
    versions: Sequence[int | str] = ("last",),
) -> list[Kept]:
    """Return objects added after ``after``, the oldest first, at most ``limit``.

    Args:
        vault: the open vault.
        observables: also observables and relationships to them.
        after: unix microseconds, exclusive.
        limit: how many at most.
        ids: only these objects; empty for all.
        types: only these types; empty for all.
        versions: ``last``, ``first``, ``all`` or a version's moment in milliseconds; any of them.
    """
    found: list[Kept] = []
    for kind in (0, 1) if observables else (0,):
        clauses, values = ["observable = ?", "added > ?"], [kind, after]
        if ids:
            clauses.append(f"id IN ({_marks(ids)})")
            values += ids  # type: ignore[arg-type]
        if types:
            clauses.append(f"type IN ({_marks(types)})")
            values += types  # type: ignore[arg-type]
        if "all" not in versions:
            wanted = [name for name in ("last", "first") if name in versions]
            exact = [one for one in versions if isinstance(one, int)]
            some = [f"{name} = 1" for name in wanted]
            if exact:
                some.append(f"version IN ({_marks(exact)})")
                values += exact
            clauses.append(f"({' OR '.join(some)})")
        index = "INDEXED BY taxii_by_id" if ids else "NOT INDEXED"
        rows = vault.connection.execute(
            f"SELECT added, id, type, version, data FROM taxii_objects {index}"  # noqa: S608 - our own words; values are bound
            f" WHERE {' AND '.join(clauses)} ORDER BY added LIMIT ?",
            (*values, limit),
        )
        found += [
            Kept(added=row[0], id=row[1], type=row[2], version=row[3], data=row[4]) for row in rows
        ]
    found.sort(key=lambda kept: kept.added)
    return found[:limit]


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
