"""Everything about a bundle that can be checked without a secret: what the hub runs.

A ``Verified…`` value is the proof that its checks have passed; services take only that. The
lookup decides which key was in force; this module reads no clock, ``now`` comes in.

Source: formats 1 (opening, steps up to the own entry), reference on envelopes 1.4.
"""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass

from accord.kernel import dsse
from accord.kernel.bundle.entries import RecipientEntry
from accord.kernel.bundle.framing import SealedBundle, Signed, TrimmedBundle
from accord.kernel.bundle.manifest import CONTEXT
from accord.kernel.bundle.model import Header, require_suite
from accord.kernel.encoding import b64encode
from accord.kernel.errors import VerificationFailed
from accord.kernel.identifiers import KeyId
from accord.kernel.keys import SignerKey, SigningPublicKey
from accord.kernel.tlog import merkle

SignerLookup = Callable[[KeyId], SignerKey]
"""Gives the key of an id and whose it is, or raises VerificationFailed when not in force."""

OLDEST = 400 * 86_400
"""Seconds that a bundle may be old when it is judged."""

AHEAD = 300
"""Seconds that a sender's clock may be ahead of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedBundle:
    """A bundle whose signatures, rules, tree and body hash hold."""

    sealed: SealedBundle

    @property
    def header(self) -> Header:
        """The verified header."""
        return self.sealed.header

    @property
    def entries(self) -> tuple[RecipientEntry, ...]:
        """The verified recipient entries."""
        return self.sealed.entries

    @property
    def manifest_sha256(self) -> bytes:
        """The bundle's name in acknowledgements."""
        return self.sealed.manifest_sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedTrimmed:
    """A delivery whose signatures, rules, entry and body hash hold."""

    trimmed: TrimmedBundle

    @property
    def header(self) -> Header:
        """The verified header."""
        return self.trimmed.header

    @property
    def entry(self) -> RecipientEntry:
        """The verified entry of the recipient."""
        return self.trimmed.entry

    @property
    def manifest_sha256(self) -> bytes:
        """The bundle's name in acknowledgements."""
        return self.trimmed.manifest_sha256


def verify_bundle(sealed: SealedBundle, *, signer: SignerLookup, now: int) -> VerifiedBundle:
    """Verify everything but the encryption.

    (1) both signatures, key in force; (2) the signer is the header's sender; (3) the suite is
    allowed, the times are right; (4) the entries are those of the signed tree; (5) the body is
    the signed one. Limits, form and the header's hash were checked by ``parse_bundle``.

    Args:
        sealed: a parsed bundle.
        signer: lookup of the sender's key at the directory size that counts.
        now: unix seconds.

    Raises:
        VerificationFailed: ``signature_wrong``, ``signer_not_sender``, ``suite_retired``,
            ``created_in_future``, ``created_too_old``, ``bundle_expired``,
            ``recipients_mismatch``, ``body_mismatch``, or what ``signer`` raises.
    """
    verify_signer(sealed, signer)  # (1), (2)
    verify_times(sealed.header, now)  # (3)
    manifest = sealed.manifest
    root = merkle.root([entry.leaf for entry in sealed.entries])
    if (manifest.recipients_n, manifest.recipients_root) != (len(sealed.entries), root):  # (4)
        raise VerificationFailed(
            "recipients_mismatch", "The recipient entries are not those that were signed."
        )
    _verify_body(sealed, sealed.body)  # (5)
    return VerifiedBundle(sealed=sealed)


def verify_trimmed(
    trimmed: TrimmedBundle,
    *,
    signer: SignerLookup,
    now: int,
    own: Collection[KeyId] | None = None,
) -> VerifiedTrimmed:
    """Verify a delivery: as ``verify_bundle``, with one entry and its path instead of all.

    Args:
        trimmed: a parsed delivery.
        signer: lookup of the sender's key at the directory size that counts.
        now: unix seconds.
        own: ids of the reader's KEM keys; ``None`` when the reader is not a recipient.

    Raises:
        VerificationFailed: as ``verify_bundle``, with ``not_a_recipient`` and
            ``entry_not_in_tree`` instead of ``recipients_mismatch``.
    """
    verify_signer(trimmed, signer)  # (1), (2)
    verify_times(trimmed.header, now)  # (3)
    if own is not None and trimmed.entry.kid not in own:  # (4)
        raise VerificationFailed(
            "not_a_recipient",
            "The entry is for a key that is not ours.",
            observed=b64encode(trimmed.entry.kid),
        )
    _verify_entry(trimmed)
    _verify_body(trimmed, trimmed.body)  # (5)
    return VerifiedTrimmed(trimmed=trimmed)


def verify_signer(signed: Signed, signer: SignerLookup) -> SignerKey:
    """Verify the two signatures and that their key is the header's sender's.

    Raises:
        VerificationFailed: ``signature_wrong``, ``signer_not_sender``, or what ``signer`` raises.
    """
    kid = signed.envelope.signatures[0].kid
    key = signer(kid)

    def public(_kid: KeyId) -> SigningPublicKey:
        return key.public

    dsse.verify(signed.envelope, public, context=CONTEXT)
    # A lookup that answers with another key must not turn one member into another.
    if (kid, key.public.kid, key.org) != (signed.header.sig, kid, signed.header.org):
        raise VerificationFailed(
            "signer_not_sender",
            "The signing key is not that of the sender whom the header names.",
            observed=signed.header.org,
        )
    return key


def verify_times(header: Header, now: int) -> None:
    """Check that the header is in force at ``now``.

    Raises:
        VerificationFailed: ``suite_retired``, ``created_in_future``, ``created_too_old``,
            ``bundle_expired``.
    """
    require_suite(header.suite, header.created)
    observed = f"created {header.created}, expires {header.expires}, now {now}"
    if header.created > now + AHEAD:
        raise VerificationFailed(
            "created_in_future",
            f"The bundle was created more than {AHEAD} seconds from now.",
            observed=observed,
            next_step="Compare the clocks of both sides.",
        )
    if header.created < now - OLDEST:
        raise VerificationFailed(
            "created_too_old",
            f"The bundle was created more than {OLDEST // 86_400} days ago.",
            observed=observed,
        )
    if header.expires <= now:
        raise VerificationFailed("bundle_expired", "The bundle has expired.", observed=observed)


def _verify_entry(trimmed: TrimmedBundle) -> None:
    try:
        merkle.verify_inclusion(
            index=trimmed.index,
            size=trimmed.manifest.recipients_n,
            leaf=trimmed.entry.leaf,
            path=trimmed.path,
            root=trimmed.manifest.recipients_root,
        )
    except VerificationFailed as error:
        raise VerificationFailed(
            "entry_not_in_tree",
            "The recipient entry is not one of those that were signed.",
            observed=f"entry {trimmed.index} of {trimmed.manifest.recipients_n}",
        ) from error


def _verify_body(signed: Signed, body: bytes) -> None:
    manifest = signed.manifest
    if manifest.body_len != len(body) or manifest.body_sha256 != hashlib.sha256(body).digest():
        raise VerificationFailed(
            "body_mismatch", "The encrypted body is not the one that was signed."
        )
