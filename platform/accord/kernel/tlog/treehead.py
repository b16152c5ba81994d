"""The text of a checkpoint: origin, size, root (C2SP tlog-checkpoint). No signatures here.

Invariant: ``parse_checkpoint(c.body()) == c`` and ``parse_checkpoint(b).body() == b``. Extension
lines are refused: the post-quantum cosignature (0x06) does not sign them, so two texts could carry
one signature.
"""

import re
from dataclasses import dataclass

from accord.kernel.encoding import b64decode, b64encode
from accord.kernel.errors import Malformed
from accord.kernel.tlog.merkle import HASH_SIZE

MAX_NAME = 255
"""Longest origin or key name in bytes of UTF-8 (C2SP tlog-cosignature, one length byte)."""

MAX_SIZE = 2**63 - 1
"""Largest tree size; it fits a signed 64-bit database column."""

MAX_BODY = 1024
"""Longest text of a checkpoint in bytes."""

_DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,18})")
_LINES = 4


def check_name(text: str) -> str:
    """Return ``text`` as a key name or origin (C2SP signed-note).

    Raises:
        Malformed: ``note_name_invalid`` when it is empty, longer than 255 bytes, has a space,
            a control character or ``+``.
    """
    if (
        not text
        or len(text.encode("utf-8", "surrogatepass")) > MAX_NAME
        or any(sign.isspace() or sign < " " or sign in "+\x7f" for sign in text)
        or any("\ud800" <= sign <= "\udfff" for sign in text)
    ):
        raise Malformed(
            "note_name_invalid",
            "A key name or origin has 1 to 255 bytes without space or '+'.",
            observed=text[:80].encode("ascii", "backslashreplace").decode("ascii"),
        )
    return text


def parse_decimal(text: str, *, code: str = "checkpoint_malformed") -> int:
    """Return a decimal number without sign or leading zero, at most 2^63 - 1.

    Raises:
        Malformed: ``code``.
    """
    if _DECIMAL.fullmatch(text) is None or int(text) > MAX_SIZE:
        raise Malformed(code, "A plain decimal number is expected.", observed=text[:40])
    return int(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a log says of its tree.

    Attributes:
        origin: the log's name, for example ``hub.example/audit``.
        size: number of entries.
        root: RFC 9162 root over them, 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        """Refuse what could not be parsed again (Malformed)."""
        check_name(self.origin)
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_SIZE:
            raise Malformed(
                "checkpoint_malformed",
                "A checkpoint has a size from 0 and a root of 32 bytes.",
                observed=f"size {self.size}, root of {len(self.root)} bytes",
            )

    def body(self) -> bytes:
        """Return the text that is signed: three lines, each with LF."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root)}\n".encode()


def parse_checkpoint(note_body: bytes) -> Checkpoint:
    """Parse the text of a checkpoint note.

    Raises:
        Malformed: ``checkpoint_malformed``, ``checkpoint_extension``, ``note_name_invalid`` or
            ``base64_invalid``.
    """
    if len(note_body) > MAX_BODY:
        raise Malformed(
            "checkpoint_malformed",
            f"A checkpoint's text has at most {MAX_BODY} bytes.",
            observed=f"{len(note_body)} bytes",
        )
    try:
        lines = note_body.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise Malformed("checkpoint_malformed", "A checkpoint is UTF-8 text.") from error
    if len(lines) < _LINES or lines[-1]:
        raise Malformed(
            "checkpoint_malformed", "A checkpoint has three lines, each with a line feed."
        )
    if len(lines) > _LINES:
        raise Malformed(
            "checkpoint_extension",
            "A checkpoint with extension lines is not accepted.",
            observed=f"{len(lines) - 1} lines",
        )
    return Checkpoint(
        origin=lines[0], size=parse_decimal(lines[1]), root=b64decode(lines[2], length=HASH_SIZE)
    )
