r"""Proof of possession of a KEM key: only its owner can open the challenge (formats 4).

The challenge is HPKE base mode to the new key, bound to the enrolment's payload by ``info`` =
``accord/1/enrol\0`` ‖ SHA-256(payload). The secret is 32 random bytes; the answer is the secret.
Source: RFC 9180, suite as in formats 1.
"""

import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from accord.kernel.errors import VerificationFailed
from accord.kernel.keys import KemKeyPair, KemPublicKey

SECRET_SIZE = 32
_LABEL = b"accord/1/enrol\0"
_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def seal_challenge(public: KemPublicKey, payload: bytes, secret: bytes) -> bytes:
    """Return ``secret`` sealed to ``public``, bound to the enrolment ``payload``."""
    return _SUITE.encrypt(secret, public.hpke, _info(payload))


def open_challenge(pair: KemKeyPair, payload: bytes, challenge: bytes) -> bytes:
    """Return the secret of a challenge that was sealed to ``pair`` for ``payload``.

    Raises:
        VerificationFailed: ``challenge_wrong``.
    """
    try:
        secret = _SUITE.decrypt(challenge, pair.hpke, _info(payload))
    except (InvalidTag, ValueError) as error:
        raise VerificationFailed(
            "challenge_wrong", "The hub's challenge is not for this enrolment."
        ) from error
    if len(secret) != SECRET_SIZE:
        raise VerificationFailed("challenge_wrong", "The hub's challenge has a wrong size.")
    return secret


def _info(payload: bytes) -> bytes:
    return _LABEL + hashlib.sha256(payload).digest()
