"""Bundles accepted in one transaction, written together when it commits.

Writing each by itself cost more than all other work of an acceptance; here a commit has three
statements, however many bundles it holds, and one that looks for all their names among what is
stored. Numbers are given under the write lock, one above the
highest that is stored, so that they rise in the order of acceptance, also over several processes.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, insert, select, tuple_

from accord.hub.bundles.tables import BundleRow, EntryRow
from accord.hub.feed import Item, add_rows, rows_about
from accord.hub.feed.items import About
from accord.hub.storage.writer import savepoint
from accord.kernel.bundle.entries import RecipientEntry
from accord.kernel.identifiers import BundleId, OrgId

_ADD_BUNDLES = insert(BundleRow)
_ADD_ENTRIES = insert(EntryRow)
_LAST = select(func.max(BundleRow.number))
_EARLIER = select(
    BundleRow.org,
    BundleRow.bundle_id,
    BundleRow.number,
    BundleRow.digest,
    BundleRow.audit_number,
).where(tuple_(BundleRow.org, BundleRow.bundle_id).in_(bindparam("names", expanding=True)))

Name = tuple[OrgId, BundleId]


class Earlier(NamedTuple):
    """A bundle that is stored: its number, the SHA-256 of its bytes, its entry of the log."""

    number: int
    digest: bytes
    audit_number: int


def find_earlier(connection: Connection, names: Sequence[Name]) -> dict[Name, Earlier]:
    """Return those of ``names`` that are stored."""
    if not names:
        return {}
    rows = connection.execute(_EARLIER, {"names": names}).all()
    return {
        (OrgId(row.org), BundleId(row.bundle_id)): Earlier(row.number, row.digest, row.audit_number)
        for row in rows
    }


@dataclass(slots=True)
class _Staged:
    bundles: list[dict[str, object]] = field(default_factory=list)
    entries: list[dict[str, object]] = field(default_factory=list)
    items: list[dict[str, object]] = field(default_factory=list)
    names: dict[Name, tuple[bytes, int]] = field(default_factory=dict)
    last: int | None = None


class Shelf:
    """Takes part in every transaction of the writer; a staged bundle is found by its name."""

    def __init__(self) -> None:
        """Start with nothing staged."""
        self._staged = _Staged()
        self._lock = threading.Lock()
        self._expected: set[Name] = set()
        self._looked: set[Name] = set()
        self._stored: dict[Name, Earlier] = {}

    def expect(self, org: OrgId, bundle_id: BundleId) -> None:
        """Say that a coming act asks for this name, so that the next begin looks for it too."""
        with self._lock:
            self._expected.add((org, bundle_id))

    def earlier(self, connection: Connection, org: OrgId, bundle_id: BundleId) -> Earlier | None:
        """Return what is stored under this name, as of the write lock."""
        name = org, bundle_id
        if name in self._looked:
            return self._stored.get(name)
        return find_earlier(connection, [name]).get(name)

    def find(self, org: OrgId, bundle_id: BundleId) -> tuple[bytes, int] | None:
        """Return digest and entry of the log of a bundle that this transaction has accepted."""
        return self._staged.names.get((org, bundle_id))

    def put(
        self,
        row: Mapping[str, object],
        entries: Sequence[RecipientEntry],
        about: About,
        *,
        now: int,
    ) -> None:
        """Stage a bundle that is announced to all its recipients and does nothing else."""
        staged = self._staged
        staged.bundles.append({"number": about.number, **row})
        staged.entries += _entries(about.number, entries)
        staged.items += rows_about([one.org for one in entries], Item.DELIVERED, about, now=now)
        self._name(about, row)

    def number(self, connection: Connection) -> int:
        """Return the number of the next bundle."""
        if self._staged.last is None:
            self._staged.last = connection.scalar(_LAST) or 0
        self._staged.last += 1
        return self._staged.last

    @contextmanager
    def directly(
        self,
        connection: Connection,
        row: Mapping[str, object],
        entries: Sequence[RecipientEntry],
        about: About,
    ) -> Iterator[None]:
        """Write a bundle now, and what belongs to it within the block; all of it or nothing."""
        self._flush(connection)
        with savepoint(connection):
            connection.execute(_ADD_BUNDLES, {"number": about.number, **row})
            connection.execute(_ADD_ENTRIES, _entries(about.number, entries))
            yield
        self._name(about, row)

    def _name(self, about: About, row: Mapping[str, object]) -> None:
        digest, index = row["digest"], row["audit_number"]
        if isinstance(digest, bytes) and isinstance(index, int):
            self._staged.names[about.sender, about.bundle] = digest, index

    def _flush(self, connection: Connection) -> None:
        staged = self._staged
        if staged.bundles:
            connection.execute(_ADD_BUNDLES, staged.bundles)
            connection.execute(_ADD_ENTRIES, staged.entries)
            add_rows(connection, staged.items)
        staged.bundles, staged.entries, staged.items = [], [], []

    def begin(self, connection: Connection) -> None:
        """Begin with nothing staged; look for the names of what is coming."""
        self._staged = _Staged()
        with self._lock:
            self._looked, self._expected = self._expected, set()
        self._stored = find_earlier(connection, sorted(self._looked))

    def mark(self) -> object:
        """Return what is staged."""
        staged = self._staged
        lengths = (len(staged.bundles), len(staged.entries), len(staged.items))
        return lengths, dict(staged.names)

    def rewind(self, mark: object) -> None:
        """Drop what a failed act staged."""
        if isinstance(mark, tuple):
            (bundles, entries, items), names = mark
            del self._staged.bundles[bundles:]
            del self._staged.entries[entries:]
            del self._staged.items[items:]
            self._staged.names = names

    def before_commit(self, connection: Connection) -> None:
        """Write what is staged."""
        self._flush(connection)

    def after_commit(self) -> None:
        """Forget what is written."""
        self._staged = _Staged()

    def after_rollback(self) -> None:
        """Forget what was not."""
        self._staged = _Staged()


def _entries(number: int, entries: Sequence[RecipientEntry]) -> list[dict[str, object]]:
    return [
        {"bundle": number, "position": position, "org": entry.org, "entry": entry.raw}
        for position, entry in enumerate(entries)
    ]
