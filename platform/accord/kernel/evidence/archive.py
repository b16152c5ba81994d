"""The container: a ZIP file with one byte form, so that two makings are alike to the last bit.

Members stand in the order of ``NAMES``, stored as they are, with fixed date, version and
permissions; nothing precedes, parts or follows them. Reading compares the whole file with the one
form of what was found in it: a changed byte anywhere is refused and the place of it is named.

Invariant: ``build(read(b)) == b``. Source: APPNOTE.TXT 6.3.10, clauses 4.3.7, 4.3.12, 4.3.16.
"""

import struct
import zlib
from collections.abc import Mapping

from accord.kernel.errors import Malformed, VerificationFailed

README = "README.txt"
REPORT = "report.pdf"
RECORD = "record.json"
HEADER = "header.json"
SIGNATURES = "signatures.json"
PLACE = "place.json"
ACCEPTANCE = "acceptance.tlog-proof"
DIRECTORY = "directory.entries"
CHECKPOINT = "directory.checkpoint"
ROOTS = "roots.jsonl"
AUDIT_POLICY = "policy-audit.txt"
DIRECTORY_POLICY = "policy-directory.txt"
TOKEN = "timestamp.tsr"  # noqa: S105 - a time-stamp token
VERIFIER = "verify.py"
STATEMENT = "statement.json"

NAMES = (
    README,
    REPORT,
    RECORD,
    HEADER,
    SIGNATURES,
    PLACE,
    ACCEPTANCE,
    DIRECTORY,
    CHECKPOINT,
    ROOTS,
    AUDIT_POLICY,
    DIRECTORY_POLICY,
    VERIFIER,
    STATEMENT,
    TOKEN,
)
"""Every member, in order; the optional one stands last, so that a place tells the name."""

OPTIONAL = frozenset({TOKEN})

MAX_FILE = 256 * 1024 * 1024
"""Largest file of evidence in bytes; the directory is what makes one large."""

MAGIC = b"PK\x03\x04"

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_VERSION = 20
_UNIX = 3 << 8
_DATE = 33
"""1 January 1980, the first day that the format knows."""

_MODE = 0o100644 << 16
_END_OF_FILE = "the list at the end of the file"


def build(members: Mapping[str, bytes]) -> bytes:
    """Return the file of ``members``; they are put into their order.

    Raises:
        Malformed: ``evidence_members`` when one is unknown or missing.
    """
    names = [name for name in NAMES if name in members]
    if len(names) != len(members) or not {*NAMES} - OPTIONAL <= {*names}:
        raise Malformed(
            "evidence_members",
            "A file of evidence has exactly its members.",
            observed=", ".join(sorted({*NAMES} - OPTIONAL ^ {*members}))[:120],
        )
    return _build([(name.encode("ascii"), members[name]) for name in names])


def _build(members: list[tuple[bytes, bytes]]) -> bytes:
    parts, entries, at = [], [], 0
    for name, content in members:
        shared = (0, 0, 0, _DATE, zlib.crc32(content), len(content), len(content), len(name), 0)
        head = _LOCAL.pack(MAGIC, _VERSION, *shared) + name
        entries.append(
            _CENTRAL.pack(b"PK\x01\x02", _UNIX | _VERSION, _VERSION, *shared, 0, 0, 0, _MODE, at)
            + name
        )
        parts += [head, content]
        at += len(head) + len(content)
    listed = b"".join(entries)
    end = _END.pack(b"PK\x05\x06", 0, 0, len(entries), len(entries), len(listed), at, 0)
    return b"".join((*parts, listed, end))


def read(data: bytes) -> dict[str, bytes]:
    """Return the members of a file.

    Raises:
        Malformed: ``too_long``.
        VerificationFailed: ``evidence_changed``, with the name of the member.
    """
    if len(data) > MAX_FILE:
        raise Malformed("too_long", f"A file of evidence has at most {MAX_FILE} bytes.")
    found: list[tuple[bytes, bytes]] = []
    starts: list[int] = []
    at = 0
    while data[at : at + 4] == MAGIC and len(data) - at >= _LOCAL.size and len(found) < len(NAMES):
        fields = _LOCAL.unpack_from(data, at)
        start = at + _LOCAL.size + fields[9]
        starts.append(at)
        found.append((data[at + _LOCAL.size : start], data[start : start + fields[7]]))
        at = start + fields[7]
    again = _build(found)
    wrong = _first_wrong([name for name, _ in found])
    place = min(len(starts), wrong)
    if again != data:
        place = min(place, _place(starts, _difference(again, data), at))
        raise changed(_named(place, len(found)))
    if wrong < len(found) or len(found) < len(NAMES) - len(OPTIONAL):
        raise changed(_named(place, len(found)))
    return {name.decode("ascii"): content for name, content in found}


def _first_wrong(names: list[bytes]) -> int:
    """Return the place of the first name that is not the one that belongs there, or their count."""
    for place, (name, wanted) in enumerate(zip(names, NAMES, strict=False)):
        if name != wanted.encode("ascii"):
            return place
    return len(names)


def changed(name: str, why: str = "was changed") -> VerificationFailed:
    """Return the error that names the member that does not hold."""
    return VerificationFailed(
        "evidence_changed",
        f"The file of evidence does not hold: {name} {why}.",
        observed=name[:80].encode("ascii", "backslashreplace").decode("ascii"),
        next_step="Ask whoever made it for the file again, and keep this one.",
    )


def _difference(one: bytes, two: bytes) -> int:
    """Return the first position at which two texts differ."""
    low, high = 0, min(len(one), len(two))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == two[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _place(starts: list[int], at: int, end: int) -> int:
    """Return which member holds position ``at``; members end at ``end``."""
    return sum(start <= at for start in starts) - 1 if at < end else len(starts)


def _named(place: int, count: int) -> str:
    """Return the name of a place; behind the ``count`` members stands the list."""
    return NAMES[place] if place < max(count, len(NAMES) - len(OPTIONAL)) else _END_OF_FILE
