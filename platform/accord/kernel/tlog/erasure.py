"""The proof that a hub deleted a bundle's sealed bytes: its event ``bundle.erased``, opened.

It proves what the hub has put on record under its witnesses, and when: a hub that kept a copy all
the same has then said the untruth in a log that cannot be changed. Events of before hubs told the
sender name the id alone, which two senders may use: whose bundle it was follows from the digest.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from accord.kernel.errors import VerificationFailed
from accord.kernel.identifiers import BundleId, OrgId, parse_bundle_id, parse_org_id
from accord.kernel.tlog.leaf import parse_record, verify_opening
from accord.kernel.tlog.policy import Policy
from accord.kernel.tlog.proof import parse_proof, verify_proof

ERASED = "bundle.erased"
_DETAIL = re.compile(r"sha256=([0-9a-f]{64})(?: sender=([^ ]+))?")
_TIME = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Bundle ``bundle``, whose sealed bytes had this SHA-256, was erased at unix time ``at``.

    ``sender`` is whose bundle it was; ``None`` in an event of before hubs told it.
    """

    bundle: BundleId
    sender: OrgId | None
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
        Malformed: ``bundle_id_invalid``, ``org_id_invalid``.
    """
    detail = _DETAIL.fullmatch(fields.get("detail", ""))
    time = _TIME.fullmatch(fields.get("time", ""))
    named = (fields.get("what"), fields.get("outcome")) == (ERASED, "ok")
    if not named or detail is None or time is None:
        raise VerificationFailed(
            "erasure_other",
            "This proves something else than that a bundle was erased.",
            observed=f"{fields.get('what')} {fields.get('subject')}"[:120],
            next_step="Ask the hub again: accord erasure ID -o FILE",
        )
    return Erasure(
        bundle=parse_bundle_id(fields.get("subject", "")),
        sender=None if detail.group(2) is None else parse_org_id(detail.group(2)),
        sha256=detail.group(1),
        at=int(time.group()),
        basis=fields.get("basis", ""),
    )


def verify_erasure(
    data: bytes,
    policy: Policy,
    *,
    bundle: BundleId,
    sender: OrgId | None = None,
    sha256: str | None = None,
) -> VerifiedErasure:
    """Verify a proof of erasure.

    (1) the openings make the entry; (2) the entry is in the log under a checkpoint with its
    quorum; (3) it says erased, and this bundle; (4) of this sender, when one is asked for and the
    event tells it; (5) these bytes, when their digest is known. Where the event tells no sender and
    no digest is known, it shows an erasure under that id and not whose.

    Raises:
        Malformed: it is no proof with openings.
        VerificationFailed: ``erasure_other``, or what proof and openings raise.
    """
    record = parse_record(parse_proof(data).extra)
    leaf = record.leaf()
    fields = verify_opening(leaf, record)  # (1)
    verified = verify_proof(data, leaf, policy)  # (2)
    found = read_erasure(fields)  # (3)
    if (
        found.bundle != bundle
        or (sender is not None and found.sender not in {None, sender})  # (4)
        or (sha256 is not None and found.sha256 != sha256)  # (5)
    ):
        raise VerificationFailed(
            "erasure_other",
            "This proves the erasure of something else.",
            observed=f"{found.bundle} of {found.sender} sha256={found.sha256}",
            next_step="Keep it, and tell the hub's operator and the witnesses.",
        )
    return VerifiedErasure(
        erasure=found,
        index=verified.index,
        size=verified.checkpoint.size,
        log=verified.checkpoint.origin,
    )
