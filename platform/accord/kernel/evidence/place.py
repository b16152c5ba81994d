"""Where a record stands in its bundle: its number, its salt and its path to the content root.

Together with record, header and signatures it is a disclosure (``bundle.disclosure``), as readable
files. Invariant: ``format_place(parse_place(b)) == b``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from accord.kernel.bundle.content import RECORD_SALT_SIZE
from accord.kernel.bundle.model import MAX_RECORDS
from accord.kernel.encoding import (
    b64decode,
    b64encode,
    dump_object,
    parse_object,
    require_int,
    require_keys,
    require_list,
)
from accord.kernel.tlog.merkle import HASH_SIZE

MAX_PLACE = 8 * 1024
MAX_PATH = 20
"""Steps to the root over the most records that a bundle has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Number of the record, its 16-byte salt, its path (32-byte hashes, leaf side first)."""

    index: int
    salt: bytes
    path: tuple[bytes, ...]


def format_place(*, index: int, salt: bytes, path: Sequence[bytes]) -> bytes:
    """Return the member's one byte form."""
    return dump_object(
        {"v": 1, "index": index, "salt": b64encode(salt), "path": [b64encode(one) for one in path]}
    )


def parse_place(data: bytes) -> Place:
    """Parse a place strictly.

    Raises:
        Malformed: ``too_long``, ``json_*``, ``key_*``, ``value_invalid``, ``base64_invalid``.
    """
    obj = parse_object(data, limit=MAX_PLACE)
    require_keys(obj, required=("v", "index", "salt", "path"))
    require_int(obj, "v", minimum=1, maximum=1)
    return Place(
        index=require_int(obj, "index", maximum=MAX_RECORDS - 1),
        salt=b64decode(obj["salt"], length=RECORD_SALT_SIZE),
        path=tuple(
            b64decode(one, length=HASH_SIZE) for one in require_list(obj, "path", maximum=MAX_PATH)
        ),
    )
