"""Closed vocabularies of the bundle header: markings, purposes, kinds.

The hub reads them, so they carry no free text. Adding a code is a change of the format.
Source: FIRST TLP 2.0 for the traffic light; the others are ours (docs/formats).
"""

from enum import StrEnum
from typing import TypeVar

from accord.kernel.errors import Malformed

Vocabulary = TypeVar("Vocabulary", bound=StrEnum)


class Tlp(StrEnum):
    """Traffic Light Protocol 2.0 (FIRST), from widest to narrowest."""

    CLEAR = "clear"
    GREEN = "green"
    AMBER = "amber"
    AMBER_STRICT = "amber+strict"
    RED = "red"

    @property
    def rank(self) -> int:
        """0 for clear up to 4 for red; a higher rank may go to fewer."""
        return list(Tlp).index(self)


class Purpose(StrEnum):
    """Why the bundle is shared."""

    PREVENTION = "prevention"
    SUSPICION_REPORT = "suspicion-report"
    INVESTIGATION = "investigation"
    VICTIM_PROTECTION = "victim-protection"
    TAKEDOWN = "takedown"
    SCREENING = "screening"


class LegalBasis(StrEnum):
    """On what basis the sender shares; the article stands in the sharing agreement."""

    LEGAL_OBLIGATION = "legal-obligation"
    PUBLIC_TASK = "public-task"
    LEGITIMATE_INTEREST = "legitimate-interest"
    VITAL_INTEREST = "vital-interest"
    LAW_ENFORCEMENT = "law-enforcement"
    INFORMATION_PARTNERSHIP = "information-partnership"


class Onward(StrEnum):
    """What a recipient may do with it beyond its own organisation."""

    NONE = "none"
    SAME_KIND = "same-kind"
    LAW_ENFORCEMENT = "law-enforcement"
    ASK_FIRST = "ask-first"


class BundleKind(StrEnum):
    """What a bundle carries (formats, section 1)."""

    INDICATORS = "indicators"
    RETRACTION = "retraction"
    SIGHTING = "sighting"
    REQUEST = "request"
    RESPONSE = "response"
    LIST = "list"
    NOTICE = "notice"


class OrgKind(StrEnum):
    """Kinds of organisation that the charter knows."""

    FINANCIAL = "financial"
    LAW_ENFORCEMENT = "law_enforcement"
    NGO = "ngo"
    OVERSIGHT = "oversight"
    OPERATOR = "operator"


def parse_code(vocabulary: type[Vocabulary], text: object, *, code: str) -> Vocabulary:
    """Return the member of ``vocabulary`` whose value is ``text``.

    Args:
        vocabulary: one of the enumerations above.
        text: what was found.
        code: the error's code, for example ``tlp_unknown``.

    Raises:
        Malformed: ``code``, naming the values that are known.
    """
    try:
        if isinstance(text, str):
            return vocabulary(text)
    except ValueError:
        pass
    raise Malformed(
        code,
        f"Known values are: {', '.join(vocabulary)}.",
        observed=text[:40] if isinstance(text, str) else type(text).__name__,
    )
