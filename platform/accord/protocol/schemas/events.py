"""An organisation's own events of the audit trail, with their proofs."""

from marshmallow import fields

from accord.kernel.tlog.leaf import MAX_RECORD
from accord.kernel.tlog.notes import MAX_NOTE
from accord.protocol.schemas.feed import PageQuery
from accord.protocol.schemas.fields import Base64Bytes, QueryInteger, StrictSchema, whole

MAX_EVENTS = 200
"""Most events in one page."""

HASH_SIZE = 32
MAX_PATH = 63


class EventsQuery(PageQuery):
    """``GET /v1/events``: after the caller's own number, at most so many."""

    limit = QueryInteger(largest=MAX_EVENTS, load_default=100)


class OwnEvent(StrictSchema):
    """One event: its number in the audit log, what opens of it, the path to the root."""

    number = whole(required=True)
    record = Base64Bytes(limit=MAX_RECORD, required=True)
    path = fields.List(Base64Bytes(limit=HASH_SIZE, length=HASH_SIZE), required=True)


class EventsPage(StrictSchema):
    """Events in the order of the caller's numbers, under one checkpoint with its quorum."""

    checkpoint = Base64Bytes(limit=MAX_NOTE, required=True)
    items = fields.List(fields.Nested(OwnEvent), required=True)
    more = fields.Boolean(required=True, truthy={True}, falsy={False})
