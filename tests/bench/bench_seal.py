"""Seal, check and open 100,000 rows for 100 recipients, content root included, JSON left out."""

import secrets
import time
from collections.abc import Callable

from accord.kernel.bundle import framing, model, verification
from accord.kernel.envelope import opening, sealing
from accord.kernel.envelope.payload import PayloadHead
from accord.kernel.identifiers import KeyId, make_bundle_id, parse_org_id
from accord.kernel.keys import KemKeyPair, KemPublicKey, SignerKey, SigningKeyPair
from accord.kernel.markings import BundleKind, LegalBasis, Onward, Purpose, Tlp

NAME = "seal"

NOW = 1_795_540_000
ROWS, SHORT_ROWS = 100_000, 1_000
RECIPIENTS, SHORT_RECIPIENTS = 100, 3
REPEATS = 5
SENDER = parse_org_id("first-bank@hub.example")
POLICY = model.HandlingPolicy(
    tlp=Tlp.AMBER,
    purpose=Purpose.SUSPICION_REPORT,
    legal_basis=LegalBasis.LEGAL_OBLIGATION,
    onward=Onward.NONE,
)
DIRECTORY = (model.DirectoryPoint(origin="hub.example/directory", size=12, root=bytes(32)),)


def lines(rows: int) -> list[bytes]:
    """Wallet records whose values do not compress."""
    return [
        b'{"kind":"wallet","network":"eth","value":"0x%s","canon":1,"checksum":"eip55",'
        b'"confidence":80,"basis":"observed"}' % secrets.token_hex(20).encode()
        for _ in range(rows)
    ]


def best_of(work: Callable[[], object]) -> float:
    """Smallest processor time of several runs, in milliseconds."""
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return round(min(times) * 1000, 1)


def run(options: dict[str, int]) -> list[dict[str, object]]:
    """Measure; ``rows`` and ``short`` change the size."""
    short = bool(options.get("short"))
    rows = options.get("rows") or (SHORT_ROWS if short else ROWS)
    readers = [KemKeyPair.generate() for _ in range(SHORT_RECIPIENTS if short else RECIPIENTS)]
    recipients = [
        sealing.Recipient(
            org=parse_org_id(f"reader-{i}@hub.example"), key=KemPublicKey(raw=reader.public.raw)
        )
        for i, reader in enumerate(readers)
    ]
    own = {readers[0].kid: readers[0]}
    signer = SigningKeyPair.generate()
    records = lines(rows)

    def directory(_kid: KeyId) -> SignerKey:
        return SignerKey(org=SENDER, public=signer.public)

    def seal() -> bytes:
        return sealing.seal(
            bundle_id=make_bundle_id(NOW * 1000, secrets.token_bytes(10)),
            kind=BundleKind.INDICATORS,
            org=SENDER,
            created=NOW,
            expires=NOW + 86_400,
            policy=POLICY,
            directory=DIRECTORY,
            recipients=recipients,
            head=PayloadHead(title="Bench"),
            lines=records,
            signer=signer,
        )

    bundle = framing.parse_bundle(seal())
    [index] = [i for i, entry in enumerate(bundle.entries) if entry.kid in own]
    delivery = framing.trim(bundle, index)

    def verify() -> object:
        parsed = framing.parse_bundle(bundle.raw)
        return verification.verify_bundle(parsed, signer=directory, now=NOW)

    def open_it() -> opening.OpenedBundle[bytes]:
        return opening.open_trimmed(
            delivery, signer_lookup=directory, kem_keys=own, now=NOW, parse_records=list
        )

    assert open_it().lines == records
    size = {"rows": rows, "recipients": len(readers), "bytes": len(bundle.raw)}
    steps = [
        ("ms to seal", seal, "<= 200 for 100,000 rows, 100 recipients"),
        ("ms to check at the hub", verify, "-"),
        ("ms to open", open_it, "<= 130 for 100,000 rows, 100 recipients"),
    ]
    return [
        {"figure": best_of(work), "unit": unit, "goal": goal, **size} for unit, work, goal in steps
    ]
