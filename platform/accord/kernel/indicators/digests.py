"""The two digests that address formats use and the standard library lacks by name."""

from hashlib import sha256

from sha3 import keccak_256


def keccak256(data: bytes) -> bytes:
    """Return the original Keccak-256 (not SHA3-256) of ``data``, 32 bytes."""
    digest: bytes = keccak_256(data).digest()
    return digest


def sha256d(data: bytes) -> bytes:
    """Return SHA-256 of SHA-256 of ``data``, 32 bytes."""
    return sha256(sha256(data).digest()).digest()
