"""``GET /v1/hub``: what a desk must know before anything else. Nothing in it is trusted."""

from marshmallow import fields

from accord.kernel.identifiers import parse_origin
from accord.protocol.schemas.fields import CheckedText, StrictSchema, instant, text, whole


class LogHead(StrictSchema):
    """Size of a log as this hub tells it; the checkpoint proves it."""

    origin = text(160, required=True)
    size = whole(required=True)


class Hub(StrictSchema):
    """A hub's description of itself."""

    origin = CheckedText(parse_origin, required=True)
    version = text(40, required=True)
    protocol = fields.List(text(40), required=True, metadata={"description": "accord/1"})
    suites = fields.List(text(80), required=True)
    time = instant(required=True)
    directory = fields.Nested(LogHead, required=True)
    audit = fields.Nested(LogHead, required=True)
    feed_retention = whole(
        required=True, metadata={"description": "seconds that the feed keeps a tombstone"}
    )
    max_bundle = whole(required=True, metadata={"description": "largest bundle in bytes"})
