"""Offline proofs that an entry is in a log (C2SP tlog-proof, file extension ``.tlog-proof``).

A proof is the entry's index, its audit path and a checkpoint with all signatures. ``extra`` is
not authenticated: whatever it holds must be verified on its own (openings: ``leaf``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from accord.kernel.encoding import b64decode, b64encode
from accord.kernel.errors import Malformed
from accord.kernel.tlog.checkpoint import Checkpoint, open_cosigned
from accord.kernel.tlog.merkle import HASH_SIZE, leaf_hash, verify_inclusion
from accord.kernel.tlog.notes import MAX_NOTE, parse_note
from accord.kernel.tlog.policy import Policy
from accord.kernel.tlog.treehead import parse_decimal

MAX_PATH = 63
"""Longest audit path of a tree of at most 2^63 - 1 entries."""
MAX_EXTRA = 1024 * 1024
"""Longest extra data in bytes."""
MAX_PROOF = MAX_NOTE + 2 * MAX_EXTRA
"""Longest proof in bytes."""

_MAGIC = "c2sp.org/tlog-proof@v1"
_CODE = "proof_malformed"
_MIN_LINES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TlogProof:
    """A parsed proof; nothing in it is verified.

    Attributes:
        index: position of the entry, from 0.
        path: siblings, leaf side first, 32 bytes each.
        note: the checkpoint, a signed note, verbatim.
        extra: unauthenticated data; empty if the proof has none.
    """

    index: int
    path: tuple[bytes, ...]
    note: bytes
    extra: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedProof:
    """What a proof shows.

    Attributes:
        index: position of the entry in the log.
        checkpoint: the tree that holds it.
        witnessed: policy name of each witness key that counted -> its signed time (unix seconds).
    """

    index: int
    checkpoint: Checkpoint
    witnessed: Mapping[str, int]


def format_proof(
    index: int, path: Sequence[bytes], checkpoint_note: bytes, extra: bytes = b""
) -> bytes:
    """Return the bytes of a proof; empty ``extra`` writes no extra line.

    Raises:
        Malformed: what ``parse_proof`` would refuse.
    """
    lines = [_MAGIC]
    if extra:
        lines.append(f"extra {b64encode(extra)}")
    lines.append(f"index {index}")
    lines += [b64encode(step) for step in path]
    data = "".join(line + "\n" for line in lines).encode() + b"\n" + checkpoint_note
    parse_proof(data)
    return data


def parse_proof(data: bytes) -> TlogProof:
    """Parse a proof.

    Raises:
        Malformed: ``proof_malformed``, ``base64_invalid`` or the code of a note that is wrong.
    """
    if len(data) > MAX_PROOF:
        raise Malformed(
            _CODE, f"A proof has at most {MAX_PROOF} bytes.", observed=f"{len(data)} bytes"
        )
    head, blank, note = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise Malformed(_CODE, "The lines before the checkpoint are ASCII text.") from error
    if not blank or len(lines) < _MIN_LINES or lines[0] != _MAGIC:
        raise Malformed(_CODE, f"A proof begins with the line {_MAGIC} and holds a blank line.")
    at = 1
    extra = b""
    if lines[at].startswith("extra "):
        extra = b64decode(lines[at].removeprefix("extra "))
        at += 1
        if not 1 <= len(extra) <= MAX_EXTRA:
            raise Malformed(_CODE, "Extra data is empty or too long.", observed=str(len(extra)))
    if at == len(lines) or not lines[at].startswith("index "):
        raise Malformed(_CODE, "The index line is missing.")
    steps = lines[at + 1 :]
    if len(steps) > MAX_PATH:
        raise Malformed(
            _CODE, f"A path has at most {MAX_PATH} steps.", observed=f"{len(steps)} steps"
        )
    return TlogProof(
        index=parse_decimal(lines[at].removeprefix("index "), code=_CODE),
        path=tuple(b64decode(step, length=HASH_SIZE) for step in steps),
        note=parse_note(note).raw,
        extra=extra,
    )


def verify_proof(
    data: bytes,
    leaf: bytes,
    policy: Policy,
    *,
    now: int | None = None,
    max_age: int | None = None,
) -> VerifiedProof:
    """Verify that the entry ``leaf`` is in a log of ``policy``.

    1. The proof is well-formed.
    2. Its checkpoint has the log's signatures and the witness quorum (``open_cosigned``).
    3. The path leads from SHA-256(00 ‖ ``leaf``) at the index to the checkpoint's root.

    Args:
        data: the proof.
        leaf: the log entry itself, not its hash.
        policy: trusted logs and witnesses.
        now: the reader's time; without it cosignature times are not judged.
        max_age: oldest cosignature in seconds that still counts.

    Raises:
        Malformed: the proof is not well-formed.
        VerificationFailed: ``inclusion_wrong`` or a code of ``verify_cosigned``.
    """
    proof = parse_proof(data)
    opened = open_cosigned(proof.note, policy, now=now, max_age=max_age)
    verify_inclusion(
        index=proof.index,
        size=opened.checkpoint.size,
        leaf=leaf_hash(leaf),
        path=proof.path,
        root=opened.checkpoint.root,
    )
    return VerifiedProof(index=proof.index, checkpoint=opened.checkpoint, witnessed=opened.times)
