"""The request with which a log asks a witness to cosign (C2SP tlog-witness, add-checkpoint).

``old <n>``, the consistency proof from size n, a blank line, the checkpoint note. The answer is
signature lines; on conflict the size that the witness last cosigned. Nothing is verified here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from accord.kernel.encoding import b64decode, b64encode
from accord.kernel.errors import Malformed
from accord.kernel.tlog.merkle import HASH_SIZE
from accord.kernel.tlog.notes import MAX_NOTE, parse_note
from accord.kernel.tlog.treehead import Checkpoint, parse_checkpoint, parse_decimal

MAX_PROOF_LINES = 63
"""Most lines of a consistency proof."""
MAX_SUBMISSION = MAX_NOTE + 4096
"""Longest request in bytes."""
SIZE_MEDIA_TYPE = "text/x.tlog.size"
"""Media type of a conflict's answer."""

_CODE = "submission_malformed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A parsed request.

    Attributes:
        old: size that the log believes the witness last cosigned; 0 if never.
        path: consistency proof from ``old``, 32 bytes each.
        checkpoint: what is to be cosigned; its signatures are not verified.
        note: the checkpoint's signed note.
    """

    old: int
    path: tuple[bytes, ...]
    checkpoint: Checkpoint
    note: bytes


def format_submission(old: int, path: Sequence[bytes], note: bytes) -> bytes:
    """Return the body of an add-checkpoint request.

    Raises:
        Malformed: what ``parse_submission`` would refuse.
    """
    lines = [f"old {old}", *(b64encode(step) for step in path)]
    data = "".join(line + "\n" for line in lines).encode() + b"\n" + note
    parse_submission(data)
    return data


def parse_submission(data: bytes) -> Submission:
    """Parse the body of an add-checkpoint request.

    Raises:
        Malformed: ``submission_malformed`` (also when ``old`` is above the checkpoint's size), or
            the code of a note or checkpoint that is wrong.
    """
    if len(data) > MAX_SUBMISSION:
        raise Malformed(
            _CODE, f"A request has at most {MAX_SUBMISSION} bytes.", observed=f"{len(data)} bytes"
        )
    head, blank, note = data.partition(b"\n\n")
    try:
        first, *steps = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise Malformed(_CODE, "The lines before the checkpoint are ASCII text.") from error
    if not blank or not first.startswith("old "):
        raise Malformed(_CODE, "A request begins with 'old' and a size and holds a blank line.")
    if len(steps) > MAX_PROOF_LINES:
        raise Malformed(
            _CODE, f"A proof has at most {MAX_PROOF_LINES} lines.", observed=f"{len(steps)} lines"
        )
    old = parse_decimal(first.removeprefix("old "), code=_CODE)
    checkpoint = parse_checkpoint(parse_note(note).body)
    if old > checkpoint.size:
        raise Malformed(
            _CODE, "The old size is above the new one.", observed=f"{old} > {checkpoint.size}"
        )
    return Submission(
        old=old,
        path=tuple(b64decode(step, length=HASH_SIZE) for step in steps),
        checkpoint=checkpoint,
        note=note,
    )


def format_size(size: int) -> bytes:
    """Return the body of a conflict's answer."""
    return b"%d\n" % size


def parse_size(data: bytes) -> int:
    """Parse the body of a conflict's answer.

    Raises:
        Malformed: ``submission_malformed``.
    """
    text = data[:32].decode("ascii", "replace")
    if len(data) > len(text) or not text.endswith("\n"):
        raise Malformed(_CODE, "A size and a line feed are expected.", observed=ascii(text))
    return parse_decimal(text[:-1], code=_CODE)
