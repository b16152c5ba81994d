"""The feed and the stream of deliveries. Items are hints; only signed bundles change anything."""

import re

from marshmallow import fields

from accord.kernel.errors import Malformed
from accord.kernel.identifiers import parse_bundle_id, parse_org_id
from accord.kernel.tlog.proof import MAX_PROOF
from accord.protocol.schemas.bundles import MAX_WAIT
from accord.protocol.schemas.fields import (
    MAX_U63,
    Base64Bytes,
    CheckedText,
    QueryInteger,
    StrictSchema,
    instant,
    one_of,
    text,
    whole,
)

MAX_PAGE = 1000
"""Most items in one page."""

STATES = (
    "delivered",
    "retracted",
    "expired",
    "superseded",
    "visibility-lost",
    "disputed",
    "key-changed",
    "request-closed",
)


FEED_NAME = re.compile(r"[a-z2-7]{16}")


def parse_feed_name(text: object) -> str:
    """Return ``text`` as the name of a feed: 16 letters of lower-case base32.

    Raises:
        Malformed: ``feed_name_invalid``.
    """
    if not isinstance(text, str) or FEED_NAME.fullmatch(text) is None:
        raise Malformed("feed_name_invalid", "A feed's name has 16 letters a-z and 2-7.")
    return text


class PageQuery(StrictSchema):
    """Where a page starts (after this sequence number) and how many items it may have."""

    after = QueryInteger(largest=MAX_U63, load_default=0)
    limit = QueryInteger(largest=MAX_PAGE, load_default=100)


class DeliveriesQuery(PageQuery):
    """A place in a feed: ``feed`` is the feed's name, which every place but 0 has.

    ``resync=1`` begins anew where older items are known to be missing.
    """

    feed = CheckedText(parse_feed_name)
    resync = QueryInteger(largest=1, load_default=0)


class FeedQuery(DeliveriesQuery):
    """``GET /v1/feed``: ``wait`` up to so many seconds for the first item.

    ``head``: the last of its own numbers of events that the caller has checked.
    """

    wait = QueryInteger(largest=MAX_WAIT, load_default=0)
    head = QueryInteger(largest=MAX_U63)


class FeedItem(StrictSchema):
    """One event of the feed, in the hub's own order for this organisation.

    ``bundle``, ``sender`` and ``kind`` name the bundle that it is about; a notice has none.
    ``subject``: the id of the bundle that brought it about, or an organisation.
    """

    seq = whole(required=True)
    event = one_of(*STATES, required=True)
    at = instant(required=True)
    bundle = CheckedText(parse_bundle_id)
    sender = CheckedText(parse_org_id)
    kind = text(40)
    subject = text(200)


class FeedPage(StrictSchema):
    """A page; ``next`` with ``feed`` is the cursor of the following one.

    ``retention`` is for how many seconds the hub keeps a tombstone: whoever asks at least that
    often misses nothing.

    ``retry_after`` (seconds, as the header) stands only in an empty page of a poll that found no
    place to wait in. ``head``: the caller's signed head in the audit log (a proof), when the
    query named one and it has grown since.
    """

    items = fields.List(fields.Nested(FeedItem), required=True)
    feed = CheckedText(parse_feed_name, required=True)
    next = whole(required=True)
    retention = whole(required=True)
    head = Base64Bytes(limit=MAX_PROOF)
    more = fields.Boolean(required=True, truthy={True}, falsy={False})
    retry_after = whole()
