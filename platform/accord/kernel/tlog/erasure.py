"""The proof that a hub deleted a bundle's sealed bytes: its event ``bundle.erased``, opened.

It proves what the hub has put on record under its witnesses, and when: a hub that kept a copy all
the same has then said the untruth in a log that cannot be changed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from accord.kernel.errors import VerificationFailed
from accord.kernel.identifiers import BundleId, parse_bundle_id
from accord.kernel.tlog.leaf import parse_record, verify_opening
from accord.kernel.tlog.policy import Policy
from accord.kernel.tlog.proof import parse_proof, verify_proof

ERASED = "bundle.erased"
_DIGEST = re.compile(r"sha256=([0-9a-f]{64})")
_TIME = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Bundle ``bundle``, whose sealed bytes had this SHA-256, was erased at unix time ``at``."""

    bundle: BundleId
    sha256: str
    at: int
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedErasure:
    """An erasure that is entry ``index`` of log ``log``, which had ``size`` entries by then."""

    erasure: Erasure
    index: int
    size: int
    log: str


def read_erasure(fields: Mapping[str, str]) -> Erasure:
    """Return what the opened fields of an event say of an erasure.

    Raises:
        VerificationFailed: ``erasure_other``: the event is another one, or not opened enough.
        Malformed: ``bundle_id_invalid``.
    """
    digest = _DIGEST.fullmatch(fields.get("detail", ""))
    time = _TIME.fullmatch(fields.get("time", ""))
    named = (fields.get("what"), fields.get("outcome")) == (ERASED, "ok")
    if not named or digest is None or time is None:
        raise VerificationFailed(
            "erasure_other",
            "This proves something else than that a bundle was erased.",
            observed=f"{fields.get('what')} {fields.get('subject')}"[:120],
            next_step="Ask the hub again: accord erasure ID -o FILE",
        )
    return Erasure(
        bundle=parse_bundle_id(fields.get("subject", "")),
        sha256=digest.group(1),
        at=int(time.group()),
        basis=fields.get("basis", ""),
    )


def verify_erasure(
    data: bytes, policy: Policy, *, bundle: BundleId, sha256: str | None = None
) -> VerifiedErasure:
    """Verify a proof of erasure.

    (1) the openings make the entry; (2) the entry is in the log under a checkpoint with its
    quorum; (3) it says erased, and this bundle; (4) these bytes, when their digest is known.

    Raises:
        Malformed: it is no proof with openings.
        VerificationFailed: ``erasure_other``, or what proof and openings raise.
    """
    record = parse_record(parse_proof(data).extra)
    leaf = record.leaf()
    fields = verify_opening(leaf, record)  # (1)
    verified = verify_proof(data, leaf, policy)  # (2)
    found = read_erasure(fields)  # (3)
    if found.bundle != bundle or (sha256 is not None and found.sha256 != sha256):  # (3), (4)
        raise VerificationFailed(
            "erasure_other",
            "This proves the erasure of something else.",
            observed=f"{found.bundle} sha256={found.sha256}",
            next_step="Keep it, and tell the hub's operator and the witnesses.",
        )
    return VerifiedErasure(
        erasure=found,
        index=verified.index,
        size=verified.checkpoint.size,
        log=verified.checkpoint.origin,
    )
