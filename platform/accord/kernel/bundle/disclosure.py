"""Disclosure: one record of a bundle, provable under the sender's signature, and nothing else.

It holds header, envelope, the record's number, its salt, its line and its Merkle path; never the
bundle's salt, from which the salts of all other records could be made. Times are not judged:
evidence outlives the bundle; the lookup says whose the key was.

Invariant: ``format_disclosure(parts of parse_disclosure(b)) == b``.
Source: formats 1 (disclosure).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from accord.kernel.bundle.content import RECORD_SALT_SIZE, record_leaf
from accord.kernel.bundle.cursor import Cursor
from accord.kernel.bundle.framing import Signed, read_front, read_signed
from accord.kernel.bundle.verification import SignerLookup, verify_signer
from accord.kernel.errors import Malformed, VerificationFailed
from accord.kernel.keys import SignerKey
from accord.kernel.tlog import merkle

MAGIC = b"\x89ASD\r\n\x1a\n"
MAX_LINE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure(Signed):
    """A well-formed disclosure of record ``index``, not yet verified."""

    index: int
    record_salt: bytes
    line: bytes
    path: tuple[bytes, ...]
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedDisclosure:
    """A record that ``signer.org`` has signed as number ``index`` of the bundle."""

    disclosure: Disclosure
    signer: SignerKey

    @property
    def line(self) -> bytes:
        """The record's line, without LF."""
        return self.disclosure.line


def format_disclosure(
    *,
    header: bytes,
    dsse: bytes,
    index: int,
    record_salt: bytes,
    line: bytes,
    path: Sequence[bytes],
) -> bytes:
    """Return the bytes of a disclosure; ``parse_disclosure`` judges them."""
    return b"".join(
        (
            MAGIC,
            len(header).to_bytes(4, "big"),
            header,
            len(dsse).to_bytes(4, "big"),
            dsse,
            index.to_bytes(4, "big"),
            record_salt,
            len(line).to_bytes(4, "big"),
            line,
            bytes([len(path)]),
            *path,
        )
    )


def parse_disclosure(data: bytes) -> Disclosure:
    """Parse a disclosure strictly.

    Raises:
        Malformed: ``bundle_truncated``, ``bundle_magic``, ``bundle_trailing``,
            ``header_too_long``, ``dsse_too_long``, ``line_too_long``, ``line_invalid``; what the
            envelope, the manifest and the header raise.
        VerificationFailed: ``header_mismatch``.
    """
    cursor = Cursor(data, magic=MAGIC)
    header, dsse = read_front(cursor)
    index = cursor.number(4)
    record_salt = cursor.take(RECORD_SALT_SIZE)
    line = cursor.sized(4, limit=MAX_LINE, code="line_too_long")
    path = cursor.path()
    cursor.end()
    if b"\n" in line:
        raise Malformed("line_invalid", "A record is one line, without its line feed.")
    envelope, manifest, read = read_signed(header, dsse)
    return Disclosure(
        header_bytes=header,
        header=read,
        dsse=dsse,
        envelope=envelope,
        manifest=manifest,
        index=index,
        record_salt=record_salt,
        line=line,
        path=path,
        raw=data,
    )


def verify_disclosure(disclosure: Disclosure, *, signer: SignerLookup) -> VerifiedDisclosure:
    """Verify (1) both signatures, (2) the sender, (3) the record's place under the content root.

    Raises:
        VerificationFailed: ``signature_wrong``, ``signer_not_sender``, ``record_not_in_tree``, or
            what ``signer`` raises.
    """
    key = verify_signer(disclosure, signer)  # (1), (2)
    try:
        merkle.verify_inclusion(  # (3)
            index=disclosure.index,
            size=disclosure.header.n,
            leaf=record_leaf(disclosure.record_salt, disclosure.line),
            path=disclosure.path,
            root=disclosure.header.root,
        )
    except VerificationFailed as error:
        raise VerificationFailed(
            "record_not_in_tree",
            "The record is not one of those that were signed.",
            observed=f"record {disclosure.index} of {disclosure.header.n}",
        ) from error
    return VerifiedDisclosure(disclosure=disclosure, signer=key)
