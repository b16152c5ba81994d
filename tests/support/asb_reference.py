"""A second writer of ASB/1, made from the format's page alone, with every lever in reach.

It shares no code with ``accord`` so that a misreading shows as a disagreement, draws no randomness
(``Coins``), and builds what an honest sender never would: wrong trees, other keys, bad padding.
It opens nothing and checks nothing.

Sources: docs/formats/bundle.md, RFC 9180, draft-ietf-hpke-pq (KEM 0x647A), RFC 9162,
C2SP chunked-encryption (Cobblestone-256), RFC 8878 (zstd frames), DSSE 1.0.
"""

import base64
import hashlib
import hmac
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from tests.support.lattice_reference import MlDsa65, mlkem768_encapsulate

MAGIC = b"\x89ASB\r\n\x1a\n"
TRIMMED_MAGIC = b"\x89AST\r\n\x1a\n"
DISCLOSURE_MAGIC = b"\x89ASD\r\n\x1a\n"
SUITE = "ASB1-XWING-HKDFSHA256-AES256GCM-ED25519+MLDSA65"
MANIFEST_TYPE = "application/vnd.accord.manifest.v1+json"
MANIFEST_CONTEXT = b"accord/1/manifest"
CHUNK = 16 * 1024
_HPKE_SUITE = b"HPKE" + struct.pack(">HHH", 0x647A, 1, 2)
_XWING_LABEL = b"\\.//^\\"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def compact(obj: object) -> bytes:
    return json.dumps(obj, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


class Coins:
    """A deterministic source of bytes, one stream for each name."""

    def __init__(self, name: str) -> None:
        """Start the stream of ``name``."""
        self._name, self._calls = name.encode(), 0

    def __call__(self, size: int) -> bytes:
        self._calls += 1
        return hashlib.shake_256(b"asb-vectors\0%d\0" % self._calls + self._name).digest(size)


# Keys


@dataclass(frozen=True)
class Reader:
    """A recipient: its organisation and the seed of its X-Wing key."""

    org: str
    seed: bytes

    @cached_property
    def public(self) -> bytes:
        """ML-KEM-768 ‖ X25519, 1216 bytes."""
        expanded = hashlib.shake_256(self.seed).digest(96)
        kem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        x25519 = X25519PrivateKey.from_private_bytes(expanded[64:])
        return kem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()

    @cached_property
    def kid(self) -> bytes:
        return sha256(b"accord/1/kid/kem\0", self.public)


@dataclass(frozen=True)
class Writer:
    """A sender: its organisation and the seeds of its signing pair."""

    org: str
    seeds: tuple[bytes, bytes]

    @cached_property
    def ed25519(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seeds[0])

    @cached_property
    def mldsa65(self) -> MlDsa65:
        return MlDsa65(self.seeds[1])

    @cached_property
    def kid(self) -> bytes:
        public = self.ed25519.public_key().public_bytes_raw()
        return sha256(b"accord/1/kid/sig\0", public, self.mldsa65.public)


# HPKE base mode with X-Wing, HKDF-SHA256, AES-256-GCM


def xwing_encapsulate(public: bytes, coins: bytes) -> tuple[bytes, bytes]:
    """Return (shared secret, encapsulation 1120 bytes) for 64 bytes of chosen randomness."""
    lattice_secret, lattice_part = mlkem768_encapsulate(public[:1184], coins[:32])
    ours = X25519PrivateKey.from_private_bytes(coins[32:])
    share = ours.public_key().public_bytes_raw()
    curve_secret = ours.exchange(X25519PublicKey.from_public_bytes(public[1184:]))
    combined = lattice_secret + curve_secret + share + public[1184:] + _XWING_LABEL
    return hashlib.sha3_256(combined).digest(), lattice_part + share


def _extract(salt: bytes, label: bytes, material: bytes, suite: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + material, "sha256")


def _expand(secret: bytes, label: bytes, context: bytes, size: int, suite: bytes) -> bytes:
    info = struct.pack(">H", size) + b"HPKE-v1" + suite + label + context
    return HKDFExpand(hashes.SHA256(), size, info).derive(secret)


def hpke_schedule(shared: bytes, info: bytes, suite: bytes = _HPKE_SUITE) -> tuple[bytes, bytes]:
    """Return (key, base nonce) of RFC 9180 clause 5.1, base mode."""
    context = (
        b"\0" + _extract(b"", b"psk_id_hash", b"", suite) + _extract(b"", b"info_hash", info, suite)
    )
    secret = _extract(shared, b"secret", b"", suite)
    key = _expand(secret, b"key", context, 32, suite)
    return key, _expand(secret, b"base_nonce", context, 12, suite)


def hpke_seal(public: bytes, info: bytes, plaintext: bytes, coins: bytes) -> bytes:
    """Return encapsulation ‖ ciphertext."""
    shared, encapsulated = xwing_encapsulate(public, coins)
    key, nonce = hpke_schedule(shared, info)
    return encapsulated + AESGCM(key).encrypt(nonce, plaintext, None)


# Payload


def record_salts(salt: bytes, count: int) -> list[bytes]:
    key = HKDF(hashes.SHA256(), 32, None, b"accord/1/salt\0").derive(salt)
    stream = Cipher(algorithms.AES256(key), modes.CTR(bytes(16))).encryptor()
    keystream = stream.update(bytes(16 * count))
    return [keystream[16 * i : 16 * i + 16] for i in range(count)]


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 9162 clause 2.1.1, by its recursive definition."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"")
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\1", tree_root(leaves[:split]), tree_root(leaves[split:]))


def tree_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 9162 clause 2.1.3.1, by its recursive definition."""
    if len(leaves) < 2:
        return []
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    if index < split:
        return [*tree_path(index, leaves[:split]), tree_root(leaves[split:])]
    return [*tree_path(index - split, leaves[split:]), tree_root(leaves[:split])]


def content_root(salt: bytes, lines: Sequence[bytes]) -> bytes:
    salts = record_salts(salt, len(lines))
    return tree_root([sha256(b"\0", s, line) for s, line in zip(salts, lines, strict=True)])


def padme(size: int) -> int:
    """Padmé: round up so that only the top bits of the length show (at most 12 % more)."""
    exponent = size.bit_length() - 1
    spare = exponent - exponent.bit_length()
    mask = (1 << spare) - 1 if spare > 0 else 0
    return (size + mask) & ~mask


def stored_frame(data: bytes, *, declared: int | None = None) -> bytes:
    """Return a zstd frame of raw blocks: the same bytes with every version of the library."""
    size = len(data) if declared is None else declared
    blocks = [data[at : at + 0x20000] for at in range(0, len(data), 0x20000)] or [b""]
    out = b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", size)
    for position, block in enumerate(blocks):
        last = position == len(blocks) - 1
        out += (len(block) << 3 | last).to_bytes(3, "little") + block
    return out


def repeated_frame(byte: int, blocks: int, *, declared: int) -> bytes:
    """Return a zstd frame that says 128 KiB of one byte ``blocks`` times: a small bomb."""
    out = b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", declared)
    for position in range(blocks):
        head = 0x20000 << 3 | 1 << 1 | (position == blocks - 1)
        out += head.to_bytes(3, "little") + bytes([byte])
    return out


def inner(frame: bytes, plain_size: int, *, zlen: int | None = None) -> bytes:
    """Return u64 zlen ‖ u64 plen ‖ frame ‖ padding."""
    framed = struct.pack(">QQ", len(frame) if zlen is None else zlen, plain_size) + frame
    return framed.ljust(padme(len(framed)), b"\0")


# Body


def cobblestone_keys(cek: bytes, salt: bytes, header_hash: bytes) -> tuple[bytes, int, bytes]:
    label = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"
    info = label + salt + b"accord/1/body\0" + header_hash
    derived = HKDFExpand(hashes.SHA512(), 76, info).derive(cek)
    return derived[:32], int.from_bytes(derived[32:44], "big"), derived[44:]


@dataclass(kw_only=True)
class Body:
    """The parts of a body before they are joined; cases rearrange ``chunks``."""

    salt: bytes
    commitment: bytes
    chunks: list[bytes]

    @classmethod
    def make(
        cls, cek: bytes, header_hash: bytes, message: bytes, salt: bytes, *, start: int = 0
    ) -> "Body":
        key, nonce, commitment = cobblestone_keys(cek, salt, header_hash)
        pieces = [message[at : at + CHUNK] for at in range(0, len(message) + 1, CHUNK)]
        chunks = [
            AESGCM(key).encrypt((nonce ^ (i + start)).to_bytes(12, "big"), piece, None)
            for i, piece in enumerate(pieces)
        ]
        return cls(salt=salt, commitment=commitment, chunks=chunks)

    def join(self) -> bytes:
        return self.salt + self.commitment + b"".join(self.chunks)


# Framing


def pae(payload_type: str, payload: bytes) -> bytes:
    return b"DSSEv1 %d %s %d %s" % (
        len(payload_type),
        payload_type.encode(),
        len(payload),
        payload,
    )


def signed(
    manifest: bytes,
    signer: Writer,
    *,
    payload_type: str = MANIFEST_TYPE,
    context: bytes = MANIFEST_CONTEXT,
    kid: bytes | None = None,
) -> dict[str, object]:
    """Return the DSSE object of ``manifest``; ``kid`` lies about who signed."""
    message, name = pae(payload_type, manifest), b64(kid or signer.kid)
    return {
        "payloadType": payload_type,
        "payload": b64(manifest),
        "signatures": [
            {"keyid": f"{name}#ed25519", "sig": b64(signer.ed25519.sign(message))},
            {"keyid": f"{name}#ml-dsa-65", "sig": b64(signer.mldsa65.sign(message, context))},
        ],
    }


def entry(reader: Reader, header_hash: bytes, cek: bytes, coins: Coins) -> bytes:
    """Return blind ‖ key id ‖ u8 len ‖ org ‖ HPKE(cek)."""
    info = b"accord/1/stanza\0" + header_hash + reader.kid
    org = reader.org.encode()
    sealed = hpke_seal(reader.public, info, cek, coins(64))
    return coins(16) + reader.kid + bytes([len(org)]) + org + sealed


def header_digest(header: bytes) -> bytes:
    return sha256(b"accord/1/header\0", header)


@dataclass(kw_only=True)
class Sealed:
    """The four parts of a bundle, each to be spoiled by itself."""

    header: bytes
    dsse: bytes = b""
    entries: list[bytes] = field(default_factory=list)
    body: bytes = b""

    @property
    def header_hash(self) -> bytes:
        return header_digest(self.header)

    def manifest(self) -> dict[str, object]:
        leaves = [sha256(b"\0", e) for e in self.entries]
        return {
            "v": 1,
            "header": {"sha256": b64(self.header_hash), "len": len(self.header)},
            "recipients": {"n": len(self.entries), "root": b64(tree_root(leaves))},
            "body": {"sha256": b64(sha256(self.body)), "len": len(self.body)},
        }

    def sign(self, signer: Writer) -> "Sealed":
        """Sign the parts as they now stand; returns itself."""
        self.dsse = compact(signed(compact(self.manifest()), signer))
        return self

    def data(self) -> bytes:
        return b"".join(
            [
                MAGIC,
                struct.pack(">I", len(self.header)) + self.header,
                struct.pack(">I", len(self.dsse)) + self.dsse,
                struct.pack(">I", len(self.entries)),
                *(struct.pack(">H", len(e)) + e for e in self.entries),
                struct.pack(">Q", len(self.body)) + self.body,
            ]
        )

    def trimmed(self, index: int) -> bytes:
        """Return the true delivery to entry ``index``."""
        return self.framed(index, self.entries[index], self.path(index))

    def path(self, index: int) -> list[bytes]:
        """Return the Merkle path of entry ``index``."""
        return tree_path(index, [sha256(b"\0", e) for e in self.entries])

    def framed(self, index: int, own: bytes, path: Sequence[bytes]) -> bytes:
        """Return the bytes of a delivery with any index, entry and path."""
        return b"".join(
            [
                TRIMMED_MAGIC,
                struct.pack(">I", len(self.header)) + self.header,
                struct.pack(">I", len(self.dsse)) + self.dsse,
                struct.pack(">I", index),
                struct.pack(">H", len(own)) + own,
                bytes([len(path)]) + b"".join(path),
                struct.pack(">Q", len(self.body)) + self.body,
            ]
        )

    def disclosed(self, index: int, salt: bytes, line: bytes, path: Sequence[bytes]) -> bytes:
        """Return the bytes of a disclosure of any record with any salt and path."""
        return b"".join(
            [
                DISCLOSURE_MAGIC,
                struct.pack(">I", len(self.header)) + self.header,
                struct.pack(">I", len(self.dsse)) + self.dsse,
                struct.pack(">I", index) + salt,
                struct.pack(">I", len(line)) + line,
                bytes([len(path)]) + b"".join(path),
            ]
        )
