"""The feed: hints in one strictly increasing order, with long-poll.

Items say that something happened to a bundle; what changes an indicator is always a signed bundle.
Waiting polls hold at most a share of the threads; the others get an empty page at once.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, Engine, func, insert, select

from accord.hub.bundles.tables import BundleRow, FeedRow
from accord.kernel.identifiers import BundleId, OrgId

MAX_PAGE = 1000
"""Most items in one page."""

LOOK_SECONDS = 1.0
"""Longest time until items that another process added are noticed."""

RETRY_SECONDS = 10
"""What a poll is told to wait when it may not wait here."""


_ADD = insert(FeedRow)


class Item(StrEnum):
    """What happened (flows, "The feed")."""

    DELIVERED = "delivered"
    RETRACTED = "retracted"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedItem:
    """One hint: item ``seq`` concerns bundle ``bundle`` of ``sender``; ``at`` is unix seconds."""

    seq: int
    item: Item
    bundle: BundleId
    sender: OrgId
    kind: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """Items after the cursor that was given; ``after`` is the cursor for the next page."""

    items: tuple[FeedItem, ...]
    after: int
    more: bool
    retry_after: int


class Feed:
    """Reads pages and lets polls wait for growth."""

    def __init__(self, *, engine: Engine, waiters: int) -> None:
        """Read through ``engine``; at most ``waiters`` polls wait at once."""
        self._engine = engine
        self._grown = threading.Condition()
        self._generation = 0
        self._places = threading.BoundedSemaphore(max(1, waiters))

    def notify(self) -> None:
        """Wake the waiting polls: something was committed."""
        with self._grown:
            self._generation += 1
            self._grown.notify_all()

    def page(self, org: OrgId, *, after: int, limit: int, wait: float) -> FeedPage:
        """Return items of ``org`` after ``after``; wait up to ``wait`` seconds for the first.

        A poll that finds no free place among the waiting ones answers at once with an empty page
        and ``retry_after``.
        """
        limit = min(max(limit, 1), MAX_PAGE)
        page = self._read(org, after, limit)
        if page.items or wait <= 0:
            return page
        if not self._places.acquire(blocking=False):
            return FeedPage(items=(), after=after, more=False, retry_after=RETRY_SECONDS)
        try:
            return self._wait(org, after, limit, wait)
        finally:
            self._places.release()

    def _wait(self, org: OrgId, after: int, limit: int, wait: float) -> FeedPage:
        end = time.monotonic() + wait
        with self._grown:
            seen = self._generation
        while True:
            page = self._read(org, after, limit)
            left = end - time.monotonic()
            if page.items or left <= 0:
                return page
            with self._grown:
                # What others get wakes this poll too; it then goes on waiting.
                self._grown.wait_for(lambda: self._generation != seen, min(LOOK_SECONDS, left))  # noqa: B023 - called at once
                seen = self._generation

    def _read(self, org: OrgId, after: int, limit: int) -> FeedPage:
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(
                    FeedRow.seq,
                    FeedRow.item,
                    FeedRow.at,
                    BundleRow.bundle_id,
                    BundleRow.org,
                    BundleRow.kind,
                )
                .join(BundleRow, BundleRow.number == FeedRow.bundle)
                .where(FeedRow.org == org, FeedRow.seq > after)
                .order_by(FeedRow.seq)
                .limit(limit + 1)
            ).all()
        items = tuple(
            FeedItem(
                seq=row.seq,
                item=Item(row.item),
                bundle=BundleId(row.bundle_id),
                sender=OrgId(row.org),
                kind=row.kind,
                at=row.at,
            )
            for row in rows[:limit]
        )
        return FeedPage(
            items=items,
            after=items[-1].seq if items else after,
            more=len(rows) > limit,
            retry_after=0,
        )

    def newest(self) -> int:
        """Return the newest number of any item, 0 for none."""
        with self._engine.connect() as connection:
            return connection.scalar(select(func.max(FeedRow.seq))) or 0


def add_items(
    connection: Connection, orgs: Sequence[OrgId], item: Item, bundle: int, now: int
) -> None:
    """Add ``item`` about a bundle to the feeds of ``orgs``; only inside an act of the writer."""
    if orgs:
        connection.execute(
            _ADD,
            [{"org": org, "item": item.value, "bundle": bundle, "at": now} for org in orgs],
        )
