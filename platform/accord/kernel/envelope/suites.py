"""The primitives of suite ASB1: how a content key is wrapped and how a body is encrypted.

Wrapping is HPKE base mode with X-Wing, HKDF-SHA256 and AES-256-GCM; all context goes through
``info``. The body is C2SP chunked-encryption, Cobblestone-256: 16 KiB chunks whose last one is
always shorter, and a commitment to the key, so that all recipients read the same bytes.

Sources: RFC 9180, draft-ietf-hpke-pq (KEM 0x647A), C2SP chunked-encryption, formats 1.
"""

import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from accord.kernel.errors import VerificationFailed
from accord.kernel.keys import KemKeyPair, KemPublicKey

CEK_SIZE = 32
BODY_SALT_SIZE = 24
CHUNK = 16 * 1024

_HPKE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_ENTRY_LABEL = b"accord/1/stanza\0"
_BODY_LABEL = b"accord/1/body\0"
_COBBLESTONE = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"
_TAG = 16
_COMMITMENT_END = BODY_SALT_SIZE + 32


def wrap_key(key: KemPublicKey, *, header_hash: bytes, cek: bytes) -> bytes:
    r"""Return HPKE.Seal(key, info = ``accord/1/stanza\0`` ‖ H ‖ key id, CEK): 1168 bytes."""
    return _HPKE.encrypt(cek, key.hpke, _ENTRY_LABEL + header_hash + key.kid)


def unwrap_key(key: KemKeyPair, *, header_hash: bytes, sealed: bytes) -> bytes:
    """Return the content key of an entry.

    Raises:
        VerificationFailed: ``entry_unsealable`` when it was made for another key or header.
    """
    try:
        return _HPKE.decrypt(sealed, key.hpke, _ENTRY_LABEL + header_hash + key.kid)
    except (InvalidTag, ValueError) as error:
        raise VerificationFailed(
            "entry_unsealable",
            "The content key cannot be unwrapped: the entry was made for another key or bundle.",
        ) from error


def encrypt_body(message: bytes, *, header_hash: bytes, cek: bytes, salt: bytes) -> bytes:
    """Return salt ‖ commitment ‖ chunks.

    Args:
        message: what is encrypted.
        header_hash: H, to which the body is bound.
        cek: the 32-byte content key, never used twice.
        salt: 24 fresh random bytes.
    """
    key, nonce, commitment = _derive(cek, salt, header_hash)
    cipher, view = AESGCM(key), memoryview(message)
    chunks = [
        cipher.encrypt(
            (nonce ^ number).to_bytes(12, "big"),
            view[number * CHUNK : (number + 1) * CHUNK],
            None,
        )
        for number in range(len(message) // CHUNK + 1)
    ]
    return b"".join((salt, commitment, *chunks))


def decrypt_body(body: bytes, *, header_hash: bytes, cek: bytes) -> bytes:
    """Return the message of a body: (1) size, (2) commitment, (3) each chunk at its place.

    Raises:
        VerificationFailed: ``body_truncated``, ``body_commitment``, ``body_chunk``.
    """
    whole, last = divmod(len(body) - _COMMITMENT_END, CHUNK + _TAG)
    if whole < 0 or last < _TAG:  # (1) the last chunk is always there and never full
        raise VerificationFailed("body_truncated", "The encrypted body lacks its last chunk.")
    key, nonce, commitment = _derive(cek, body[:BODY_SALT_SIZE], header_hash)
    if not hmac.compare_digest(commitment, body[BODY_SALT_SIZE:_COMMITMENT_END]):  # (2)
        raise VerificationFailed(
            "body_commitment", "The body was not encrypted under the key of this entry."
        )
    cipher, view, step = AESGCM(key), memoryview(body)[_COMMITMENT_END:], CHUNK + _TAG
    try:
        return b"".join(
            [
                cipher.decrypt(
                    (nonce ^ number).to_bytes(12, "big"),
                    view[number * step : (number + 1) * step],
                    None,
                )
                for number in range(whole + 1)
            ]
        )  # (3)
    except InvalidTag as error:
        raise VerificationFailed("body_chunk", "A chunk of the body does not decrypt.") from error


def _derive(cek: bytes, salt: bytes, header_hash: bytes) -> tuple[bytes, int, bytes]:
    """Return key, base nonce as a number, commitment."""
    info = _COBBLESTONE + salt + _BODY_LABEL + header_hash
    derived = HKDFExpand(hashes.SHA512(), 76, info).derive(cek)
    return derived[:32], int.from_bytes(derived[32:44], "big"), derived[44:]
