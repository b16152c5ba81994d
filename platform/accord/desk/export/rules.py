"""May this record go to those? One pure function over marking, onward rule and audience.

Source: FIRST TLP 2.0; the onward rule is the sender's own, from the signed header (formats, 1).
"""

from enum import StrEnum

from accord.kernel.markings import Onward, Tlp


class Audience(StrEnum):
    """For whom an export is made."""

    OWN = "own"
    """People and tools of this organisation."""
    SAME_KIND = "same-kind"
    """Another organisation of our own kind."""
    LAW_ENFORCEMENT = "law-enforcement"
    """A law enforcement organisation."""


WITHHELD = {
    "tlp_red": "TLP:RED is for the named people only; it goes into no file or tool unless asked.",
    "tlp_own_only": "TLP:AMBER+STRICT and TLP:RED stay within this organisation.",
    "onward_refused": "The sender did not allow it to be passed on to them.",
    "ended": "It was retracted, replaced, disputed or has expired.",
}
"""Why a record stays behind, in words; the closed list of codes."""

_ALLOWED_BY = {
    Audience.SAME_KIND: Onward.SAME_KIND,
    Audience.LAW_ENFORCEMENT: Onward.LAW_ENFORCEMENT,
}


def withheld(tlp: Tlp, onward: Onward, audience: Audience, *, red: bool) -> str | None:
    """Return the code of what keeps a record here, or ``None`` when it may go.

    Args:
        tlp: the bundle's marking.
        onward: the sender's rule for passing it on.
        audience: for whom.
        red: a person asked for TLP:RED by name; never set for a tool.
    """
    if tlp is Tlp.RED and not red:
        return "tlp_red"
    if audience is Audience.OWN:
        return None
    if tlp.rank > Tlp.AMBER.rank:
        return "tlp_own_only"
    if onward is not _ALLOWED_BY[audience]:
        return "onward_refused"
    return None
