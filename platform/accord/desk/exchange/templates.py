"""Answers that are given again and again: outcome and words, to be used as they are or changed."""

from collections.abc import Mapping
from dataclasses import dataclass

from accord.kernel.correspondence.response import DeclineReason, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A ready answer."""

    outcome: Outcome
    text: str
    reason: DeclineReason | None = None


TEMPLATES: Mapping[str, Template] = {
    "received": Template(outcome=Outcome.ACKNOWLEDGED, text="We have your request and work on it."),
    "preserved": Template(
        outcome=Outcome.DONE,
        text="We have preserved what we hold. It is kept until you tell us otherwise, or until the "
        "law no longer lets us.",
    ),
    "frozen": Template(
        outcome=Outcome.DONE,
        text="We have stopped outgoing transfers. Send us the order that keeps this in force.",
    ),
    "nothing-held": Template(
        outcome=Outcome.NOTHING_HELD, text="We have searched our records and hold nothing on this."
    ),
    "order-needed": Template(
        outcome=Outcome.DECLINED,
        reason=DeclineReason.NEEDS_ORDER,
        text="We may do this on an order of a court or authority. Send it to our contact.",
    ),
    "not-ours": Template(
        outcome=Outcome.DECLINED,
        reason=DeclineReason.NOT_COMPETENT,
        text="This is not within our powers or our business.",
    ),
    "too-broad": Template(
        outcome=Outcome.DECLINED,
        reason=DeclineReason.TOO_BROAD,
        text="Please narrow it to single records and a period.",
    ),
}
"""By name, as commands and pages offer them."""


def template_of(name: str) -> Template:
    """Return the template ``name``; faces offer only names that exist."""
    return TEMPLATES[name]
