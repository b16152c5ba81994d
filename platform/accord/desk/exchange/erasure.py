"""The hub's proof that it deleted a bundle, held against what this desk knows of that bundle.

An id is unique for one sender alone: a hub and a member who re-used an id could answer with the
proof for the member's bundle. So the sender that the event tells is compared, and the digest with
that of the bytes that we sent, or that the hub's acceptance of the sender's bundle names.
"""

import re
from dataclasses import dataclass

from accord.desk.exchange.client import HubClient, query_of
from accord.desk.exchange.mirror import DirectoryMirror
from accord.desk.storage import Vault
from accord.desk.storage.bundles import find_bundle
from accord.desk.storage.evidence import acceptance_of
from accord.desk.storage.outbox import outbox_row
from accord.kernel.directory.rootfile import LogName
from accord.kernel.errors import NotFound
from accord.kernel.identifiers import BundleId, OrgId
from accord.kernel.tlog.erasure import VerifiedErasure, verify_erasure
from accord.protocol import paths
from accord.protocol.schemas.bundles import MAX_WAIT

_DIGEST = re.compile(r"sha256=([0-9a-f]{64})(?: .*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedErasure:
    """A proof of erasure that holds; ``compared``: its digest is one that this desk knew before."""

    data: bytes
    shows: VerifiedErasure
    compared: bool


def fetch_erasure(
    vault: Vault,
    client: HubClient,
    mirror: DirectoryMirror,
    *,
    org: OrgId,
    bundle: BundleId,
    sender: OrgId | None,
) -> FetchedErasure:
    """Fetch and check the proof that the hub deleted a bundle of ``sender``; ours without one.

    Raises:
        NotFound: ``erasure_missing``, ``not_found``.
        Refused: ``bundle_ambiguous``.
        VerificationFailed: ``erasure_other``, or what proof and openings raise.
        Unavailable: the hub cannot be reached, or ``receipt_pending``.
    """
    sender, sha256 = _known(vault, mirror, org=org, bundle=bundle, sender=sender)
    named = {} if sender is None else {"sender": sender}
    query = query_of({"wait": MAX_WAIT, **named})
    data = client.get(paths.erasure(bundle), query, signed=True)
    policy = mirror.root.log_policy(LogName.AUDIT)
    shows = verify_erasure(data, policy, bundle=bundle, sender=sender, sha256=sha256)
    return FetchedErasure(data=data, shows=shows, compared=sha256 is not None)


def _known(
    vault: Vault, mirror: DirectoryMirror, *, org: OrgId, bundle: BundleId, sender: OrgId | None
) -> tuple[OrgId | None, str | None]:
    """Return whose bundle it is and the digest of its bytes, as far as they are known here."""
    row = outbox_row(vault, bundle) if sender in {None, org} else None
    if row is not None:
        return org, row.digest.hex()
    if sender is None:
        try:
            sender = find_bundle(vault, bundle).org
        except NotFound:
            return None, None  # never taken; the hub knows whether it was for us
    origin = mirror.root.log_origin(LogName.AUDIT)
    accepted = acceptance_of(vault, origin=origin, org=sender, id_=bundle)
    told = None if accepted is None else _DIGEST.fullmatch(accepted.detail)
    return sender, None if told is None else told.group(1)
