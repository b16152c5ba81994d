"""The one secret of this room, and what is made with it.

It is derived from the audit log's private keys, which lie wrapped in the key file: every process
that can serve the hub has it, a restart changes nothing, and a copy of the database alone says
nothing about codes, names that were tried, or authenticator apps (ADR 42).
"""

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from accord.kernel.errors import VerificationFailed
from accord.kernel.tlog.notes import LogKeyPair

_PURPOSE = b"accord/hub/people/v1"
_COOKIES = "cookies"
_BOX = "box"
_SIZE = 32
_NONCE = 12


class PeopleKeys:
    """Tags and boxes under keys that never leave this object."""

    def __init__(self, secret: bytes) -> None:
        """Derive everything from ``secret``, at least 32 random bytes."""
        self._secret = secret
        self._box = AESGCM(self._derive(_BOX))

    @property
    def cookie_key(self) -> bytes:
        """The key that signs session cookies, the same in every process of this hub."""
        return self._derive(_COOKIES)

    def tag(self, what: str, *parts: bytes) -> bytes:
        """Return 32 bytes that stand for ``parts`` and cannot be guessed backwards."""
        text = b"".join(len(part).to_bytes(4, "big") + part for part in (what.encode(), *parts))
        return hmac.digest(self._derive("tags"), text, hashlib.sha256)

    def seal(self, data: bytes, *, bound_to: bytes) -> bytes:
        """Return ``data`` in a box that opens only together with ``bound_to``."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._box.encrypt(nonce, data, bound_to)

    def open(self, box: bytes, *, bound_to: bytes) -> bytes:
        """Return what ``seal`` put into the box.

        Raises:
            VerificationFailed: ``people_key_changed`` when it was sealed by another hub's keys.
        """
        try:
            return self._box.decrypt(box[:_NONCE], box[_NONCE:], bound_to)
        except InvalidTag as error:
            raise VerificationFailed(
                "people_key_changed",
                "This was sealed under other keys of the hub.",
                next_step="An administrator sets the account up anew.",
            ) from error

    def _derive(self, what: str) -> bytes:
        info = _PURPOSE + b"/" + what.encode()
        return HKDF(algorithm=SHA256(), length=_SIZE, salt=None, info=info).derive(self._secret)


def people_keys(pair: LogKeyPair) -> PeopleKeys:
    """Return the room's keys, derived from a log's key pair."""
    return PeopleKeys(pair.ed25519_seed + pair.mldsa44_seed)
