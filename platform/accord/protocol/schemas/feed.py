"""The feed and the stream of deliveries. Items are hints; only signed bundles change anything."""

from marshmallow import fields

from accord.kernel.identifiers import parse_bundle_id, parse_org_id
from accord.protocol.schemas.bundles import MAX_WAIT
from accord.protocol.schemas.fields import (
    MAX_U63,
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


class PageQuery(StrictSchema):
    """Where a page starts (after this sequence number) and how many items it may have."""

    after = QueryInteger(largest=MAX_U63, load_default=0)
    limit = QueryInteger(largest=MAX_PAGE, load_default=100)


class FeedQuery(PageQuery):
    """``GET /v1/feed``: ``wait`` up to so many seconds for the first item."""

    wait = QueryInteger(largest=MAX_WAIT, load_default=0)


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
    """A page; ``next`` is the ``after`` of the following one.

    ``retry_after`` (seconds, as the header) stands only in an empty page of a poll that found no
    place to wait in.
    """

    items = fields.List(fields.Nested(FeedItem), required=True)
    next = whole(required=True)
    more = fields.Boolean(required=True, truthy={True}, falsy={False})
    retry_after = whole()
