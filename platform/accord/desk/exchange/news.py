"""Reading the feed: hints in the hub's order, a cursor with the feed's name, and the full resync.

The hub refuses a cursor behind which it has pruned items. The desk then reads the feed from its
beginning, fetches what it lacks and says so: there is never a gap that nobody knows of. A cursor
that belongs to another feed, or lies ahead of it, is not mended by itself: somebody looks first.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from accord.desk.exchange.client import HubClient, query_of
from accord.desk.storage import Vault
from accord.desk.storage.deliveries import (
    archive_deliveries,
    delivery_cursor,
    was_delivered,
)
from accord.desk.storage.hints import DELIVERED, Hint, add_hints, forget_hints
from accord.desk.storage.vault import put_setting
from accord.kernel.errors import NotFound, Unavailable, VerificationFailed
from accord.kernel.identifiers import BundleId
from accord.protocol import paths
from accord.protocol.schemas.bundles import MAX_WAIT
from accord.protocol.schemas.feed import FeedPage

PAGE = 1000
"""Items asked for in one page."""

STALE = frozenset({"cursor_stale", "cursor_nameless"})
"""Refusals of a cursor that a full resync mends without anybody looking first."""

_CURSOR = "feed_cursor"
_NAME = "feed_name"
_DELIVERIES = "delivery_cursor"

Fetch = Callable[[int, bytes], object]
"""Deals with one delivery: its number in the feed and its bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resync:
    """A full resync: why, how many items the feed has, how many bundles had to be fetched."""

    reason: str
    items: int
    fetched: int


class News:
    """Reads one organisation's feed at its hub."""

    def __init__(self, vault: Vault, client: HubClient, *, largest: int) -> None:
        """Ask ``client``; a bundle has at most ``largest`` bytes."""
        self._vault = vault
        self._client = client
        self._largest = largest

    def query(self, after: int, **more: int) -> str:
        """Return the query for what lies behind ``after`` in this desk's feed."""
        name = self._vault.setting(_NAME)
        parts: dict[str, int | str] = {"after": after, **more}
        return query_of(parts if name is None else parts | {"feed": name.decode("ascii")})

    def read(self, *, wait: int = 0) -> int:
        """Take in all hints behind the cursor; return how many. ``wait`` seconds for the first.

        Raises:
            Unavailable: ``feed_busy``, or the hub cannot be reached.
            Conflict, Malformed: the hub refuses the cursor (``cursor_*``).
            VerificationFailed: ``feed_backwards``, ``feed_other``.
        """
        count = 0
        while True:
            stored = self._vault.setting(_CURSOR)
            cursor = int(stored) if stored else 0
            # Without its name a place means nothing: begin, and be told that it is stale.
            query = self.query(cursor, limit=PAGE, wait=min(wait, MAX_WAIT))
            hints, more = self._page(query, cursor)
            count += len(hints)
            if not more:
                return count

    def _page(self, query: str, cursor: int) -> tuple[list[Hint], bool]:
        page = self._client.get_json(paths.FEED, FeedPage, query, signed=True)
        following, name = int(page["next"]), page["feed"]
        hints = [_hint(item) for item in page["items"]]
        known = self._vault.setting(_NAME)
        if known is not None and known.decode("ascii") != name:
            raise VerificationFailed(
                "feed_other", "The hub answers with another feed than before.", observed=name
            )
        places = [cursor, *(hint.seq for hint in hints)]
        rising = all(low < high for low, high in itertools.pairwise(places))
        if not rising or following != places[-1]:
            raise VerificationFailed(
                "feed_backwards", "The hub's feed went back.", observed=f"{following} < {cursor}"
            )
        with self._vault.transaction() as connection:
            add_hints(connection, hints)
            put_setting(connection, _NAME, name.encode("ascii"))
            put_setting(connection, _CURSOR, str(following).encode())
        if "retry_after" in page:
            raise Unavailable(
                "feed_busy", "Too many desks wait at the hub.", retry_after=int(page["retry_after"])
            )
        return hints, bool(page["more"]) and bool(hints)

    def resync(self, reason: str, fetch: Fetch) -> Resync:
        """Read the feed from its beginning, fetch what was never dealt with, go on from its end.

        Raises:
            Unavailable: the hub cannot be reached; the next resync goes on.
        """
        known, before = self._vault.setting(_NAME), delivery_cursor(self._vault)
        with self._vault.transaction() as connection:
            forget_hints(connection)
            connection.execute("DELETE FROM settings WHERE name IN (?, ?)", (_NAME, _CURSOR))
        items, announced = self._all()
        newest = max([hint.seq for hint in announced], default=0)
        with self._vault.transaction() as connection:
            if self._vault.setting(_NAME) != known or newest < before:
                # Another feed, or one begun anew: its numbers are not those that are here.
                archive_deliveries(connection)
        fetched = 0
        for hint in announced:
            if hint.id is None or was_delivered(self._vault, hint.org, hint.id):
                continue
            path, query = paths.bundle(BundleId(hint.id)), query_of({"sender": hint.org or ""})
            try:
                raw = self._client.get(path, query, signed=True, limit=self._largest)
            except NotFound:
                continue  # erased at the end of its time: it stays announced and missing
            fetch(hint.seq, raw)
            fetched += 1
        with self._vault.transaction() as connection:
            put_setting(connection, _DELIVERIES, str(newest).encode())
        return Resync(reason=reason, items=items, fetched=fetched)

    def _all(self) -> tuple[int, list[Hint]]:
        items, announced, more = 0, [], True
        while more:
            stored = self._vault.setting(_CURSOR)
            cursor = int(stored) if stored else 0
            hints, more = self._page(self.query(cursor, limit=PAGE, resync=1), cursor)
            items += len(hints)
            announced += [hint for hint in hints if hint.event == DELIVERED]
        return items, announced


def _hint(item: dict[str, object]) -> Hint:
    return Hint(
        seq=int(str(item["seq"])),
        event=str(item["event"]),
        org=_text(item, "sender"),
        id=_text(item, "bundle"),
        kind=_text(item, "kind"),
        subject=_text(item, "subject"),
        at=int(str(item["at"])),
    )


def _text(item: dict[str, object], name: str) -> str | None:
    found = item.get(name)
    return None if found is None else str(found)
