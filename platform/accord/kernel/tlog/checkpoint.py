"""Verified checkpoints: log signatures, witness cosignatures, quorum (C2SP tlog-checkpoint).

A checkpoint counts only after ``verify_checkpoint`` (the log alone) or ``verify_cosigned`` (log
and witness quorum). What it does not say: that a later checkpoint is consistent (``merkle``), or
that the log's entries are true.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from accord.kernel.errors import VerificationFailed
from accord.kernel.tlog.merkle import EMPTY_ROOT
from accord.kernel.tlog.notes import (
    SignedNote,
    Verifier,
    parse_note,
    parse_signature_lines,
    parse_vkey,
    verify_signatures,
)
from accord.kernel.tlog.policy import NO_QUORUM, Policy
from accord.kernel.tlog.treehead import Checkpoint, parse_checkpoint

__all__ = [
    "FUTURE_SECONDS",
    "Checkpoint",
    "CosignedCheckpoint",
    "add_cosignatures",
    "add_verified_cosignatures",
    "open_cosigned",
    "parse_checkpoint",
    "verify_checkpoint",
    "verify_cosigned",
    "verify_log_signatures",
]

FUTURE_SECONDS = 300
"""How far ahead of the reader's clock a cosignature may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CosignedCheckpoint:
    """A checkpoint with quorum.

    Attributes:
        checkpoint: origin, size, root.
        times: policy name of each witness that counted -> its signed time (unix seconds).
    """

    checkpoint: Checkpoint
    times: Mapping[str, int]


def verify_log_signatures(note: SignedNote, verifiers: Sequence[Verifier]) -> None:
    """Require that every one of ``verifiers`` signed the note.

    Raises:
        VerificationFailed: ``log_signature_missing``, ``note_signature_wrong``,
            ``note_signature_twice``; ``log_unknown`` for an empty list.
    """
    if not verifiers:
        raise VerificationFailed("log_unknown", "No key of this log is known.")
    found = verify_signatures(note, verifiers)
    for verifier in verifiers:
        if (verifier.name, verifier.key_id) not in found:
            raise VerificationFailed(
                "log_signature_missing",
                "A checkpoint must be signed by every key of its log.",
                observed=f"{verifier.name}, algorithm {verifier.algorithm:#04x}",
            )


def verify_checkpoint(note: bytes, *, origin: str, log_vkeys: Sequence[str]) -> Checkpoint:
    """Verify a checkpoint note of the log ``origin``; all of ``log_vkeys`` must have signed.

    Raises:
        Malformed: the note or a vkey is not well-formed.
        VerificationFailed: ``origin_other``, ``checkpoint_root_wrong``, ``log_unknown`` or a code
            of ``verify_log_signatures``.
    """
    return _verify(parse_note(note), origin, [parse_vkey(vkey) for vkey in log_vkeys])


def _verify(note: SignedNote, origin: str | None, verifiers: Sequence[Verifier]) -> Checkpoint:
    checkpoint = parse_checkpoint(note.body)
    if origin is not None and checkpoint.origin != origin:
        raise VerificationFailed(
            "origin_other", f"A checkpoint of {origin} is expected.", observed=checkpoint.origin
        )
    if any(verifier.name != checkpoint.origin for verifier in verifiers):
        raise VerificationFailed(
            "origin_other", "A log's keys carry its origin as name.", observed=checkpoint.origin
        )
    verify_log_signatures(note, verifiers)
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise VerificationFailed("checkpoint_root_wrong", "An empty tree has one root only.")
    return checkpoint


def add_cosignatures(note: bytes, lines: bytes) -> bytes:
    """Return ``note`` with signature lines added; a newer line replaces that of the same key.

    Nothing is verified; for what a witness answered take ``add_verified_cosignatures``.

    Raises:
        Malformed: ``note_malformed`` or ``note_name_invalid``.
    """
    parsed = parse_note(note)
    merged = {(line.name, line.key_id): line for line in parsed.signatures}
    for line in parse_signature_lines(lines):
        merged[line.name, line.key_id] = line
    together = b"".join(line.line() for line in merged.values())
    return parse_note(parsed.body + b"\n" + together).raw


def add_verified_cosignatures(note: bytes, lines: bytes, *, vkeys: Sequence[str]) -> bytes:
    """Return ``note`` with one witness's lines added, once they hold.

    For whoever asks a witness: lines under other keys are dropped, so that no witness can put a
    wrong line under another's name and spoil the note for every reader.

    Args:
        note: the checkpoint, with what was collected so far.
        lines: the witness's answer.
        vkeys: the keys of that witness; each must have signed.

    Raises:
        Malformed: ``note_malformed``, ``note_name_invalid`` or the code of a vkey that is wrong.
        VerificationFailed: ``cosignature_missing``, ``note_signature_wrong`` or
            ``note_signature_twice``.
    """
    verifiers = [parse_vkey(vkey) for vkey in vkeys]
    known = {(verifier.name, verifier.key_id) for verifier in verifiers}
    own = tuple(line for line in parse_signature_lines(lines) if (line.name, line.key_id) in known)
    answer = SignedNote(body=parse_note(note).body, signatures=own, raw=b"")
    if not known or set(verify_signatures(answer, verifiers)) != known:
        raise VerificationFailed(
            "cosignature_missing",
            "A witness must sign with each of its keys.",
            observed=f"{len(own)} of {len(known)} lines",
        )
    return add_cosignatures(note, b"".join(line.line() for line in own))


def open_cosigned(
    note: bytes,
    policy: Policy,
    *,
    origin: str | None = None,
    now: int | None = None,
    max_age: int | None = None,
) -> CosignedCheckpoint:
    """Verify log signatures and witness quorum; like ``verify_cosigned``, with the times.

    1. The note is a checkpoint of a log of the policy (of ``origin``, if given).
    2. Every key that the policy has for that log signed.
    3. No line of a known witness key is wrong.
    4. The witnesses whose time passes (not more than 5 minutes ahead of ``now``, not older than
       ``max_age``) are a quorum.
    """
    parsed = parse_note(note)
    # Steps 1 and 2.
    named = parse_checkpoint(parsed.body).origin
    checkpoint = _verify(parsed, origin, policy.log_verifiers(named))
    # Step 3.
    found = verify_signatures(parsed, [witness.verifier for witness in policy.witnesses])
    # Step 4.
    times: dict[str, int] = {}
    for witness in policy.witnesses:
        time = found.get((witness.verifier.name, witness.verifier.key_id))
        if time is not None and _in_time(time, now=now, max_age=max_age):
            times[witness.name] = time
    if not policy.met_by(times):
        raise VerificationFailed(
            "quorum_missing",
            "The checkpoint lacks the quorum of witnesses that the policy asks for.",
            observed=f"{len(times)} of {len(policy.witnesses)} witness keys",
            next_step="Fetch a newer checkpoint; the witnesses may be late.",
        )
    if policy.quorum == NO_QUORUM and max_age is not None:
        raise VerificationFailed(
            "quorum_missing", "A policy without witnesses cannot show how old a checkpoint is."
        )
    return CosignedCheckpoint(checkpoint=checkpoint, times=times)


def _in_time(time: int, *, now: int | None, max_age: int | None) -> bool:
    if time == 0:
        # Time 0 makes no claim about the largest tree seen (C2SP tlog-cosignature).
        return False
    if now is None:
        return True
    return time <= now + FUTURE_SECONDS and (max_age is None or time >= now - max_age)


def verify_cosigned(
    note: bytes, policy: Policy, *, now: int | None = None, max_age: int | None = None
) -> Checkpoint:
    """Verify a checkpoint with its log signatures and witness quorum.

    Args:
        note: the whole signed note.
        policy: trusted logs and witnesses.
        now: the reader's time (unix seconds); without it cosignature times are not judged.
        max_age: oldest cosignature in seconds that still counts; needs ``now``.

    Raises:
        Malformed: the note is not well-formed.
        VerificationFailed: ``log_unknown``, ``log_signature_missing``, ``note_signature_wrong``,
            ``note_signature_twice``, ``checkpoint_root_wrong`` or ``quorum_missing``.
    """
    return open_cosigned(note, policy, now=now, max_age=max_age).checkpoint
