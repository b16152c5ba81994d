"""Signed notes and the two kinds of signer (C2SP signed-note, tlog-cosignature).

A note is text, a blank line and signature lines. A line is known by (key name, key id); unknown
lines are ignored, so that logs may carry keys that a reader has not heard of. A known line that
does not verify refuses the whole note. A log signs with 0x01 and 0x06, a witness with 0x04 and
0x06 (``verifiers``).
"""

import base64
import binascii
import re
import secrets
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from accord.kernel.encoding import b64encode
from accord.kernel.errors import Malformed, Refused, VerificationFailed
from accord.kernel.tlog.treehead import Checkpoint, check_name
from accord.kernel.tlog.verifiers import (
    COSIGNATURE_ED25519,
    COSIGNATURE_MLDSA44,
    ED25519,
    KEY_ID_SIZE,
    Verifier,
    cosignature_message,
    parse_vkey,
    subtree_message,
)

__all__ = [
    "COSIGNATURE_ED25519",
    "COSIGNATURE_MLDSA44",
    "ED25519",
    "LogKeyPair",
    "NoteSignature",
    "SignedNote",
    "Verifier",
    "WitnessKeyPair",
    "parse_note",
    "parse_signature_lines",
    "parse_vkey",
    "verify_signatures",
]

SEED_SIZE = 32
MAX_NOTE = 256 * 1024
"""Longest note in bytes; a post-quantum signature line has about 3.3 KiB."""
MAX_SIGNATURES = 64
"""Most signature lines of a note (C2SP signed-note asks for at least 16)."""

_DASH = "\u2014"
_LINE_PARTS = 3
_CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """One signature line: key name, key id (4 bytes), signature bytes after the key id."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> bytes:
        """Return the line with its LF."""
        return f"{_DASH} {self.name} {b64encode(self.key_id + self.signature)}\n".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedNote:
    """A parsed note: ``body`` (text with its last LF), signature lines in order, bytes ``raw``."""

    body: bytes
    signatures: tuple[NoteSignature, ...]
    raw: bytes


def parse_signature_lines(data: bytes) -> tuple[NoteSignature, ...]:
    """Parse one or more note signature lines, each with LF.

    Raises:
        Malformed: ``note_malformed``, ``note_name_invalid``.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("note_malformed", "A note is UTF-8 text.") from error
    if not text.endswith("\n"):
        raise Malformed("note_malformed", "A signature line ends in a line feed.")
    lines = text[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise Malformed(
            "note_malformed",
            f"A note has at most {MAX_SIGNATURES} signature lines.",
            observed=str(len(lines)),
        )
    return tuple(_parse_line(line) for line in lines)


def _parse_line(line: str) -> NoteSignature:
    parts = line.split(" ")
    if len(parts) != _LINE_PARTS or parts[0] != _DASH:
        raise Malformed(
            "note_malformed",
            "A signature line is an em dash, a name and base64, one space between.",
            observed=_shown(line),
        )
    try:
        blob = base64.b64decode(parts[2].encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise Malformed("note_malformed", "A signature is not base64.") from error
    if len(blob) <= KEY_ID_SIZE or b64encode(blob) != parts[2]:
        raise Malformed("note_malformed", "A signature is not in canonical base64.")
    return NoteSignature(
        name=check_name(parts[1]), key_id=blob[:KEY_ID_SIZE], signature=blob[KEY_ID_SIZE:]
    )


def parse_note(data: bytes) -> SignedNote:
    """Parse a signed note; nothing is verified.

    Raises:
        Malformed: ``note_malformed`` or ``note_name_invalid``.
    """
    if len(data) > MAX_NOTE:
        raise Malformed(
            "note_malformed", f"A note has at most {MAX_NOTE} bytes.", observed=f"{len(data)} bytes"
        )
    if _CONTROL.search(data):
        raise Malformed("note_malformed", "A note has no control characters but line feeds.")
    split = data.rfind(b"\n\n")
    if split < 0:
        raise Malformed("note_malformed", "A blank line must part a note's text and signatures.")
    body = data[: split + 1]
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("note_malformed", "A note is UTF-8 text.") from error
    return SignedNote(body=body, signatures=parse_signature_lines(data[split + 2 :]), raw=data)


def verify_signatures(
    note: SignedNote, verifiers: Sequence[Verifier]
) -> dict[tuple[str, bytes], int | None]:
    """Verify every line of a known key.

    Returns:
        (name, key id) of each key that signed, with the signed time (``None`` for 0x01).

    Raises:
        VerificationFailed: ``note_signature_wrong`` when a known line does not hold,
            ``note_signature_twice`` when a known key has two lines.
    """
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    found: dict[tuple[str, bytes], int | None] = {}
    for line in note.signatures:
        key = (line.name, line.key_id)
        verifier = known.get(key)
        if verifier is None:
            continue
        if key in found:
            raise VerificationFailed(
                "note_signature_twice", "A known key signed twice.", observed=line.name
            )
        found[key] = verifier.verify(note.body, line.signature)
    return found


def _check_key(name: str, seeds: Sequence[bytes]) -> None:
    check_name(name)
    if [len(seed) for seed in seeds] != [SEED_SIZE, SEED_SIZE]:
        raise Malformed("key_invalid", "A note key pair is made from two seeds of 32 bytes.")


def _line(verifier: Verifier, signature: bytes) -> bytes:
    return NoteSignature(name=verifier.name, key_id=verifier.key_id, signature=signature).line()


def _subtree_line(
    verifier: Verifier, private: MLDSA44PrivateKey, checkpoint: Checkpoint, now: int
) -> bytes:
    signed = private.sign(subtree_message(verifier.name, now, checkpoint))
    return _line(verifier, struct.pack(">Q", now) + signed)


def _verifier(
    name: str, algorithm: int, private: Ed25519PrivateKey | MLDSA44PrivateKey
) -> Verifier:
    return Verifier(name=name, algorithm=algorithm, key=private.public_key().public_bytes_raw())


@dataclass(frozen=True)
class LogKeyPair:
    """A log's private keys; ``name`` is the log's origin. Seeds are 32 bytes each."""

    name: str
    ed25519_seed: bytes = field(repr=False)
    mldsa44_seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a name that is none or seeds of a wrong size (Malformed)."""
        _check_key(self.name, (self.ed25519_seed, self.mldsa44_seed))

    @classmethod
    def generate(cls, name: str) -> "LogKeyPair":
        """Return fresh keys from the operating system's randomness."""
        return cls(name, secrets.token_bytes(SEED_SIZE), secrets.token_bytes(SEED_SIZE))

    @cached_property
    def _private(self) -> tuple[Ed25519PrivateKey, MLDSA44PrivateKey]:
        return (
            Ed25519PrivateKey.from_private_bytes(self.ed25519_seed),
            MLDSA44PrivateKey.from_seed_bytes(self.mldsa44_seed),
        )

    @cached_property
    def verifiers(self) -> tuple[Verifier, Verifier]:
        """The public keys: 0x01, 0x06."""
        ed25519, mldsa44 = self._private
        return (
            _verifier(self.name, ED25519, ed25519),
            _verifier(self.name, COSIGNATURE_MLDSA44, mldsa44),
        )

    @property
    def vkeys(self) -> tuple[str, str]:
        """The public keys as text: 0x01, 0x06."""
        return self.verifiers[0].vkey, self.verifiers[1].vkey

    def sign(self, checkpoint: Checkpoint, now: int) -> bytes:
        """Return the whole signed note of ``checkpoint``, with both signatures.

        Args:
            checkpoint: must have this key's name as origin.
            now: unix seconds, signed by the 0x06 line.

        Raises:
            Refused: ``origin_other`` for the checkpoint of another log.
        """
        if checkpoint.origin != self.name:
            raise Refused("origin_other", "This key signs another log.", observed=checkpoint.origin)
        ed25519, mldsa44 = self._private
        body = checkpoint.body()
        first = _line(self.verifiers[0], ed25519.sign(body))
        return body + b"\n" + first + _subtree_line(self.verifiers[1], mldsa44, checkpoint, now)


@dataclass(frozen=True)
class WitnessKeyPair:
    """A witness's private keys under one name; ``seeds`` = Ed25519, ML-DSA-44 (32 bytes each)."""

    name: str
    seeds: tuple[bytes, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a name that is none or seeds of a wrong size (Malformed)."""
        _check_key(self.name, self.seeds)

    @classmethod
    def generate(cls, name: str) -> "WitnessKeyPair":
        """Return fresh keys from the operating system's randomness."""
        return cls(name, (secrets.token_bytes(SEED_SIZE), secrets.token_bytes(SEED_SIZE)))

    @cached_property
    def _private(self) -> tuple[Ed25519PrivateKey, MLDSA44PrivateKey]:
        return (
            Ed25519PrivateKey.from_private_bytes(self.seeds[0]),
            MLDSA44PrivateKey.from_seed_bytes(self.seeds[1]),
        )

    @cached_property
    def verifiers(self) -> tuple[Verifier, Verifier]:
        """The public keys: 0x04, 0x06."""
        ed25519, mldsa44 = self._private
        return (
            _verifier(self.name, COSIGNATURE_ED25519, ed25519),
            _verifier(self.name, COSIGNATURE_MLDSA44, mldsa44),
        )

    @property
    def vkeys(self) -> tuple[str, str]:
        """The public keys as text: 0x04, 0x06."""
        return self.verifiers[0].vkey, self.verifiers[1].vkey

    def cosign(self, checkpoint: Checkpoint, now: int) -> bytes:
        """Return two signature lines: as of ``now`` this is the largest tree seen.

        The caller has checked consistency and has stored the checkpoint durably before.
        """
        ed25519, mldsa44 = self._private
        message = cosignature_message(checkpoint.body(), now)
        signature = struct.pack(">Q", now) + ed25519.sign(message)
        return _line(self.verifiers[0], signature) + _subtree_line(
            self.verifiers[1], mldsa44, checkpoint, now
        )


def _shown(text: str) -> str:
    return text[:60].encode("ascii", "backslashreplace").decode("ascii")
