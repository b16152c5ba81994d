"""Reading pages, letting polls wait, and pruning old tombstones.

Items say that something happened to a bundle; what changes an indicator is always a signed bundle.
Waiting polls hold at most a share of the threads; the others get an empty page at once. Nothing
is ever missing in silence: a cursor behind which items were pruned is refused.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, bindparam, delete, func, insert, select, update

from accord.hub.feed.cursors import Cursor, FeedNames, check_cursor
from accord.hub.feed.items import Item
from accord.hub.feed.tables import FeedPruned, FeedRow
from accord.hub.storage import Writer
from accord.hub.transparency import LogReader
from accord.kernel.identifiers import BundleId, OrgId

MAX_PAGE = 1000
"""Most items in one page."""

LOOK_SECONDS = 1.0
"""Longest time until items that another process added are noticed."""

RETRY_SECONDS = 10
"""What a poll is told to wait when it may not wait here."""

PRUNE_BATCH = 5000
"""Items that one act prunes at most, so that others are not held up."""

DAY = 86_400

# Built once: composing a statement costs more than running it.
_READ = (
    select(
        FeedRow.seq,
        FeedRow.item,
        FeedRow.at,
        FeedRow.bundle_id,
        FeedRow.sender,
        FeedRow.kind,
        FeedRow.subject,
    )
    .where(FeedRow.org == bindparam("org"), FeedRow.seq > bindparam("after"))
    .order_by(FeedRow.seq)
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedItem:
    """One hint, number ``seq``; ``at`` is unix seconds. A notice has no bundle."""

    seq: int
    item: Item
    at: int
    bundle: BundleId | None
    sender: OrgId | None
    kind: str | None
    subject: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """Items after the cursor that was given; ``after`` and ``feed`` are the next page's cursor."""

    items: tuple[FeedItem, ...]
    feed: str
    after: int
    more: bool
    retry_after: int


class _Room:
    """Where the polls of one organisation wait, so that what others get does not wake them."""

    def __init__(self, lock: threading.Lock) -> None:
        self.grown = threading.Condition(lock)
        self.generation = 0
        self.polls = 0

    def wait_past(self, seen: int, seconds: float) -> None:
        """Wait until the generation is another than ``seen``; the lock is held."""
        self.grown.wait_for(lambda: self.generation != seen, seconds)


class Feed:
    """The feeds of all members.

    ``retention`` is how many seconds a tombstone is kept: a desk that asks at least that often
    misses nothing.
    """

    def __init__(
        self, *, engine: Engine, writer: Writer, reader: LogReader, waiters: int, days: int
    ) -> None:
        """Read through ``engine``; at most ``waiters`` polls wait at once."""
        self._engine = engine
        self._writer = writer
        self._names = FeedNames(reader)
        self._lock = threading.Lock()
        self._rooms: dict[OrgId, _Room] = {}
        self._places = threading.BoundedSemaphore(max(1, waiters))
        self.retention = days * DAY

    def notify(self, orgs: Iterable[OrgId] | None = None) -> None:
        """Wake the polls that wait for items of ``orgs``, or all: something was committed."""
        with self._lock:
            rooms = (
                list(self._rooms.values())
                if orgs is None
                else [self._rooms[org] for org in orgs if org in self._rooms]
            )
            for room in rooms:
                room.generation += 1
                room.grown.notify_all()

    def page(self, org: OrgId, cursor: Cursor, *, limit: int, wait: float) -> FeedPage:
        """Return items of ``org`` behind ``cursor``; wait up to ``wait`` seconds for the first.

        A poll that finds no free place among the waiting ones answers at once with an empty page
        and ``retry_after``.

        Raises:
            Malformed, Conflict: as ``check_cursor``.
        """
        name = self._names.of(org)
        limit = min(max(limit, 1), MAX_PAGE)
        page = self._read(org, cursor, name, limit)
        if page.items or wait <= 0:
            return page
        if not self._places.acquire(blocking=False):
            return FeedPage(
                items=(), feed=name, after=cursor.after, more=False, retry_after=RETRY_SECONDS
            )
        try:
            return self._wait(org, cursor, name, limit, wait)
        finally:
            self._places.release()

    def check(self, connection: Connection, org: OrgId, cursor: Cursor) -> None:
        """Refuse a cursor that does not hold, as ``check_cursor``."""
        check_cursor(connection, org, cursor, self._names.of(org))

    def _wait(self, org: OrgId, cursor: Cursor, name: str, limit: int, wait: float) -> FeedPage:
        end = time.monotonic() + wait
        with self._room(org) as room:
            while True:
                with self._lock:
                    seen = room.generation
                page = self._read(org, cursor, name, limit)
                left = end - time.monotonic()
                if page.items or left <= 0:
                    return page
                with self._lock:
                    room.wait_past(seen, min(LOOK_SECONDS, left))

    @contextmanager
    def _room(self, org: OrgId) -> Iterator["_Room"]:
        """Be among those who wait for items of ``org``."""
        with self._lock:
            room = self._rooms.setdefault(org, _Room(self._lock))
            room.polls += 1
        try:
            yield room
        finally:
            with self._lock:
                room.polls -= 1
                if not room.polls:
                    del self._rooms[org]

    def _read(self, org: OrgId, cursor: Cursor, name: str, limit: int) -> FeedPage:
        with self._engine.connect() as connection:
            check_cursor(connection, org, cursor, name)
            rows = connection.execute(
                _READ, {"org": org, "after": cursor.after, "most": limit + 1}
            ).all()
        items = tuple(
            FeedItem(
                seq=row.seq,
                item=Item(row.item),
                at=row.at,
                bundle=None if row.bundle_id is None else BundleId(row.bundle_id),
                sender=None if row.sender is None else OrgId(row.sender),
                kind=row.kind,
                subject=row.subject,
            )
            for row in rows[:limit]
        )
        return FeedPage(
            items=items,
            feed=name,
            after=items[-1].seq if items else cursor.after,
            more=len(rows) > limit,
            retry_after=0,
        )

    def newest(self) -> int:
        """Return the newest number of any item, 0 for none."""
        with self._engine.connect() as connection:
            return connection.scalar(select(func.max(FeedRow.seq))) or 0

    def prune(self, *, now: int) -> int:
        """Delete tombstones that are older than the retention; return how many.

        Items of bundles that the hub still holds stay, however old they are. No event of its own:
        what each item told stands in the log already.
        """
        before = now - self.retention
        with self._engine.connect() as connection:
            due = connection.scalar(select(FeedRow.seq).where(FeedRow.ends <= before).limit(1))
        if due is None:
            return 0
        done = 0
        while count := self._writer.run(lambda connection: _prune(connection, before)):
            done += count
        return done


def _prune(connection: Connection, before: int) -> int:
    rows = connection.execute(
        select(FeedRow.seq, FeedRow.org)
        .where(FeedRow.ends <= before)
        .order_by(FeedRow.seq)
        .limit(PRUNE_BATCH)
    ).all()
    through = {row.org: row.seq for row in rows}
    for org, seq in through.items():
        known = connection.scalar(select(FeedPruned.through).where(FeedPruned.org == org))
        if known is None:
            connection.execute(insert(FeedPruned).values(org=org, through=seq))
        elif known < seq:
            connection.execute(update(FeedPruned).where(FeedPruned.org == org).values(through=seq))
    connection.execute(delete(FeedRow).where(FeedRow.seq.in_([row.seq for row in rows])))
    return len(rows)
