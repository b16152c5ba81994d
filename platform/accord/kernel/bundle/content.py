"""The content root: one salted leaf for each record, so that one record can be shown alone.

The salts of all records are one keystream under a key derived from the bundle's salt, so that
knowing some of them tells nothing about the others. Lines are bytes without LF.

Source: formats 1 (payload), RFC 5869, NIST SP 800-38A (CTR), RFC 9162 clause 2.1.
"""

import hashlib
import struct
from collections.abc import Sequence

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from accord.kernel.errors import Malformed
from accord.kernel.tlog import merkle

SALT_SIZE = 32
"""Bytes of a bundle's salt."""

RECORD_SALT_SIZE = 16

_INFO = b"accord/1/salt\0"
_LEAF = b"\0"


def record_salts(salt: bytes, count: int) -> bytes:
    r"""Return ``count`` record salts, 16 bytes each, one after the other.

    AES-256-CTR keystream (zero IV) under HKDF-SHA256(``salt``, info ``accord/1/salt\0``).
    """
    key = HKDF(hashes.SHA256(), 32, None, _INFO).derive(salt)
    stream = Cipher(algorithms.AES256(key), modes.CTR(bytes(16))).encryptor()
    return stream.update(bytes(RECORD_SALT_SIZE * count))


def record_leaf(record_salt: bytes, line: bytes) -> bytes:
    """Return SHA-256(00 ‖ record salt ‖ line)."""
    return hashlib.sha256(_LEAF + record_salt + line).digest()


def packed_leaves(salt: bytes, lines: Sequence[bytes]) -> bytes:
    """Return the leaves of all ``lines``, 32 bytes each, one after the other."""
    sha256 = hashlib.sha256
    salts = struct.iter_unpack(f"{RECORD_SALT_SIZE}s", record_salts(salt, len(lines)))
    return b"".join(
        [
            sha256(b"\0" + record_salt + line).digest()
            for (record_salt,), line in zip(salts, lines, strict=True)
        ]
    )


def content_root(salt: bytes, lines: Sequence[bytes]) -> bytes:
    """Return the root over the records; the ``root`` of a header whose ``n`` is ``len(lines)``."""
    return merkle.root_packed(packed_leaves(salt, lines))


def content_path(salt: bytes, lines: Sequence[bytes], index: int) -> list[bytes]:
    """Return the Merkle path of record ``index``, leaf side first.

    Raises:
        Malformed: ``index_invalid`` when there is no such record.
    """
    if not 0 <= index < len(lines):
        raise Malformed("index_invalid", "There is no such record.", observed=str(index))
    packed, size = packed_leaves(salt, lines), merkle.HASH_SIZE
    leaves = [packed[at : at + size] for at in range(0, len(packed), size)]
    return merkle.inclusion_path(index, leaves)
