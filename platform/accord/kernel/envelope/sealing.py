"""Sealing: compress, pad, encrypt, wrap the key for each recipient, sign.

All randomness is fresh from the operating system; times and the bundle's id come in. What is
made here is read again by the strict parsers before it leaves, so that a sender learns at once
what a recipient would refuse.

Source: formats 1.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from accord.kernel.bundle.content import SALT_SIZE, content_root
from accord.kernel.bundle.entries import BLIND_SIZE, format_entry
from accord.kernel.bundle.framing import format_bundle
from accord.kernel.bundle.manifest import MAX_BODY, MAX_RECIPIENTS, manifest_of, sign_manifest
from accord.kernel.bundle.model import (
    DirectoryPoint,
    HandlingPolicy,
    Header,
    format_header,
    header_hash,
    parse_header,
)
from accord.kernel.envelope.packing import pack
from accord.kernel.envelope.payload import PayloadHead, format_head, parse_head
from accord.kernel.envelope.suites import BODY_SALT_SIZE, CEK_SIZE, encrypt_body, wrap_key
from accord.kernel.errors import Malformed, Refused
from accord.kernel.identifiers import BundleId, OrgId
from accord.kernel.keys import KemPublicKey, SigningKeyPair
from accord.kernel.markings import BundleKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """An organisation and the KEM key that the directory has in force for it."""

    org: OrgId
    key: KemPublicKey


def seal(  # noqa: PLR0913 - the header's fields and the parts of the format, each by name
    *,
    bundle_id: BundleId,
    kind: BundleKind,
    org: OrgId,
    created: int,
    expires: int,
    policy: HandlingPolicy,
    directory: Sequence[DirectoryPoint],
    recipients: Sequence[Recipient],
    head: PayloadHead,
    lines: Sequence[bytes],
    signer: SigningKeyPair,
    refs: Sequence[BundleId] = (),
    replaces: BundleId | None = None,
    salt: bytes | None = None,
) -> bytes:
    """Return the bytes of a sealed bundle.

    Args:
        bundle_id: a fresh UUIDv7.
        kind: what the records are.
        org: the sender.
        created: unix seconds.
        expires: unix seconds, after ``created``.
        policy: marking, purpose, legal basis, onward rule.
        directory: the checkpoints at which the keys were looked up, the own hub's first.
        recipients: 1 to 512, each key once, in any order.
        head: what is said in words.
        lines: the records, without LF; number i of the content root is ``lines[i]``.
        signer: the sender's signing key.
        refs: bundles that this one speaks of.
        replaces: the bundle that this one supersedes.
        salt: 32 fresh random bytes, when the sender keeps them for later disclosure.

    Raises:
        Malformed: ``line_invalid``, ``recipients_count``, ``recipient_twice``, or what the
            strict parsers of header and head raise.
        Refused: ``plaintext_too_long``, ``compression_ratio``, ``body_too_long``.
    """
    salt = secrets.token_bytes(SALT_SIZE) if salt is None else salt
    ordered = _ordered(recipients)
    payload = _payload(salt, head, lines)
    header = format_header(
        Header(
            id=bundle_id,
            kind=kind,
            org=org,
            sig=signer.kid,
            created=created,
            expires=expires,
            policy=policy,
            n=len(lines),
            root=content_root(salt, lines),
            refs=tuple(refs),
            replaces=replaces,
            directory=tuple(directory),
        )
    )
    parse_header(header)
    digest, cek = header_hash(header), secrets.token_bytes(CEK_SIZE)
    body = encrypt_body(
        pack(payload), header_hash=digest, cek=cek, salt=secrets.token_bytes(BODY_SALT_SIZE)
    )
    if len(body) > MAX_BODY:
        raise Refused(
            "body_too_long",
            f"The encrypted body is longer than {MAX_BODY} bytes.",
            observed=f"{len(body)} bytes",
            next_step="Divide the records into several bundles.",
        )
    entries = [_entry(recipient, digest, cek) for recipient in ordered]
    manifest = manifest_of(header=header, entries=entries, body=body)
    return format_bundle(
        header=header, dsse=sign_manifest(manifest, signer), entries=entries, body=body
    )


def _ordered(recipients: Sequence[Recipient]) -> list[Recipient]:
    if not 1 <= len(recipients) <= MAX_RECIPIENTS:
        raise Malformed(
            "recipients_count",
            f"A bundle has 1 to {MAX_RECIPIENTS} recipients.",
            observed=str(len(recipients)),
        )
    by_kid = {recipient.key.kid: recipient for recipient in recipients}
    if len(by_kid) != len(recipients):
        raise Malformed("recipient_twice", "One key stands twice among the recipients.")
    return [by_kid[kid] for kid in sorted(by_kid)]


def _payload(salt: bytes, head: PayloadHead, lines: Sequence[bytes]) -> bytes:
    first = format_head(salt, head)
    parse_head(first)
    payload = b"\n".join((first, *lines, b""))
    if payload.count(b"\n") != len(lines) + 1:
        raise Malformed("line_invalid", "A record holds a line feed.")
    return payload


def _entry(recipient: Recipient, digest: bytes, cek: bytes) -> bytes:
    return format_entry(
        blind=secrets.token_bytes(BLIND_SIZE),
        kid=recipient.key.kid,
        org=recipient.org,
        sealed=wrap_key(recipient.key, header_hash=digest, cek=cek),
    )
