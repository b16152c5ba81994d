"""A receipt is the hub's proof, under witnesses, that exactly our bytes were accepted.

Checked, numbered in the code: (1) the openings make the log entry, (2) the entry is in the audit
log under a checkpoint with the witness quorum, (3) the entry says: accepted, from us, this bundle,
these bytes. A receipt that is pending is asked for again, with pauses and for a bounded time.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from accord.clock import Clock
from accord.kernel.errors import VerificationFailed
from accord.kernel.identifiers import BundleId, OrgId
from accord.kernel.tlog.heads import membership_of
from accord.kernel.tlog.leaf import parse_record, verify_opening
from accord.kernel.tlog.policy import Policy
from accord.kernel.tlog.proof import parse_proof, verify_proof

RECEIPT_SECONDS = 30
"""How long late receipts are waited for in all; what is stored is safe without."""

Pause = Callable[[float], bool]
"""Waits so many seconds and tells whether to stop."""

ACCEPTED = "bundle.accepted"
_DIGEST = re.compile(r"(?:.* )?sha256=([0-9a-f]{64})(?: .*)?")


@dataclass(slots=True, kw_only=True)
class Patience:
    """The seconds that are ``left`` for late receipts: requests that wait, and pauses."""

    clock: Clock
    pause: Pause
    left: int = RECEIPT_SECONDS

    def ask_again(self, retry_after: int, *, began: int) -> bool:
        """Pause as the hub asks; tell whether to ask again after a request that ``began`` then."""
        self.left = max(0, self.left - max(0, self.clock() - began))
        if self.left == 0:
            return False
        seconds = min(max(1, retry_after), self.left)
        self.left -= seconds
        return not self.pause(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedReceipt:
    """What a receipt proves: entry ``index`` of the audit log, when, and our own number."""

    index: int
    size: int
    accepted: int
    number: int | None


def verify_receipt(
    data: bytes, *, policy: Policy, org: OrgId, bundle: BundleId, digest: bytes
) -> VerifiedReceipt:
    """Verify a receipt of our own bundle.

    Args:
        data: the tlog-proof with its openings.
        policy: the root file's policy of the audit log.
        org: who we are.
        bundle: the bundle's id.
        digest: SHA-256 of the sealed bytes.

    Raises:
        Malformed: it is not a proof with openings.
        VerificationFailed: ``receipt_other``, or what proof and opening raise.
    """
    proof = parse_proof(data)
    record = parse_record(proof.extra)
    leaf = record.leaf()
    fields = verify_opening(leaf, record)  # (1)
    verified = verify_proof(data, leaf, policy)  # (2)
    match = _DIGEST.fullmatch(fields.get("detail", ""))
    said = (
        fields.get("what"),
        fields.get("outcome"),
        fields.get("org"),
        fields.get("subject"),
        match.group(1) if match else None,
    )
    if said != (ACCEPTED, "ok", org, bundle, digest.hex()):  # (3)
        raise VerificationFailed(
            "receipt_other",
            "The receipt is about something else than what was sent.",
            observed=f"{said[0]} {said[3]}"[:120],
            next_step="Keep it, and tell the hub's operator and the witnesses.",
        )
    time = fields.get("time", "")
    membership = membership_of(record, org)
    return VerifiedReceipt(
        index=verified.index,
        size=verified.checkpoint.size,
        accepted=int(time) if time.isascii() and time.isdigit() else 0,
        number=None if membership is None else membership.seq,
    )
