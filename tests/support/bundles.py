"""Bundles made by our own sealer, for tests of what happens to them afterwards."""

import secrets
from collections.abc import Sequence
from typing import Any

from accord.kernel.bundle import framing, model
from accord.kernel.envelope import opening, sealing
from accord.kernel.envelope.payload import PayloadHead
from accord.kernel.errors import VerificationFailed
from accord.kernel.identifiers import KeyId, make_bundle_id, parse_org_id
from accord.kernel.indicators import parse_lines
from accord.kernel.keys import KemKeyPair, KemPublicKey, SignerKey, SigningKeyPair
from accord.kernel.markings import BundleKind, LegalBasis, Onward, Purpose, Tlp

NOW = 1_795_540_000
SENDER = parse_org_id("first-bank@hub.example")
SIGNER = SigningKeyPair.from_seeds(b"\x01" * 32, b"\x02" * 32)
READERS = [KemKeyPair.from_seed(bytes([0x10 + i]) * 32) for i in range(5)]
POLICY = model.HandlingPolicy(
    tlp=Tlp.AMBER,
    purpose=Purpose.SUSPICION_REPORT,
    legal_basis=LegalBasis.LEGAL_OBLIGATION,
    onward=Onward.NONE,
)
DIRECTORY = (model.DirectoryPoint(origin="hub.example/directory", size=12, root=b"\x21" * 32),)
HEAD = PayloadHead(title="Two storefronts")


def line(number: int) -> bytes:
    return (
        b'{"kind":"domain","value":"s%d.example","canon":1,"confidence":80,"basis":"observed"}'
        % number
    )


LINES = [line(number) for number in range(7)]


def directory(kid: KeyId) -> SignerKey:
    """Look the sender's key up; nobody else is known."""
    if kid != SIGNER.kid:
        raise VerificationFailed("signer_unknown", "The directory does not know this key.")
    return SignerKey(org=SENDER, public=SIGNER.public)


def recipients(keys: Sequence[KemKeyPair] = READERS) -> list[sealing.Recipient]:
    return [
        sealing.Recipient(
            org=parse_org_id(f"reader-{i}@hub.example"), key=KemPublicKey(raw=key.public.raw)
        )
        for i, key in enumerate(keys)
    ]


def sealed(**changes: Any) -> bytes:
    """Return an honest bundle; ``changes`` replace arguments of ``seal``."""
    arguments: dict[str, Any] = {
        "bundle_id": make_bundle_id(NOW * 1000, secrets.token_bytes(10)),
        "kind": BundleKind.INDICATORS,
        "org": SENDER,
        "created": NOW - 60,
        "expires": NOW + 30 * 86_400,
        "policy": POLICY,
        "directory": DIRECTORY,
        "recipients": recipients(),
        "head": HEAD,
        "lines": LINES,
        "signer": SIGNER,
    }
    return sealing.seal(**arguments | changes)


def delivery_to(data: bytes, reader: KemKeyPair) -> bytes:
    """Return the delivery of bundle ``data`` for ``reader``."""
    bundle = framing.parse_bundle(data)
    [index] = [i for i, entry in enumerate(bundle.entries) if entry.kid == reader.kid]
    return framing.trim(bundle, index)


def opened(delivery: bytes, reader: KemKeyPair, **changes: Any) -> opening.OpenedBundle[Any]:
    arguments: dict[str, Any] = {
        "signer_lookup": directory,
        "kem_keys": {reader.kid: reader},
        "now": NOW,
        "parse_records": parse_lines,
    }
    return opening.open_trimmed(delivery, **arguments | changes)
