"""Enrolment and changes of keys: statement, challenge, proof of possession, state."""

from accord.kernel.directory.statements import Op
from accord.kernel.identifiers import parse_org_id
from accord.protocol.paths import parse_enrolment_id
from accord.protocol.schemas.fields import (
    Base64Bytes,
    CheckedText,
    StrictSchema,
    instant,
    one_of,
    text,
    whole,
)

MAX_STATEMENT = 64 * 1024
"""Largest directory statement in bytes."""

MAX_CHALLENGE = 8 * 1024
"""Largest challenge or proof in bytes."""

STATES = ("proof-needed", "approval-needed", "active", "refused", "expired")


class EnrolmentRequest(StrictSchema):
    """``POST /v1/enrolments``: the one-off invite and the self-signed enrol statement."""

    invite = text(200, required=True)
    statement = Base64Bytes(limit=MAX_STATEMENT, required=True)


class EnrolmentChallenge(StrictSchema):
    """The answer: an id, and bytes sealed to the new KEM key that only its owner can open."""

    id = CheckedText(parse_enrolment_id, required=True)
    challenge = Base64Bytes(limit=MAX_CHALLENGE, required=True)


class EnrolmentProof(StrictSchema):
    """``POST /v1/enrolments/{id}/proof``: what was sealed in the challenge."""

    proof = Base64Bytes(limit=MAX_CHALLENGE, required=True)


class EnrolmentState(StrictSchema):
    """``GET /v1/enrolments/{id}``: where it stands and who must act next."""

    id = CheckedText(parse_enrolment_id, required=True)
    state = one_of(*STATES, required=True)
    org = CheckedText(parse_org_id, required=True)
    next_actor = one_of("desk", "registrar", "nobody", required=True)
    op = one_of(*(op.value for op in Op), required=True)
    expires = instant(required=True)
    reason = text(40)


class StatementTaken(StrictSchema):
    """``POST /v1/statements``: what became of a signed statement.

    ``id`` and ``challenge`` stand there when the opening key is still to be proved, ``id`` alone
    when registrars must sign; ``index`` is its leaf in the directory log once it is there.
    """

    state = one_of(*STATES, required=True)
    org = CheckedText(parse_org_id, required=True)
    op = one_of(*(op.value for op in Op), required=True)
    next_actor = one_of("desk", "registrar", "nobody", required=True)
    signatures = whole(required=True)
    missing = whole(required=True)
    id = CheckedText(parse_enrolment_id)
    challenge = Base64Bytes(limit=MAX_CHALLENGE)
    index = whole()
