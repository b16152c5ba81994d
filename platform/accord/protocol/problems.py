"""Errors on the wire: RFC 9457 problem documents with stable codes.

One table gives each class of the error tree its HTTP status and title; a few codes have another
status. The same table reads a problem back into the error that the hub raised, so that a desk
reports the hub's refusal as its own kind. Texts are ours and plain; nothing of a stack trace, a
query or another member's data is ever in them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from accord.kernel.errors import (
    AccordError,
    AuthenticationNeeded,
    Conflict,
    Malformed,
    NotFound,
    Refused,
    Unavailable,
    VerificationFailed,
)

MAX_PROBLEM = 16 * 1024
"""Largest problem document in bytes that a desk reads."""

_TEXT_LIMIT = 500
_CODE_LIMIT = 64
_RETRY_LIMIT = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemClass:
    """How a class of errors looks outside."""

    kind: type[AccordError]
    status: int
    title: str


CLASSES: tuple[ProblemClass, ...] = (
    ProblemClass(kind=Malformed, status=400, title="The request is not of the prescribed form"),
    ProblemClass(kind=AuthenticationNeeded, status=401, title="Enrolment or sign-in is needed"),
    ProblemClass(kind=Refused, status=403, title="A rule does not allow this"),
    ProblemClass(kind=NotFound, status=404, title="There is no such thing here"),
    ProblemClass(kind=Conflict, status=409, title="This is taken by something else"),
    ProblemClass(kind=VerificationFailed, status=422, title="A check of the content failed"),
    ProblemClass(kind=Unavailable, status=503, title="Not now, try again"),
)
"""Each class of the tree once; the first that fits is taken."""

STATUS_OF_CODE: Mapping[str, int] = {
    "too_long": 413,
    "body_too_large": 413,
    "media_type_unknown": 415,
    "not_acceptable": 406,
    "method_not_allowed": 405,
    "csrf_wrong": 403,
    "too_many_requests": 429,
    "too_many_attempts": 429,
    "nonces_full": 429,
    "quota_exceeded": 429,
    "streams_busy": 429,
    "disk_full": 507,
}
"""Codes whose status is not that of their class."""

INTERNAL_STATUS = 500
INTERNAL_CODE = "internal"
INTERNAL_TITLE = "Something went wrong on our side"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem document.

    Attributes:
        status: HTTP status.
        title: what the class of problem is, for a person.
        code: stable code, for a program.
        detail: one sentence about this case.
        observed: what was seen, shortened and never secret.
        next_step: what the caller can do.
        retry_after: seconds to wait, when waiting helps.
        request_id: finds the log line of this request.
    """

    status: int
    title: str
    code: str
    detail: str | None = None
    observed: str | None = None
    next_step: str | None = None
    retry_after: int | None = None
    request_id: str | None = None

    def as_dict(self) -> dict[str, str | int]:
        """Return the members of RFC 9457 and ours, without those that are absent."""
        members: dict[str, str | int | None] = {
            "type": f"urn:accord:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "observed": self.observed,
            "next_step": self.next_step,
            "retry_after": self.retry_after,
            "request_id": self.request_id,
        }
        return {name: value for name, value in members.items() if value is not None}


def problem_of(error: AccordError, *, request_id: str | None = None) -> Problem:
    """Return the problem document of an error of the tree."""
    found = next(entry for entry in CLASSES if isinstance(error, entry.kind))
    return Problem(
        status=STATUS_OF_CODE.get(error.code, found.status),
        title=found.title,
        code=error.code,
        detail=error.message,
        observed=error.observed,
        next_step=error.next_step,
        retry_after=error.retry_after if isinstance(error, Unavailable) else None,
        request_id=request_id,
    )


def internal_problem(*, request_id: str | None = None) -> Problem:
    """Return the problem of an error that nobody foresaw; it says nothing about it."""
    return Problem(
        status=INTERNAL_STATUS,
        title=INTERNAL_TITLE,
        code=INTERNAL_CODE,
        next_step="Try again; if it repeats, tell the operator the request id.",
        request_id=request_id,
    )


def error_of(status: int, body: bytes) -> AccordError:
    """Return the error that a hub's answer stands for; the answer is not trusted to be well-formed.

    Args:
        status: HTTP status of 400 or more.
        body: body of the answer, read up to ``MAX_PROBLEM`` bytes.
    """
    members = _members(body)
    code = members.get("code", "")
    code = code if _is_code(code) else f"http_{status}"
    detail = members.get("detail") or members.get("title") or f"The hub answered {status}."
    observed, next_step = members.get("observed"), members.get("next_step")
    kind = _class_of(status, code)
    if kind is Unavailable:
        return Unavailable(
            code,
            detail,
            retry_after=_retry_after(members.get("retry_after")),
            observed=observed,
            next_step=next_step,
        )
    return kind(code, detail, observed=observed, next_step=next_step)


def _class_of(status: int, code: str) -> type[AccordError]:
    if code not in STATUS_OF_CODE:
        for entry in CLASSES:
            if entry.status == status:
                return entry.kind
    special = {403: Refused, 405: Malformed, 413: Malformed, 415: Malformed, 429: Unavailable}
    if status in special:
        return special[status]
    return Unavailable if status >= INTERNAL_STATUS else Refused


def _members(body: bytes) -> dict[str, str]:
    try:
        value = json.loads(body[:MAX_PROBLEM])
    except (ValueError, RecursionError):
        return {}
    if not isinstance(value, dict):
        return {}
    kept = {}
    for name, member in value.items():
        if isinstance(member, str | int) and not isinstance(member, bool):
            text = "".join(sign for sign in str(member)[:_TEXT_LIMIT] if sign.isprintable())
            kept[name] = text
    return kept


def _is_code(text: str) -> bool:
    plain = text.isascii() and text.replace("_", "").isalnum() and text == text.lower()
    return plain and len(text) <= _CODE_LIMIT


def _retry_after(text: str | None) -> int:
    if text is None or not (text.isascii() and text.isdigit()):
        return 1
    return min(max(int(text), 1), _RETRY_LIMIT)
