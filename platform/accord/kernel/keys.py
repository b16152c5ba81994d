"""Key types and key identifiers of suite ASB1 (formats, section 1).

A signing key is always the pair Ed25519 + ML-DSA-65 under one key id; a KEM key is X-Wing
(ML-KEM-768 + X25519, HPKE KEM 0x647A); a request key is Ed25519 alone (RFC 9421 requests).
Private parts never appear in ``repr``. This module stores nothing and reads no randomness but
through ``generate``.

Sources: draft-connolly-cfrg-xwing-kem (seed expansion by SHAKE256), FIPS 203, FIPS 204, RFC 8032.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import (
    MLKEM768PrivateKey,
    MLKEM768PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
)

from accord.kernel.errors import Malformed, Unavailable
from accord.kernel.identifiers import KeyId, OrgId

SEED_SIZE = 32
ED25519_PUBLIC_SIZE = 32
MLDSA65_PUBLIC_SIZE = 1952
MLKEM768_PUBLIC_SIZE = 1184
XWING_PUBLIC_SIZE = 1216

_KEM_LABEL = b"accord/1/kid/kem\0"
_SIG_LABEL = b"accord/1/kid/sig\0"
_REQUEST_LABEL = b"accord/1/kid/req\0"


def require_post_quantum() -> None:
    """Check at start-up that ``cryptography`` was built with ML-KEM and ML-DSA.

    Raises:
        Unavailable: ``post_quantum_missing``; there is no fall-back to a weaker suite.
    """
    try:
        MLDSA65PrivateKey.from_seed_bytes(bytes(SEED_SIZE))
        MLKEM768PrivateKey.from_seed_bytes(bytes(2 * SEED_SIZE))
    except UnsupportedAlgorithm as error:
        raise Unavailable(
            "post_quantum_missing",
            "This build of 'cryptography' has no ML-KEM or ML-DSA.",
            next_step="Install the wheel of cryptography 50 or newer from PyPI.",
        ) from error


@dataclass(frozen=True, kw_only=True)
class SigningPublicKey:
    """The public halves of a hybrid signing key: 32 bytes Ed25519, 1952 bytes ML-DSA-65."""

    ed25519: bytes
    mldsa65: bytes

    def __post_init__(self) -> None:
        """Refuse halves of a wrong size (Malformed ``key_invalid``)."""
        if len(self.ed25519) != ED25519_PUBLIC_SIZE or len(self.mldsa65) != MLDSA65_PUBLIC_SIZE:
            raise Malformed("key_invalid", "A signing key has 32 + 1952 bytes.")

    @classmethod
    def from_raw(cls, raw: bytes) -> "SigningPublicKey":
        """Return the key from ``raw`` = Ed25519 ‖ ML-DSA-65 (1984 bytes)."""
        return cls(ed25519=raw[:ED25519_PUBLIC_SIZE], mldsa65=raw[ED25519_PUBLIC_SIZE:])

    @property
    def raw(self) -> bytes:
        """Ed25519 ‖ ML-DSA-65, 1984 bytes."""
        return self.ed25519 + self.mldsa65

    @cached_property
    def kid(self) -> KeyId:
        r"""SHA-256(``accord/1/kid/sig\0`` ‖ Ed25519 ‖ ML-DSA-65): one id for the pair."""
        return KeyId(hashlib.sha256(_SIG_LABEL + self.raw).digest())

    @cached_property
    def ed25519_key(self) -> Ed25519PublicKey:
        """The Ed25519 half, ready to verify."""
        return Ed25519PublicKey.from_public_bytes(self.ed25519)

    @cached_property
    def mldsa65_key(self) -> MLDSA65PublicKey:
        """The ML-DSA-65 half, ready to verify."""
        return MLDSA65PublicKey.from_public_bytes(self.mldsa65)


@dataclass(frozen=True, kw_only=True)
class SignerKey:
    """A verification key together with the organisation that the directory gives it to."""

    org: OrgId
    public: SigningPublicKey


@dataclass(frozen=True, kw_only=True)
class SigningKeyPair:
    """A private hybrid signing key; ``seeds`` are two times 32 bytes (Ed25519, ML-DSA-65)."""

    seeds: tuple[bytes, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse seeds of a wrong size (Malformed ``key_invalid``)."""
        if [len(seed) for seed in self.seeds] != [SEED_SIZE, SEED_SIZE]:
            raise Malformed("key_invalid", "A signing key is made from two seeds of 32 bytes.")

    @classmethod
    def generate(cls) -> "SigningKeyPair":
        """Return a fresh key from the operating system's randomness."""
        return cls(seeds=(secrets.token_bytes(SEED_SIZE), secrets.token_bytes(SEED_SIZE)))

    @classmethod
    def from_seeds(cls, ed25519: bytes, mldsa65: bytes) -> "SigningKeyPair":
        """Return the key of two 32-byte seeds."""
        return cls(seeds=(ed25519, mldsa65))

    @cached_property
    def ed25519(self) -> Ed25519PrivateKey:
        """The Ed25519 half, ready to sign."""
        return Ed25519PrivateKey.from_private_bytes(self.seeds[0])

    @cached_property
    def mldsa65(self) -> MLDSA65PrivateKey:
        """The ML-DSA-65 half, ready to sign."""
        return MLDSA65PrivateKey.from_seed_bytes(self.seeds[1])

    @cached_property
    def public(self) -> SigningPublicKey:
        """The public halves."""
        return SigningPublicKey(
            ed25519=self.ed25519.public_key().public_bytes_raw(),
            mldsa65=self.mldsa65.public_key().public_bytes_raw(),
        )

    @property
    def kid(self) -> KeyId:
        """The id of the pair."""
        return self.public.kid


@dataclass(frozen=True, kw_only=True)
class KemPublicKey:
    """An X-Wing public key: ``raw`` = ML-KEM-768 (1184 bytes) ‖ X25519 (32 bytes)."""

    raw: bytes

    def __post_init__(self) -> None:
        """Refuse a key that the primitives refuse (Malformed ``key_invalid``)."""
        if len(self.raw) != XWING_PUBLIC_SIZE:
            raise Malformed("key_invalid", "An X-Wing key has 1216 bytes.")
        if not any(self.raw[MLKEM768_PUBLIC_SIZE:]):
            raise Malformed("key_invalid", "The X25519 share is all zero.")
        try:
            _ = self.hpke
        except ValueError as error:
            raise Malformed("key_invalid", "The ML-KEM share is not a valid key.") from error

    @cached_property
    def hpke(self) -> MLKEM768X25519PublicKey:
        """The key as HPKE takes it."""
        return MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(self.raw[:MLKEM768_PUBLIC_SIZE]),
            X25519PublicKey.from_public_bytes(self.raw[MLKEM768_PUBLIC_SIZE:]),
        )

    @cached_property
    def kid(self) -> KeyId:
        r"""SHA-256(``accord/1/kid/kem\0`` ‖ public key)."""
        return KeyId(hashlib.sha256(_KEM_LABEL + self.raw).digest())


@dataclass(frozen=True, kw_only=True)
class KemKeyPair:
    """A private X-Wing key, kept as its 32-byte seed."""

    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a seed of a wrong size (Malformed ``key_invalid``)."""
        if len(self.seed) != SEED_SIZE:
            raise Malformed("key_invalid", "An X-Wing key is made from a seed of 32 bytes.")

    @classmethod
    def generate(cls) -> "KemKeyPair":
        """Return a fresh key from the operating system's randomness."""
        return cls(seed=secrets.token_bytes(SEED_SIZE))

    @classmethod
    def from_seed(cls, seed: bytes) -> "KemKeyPair":
        """Return the key of a 32-byte seed."""
        return cls(seed=seed)

    @cached_property
    def _shares(self) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
        expanded = hashlib.shake_256(self.seed).digest(96)
        return (
            MLKEM768PrivateKey.from_seed_bytes(expanded[:64]),
            X25519PrivateKey.from_private_bytes(expanded[64:]),
        )

    @cached_property
    def hpke(self) -> MLKEM768X25519PrivateKey:
        """The key as HPKE takes it."""
        return MLKEM768X25519PrivateKey(*self._shares)

    @cached_property
    def public(self) -> KemPublicKey:
        """The public key."""
        mlkem, x25519 = self._shares
        return KemPublicKey(
            raw=mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
        )

    @property
    def kid(self) -> KeyId:
        """The id of the public key."""
        return self.public.kid


def request_key_id(public: bytes) -> KeyId:
    r"""Return SHA-256(``accord/1/kid/req\0`` ‖ 32-byte Ed25519 public key)."""
    if len(public) != ED25519_PUBLIC_SIZE:
        raise Malformed("key_invalid", "A request key has 32 bytes.")
    return KeyId(hashlib.sha256(_REQUEST_LABEL + public).digest())


@dataclass(frozen=True, kw_only=True)
class RequestKeyPair:
    """The Ed25519 key with which a desk or peer signs its HTTP requests (RFC 9421)."""

    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a seed of a wrong size (Malformed ``key_invalid``)."""
        if len(self.seed) != SEED_SIZE:
            raise Malformed("key_invalid", "A request key is made from a seed of 32 bytes.")

    @classmethod
    def generate(cls) -> "RequestKeyPair":
        """Return a fresh key from the operating system's randomness."""
        return cls(seed=secrets.token_bytes(SEED_SIZE))

    @classmethod
    def from_seed(cls, seed: bytes) -> "RequestKeyPair":
        """Return the key of a 32-byte seed."""
        return cls(seed=seed)

    @cached_property
    def private(self) -> Ed25519PrivateKey:
        """The key, ready to sign."""
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @cached_property
    def public(self) -> bytes:
        """The 32-byte public key."""
        return self.private.public_key().public_bytes_raw()

    @property
    def kid(self) -> KeyId:
        """The id of the public key."""
        return request_key_id(self.public)
