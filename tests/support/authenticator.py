"""A passkey in software, that can be copied and made to lie: for hubs that must notice.

Writes what WebAuthn level 3 prescribes: client data, authenticator data, attestation ``none``,
assertion with ES256.
"""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One passkey; ``copy`` of the dataclass is a cloned device."""

    origin: str = "http://localhost:8600"
    rp: str = "localhost"
    counter: int = 0
    flags: int = PRESENT | VERIFIED
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    credential: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def register(self, options: str) -> dict[str, str]:
        """Answer the options of a registration; the fields of the page's form."""
        point = self.key.public_key().public_numbers()
        public = cbor2.dumps(
            {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        )
        data = (
            self._head(self.flags | ATTESTED)
            + bytes(16)
            + len(self.credential).to_bytes(2, "big")
            + self.credential
            + public
        )
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options)
        return self._form(options, client, attestationObject=attestation)

    def sign(self, options: str) -> dict[str, str]:
        """Answer the options of a sign-in; the counter grows by one."""
        self.counter += 1
        data, client = self._head(self.flags), self._client("webauthn.get", options)
        signed = data + hashlib.sha256(client).digest()
        signature = self.key.sign(signed, ec.ECDSA(SHA256()))
        return self._form(options, client, authenticatorData=data, signature=signature)

    def _head(self, flags: int) -> bytes:
        rp = hashlib.sha256(self.rp.encode()).digest()
        return rp + bytes([flags]) + self.counter.to_bytes(4, "big")

    def _client(self, what: str, options: str) -> bytes:
        told: dict[str, Any] = {
            "type": what,
            "challenge": json.loads(options)["challenge"],
            "origin": self.origin,
            "crossOrigin": False,
        }
        return json.dumps(told).encode()

    def _form(self, options: str, client: bytes, **response: bytes) -> dict[str, str]:
        name = bytes_to_base64url(self.credential)
        parts = {"clientDataJSON": client, **response}
        answer = {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "response": {part: bytes_to_base64url(value) for part, value in parts.items()},
            "clientExtensionResults": {},
        }
        challenge = json.loads(options)["challenge"]
        assert base64url_to_bytes(challenge)
        return {"answer": json.dumps(answer), "challenge": challenge}
