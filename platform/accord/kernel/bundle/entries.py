"""The recipient entry: to whom, under which key, and the wrapped content key.

An entry is its bytes; the tree over the entries is what the sender signs. Unwrapping stands in
``kernel.envelope``.

Source: formats 1 (recipient entry).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from accord.kernel.errors import Malformed
from accord.kernel.identifiers import KeyId, OrgId, parse_org_id
from accord.kernel.tlog import merkle

BLIND_SIZE = 16
SEALED_SIZE = 1120 + 48
"""Bytes of X-Wing encapsulation and of the wrapped 32-byte key with its tag."""

_KID_AT = BLIND_SIZE
_LENGTH_AT = BLIND_SIZE + 32
_ORG_AT = _LENGTH_AT + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientEntry:
    """One entry. ``blind`` (16 random bytes) keeps the leaf from being guessed."""

    blind: bytes
    kid: KeyId
    org: OrgId
    sealed: bytes = field(repr=False)
    raw: bytes = field(repr=False)

    @property
    def leaf(self) -> bytes:
        """SHA-256(00 ‖ entry)."""
        return merkle.leaf_hash(self.raw)


def format_entry(*, blind: bytes, kid: KeyId, org: OrgId, sealed: bytes) -> bytes:
    """Return blind ‖ key id ‖ u8 length ‖ organisation ‖ wrapped key."""
    name = org.encode("ascii")
    return b"".join((blind, kid, bytes([len(name)]), name, sealed))


def parse_entry(raw: bytes) -> RecipientEntry:
    """Parse one entry strictly.

    Raises:
        Malformed: ``entry_invalid`` when the sizes do not fit, ``org_id_invalid``.
    """
    length = raw[_LENGTH_AT] if len(raw) > _LENGTH_AT else 0
    if len(raw) != _ORG_AT + length + SEALED_SIZE:
        raise Malformed(
            "entry_invalid",
            "A recipient entry does not have the size of its parts.",
            observed=f"{len(raw)} bytes",
        )
    return RecipientEntry(
        blind=raw[:_KID_AT],
        kid=KeyId(raw[_KID_AT:_LENGTH_AT]),
        # A byte that is not ASCII becomes a sign that no organisation's id may hold.
        org=parse_org_id(raw[_ORG_AT : _ORG_AT + length].decode("ascii", "replace")),
        sealed=raw[_ORG_AT + length :],
        raw=raw,
    )


def check_order(entries: Sequence[RecipientEntry]) -> None:
    """Check that key ids rise strictly: one file for one set of recipients, nobody twice.

    Raises:
        Malformed: ``recipients_order``.
    """
    pairs = pairwise(entry.kid for entry in entries)
    if any(first >= second for first, second in pairs):
        raise Malformed(
            "recipients_order", "Recipient entries must be ordered by key id, each key once."
        )
