"""What of the maker's journal a statement shows: rows, each under a head in the hub's log.

A row is the leaf of an act with its fields, of which the maker closes some (the stated reason, the
act's number); its path leads to the root of a head. A head is the hub's event ``journal.anchored``
or ``journal.restarted`` with its openings; its path leads to a checkpoint. Nothing here is
verified: that is ``custody``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from accord.kernel.encoding import (
    JsonValue,
    b64decode,
    b64encode,
    require_int,
    require_keys,
    require_list,
    require_object,
)
from accord.kernel.errors import Malformed
from accord.kernel.tlog.leaf import RecordFields, format_record, parse_record
from accord.kernel.tlog.merkle import HASH_SIZE
from accord.kernel.tlog.notes import MAX_NOTE
from accord.kernel.tlog.proof import MAX_PATH

MAX_HEADS = 64
"""Most heads, and most checkpoints, of one statement."""

MAX_OPENED = 256 * 1024
"""Most bytes of one row or event with its openings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Row ``place`` (from 1) of the journal, and its path to the root of head ``head``."""

    place: int
    head: int
    record: RecordFields
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Entry ``index`` of the hub's log, and its path to the root of checkpoint ``checkpoint``."""

    index: int
    checkpoint: int
    record: RecordFields
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The heads of a statement in the log's order, and the checkpoints over them."""

    checkpoints: tuple[bytes, ...]
    heads: tuple[Head, ...]


def row_value(row: Row) -> JsonValue:
    """Return a row as it stands in its line of custody."""
    return {
        "place": row.place,
        "head": row.head,
        "record": b64encode(format_record(row.record)),
        "path": [b64encode(one) for one in row.path],
    }


def parse_row(item: JsonValue) -> Row:
    """Parse a row strictly.

    Raises:
        Malformed: ``key_*``, ``value_invalid``, ``base64_invalid``, ``opening_invalid``.
    """
    obj = _object(item, "row", ("place", "head", "record", "path"))
    return Row(
        place=require_int(obj, "place", minimum=1),
        head=require_int(obj, "head", maximum=MAX_HEADS - 1),
        record=_record(obj),
        path=_path(obj),
    )


def journal_value(journal: Journal) -> JsonValue:
    """Return heads and checkpoints as they stand in a statement."""
    heads: list[JsonValue] = [
        {
            "index": one.index,
            "checkpoint": one.checkpoint,
            "record": b64encode(format_record(one.record)),
            "path": [b64encode(step) for step in one.path],
        }
        for one in journal.heads
    ]
    return {"checkpoints": [b64encode(one) for one in journal.checkpoints], "heads": heads}


def parse_journal(obj: Mapping[str, JsonValue]) -> Journal | None:
    """Parse the key ``journal`` of a statement, if it is there.

    Raises:
        Malformed: as ``parse_row``.
    """
    if "journal" not in obj:
        return None
    found = require_object(obj, "journal")
    require_keys(found, required=("checkpoints", "heads"))
    return Journal(
        checkpoints=tuple(
            _bounded(one, MAX_NOTE)
            for one in require_list(found, "checkpoints", minimum=1, maximum=MAX_HEADS)
        ),
        heads=tuple(map(_head, require_list(found, "heads", minimum=1, maximum=MAX_HEADS))),
    )


def check_whole(journal: Journal | None, rows: Sequence[Row]) -> None:
    """Check that rows, heads and checkpoints belong together: none for nothing, none twice.

    Raises:
        Malformed: ``custody_invalid``.
    """
    heads = () if journal is None else journal.heads
    count = 0 if journal is None else len(journal.checkpoints)
    numbers = [one.index for one in heads]
    if (
        {row.head for row in rows} != set(range(len(heads)))
        or {one.checkpoint for one in heads} != set(range(count))
        or numbers != sorted(set(numbers))
        or len({row.place for row in rows}) != len(rows)
    ):
        raise Malformed(
            "custody_invalid",
            "Rows of the journal, heads and checkpoints of a statement do not belong together.",
            observed=f"{len(rows)} rows, {len(heads)} heads, {count} checkpoints",
        )


def _head(item: JsonValue) -> Head:
    obj = _object(item, "head", ("index", "checkpoint", "record", "path"))
    return Head(
        index=require_int(obj, "index"),
        checkpoint=require_int(obj, "checkpoint", maximum=MAX_HEADS - 1),
        record=_record(obj),
        path=_path(obj),
    )


def _object(item: JsonValue, what: str, names: Sequence[str]) -> Mapping[str, JsonValue]:
    if not isinstance(item, dict):
        raise Malformed("value_invalid", f"A {what} of the journal must be an object.")
    require_keys(item, required=names)
    return item


def _record(obj: Mapping[str, JsonValue]) -> RecordFields:
    return parse_record(_bounded(obj["record"], MAX_OPENED))


def _path(obj: Mapping[str, JsonValue]) -> tuple[bytes, ...]:
    steps = require_list(obj, "path", maximum=MAX_PATH)
    return tuple(b64decode(one, length=HASH_SIZE) for one in steps)


def _bounded(value: JsonValue, limit: int) -> bytes:
    data = b64decode(value)
    if len(data) > limit:
        raise Malformed("too_long", f"A part of the journal has more than {limit} bytes.")
    return data
