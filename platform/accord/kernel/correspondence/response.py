"""The answer to a request: how far it was done, why not, and indicators where there are any.

The header's only ref is the request. The first line says the outcome; the lines behind it are
indicator records, judged each by itself like those of any bundle. A later answer of the same
organisation stands above an earlier one.

Invariant: ``format_response(parse_response(b)) == b``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from accord.kernel.bundle.model import Header
from accord.kernel.correspondence.words import only_ref, require_text, require_words
from accord.kernel.encoding import JsonValue, dump_object, parse_object, require_keys
from accord.kernel.errors import Malformed
from accord.kernel.indicators import IndicatorRecord, parse_lines
from accord.kernel.markings import parse_code

MAX_LINE = 64 * 1024
MAX_RECORDS = 10_000
"""Indicator records in one answer."""

MAX_REFERENCE = 80
_ORDER = ("outcome", "reason", "reference", "text")
_OPTIONAL = ("reason", "reference", "text")


class Outcome(StrEnum):
    """How far the request was done. ``acknowledged``: a person has taken it up, nothing more."""

    ACKNOWLEDGED = "acknowledged"
    DONE = "done"
    PARTLY = "partly"
    NOTHING_HELD = "nothing-held"
    DECLINED = "declined"

    @property
    def final(self) -> bool:
        """Nothing more is to come unless the answer is mended."""
        return self is not Outcome.ACKNOWLEDGED


class DeclineReason(StrEnum):
    """Why a request is not done."""

    NO_LEGAL_BASIS = "no-legal-basis"
    NEEDS_ORDER = "needs-order"
    NOT_COMPETENT = "not-competent"
    TOO_BROAD = "too-broad"
    TOO_LATE = "too-late"
    NOT_POSSIBLE = "not-possible"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """The first line of an answer.

    Attributes:
        outcome: how far.
        reason: why not; given exactly when declined.
        reference: the answering side's own file number.
        text: more, in words; never about a customer.
    """

    outcome: Outcome
    reason: DeclineReason | None = None
    reference: str | None = None
    text: str | None = None


def format_response(response: Response) -> bytes:
    """Return the first line, without LF; ``parse_response`` judges it."""
    obj: dict[str, JsonValue] = {"outcome": response.outcome.value}
    if response.reason is not None:
        obj["reason"] = response.reason.value
    if response.reference is not None:
        obj["reference"] = response.reference
    if response.text is not None:
        obj["text"] = response.text
    return dump_object(obj)


def parse_response(line: bytes) -> Response:
    """Parse the first line strictly.

    Raises:
        Malformed: ``too_long``, ``json_*``, ``key_*``, ``value_invalid``, ``outcome_unknown``,
            ``decline_reason_unknown``, ``decline_reason`` when a reason is missing or out of
            place.
    """
    obj = parse_object(line, limit=MAX_LINE)
    require_keys(obj, required=_ORDER, optional=_OPTIONAL)
    outcome = parse_code(Outcome, obj["outcome"], code="outcome_unknown")
    if ("reason" in obj) != (outcome is Outcome.DECLINED):
        raise Malformed(
            "decline_reason",
            "A reason is given when a request is declined, and only then.",
            observed=outcome.value,
        )
    return Response(
        outcome=outcome,
        reason=parse_code(DeclineReason, obj["reason"], code="decline_reason_unknown")
        if "reason" in obj
        else None,
        reference=require_words(obj, "reference", limit=MAX_REFERENCE)
        if "reference" in obj
        else None,
        text=require_text(obj, "text") if "text" in obj else None,
    )


def read_response(
    header: Header, lines: Sequence[bytes]
) -> tuple[Response, list[IndicatorRecord | Malformed]]:
    """Return what an answer says and its records, each parsed or refused by itself.

    Raises:
        Malformed: ``lines_count``, ``response_records`` (too many, or beside an outcome that
            has none), or as ``parse_response``.
        VerificationFailed: ``refs_other``.
    """
    if not lines:
        raise Malformed("lines_count", "An answer has at least one line.", observed="0 lines")
    only_ref(header)
    said = parse_response(lines[0])
    records = lines[1:]
    if records and (
        said.outcome not in {Outcome.DONE, Outcome.PARTLY} or len(records) > MAX_RECORDS
    ):
        raise Malformed(
            "response_records",
            f"Up to {MAX_RECORDS} records may follow 'done' and 'partly', and no other outcome.",
            observed=f"{len(records)} after {said.outcome}",
        )
    return said, parse_lines(records) if records else []
