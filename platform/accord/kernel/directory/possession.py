"""Proof at enrolment that a desk holds the private half of the KEM key it registers.

The hub seals a fresh secret to the key; the desk opens it and sends it back. The HPKE info names
this use and the enrolment, so that no entry of a bundle can be passed off as a challenge.
"""

import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from accord.kernel.errors import Malformed, VerificationFailed
from accord.kernel.keys import KemKeyPair, KemPublicKey

SECRET_SIZE = 32
CHALLENGE_SIZE = 1120 + SECRET_SIZE + 16
"""X-Wing encapsulation, the secret, and the GCM tag."""

_LABEL = b"accord/1/possession\0"


def _suite() -> Suite:
    return Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def make_challenge(kem: KemPublicKey, statement_digest: bytes, secret: bytes) -> bytes:
    """Return ``secret`` sealed to ``kem``.

    Args:
        kem: the key of the enrolment.
        statement_digest: SHA-256 of the enrolment's payload.
        secret: 32 fresh random bytes, kept by the hub until the answer comes.

    Raises:
        Malformed: ``secret_size``.
    """
    if len(secret) != SECRET_SIZE:
        raise Malformed("secret_size", "A challenge holds 32 random bytes.")
    return _suite().encrypt(secret, kem.hpke, info=_LABEL + kem.kid + statement_digest)


def answer_challenge(pair: KemKeyPair, statement_digest: bytes, challenge: bytes) -> bytes:
    """Return the secret in ``challenge``.

    Raises:
        VerificationFailed: ``challenge_wrong`` when it is not for this key and enrolment.
    """
    wrong = VerificationFailed(
        "challenge_wrong",
        "The hub's challenge does not fit this key and enrolment.",
        next_step="Enrol again; if it happens twice, tell the registrar.",
    )
    if len(challenge) != CHALLENGE_SIZE:
        raise wrong
    try:
        return _suite().decrypt(challenge, pair.hpke, info=_LABEL + pair.kid + statement_digest)
    except (InvalidTag, ValueError) as error:
        raise wrong from error


def verify_answer(secret: bytes, answer: bytes) -> None:
    """Verify the desk's answer in constant time.

    Raises:
        VerificationFailed: ``possession_unproved``.
    """
    if not secret or not hmac.compare_digest(secret, answer):
        raise VerificationFailed(
            "possession_unproved", "The answer does not prove possession of the key."
        )
