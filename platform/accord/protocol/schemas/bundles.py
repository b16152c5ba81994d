"""Answers about bundles; the bundles themselves travel as their own bytes."""

from accord.kernel.identifiers import parse_bundle_id, parse_org_id
from accord.protocol.schemas.fields import (
    CheckedText,
    QueryInteger,
    StrictSchema,
    one_of,
    text,
    whole,
)

MAX_WAIT = 30
"""Longest long-poll in seconds."""

MAX_CHECKPOINT = 32 * 1024
"""Largest signed checkpoint in characters."""


class StoredBundle(StrictSchema):
    """202 of ``PUT /v1/bundles/{id}``: durable and in the log, not yet a receipt.

    ``held`` says why it is held aside undelivered until the operator decides.
    """

    id = CheckedText(parse_bundle_id, required=True)
    state = one_of("stored", required=True)
    index = whole(required=True)
    checkpoint = text(MAX_CHECKPOINT, required=True)
    held = text(40)


class ReceiptQuery(StrictSchema):
    """``GET /v1/bundles/{id}/receipt``: wait up to so many seconds for the witnesses."""

    wait = QueryInteger(largest=MAX_WAIT, load_default=0)


class ErasureQuery(ReceiptQuery):
    """``GET /v1/bundles/{id}/erasure``: ``sender`` as in a delivery."""

    sender = CheckedText(parse_org_id)


class DeliveryQuery(StrictSchema):
    """``GET /v1/bundles/{id}``: ``sender`` tells two senders' bundles of one id apart."""

    sender = CheckedText(parse_org_id)


class NoQuery(StrictSchema):
    """A path that takes no query."""
