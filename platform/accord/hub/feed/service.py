"""Adding items, reading pages, letting polls wait.

Items say that something happened to a bundle; what changes an indicator is always a signed bundle.
Waiting polls hold at most a share of the threads; the others get an empty page at once.
"""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, Engine, func, insert, select

from accord.hub.feed.tables import FeedRow
from accord.kernel.identifiers import BundleId, OrgId

MAX_PAGE = 1000
"""Most items in one page."""

LOOK_SECONDS = 1.0
"""Longest time until items that another process added are noticed."""

RETRY_SECONDS = 10
"""What a poll is told to wait when it may not wait here."""


_ADD = insert(FeedRow)

_READ = select(
    FeedRow.seq,
    FeedRow.item,
    FeedRow.at,
    FeedRow.bundle_id,
    FeedRow.sender,
    FeedRow.kind,
    FeedRow.subject,
)


class Item(StrEnum):
    """What happened (flows, "The feed"), and what the item's subject then is.

    The first five are ends or beginnings of one bundle and are never conflated; what changes an
    indicator at a desk is the signed bundle alone, or the signed ``expires``.
    """

    DELIVERED = "delivered"
    """A bundle for you was accepted; no subject."""
    RETRACTED = "retracted"
    """Its sender takes it back, whole or in part; subject: id of the signed retraction."""
    EXPIRED = "expired"
    """Its signed ``expires`` has passed; no subject."""
    SUPERSEDED = "superseded"
    """Its sender replaced it; subject: id of the bundle that ``replaces`` it."""
    VISIBILITY_LOST = "visibility-lost"
    """You no longer get it, or an organisation no longer gets what you send; subject: the
    organisation that lost it. Hides nothing that was delivered."""
    DISPUTED = "disputed"
    """Somebody who got it says that it is wrong; subject: id of the signed bundle that says so."""
    KEY_CHANGED = "key-changed"
    """An organisation's keys or standing changed; subject: the organisation."""
    REQUEST_CLOSED = "request-closed"
    """A request was closed; the bundle is the request, subject: id of the last bundle about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The bundle that an item is about: row ``number``, and its name, sender and kind."""

    number: int
    bundle: BundleId
    sender: OrgId
    kind: str


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
                _READ.where(FeedRow.org == org, FeedRow.seq > after)
                .order_by(FeedRow.seq)
                .limit(limit + 1)
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
            after=items[-1].seq if items else after,
            more=len(rows) > limit,
            retry_after=0,
        )

    def newest(self) -> int:
        """Return the newest number of any item, 0 for none."""
        with self._engine.connect() as connection:
            return connection.scalar(select(func.max(FeedRow.seq))) or 0


def add_items(
    connection: Connection,
    orgs: Iterable[OrgId],
    item: Item,
    about: About,
    *,
    now: int,
    subject: str | None = None,
) -> None:
    """Add ``item`` about a bundle to the feeds of ``orgs``; only inside an act of the writer.

    The writer's acts follow one another, also those of several processes, so that numbers are
    seen in the order in which they were given: a cursor never passes one that comes later.
    """
    _add(
        connection,
        orgs,
        {
            "item": item.value,
            "bundle": about.number,
            "bundle_id": about.bundle,
            "sender": about.sender,
            "kind": about.kind,
            "subject": subject,
            "at": now,
        },
    )


def add_notices(
    connection: Connection, orgs: Iterable[OrgId], item: Item, *, subject: str, now: int
) -> None:
    """Add ``item`` about ``subject`` and no bundle, as ``add_items`` does."""
    _add(
        connection,
        orgs,
        {
            "item": item.value,
            "bundle": None,
            "bundle_id": None,
            "sender": None,
            "kind": None,
            "subject": subject,
            "at": now,
        },
    )


def _add(connection: Connection, orgs: Iterable[OrgId], values: dict[str, object]) -> None:
    rows = [values | {"org": org} for org in dict.fromkeys(orgs)]
    if rows:
        connection.execute(_ADD, rows)
