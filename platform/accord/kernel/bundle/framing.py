"""The container: a bundle as it is sent, and a delivery as one recipient gets it.

Each length is checked against its limit before its bytes are touched; the first byte after the
end is an error. A parsed value holds its header and manifest already read strictly, and the
header is the one that the manifest names; nothing is verified yet (``bundle.verification``).

Invariants: ``format_bundle(parts of parse_bundle(b)) == b``, likewise for deliveries.
Source: formats 1 (framing, trimmed delivery).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from accord.kernel.bundle.cursor import Cursor
from accord.kernel.bundle.entries import RecipientEntry, check_order, parse_entry
from accord.kernel.bundle.manifest import (
    MAX_BODY,
    MAX_DSSE,
    MAX_RECIPIENTS,
    Manifest,
    parse_envelope,
)
from accord.kernel.bundle.model import MAX_HEADER, Header, header_hash, parse_header
from accord.kernel.dsse import Envelope
from accord.kernel.errors import Malformed, VerificationFailed
from accord.kernel.tlog import merkle

MAGIC = b"\x89ASB\r\n\x1a\n"
TRIMMED_MAGIC = b"\x89AST\r\n\x1a\n"
MEDIA_TYPE = "application/vnd.accord.bundle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What every form of a bundle carries: the header, and the signed manifest over it."""

    header_bytes: bytes = field(repr=False)
    header: Header
    dsse: bytes = field(repr=False)
    envelope: Envelope = field(repr=False)
    manifest: Manifest

    @property
    def header_hash(self) -> bytes:
        """H; the manifest's, which equals that of the header's bytes."""
        return self.manifest.header_sha256

    @property
    def manifest_sha256(self) -> bytes:
        """SHA-256 of the manifest's bytes: the bundle's name in acknowledgements."""
        return hashlib.sha256(self.envelope.payload).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedBundle(Signed):
    """A well-formed bundle, not yet verified."""

    entries: tuple[RecipientEntry, ...]
    body: bytes = field(repr=False)
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrimmedBundle(Signed):
    """A well-formed delivery, not yet verified: ``entry`` at ``index``, ``path`` to the root."""

    index: int
    entry: RecipientEntry
    path: tuple[bytes, ...]
    body: bytes = field(repr=False)
    raw: bytes = field(repr=False)


def parse_bundle(data: bytes) -> SealedBundle:
    """Parse a bundle strictly.

    Raises:
        Malformed: ``bundle_truncated``, ``bundle_magic``, ``bundle_trailing``,
            ``header_too_long``, ``dsse_too_long``, ``recipients_count``, ``entry_invalid``,
            ``recipients_order``, ``body_too_long``; what the envelope, the manifest and the
            header raise.
        VerificationFailed: ``header_mismatch``.
    """
    cursor = Cursor(data, magic=MAGIC)
    header, dsse = read_front(cursor)
    count = cursor.number(4)
    if not 1 <= count <= MAX_RECIPIENTS:
        raise Malformed(
            "recipients_count",
            f"A bundle has 1 to {MAX_RECIPIENTS} recipients.",
            observed=str(count),
        )
    entries = tuple(parse_entry(cursor.sized(2)) for _ in range(count))
    body = cursor.sized(8, limit=MAX_BODY, code="body_too_long")
    cursor.end()
    check_order(entries)
    envelope, manifest, read = read_signed(header, dsse)
    return SealedBundle(
        header_bytes=header,
        header=read,
        dsse=dsse,
        envelope=envelope,
        manifest=manifest,
        entries=entries,
        body=body,
        raw=data,
    )


def parse_trimmed(data: bytes) -> TrimmedBundle:
    """Parse a delivery strictly.

    Raises:
        Malformed: as ``parse_bundle``.
        VerificationFailed: ``header_mismatch``.
    """
    cursor = Cursor(data, magic=TRIMMED_MAGIC)
    header, dsse = read_front(cursor)
    index = cursor.number(4)
    entry = parse_entry(cursor.sized(2))
    path = cursor.path()
    body = cursor.sized(8, limit=MAX_BODY, code="body_too_long")
    cursor.end()
    envelope, manifest, read = read_signed(header, dsse)
    return TrimmedBundle(
        header_bytes=header,
        header=read,
        dsse=dsse,
        envelope=envelope,
        manifest=manifest,
        index=index,
        entry=entry,
        path=path,
        body=body,
        raw=data,
    )


def read_front(cursor: Cursor) -> tuple[bytes, bytes]:
    """Return the bytes of header and envelope, with which each form of a bundle begins.

    Raises:
        Malformed: ``bundle_truncated``, ``header_too_long``, ``dsse_too_long``, ``json_invalid``
            for a header of no byte.
    """
    header = cursor.sized(4, limit=MAX_HEADER, code="header_too_long")
    if not header:
        raise Malformed("json_invalid", "The header is empty.")
    return header, cursor.sized(4, limit=MAX_DSSE, code="dsse_too_long")


def read_signed(header: bytes, dsse: bytes) -> tuple[Envelope, Manifest, Header]:
    """Read envelope, manifest and header; the header only when it is the manifest's.

    Raises:
        Malformed: what the three parsers raise.
        VerificationFailed: ``header_mismatch``.
    """
    envelope, manifest = parse_envelope(dsse)
    if (manifest.header_sha256, manifest.header_len) != (header_hash(header), len(header)):
        raise VerificationFailed(
            "header_mismatch", "The header is not the one that the sender signed."
        )
    return envelope, manifest, parse_header(header)


def format_bundle(*, header: bytes, dsse: bytes, entries: Sequence[bytes], body: bytes) -> bytes:
    """Return the bytes of a bundle; ``entries`` in file order."""
    return b"".join(
        (
            MAGIC,
            *_sized(4, header),
            *_sized(4, dsse),
            len(entries).to_bytes(4, "big"),
            *(piece for entry in entries for piece in _sized(2, entry)),
            *_sized(8, body),
        )
    )


def format_trimmed(
    *, header: bytes, dsse: bytes, index: int, entry: bytes, path: Sequence[bytes], body: bytes
) -> bytes:
    """Return the bytes of a delivery."""
    front = format_front(
        header=header, dsse=dsse, index=index, entry=entry, path=path, length=len(body)
    )
    return front + body


def format_front(
    *, header: bytes, dsse: bytes, index: int, entry: bytes, path: Sequence[bytes], length: int
) -> bytes:
    """Return the bytes of a delivery up to its body, which has ``length`` bytes."""
    return b"".join(
        (
            TRIMMED_MAGIC,
            *_sized(4, header),
            *_sized(4, dsse),
            index.to_bytes(4, "big"),
            *_sized(2, entry),
            bytes([len(path)]),
            *path,
            length.to_bytes(8, "big"),
        )
    )


def _sized(width: int, part: bytes) -> tuple[bytes, bytes]:
    return len(part).to_bytes(width, "big"), part


def trim(sealed: SealedBundle, index: int) -> bytes:
    """Return the delivery for the recipient of entry ``index``.

    Raises:
        Malformed: ``index_invalid`` when there is no such entry.
    """
    path = merkle.inclusion_path(index, [entry.leaf for entry in sealed.entries])
    return format_trimmed(
        header=sealed.header_bytes,
        dsse=sealed.dsse,
        index=index,
        entry=sealed.entries[index].raw,
        path=path,
        body=sealed.body,
    )
