"""Answers about acknowledgements; an acknowledgement itself is a signed statement."""

from marshmallow import fields

from accord.kernel.identifiers import parse_org_id
from accord.protocol.schemas.fields import Base64Bytes, CheckedText, StrictSchema, whole

MAX_STATEMENT = 1024 * 1024
"""Largest acknowledgement in bytes."""


class AcknowledgementsStored(StrictSchema):
    """202 of ``POST /v1/acknowledgements``."""

    stored = whole(required=True, metadata={"description": "bundles that it speaks of"})
    index = whole(required=True, metadata={"description": "index in the audit log"})


class AcknowledgementItem(StrictSchema):
    """One acknowledgement of one of the caller's bundles, as its recipient signed it."""

    seq = whole(required=True)
    org = CheckedText(parse_org_id, required=True)
    statement = Base64Bytes(limit=MAX_STATEMENT, required=True)


class AcknowledgementPage(StrictSchema):
    """A page; ``next`` is the ``after`` of the following one."""

    items = fields.List(fields.Nested(AcknowledgementItem), required=True)
    next = whole(required=True)
    more = fields.Boolean(required=True, truthy={True}, falsy={False})
