"""Routes of the feed: hints with long-poll, and the stream of trimmed bundles."""

import itertools
import struct
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any

from flask import Response

from accord.hub.access import Action, require
from accord.hub.bundles import Delivery
from accord.hub.feed import Cursor, FeedItem
from accord.hub.services import Services
from accord.hub.web.signed import caller
from accord.kernel.identifiers import OrgId
from accord.protocol import paths
from accord.protocol.schemas.feed import DeliveriesQuery, FeedPage, FeedQuery
from accord.webbase.api import ApiRoutes
from accord.webbase.routes import Who, declare

BLOCK = 256 * 1024
"""Bytes that a stream of deliveries hands to the server at once, at least, but for the last."""


def feed_routes(services: Services) -> ApiRoutes:
    """Return the routes over ``services``."""
    routes = ApiRoutes("feed", __name__, description="What is addressed to the caller.")

    @routes.serves(paths.FEED, method="GET")
    @routes.answers(200, FeedPage)
    @routes.takes_query(FeedQuery)
    @declare("feed:read", who=Who.SIGNED)
    def get_feed(query: dict[str, Any]) -> tuple[dict[str, object], int, dict[str, str]]:
        """Return items after the cursor; wait for the first when asked to and allowed to."""
        actor = require(caller(), Action.FEED_READ)
        page = services.feed.page(
            actor.org, _cursor(query), limit=query["limit"], wait=float(query["wait"])
        )
        items = [_item(item) for item in page.items]
        answer = {
            "items": items,
            "feed": page.feed,
            "next": page.after,
            "more": page.more,
            "retention": services.feed.retention,
        } | _head(services, actor.org, query.get("head"))
        if not page.retry_after:
            return answer, 200, {}
        # No free place to wait in: the same empty page, and when to ask again.
        wait = {"retry_after": page.retry_after}
        return answer | wait, 200, {"Retry-After": str(page.retry_after)}

    @routes.serves(paths.DELIVERIES, method="GET")
    @routes.answers(200, description="u64 seq, u64 len, trimmed bundle; repeated.")
    @routes.takes_query(DeliveriesQuery)
    @declare("bundle:read", who=Who.SIGNED)
    def get_deliveries(query: dict[str, Any]) -> Response:
        """Stream the bundles of the feed's items after the cursor."""
        with ExitStack() as stack:
            stack.enter_context(services.deliveries.place(caller()))
            deliveries = services.deliveries.after(
                caller(), _cursor(query), limit=query["limit"], clock=services.clock
            )
            response = Response(_blocks(deliveries), mimetype=paths.DELIVERIES_TYPE)
            response.call_on_close(stack.pop_all().close)
        return response

    return routes


def _blocks(deliveries: Iterable[Delivery]) -> Iterator[bytes]:
    """Yield the stream in blocks: each piece that is sent by itself costs the server much."""
    waiting: list[bytes] = []
    size = 0
    for delivery in deliveries:
        prefix = struct.pack(">QQ", delivery.seq, delivery.length)
        for piece in itertools.chain((prefix, delivery.front), delivery.body):
            waiting.append(piece)
            size += len(piece)
            if size >= BLOCK:
                yield b"".join(waiting)
                waiting, size = [], 0
    yield b"".join(waiting)


def _cursor(query: dict[str, Any]) -> Cursor:
    return Cursor(after=query["after"], feed=query.get("feed"), resync=bool(query["resync"]))


def _head(services: Services, org: OrgId, after: int | None) -> dict[str, object]:
    """Return the caller's signed head, when it was asked for and has grown."""
    head = None if after is None else services.own_events.head(org, after=after)
    return {} if head is None else {"head": head}


def _item(item: FeedItem) -> dict[str, object]:
    """Return an item's members; what it is not about is left out."""
    members = {
        "seq": item.seq,
        "event": item.item.value,
        "at": item.at,
        "bundle": item.bundle,
        "sender": item.sender,
        "kind": item.kind,
        "subject": item.subject,
    }
    return {name: value for name, value in members.items() if value is not None}
