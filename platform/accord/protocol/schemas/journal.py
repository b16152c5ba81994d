"""The head of a desk's journal: 40 bytes, size and root, and nothing else."""

from marshmallow import fields, validate

from accord.protocol.schemas.fields import Base64Bytes, StrictSchema, whole

HASH_SIZE = 32
MAX_ROWS = 2**53
"""Most rows of a journal."""


class JournalHead(StrictSchema):
    """Body of ``PUT /v1/journal/head``."""

    size = fields.Integer(strict=True, required=True, validate=validate.Range(1, MAX_ROWS))
    root = Base64Bytes(limit=HASH_SIZE, length=HASH_SIZE, required=True)


class JournalAnchored(StrictSchema):
    """202 of ``PUT /v1/journal/head``: the number of the head's event in the audit log."""

    index = whole(required=True)
