"""Compare the members of a file of evidence that no signature of the sender or the hub covers.

The report, the instructions and the checker are the maker's own: a maker who lies can put others
into the file and sign those. This version makes each of them again from what was verified and
tells whether they are the same. Another one is no fault, an older version made it perhaps; but
what it says is then nobody's proof.
"""

from collections.abc import Callable, Mapping
from importlib.resources import files

import msgspec

from accord.desk.evidence.report import facts_of, report_pdf
from accord.kernel.errors import AccordError
from accord.kernel.evidence import archive
from accord.kernel.evidence.verification import VerifiedEvidence

_ROOM = files("accord.desk.evidence")
_SAME = "that of this version"
_OTHER = "another than this version makes (other versions make others)"
VERIFIER = _ROOM.joinpath("verify.py").read_bytes()
README = _ROOM.joinpath("README.txt").read_bytes()


def compared(shown: VerifiedEvidence) -> dict[str, str]:
    """Say of report, README and checker whether they are what this version makes."""
    same: Mapping[str, Callable[[], bytes | None]] = {
        archive.REPORT: lambda: _report(shown),
        archive.README: lambda: README,
        archive.VERIFIER: lambda: VERIFIER,
    }
    good = {name: shown.members[name] == made() for name, made in same.items()}
    return {
        "report": "as made from the proof"
        if good[archive.REPORT]
        else f"{_OTHER}: rely on the record printed here",
        "readme": _SAME if good[archive.README] else f"{_OTHER}: it is its maker's word",
        "checker": _SAME if good[archive.VERIFIER] else f"{_OTHER}: take one from its source",
    }


def _report(shown: VerifiedEvidence) -> bytes | None:
    """Return the report that follows from the proof; ``None`` when this version makes none."""
    try:
        return report_pdf(facts_of(shown))
    except (AccordError, msgspec.DecodeError, RuntimeError):
        return None  # a record or a text that this version cannot set
