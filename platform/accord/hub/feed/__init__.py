"""The feed: hints for desks in one strictly increasing order, with long-poll.

The room stands below the directory and the bundles, because verbs of both tell something: they add
items inside their own acts. It knows no row of theirs; an item says itself what it is about, so
that it stays readable when the bundle is gone.
"""

from accord.hub.feed.cursors import Cursor
from accord.hub.feed.items import (
    About,
    Item,
    add_items,
    add_notices,
    add_rows,
    end_items,
    rows_about,
    told_of,
)
from accord.hub.feed.service import Feed, FeedItem, FeedPage

__all__ = [
    "About",
    "Cursor",
    "Feed",
    "FeedItem",
    "FeedPage",
    "Item",
    "add_items",
    "add_notices",
    "add_rows",
    "end_items",
    "rows_about",
    "told_of",
]
