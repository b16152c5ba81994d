"""The head of a desk's journal, and the act by which one begins anew: names, sizes, roots, a code.

Nothing else of a journal goes to the hub. ``journal`` may be left out of a head, as desks did from
before journals had names.
"""

from marshmallow import fields, validate

from accord.kernel.tlog.journals import JOURNAL_ID_SIZE, Cause
from accord.protocol.schemas.fields import Base64Bytes, StrictSchema, whole

HASH_SIZE = 32
MAX_ROWS = 2**53
"""Most rows of a journal."""


class JournalHead(StrictSchema):
    """Body of ``PUT /v1/journal/head``."""

    size = fields.Integer(strict=True, required=True, validate=validate.Range(1, MAX_ROWS))
    root = Base64Bytes(limit=HASH_SIZE, length=HASH_SIZE, required=True)
    journal = Base64Bytes(limit=JOURNAL_ID_SIZE, length=JOURNAL_ID_SIZE)


class JournalRestart(StrictSchema):
    """Body of ``PUT /v1/journal/restart``."""

    journal = Base64Bytes(limit=JOURNAL_ID_SIZE, length=JOURNAL_ID_SIZE, required=True)
    size = fields.Integer(strict=True, required=True, validate=validate.Range(1, MAX_ROWS))
    root = Base64Bytes(limit=HASH_SIZE, length=HASH_SIZE, required=True)
    kept = fields.Integer(strict=True, required=True, validate=validate.Range(0, MAX_ROWS))
    cause = fields.String(required=True, validate=validate.OneOf([one.value for one in Cause]))
    ended = Base64Bytes(limit=JOURNAL_ID_SIZE, length=JOURNAL_ID_SIZE)


class JournalAnchored(StrictSchema):
    """202 of both: the number of the event in the audit log."""

    index = whole(required=True)
