"""The manifest: the short list of hashes that the sender signs, and its hybrid envelope.

The payload is a DSSE payload; its bytes are kept as they came. Exactly one signer signs it, with
Ed25519 and ML-DSA-65 (``kernel.dsse``). Whether the hashes are true is a question for
``bundle.verification``.

Source: formats 1 (manifest).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from accord.kernel import dsse
from accord.kernel.bundle.model import MAX_HEADER, header_hash, require_version
from accord.kernel.encoding import (
    JsonValue,
    b64decode,
    b64encode,
    dump_object,
    parse_object,
    require_int,
    require_keys,
    require_object,
)
from accord.kernel.errors import Malformed
from accord.kernel.keys import SigningKeyPair
from accord.kernel.tlog import merkle

PAYLOAD_TYPE = "application/vnd.accord.manifest.v1+json"
CONTEXT = b"accord/1/manifest"
"""ML-DSA context string of a manifest's signature."""

MAX_DSSE = 32 * 1024
MAX_RECIPIENTS = 512
MAX_BODY = 256 * 1024 * 1024

_MAX_MANIFEST = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Hashes and sizes of a bundle's parts. ``recipients_root`` is over the entries in order."""

    header_sha256: bytes
    header_len: int
    recipients_n: int
    recipients_root: bytes
    body_sha256: bytes
    body_len: int


def manifest_of(*, header: bytes, entries: Sequence[bytes], body: bytes) -> Manifest:
    """Return the manifest of a bundle's parts; ``entries`` in file order."""
    return Manifest(
        header_sha256=header_hash(header),
        header_len=len(header),
        recipients_n=len(entries),
        recipients_root=merkle.root([merkle.leaf_hash(entry) for entry in entries]),
        body_sha256=hashlib.sha256(body).digest(),
        body_len=len(body),
    )


def format_manifest(manifest: Manifest) -> bytes:
    """Return the manifest's one byte form."""
    return dump_object(
        {
            "v": 1,
            "header": {"sha256": b64encode(manifest.header_sha256), "len": manifest.header_len},
            "recipients": {
                "n": manifest.recipients_n,
                "root": b64encode(manifest.recipients_root),
            },
            "body": {"sha256": b64encode(manifest.body_sha256), "len": manifest.body_len},
        }
    )


def parse_manifest(data: bytes) -> Manifest:
    """Parse a manifest strictly.

    Raises:
        Malformed: ``too_long``, ``json_*``, ``key_*``, ``value_invalid``, ``base64_invalid``,
            ``manifest_version``.
    """
    obj = parse_object(data, limit=_MAX_MANIFEST)
    require_version(obj, code="manifest_version")
    require_keys(obj, required=("v", "header", "recipients", "body"))
    header = _part(obj, "header", ("sha256", "len"))
    recipients = _part(obj, "recipients", ("n", "root"))
    body = _part(obj, "body", ("sha256", "len"))
    return Manifest(
        header_sha256=b64decode(header["sha256"], length=32),
        header_len=require_int(header, "len", minimum=1, maximum=MAX_HEADER),
        recipients_n=require_int(recipients, "n", minimum=1, maximum=MAX_RECIPIENTS),
        recipients_root=b64decode(recipients["root"], length=32),
        body_sha256=b64decode(body["sha256"], length=32),
        body_len=require_int(body, "len", maximum=MAX_BODY),
    )


def _part(obj: Mapping[str, JsonValue], key: str, keys: Sequence[str]) -> Mapping[str, JsonValue]:
    part = require_object(obj, key)
    require_keys(part, required=keys)
    return part


def sign_manifest(manifest: Manifest, signer: SigningKeyPair) -> bytes:
    """Return the envelope of ``manifest`` with the two signatures of ``signer``."""
    return dsse.sign(PAYLOAD_TYPE, format_manifest(manifest), [signer], context=CONTEXT)


def parse_envelope(data: bytes) -> tuple[dsse.Envelope, Manifest]:
    """Return the envelope, not yet verified, and the manifest in it.

    Raises:
        Malformed: what ``dsse.parse`` and ``parse_manifest`` raise, or ``signers_not_one``.
    """
    envelope = dsse.parse(data, payload_type=PAYLOAD_TYPE, limit=MAX_DSSE)
    if len(envelope.signatures) != 1:
        raise Malformed(
            "signers_not_one",
            "A bundle has exactly one signer.",
            observed=str(len(envelope.signatures)),
        )
    return envelope, parse_manifest(envelope.payload)
