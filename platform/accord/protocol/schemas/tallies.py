"""Answers about tallies; a tally itself is a signed statement."""

from accord.protocol.paths import parse_month
from accord.protocol.schemas.fields import CheckedText, StrictSchema, one_of, whole


class TallyStored(StrictSchema):
    """202 of ``PUT /v1/tallies/{month}``."""

    month = CheckedText(parse_month, required=True)
    state = one_of("stored", required=True)
    index = whole(required=True)
