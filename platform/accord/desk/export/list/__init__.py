"""A screening list for another system: the full list, and the changes since the one before it.

A folder of ``full.csv``, ``delta.csv`` and ``list.json`` (rows and SHA-256 of both). A row is one
record and its ``id`` stays: ``bundle/number``. ``delta.csv`` has a column ``op`` first: ``add`` or
``remove``, and names every removal. Applying the deltas in order to the first full list gives the
last one: rows never change, because records are signed. A list without rows is a list, too.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from accord.desk.export.fields import COLUMNS, row_of
from accord.desk.export.form import Format, Occasion
from accord.desk.export.selection import Selected
from accord.desk.indicators.cells import protect
from accord.desk.storage.digests import file_digest
from accord.kernel.errors import Malformed

FULL, DELTA, SUMMARY = "full.csv", "delta.csv", "list.json"
LEFT_OUT = frozenset({"received", "state"})
"""What may differ between two lists that hold the same record."""

KEPT = tuple(place for place, name in enumerate(COLUMNS) if name not in LEFT_OUT)
HEAD = ("id", *(COLUMNS[place] for place in KEPT))


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a list."""

    rows: int
    sha256: str


class Summary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``list.json`` says; ``since`` is the SHA-256 of the full list before, if there was."""

    v: int
    org: str
    made: int
    purpose: str
    reason: str
    audience: str
    full: Part
    delta: Part
    added: int
    removed: int
    since: str | None


def write(target: Path, records: Iterable[Selected], occasion: Occasion) -> None:
    """Write the list, and what changed since ``occasion.previous`` (without one: all is new)."""
    before = None if occasion.previous is None else read_summary(occasion.previous)
    gone = set() if occasion.previous is None else {row[0] for row in _rows(occasion.previous)}
    target.mkdir(mode=0o700)
    count = added = removed = 0
    with (
        (target / FULL).open("x", encoding="utf-8", newline="") as full,
        (target / DELTA).open("x", encoding="utf-8", newline="") as delta,
    ):
        all_rows, changes = csv.writer(full), csv.writer(delta)
        all_rows.writerow(HEAD)
        changes.writerow(("op", *HEAD))
        for one in records:
            cells = row_for(one)
            all_rows.writerow(cells)
            count += 1
            if cells[0] in gone:
                gone.discard(cells[0])
            else:
                changes.writerow(("add", *cells))
                added += 1
        if occasion.previous is not None:
            for row in _rows(occasion.previous):
                if row[0] in gone:
                    changes.writerow(("remove", *row))
                    removed += 1
    summary = Summary(
        v=1,
        org=occasion.org,
        made=occasion.now,
        purpose=occasion.purpose,
        reason=occasion.reason,
        audience=occasion.audience,
        full=Part(rows=count, sha256=file_digest(target / FULL).hex()),
        delta=Part(rows=added + removed, sha256=file_digest(target / DELTA).hex()),
        added=added,
        removed=removed,
        since=None if before is None else before.full.sha256,
    )
    (target / SUMMARY).write_bytes(msgspec.json.format(msgspec.json.encode(summary)) + b"\n")


def read_summary(folder: Path) -> Summary:
    """Return what a list says of itself, after its full list was compared with that.

    Raises:
        Malformed: ``list_damaged``.
    """
    try:
        summary = msgspec.json.decode((folder / SUMMARY).read_bytes(), type=Summary)
        same = file_digest(folder / FULL).hex() == summary.full.sha256
    except (OSError, msgspec.MsgspecError) as error:
        raise _damaged(folder) from error
    if not same:
        raise _damaged(folder)
    return summary


def row_for(one: Selected) -> tuple[str, ...]:
    """Return a record's row: its id, and what is signed of it."""
    cells = row_of(one)
    return (f"{one.bundle.id}/{one.record}", *(protect(cells[place]) for place in KEPT))


def _rows(folder: Path) -> Iterator[Sequence[str]]:
    with (folder / FULL).open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        if tuple(next(rows, ())) != HEAD:
            raise _damaged(folder)
        yield from rows


def _damaged(folder: Path) -> Malformed:
    return Malformed(
        "list_damaged",
        "The list before is not whole, or was changed.",
        observed=folder.name,
        next_step="Name another with --previous, or make a full list without one.",
    )


LIST = Format(
    name="list",
    ending="",
    words="A screening list: a folder with the full list and the changes since --previous.",
    write=write,
    folder=True,
    empty=True,
)
