"""Public note keys: their text form and what they verify (C2SP signed-note, tlog-cosignature).

Algorithms: 0x01 Ed25519 over the note's text, 0x04 Ed25519 ``cosignature/v1``, 0x06 ML-DSA-44
``subtree/v1``. Others are refused. A 0x04 signature does not commit to the signer's name, so a
witness never shares its key.
"""

import hashlib
import re
import struct
from dataclasses import dataclass
from functools import cached_property

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from accord.kernel.encoding import b64decode, b64encode
from accord.kernel.errors import Malformed, VerificationFailed
from accord.kernel.tlog.treehead import Checkpoint, check_name, parse_checkpoint

ED25519 = 0x01
COSIGNATURE_ED25519 = 0x04
COSIGNATURE_MLDSA44 = 0x06

KEY_ID_SIZE = 4
TIME_SIZE = 8

_KEY_SIZES = {ED25519: 32, COSIGNATURE_ED25519: 32, COSIGNATURE_MLDSA44: 1312}
_SIGNATURE_SIZES = {ED25519: 64, COSIGNATURE_ED25519: 72, COSIGNATURE_MLDSA44: 2428}
_HEX_ID = re.compile(r"[0-9a-f]{8}")
_VKEY_PARTS = 3


def cosignature_message(body: bytes, time: int) -> bytes:
    """Return the bytes that a 0x04 cosignature signs; ``time`` in unix seconds."""
    return b"cosignature/v1\ntime %d\n" % time + body


def subtree_message(name: str, time: int, checkpoint: Checkpoint) -> bytes:
    """Return the bytes that a 0x06 signature signs for a whole tree (start 0, end size)."""
    signer, origin = name.encode(), checkpoint.origin.encode()
    return b"".join(
        (
            b"subtree/v1\n\0",
            bytes([len(signer)]),
            signer,
            struct.pack(">QB", time, len(origin)),
            origin,
            struct.pack(">QQ", 0, checkpoint.size),
            checkpoint.root,
        )
    )


@dataclass(frozen=True, kw_only=True)
class Verifier:
    """A public note key.

    Attributes:
        name: key name; a log's equals its origin.
        algorithm: 0x01, 0x04 or 0x06.
        key: the raw public key (32 or 1312 bytes).
    """

    name: str
    algorithm: int
    key: bytes

    def __post_init__(self) -> None:
        """Refuse an unknown algorithm, a wrong size or a name that is none (Malformed)."""
        check_name(self.name)
        if self.algorithm not in _KEY_SIZES:
            raise Malformed(
                "vkey_algorithm_unknown",
                "Keys of algorithm 1, 4 and 6 are known.",
                observed=f"{self.algorithm:#04x}",
            )
        if len(self.key) != _KEY_SIZES[self.algorithm]:
            raise Malformed(
                "vkey_invalid",
                f"A key of this algorithm has {_KEY_SIZES[self.algorithm]} bytes.",
                observed=f"{len(self.key)} bytes",
            )

    @cached_property
    def key_id(self) -> bytes:
        """First 4 bytes of SHA-256(name ‖ LF ‖ algorithm ‖ key)."""
        named = self.name.encode() + b"\n" + bytes([self.algorithm]) + self.key
        return hashlib.sha256(named).digest()[:KEY_ID_SIZE]

    @property
    def vkey(self) -> str:
        """The key as text: ``name+hex key id+base64``."""
        key = b64encode(bytes([self.algorithm]) + self.key)
        return f"{self.name}+{self.key_id.hex()}+{key}"

    @cached_property
    def _ed25519(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.key)

    @cached_property
    def _mldsa44(self) -> MLDSA44PublicKey:
        return MLDSA44PublicKey.from_public_bytes(self.key)

    def verify(self, body: bytes, signature: bytes) -> int | None:
        """Verify ``signature`` (without key id) over a note's text.

        Returns:
            The signed time in unix seconds, or ``None`` for plain Ed25519 (0x01).

        Raises:
            VerificationFailed: ``note_signature_wrong``.
        """
        wrong = VerificationFailed(
            "note_signature_wrong", "A signature of a known key does not hold.", observed=self.name
        )
        if len(signature) != _SIGNATURE_SIZES[self.algorithm]:
            raise wrong
        try:
            if self.algorithm == ED25519:
                self._ed25519.verify(signature, body)
                return None
            time = int.from_bytes(signature[:TIME_SIZE], "big")
            if self.algorithm == COSIGNATURE_ED25519:
                self._ed25519.verify(signature[TIME_SIZE:], cosignature_message(body, time))
            else:
                message = subtree_message(self.name, time, parse_checkpoint(body))
                self._mldsa44.verify(signature[TIME_SIZE:], message)
        except (InvalidSignature, ValueError, Malformed) as error:
            raise wrong from error
        return time


def parse_vkey(text: str) -> Verifier:
    """Parse a note verifier key.

    Raises:
        Malformed: ``vkey_invalid``, ``vkey_algorithm_unknown``, ``note_name_invalid`` or
            ``base64_invalid``.
    """
    parts = text.split("+", 2)
    if len(parts) != _VKEY_PARTS or _HEX_ID.fullmatch(parts[1]) is None:
        raise Malformed(
            "vkey_invalid", "A note key is name+8 hex digits+base64.", observed=_shown(text)
        )
    key = b64decode(parts[2])
    if not key:
        raise Malformed("vkey_invalid", "The note key is empty.", observed=_shown(text))
    verifier = Verifier(name=parts[0], algorithm=key[0], key=key[1:])
    if verifier.key_id.hex() != parts[1]:
        raise Malformed(
            "vkey_invalid",
            "The key id of a note key is not that of its key.",
            observed=f"{parts[1]} instead of {verifier.key_id.hex()}",
        )
    return verifier


def _shown(text: str) -> str:
    return text[:60].encode("ascii", "backslashreplace").decode("ascii")
