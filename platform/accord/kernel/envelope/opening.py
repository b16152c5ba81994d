"""Opening a delivery: the whole argument from bytes to records. Desks only.

A mismatch of the bundle raises and quarantines the bundle; an invalid record inside a valid one
is returned beside the others and quarantines that record alone.

Source: formats 1 (opening).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from accord.kernel.bundle.content import (
    RECORD_SALT_SIZE,
    content_path,
    content_root,
    record_salts,
)
from accord.kernel.bundle.disclosure import format_disclosure
from accord.kernel.bundle.framing import TrimmedBundle, parse_trimmed
from accord.kernel.bundle.model import Header
from accord.kernel.bundle.verification import SignerLookup, verify_trimmed
from accord.kernel.envelope.packing import unpack
from accord.kernel.envelope.payload import PayloadHead, read_payload
from accord.kernel.envelope.suites import decrypt_body, unwrap_key
from accord.kernel.errors import AccordError, Malformed, VerificationFailed
from accord.kernel.identifiers import KeyId
from accord.kernel.keys import KemKeyPair

Record = TypeVar("Record")

RecordParser = Callable[[Sequence[bytes]], Sequence[Record | Malformed]]
"""Gives for each line its record or why it is none, in the lines' order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedBundle(Generic[Record]):
    """A bundle that has passed every check.

    ``lines`` are the records' bytes, without LF, and ``outcomes`` what the parser made of each,
    both by the record's number.
    """

    trimmed: TrimmedBundle = field(repr=False)
    head: PayloadHead
    lines: Sequence[bytes] = field(repr=False)
    outcomes: Sequence[Record | Malformed] = field(repr=False)
    salt: bytes = field(repr=False)

    @property
    def header(self) -> Header:
        """The verified header."""
        return self.trimmed.header

    @property
    def manifest_sha256(self) -> bytes:
        """The bundle's name in acknowledgements."""
        return self.trimmed.manifest_sha256

    @property
    def records(self) -> list[tuple[int, Record]]:
        """Each valid record with its number; made anew at each call."""
        return [
            (number, outcome)
            for number, outcome in enumerate(self.outcomes)
            if not isinstance(outcome, Malformed)
        ]

    @property
    def quarantined(self) -> list[tuple[int, Malformed]]:
        """Each invalid record's number with the reason; made anew at each call."""
        return [
            (number, outcome)
            for number, outcome in enumerate(self.outcomes)
            if isinstance(outcome, Malformed)
        ]

    def salts(self) -> list[bytes]:
        """Return the salt of each record (16 bytes), by its number."""
        packed = record_salts(self.salt, len(self.lines))
        return [
            packed[at : at + RECORD_SALT_SIZE] for at in range(0, len(packed), RECORD_SALT_SIZE)
        ]

    def disclose(self, index: int) -> bytes:
        """Return the disclosure of record ``index`` alone.

        Raises:
            Malformed: ``index_invalid`` when there is no such record.
        """
        path = content_path(self.salt, self.lines, index)
        return format_disclosure(
            header=self.trimmed.header_bytes,
            dsse=self.trimmed.dsse,
            index=index,
            record_salt=self.salts()[index],
            line=self.lines[index],
            path=path,
        )


def open_trimmed(
    delivery: bytes,
    *,
    signer_lookup: SignerLookup,
    kem_keys: Mapping[KeyId, KemKeyPair],
    now: int,
    parse_records: RecordParser[Record],
) -> OpenedBundle[Record]:
    """Check and open a delivery.

    (1) limits and form; (2) signatures, key in force, sender; (3) header rules; (4) the entry is
    ours and in the signed tree, the body is the signed one; (5) HPKE; (6) key commitment;
    (7) chunks; (8) declared sizes, ratio, window, bounded decompression; (9) padding; (10) number
    of records and content root; (11) each record.

    Args:
        delivery: the bytes from the hub.
        signer_lookup: the sender's key at the directory size that counts.
        kem_keys: own KEM keys by their id, retired ones included while mail may come for them.
        now: unix seconds.
        parse_records: the parser of the records of this kind.

    Raises:
        Malformed: what ``parse_trimmed``, ``unpack`` and ``read_payload`` raise.
        VerificationFailed: what ``verify_trimmed`` raises; ``entry_unsealable``,
            ``body_commitment``, ``body_chunk``, ``body_truncated``, ``content_mismatch``.
    """
    trimmed = parse_trimmed(delivery)  # (1)
    verify_trimmed(trimmed, signer=signer_lookup, now=now, own=kem_keys)  # (2) to (4)
    digest = trimmed.header_hash
    cek = unwrap_key(
        kem_keys[trimmed.entry.kid], header_hash=digest, sealed=trimmed.entry.sealed
    )  # (5)
    message = decrypt_body(trimmed.body, header_hash=digest, cek=cek)  # (6), (7)
    salt, head, lines = read_payload(unpack(message), trimmed.header.n)  # (8), (9), (10)
    if content_root(salt, lines) != trimmed.header.root:  # (10)
        raise VerificationFailed(
            "content_mismatch", "The records are not those over which the header speaks."
        )
    outcomes = parse_records(lines)  # (11)
    if len(outcomes) != len(lines):
        raise AccordError("records_lost", "The parser of the records dropped some of them.")
    return OpenedBundle(
        trimmed=trimmed,
        head=head,
        lines=lines,
        outcomes=outcomes,
        salt=salt,
    )
