"""The problem document (RFC 9457) as the OpenAPI describes it; ``protocol.problems`` writes it."""

from marshmallow import fields

from accord.protocol.schemas.fields import StrictSchema, text, whole


class ProblemDocument(StrictSchema):
    """Why a request was not done: a stable code for programs, a sentence for people."""

    type = text(120, required=True, metadata={"description": "urn:accord:problem:<code>"})
    title = text(120, required=True)
    status = fields.Integer(required=True, strict=True)
    code = text(64, required=True)
    detail = text(500)
    observed = text(500)
    next_step = text(500)
    retry_after = whole(metadata={"description": "seconds"})
    request_id = text(32)
