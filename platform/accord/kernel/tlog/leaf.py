r"""Erasable leaves of the audit log: 34 bytes that say nothing, and openings that say it all.

Leaf = version (01) ‖ class (0 = undisclosed) ‖ record commitment (32 bytes). Each field is
committed with a random 32-byte nonce of its own; whoever holds value and nonce can show it, and
erasing both leaves nothing to guess from. The other fields of the record still open.

    field  = HMAC-SHA256(nonce, "hub-audit/v1/field\n" ‖ entry id ‖ u8 len(name) ‖ name ‖ value)
    record = SHA-256("hub-audit/v1/record\n" ‖ entry id ‖ u16 n ‖ field_1 … field_n)

The entry id (16 random bytes, used nowhere else) binds an opening to its entry. Nonces are never
derived from another secret, or erasure would not be real.
"""

import hashlib
import hmac
import secrets
import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NewType

from accord.kernel.encoding import (
    JsonValue,
    b64decode,
    b64encode,
    dump_object,
    parse_object,
    require_int,
    require_keys,
    require_list,
    require_str,
)
from accord.kernel.errors import Malformed, VerificationFailed

Leaf = NewType("Leaf", bytes)
"""34 bytes: version ‖ class ‖ record commitment."""

VERSION = 1
UNDISCLOSED = 0
"""The class of every public leaf: even the kind of event stays hidden."""
LEAF_SIZE = 34
ENTRY_ID_SIZE = 16
NONCE_SIZE = 32
COMMITMENT_SIZE = 32
MAX_FIELDS = 640
"""Most fields of one record: an event can concern each of a bundle's 512 recipients."""
MAX_FIELD_NAME = 64
"""Longest field name in bytes."""
MAX_VALUE = 65_535
"""Longest field value in bytes of UTF-8."""
MAX_RECORD = 8 * 1024 * 1024
"""Longest text form of a record's fields in bytes."""

_FIELD = b"hub-audit/v1/field\n"
_RECORD = b"hub-audit/v1/record\n"
_MAX_CLASS = 255
_RECORD_KEYS = ("v", "class", "entry", "fields")
_OPEN_KEYS = ("name", "value", "nonce")
_CLOSED_KEYS = ("commitment",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A field that can be read: its name, value and nonce (32 bytes)."""

    field: str
    value: str
    nonce: bytes

    def __post_init__(self) -> None:
        """Refuse what the format has no place for (Malformed ``opening_invalid``)."""
        try:
            name, value = self.field.encode("utf-8"), self.value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise Malformed("opening_invalid", "A field is valid Unicode text.") from error
        if not 1 <= len(name) <= MAX_FIELD_NAME or len(value) > MAX_VALUE:
            raise Malformed(
                "opening_invalid",
                f"A field name has 1 to {MAX_FIELD_NAME} bytes, a value at most {MAX_VALUE}.",
                observed=f"{len(name)} and {len(value)} bytes",
            )
        if len(self.nonce) != NONCE_SIZE:
            raise Malformed("opening_invalid", "A nonce has 32 bytes.")

    def commitment(self, entry_id: bytes) -> bytes:
        """Return the field's commitment in the entry ``entry_id``."""
        name = self.field.encode()
        message = _FIELD + entry_id + bytes([len(name)]) + name + self.value.encode()
        return hmac.digest(self.nonce, message, "sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedField:
    """A field that cannot be read (erased, or not for this reader): its commitment alone."""

    commitment: bytes

    def __post_init__(self) -> None:
        """Refuse a commitment of a wrong size (Malformed ``opening_invalid``)."""
        if len(self.commitment) != COMMITMENT_SIZE:
            raise Malformed("opening_invalid", "A commitment has 32 bytes.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFields:
    """Everything behind one leaf, or what a reader may see of it.

    Attributes:
        entry_id: 16 random bytes, used nowhere else.
        leaf_class: 0 (undisclosed) to 255.
        fields: in the order of the record's schema; open or closed.
    """

    entry_id: bytes
    leaf_class: int
    fields: tuple[Opening | ClosedField, ...]

    def __post_init__(self) -> None:
        """Refuse what the format has no place for (Malformed ``opening_invalid``)."""
        names = [item.field for item in self.fields if isinstance(item, Opening)]
        if (
            len(self.entry_id) != ENTRY_ID_SIZE
            or not 0 <= self.leaf_class <= _MAX_CLASS
            or not 1 <= len(self.fields) <= MAX_FIELDS
            or len(set(names)) != len(names)
        ):
            raise Malformed(
                "opening_invalid",
                f"A record has an entry id of 16 bytes, a class and 1 to {MAX_FIELDS} fields, "
                "each name once.",
                observed=f"{len(self.fields)} fields",
            )

    @classmethod
    def fresh(cls, fields: Mapping[str, str], *, leaf_class: int = UNDISCLOSED) -> "RecordFields":
        """Return a new record with a random entry id and a random nonce for each field."""
        # One draw for all: most of the price of a draw is the call.
        drawn = secrets.token_bytes(ENTRY_ID_SIZE + NONCE_SIZE * len(fields))
        starts = range(ENTRY_ID_SIZE, len(drawn), NONCE_SIZE)
        return cls(
            entry_id=drawn[:ENTRY_ID_SIZE],
            leaf_class=leaf_class,
            fields=tuple(
                Opening(field=name, value=value, nonce=drawn[start : start + NONCE_SIZE])
                for (name, value), start in zip(fields.items(), starts, strict=True)
            ),
        )

    @property
    def commitments(self) -> tuple[bytes, ...]:
        """The commitment of each field, in order."""
        return tuple(
            item.commitment(self.entry_id) if isinstance(item, Opening) else item.commitment
            for item in self.fields
        )

    def leaf(self) -> Leaf:
        """Return the public leaf."""
        commitments = self.commitments
        record = hashlib.sha256(
            _RECORD + self.entry_id + struct.pack(">H", len(commitments)) + b"".join(commitments)
        ).digest()
        return Leaf(bytes([VERSION, self.leaf_class]) + record)

    def close(self, names: Collection[str]) -> "RecordFields":
        """Return the record with these fields closed: erasure, or a receipt for others."""
        return replace(
            self,
            fields=tuple(
                ClosedField(commitment=commitment)
                if isinstance(item, Opening) and item.field in names
                else item
                for item, commitment in zip(self.fields, self.commitments, strict=True)
            ),
        )

    def close_all(self) -> "RecordFields":
        """Return the record with every field closed."""
        return self.close({item.field for item in self.fields if isinstance(item, Opening)})

    def opened(self) -> dict[str, str]:
        """Return name -> value of the fields that can be read."""
        return {item.field: item.value for item in self.fields if isinstance(item, Opening)}


def commit(
    leaf_class: int, fields: Mapping[str, str], nonces: Sequence[bytes], *, entry_id: bytes
) -> Leaf:
    """Return the leaf over ``fields`` (in their order) with one nonce for each.

    Raises:
        Malformed: ``opening_invalid``.
    """
    return opened(leaf_class, fields, nonces, entry_id=entry_id).leaf()


def opened(
    leaf_class: int, fields: Mapping[str, str], nonces: Sequence[bytes], *, entry_id: bytes
) -> RecordFields:
    """Return the record of ``fields`` (in their order), all open, with one nonce for each.

    Raises:
        Malformed: ``opening_invalid``.
    """
    if len(nonces) != len(fields):
        raise Malformed("opening_invalid", "Each field has a nonce of its own.")
    return RecordFields(
        entry_id=entry_id,
        leaf_class=leaf_class,
        fields=tuple(
            Opening(field=name, value=value, nonce=nonce)
            for (name, value), nonce in zip(fields.items(), nonces, strict=True)
        ),
    )


def parse_leaf(data: bytes) -> Leaf:
    """Return ``data`` as a leaf of version 1.

    Raises:
        Malformed: ``leaf_invalid``.
    """
    if len(data) != LEAF_SIZE or data[0] != VERSION:
        raise Malformed(
            "leaf_invalid", "An audit leaf has 34 bytes and version 1.", observed=data[:2].hex()
        )
    return Leaf(data)


def verify_opening(leaf: bytes, record: RecordFields) -> dict[str, str]:
    """Verify that ``record`` is what stands behind ``leaf`` and return its open fields.

    Raises:
        Malformed: ``leaf_invalid``.
        VerificationFailed: ``opening_wrong``.
    """
    if not hmac.compare_digest(parse_leaf(leaf), record.leaf()):
        raise VerificationFailed("opening_wrong", "The fields shown are not those of this entry.")
    return record.opened()


def format_record(record: RecordFields) -> bytes:
    """Return the strict JSON form of a record's fields, for a receipt."""
    fields: list[JsonValue] = [
        {"name": item.field, "value": item.value, "nonce": b64encode(item.nonce)}
        if isinstance(item, Opening)
        else {"commitment": b64encode(item.commitment)}
        for item in record.fields
    ]
    return dump_object(
        {
            "v": VERSION,
            "class": record.leaf_class,
            "entry": b64encode(record.entry_id),
            "fields": fields,
        }
    )


def parse_record(data: bytes) -> RecordFields:
    """Parse ``format_record``'s bytes.

    Raises:
        Malformed: ``opening_invalid`` or a code of ``kernel.encoding``.
    """
    obj = parse_object(data, limit=MAX_RECORD)
    require_keys(obj, required=_RECORD_KEYS)
    require_int(obj, "v", minimum=VERSION, maximum=VERSION)
    return RecordFields(
        entry_id=b64decode(obj["entry"], length=ENTRY_ID_SIZE),
        leaf_class=require_int(obj, "class", maximum=_MAX_CLASS),
        fields=tuple(
            _parse_field(item)
            for item in require_list(obj, "fields", minimum=1, maximum=MAX_FIELDS)
        ),
    )


def _parse_field(item: JsonValue) -> Opening | ClosedField:
    if not isinstance(item, dict):
        raise Malformed("opening_invalid", "A field is an object.")
    if "commitment" in item:
        require_keys(item, required=_CLOSED_KEYS)
        return ClosedField(commitment=b64decode(item["commitment"], length=COMMITMENT_SIZE))
    require_keys(item, required=_OPEN_KEYS)
    return Opening(
        field=require_str(item, "name", limit=MAX_FIELD_NAME),
        value=require_str(item, "value", limit=MAX_VALUE, minimum=0),
        nonce=b64decode(item["nonce"], length=NONCE_SIZE),
    )
