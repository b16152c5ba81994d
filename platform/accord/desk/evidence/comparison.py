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
        else "another: do not rely on it, read the record printed here",
        "readme": "that of this version" if good[archive.README] else "another: do not follow it",
        "checker": "that of this version" if good[archive.VERIFIER] else "another: do not run it",
    }


def _report(shown: VerifiedEvidence) -> bytes | None:
    """Return the report that follows from the proof; ``None`` when this version makes none."""
    try:
        return report_pdf(facts_of(shown))
    except (AccordError, msgspec.DecodeError, RuntimeError):
        return None  # a record or a text that this version cannot set
