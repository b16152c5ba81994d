"""The guard lists of a desk: added by reference, read again when a person says so.

Invariants: the vault holds of each list its path, name, version, SHA-256 and count; a list that is
gone or has other bytes than when it was last read stops a submit (guard_lists.py), so that what is
held never changes unseen; each change stands in the journal, in the transaction that makes it.
``guards.json`` beside the vault is a copy for ``--dry-run``, which opens no vault; it decides
nothing about what is sent.
"""

import hashlib
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from accord.desk.intake.guard_lists import MAX_LISTS, Pinned, ReadList, digest_of, read_lists
from accord.desk.storage import Vault
from accord.desk.storage.guard_lists import (
    GuardList,
    guard_lists,
    marks_of_list,
    put_guard_list,
    remove_guard_list,
)
from accord.desk.storage.journal import Act, record_act_in
from accord.kernel.errors import AccordError, Malformed, NotFound

COPY = "guards.json"
MAX_COPY = 4 << 20
MARK = 8
LISTS_IN_ACT = 30
"""Lists that one act of the journal names, each with its hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of one list: ``None`` before or after it was there; entries added and removed."""

    before: GuardList | None
    after: GuardList | None
    added: int
    removed: int

    @property
    def sign(self) -> str:
        """How it is written down: ``+`` new, ``-`` gone, ``~`` other bytes, nothing: the same."""
        if self.before is None:
            return "+"
        if self.after is None:
            return "-"
        return "" if self.before.sha256 == self.after.sha256 else "~"


class _Copied(msgspec.Struct, forbid_unknown_fields=True):
    path: str
    name: str
    sha256: str


def add_lists(
    vault: Vault, places: Sequence[Path], *, person: str, now: int, keep: bool = True
) -> list[Change]:
    """Go by the lists at ``places`` from now on; one that is known already is read again.

    Without ``keep`` nothing is written, here and below: what would change is returned.

    Raises:
        NotFound, Malformed: as ``load_guards``; nothing is added then.
    """
    return _take_in(vault, places, person=person, now=now, word="added", keep=keep)


def update_lists(vault: Vault, *, person: str, now: int, keep: bool = True) -> list[Change]:
    """Read every place again; what a directory holds newly comes in, what is gone goes.

    Raises:
        NotFound, Malformed: a place is gone or a list cannot be used; nothing is changed then.
    """
    places = [Path(place) for place in dict.fromkeys(one.place for one in guard_lists(vault))]
    return _take_in(vault, places, person=person, now=now, word="updated", keep=keep)


def remove_lists(
    vault: Vault, named: str, *, person: str, now: int, keep: bool = True
) -> list[Change]:
    """Go no more by the lists of this name, or at this path or place.

    What is left of the same directory is then kept list by list: reading the directory as a whole
    would bring the removed one back.

    Raises:
        NotFound: ``guard_list_unknown``.
    """
    at = Path(named).absolute()
    with vault.transaction() as connection:
        gone = [
            one
            for one in guard_lists(vault)
            if named == one.name or Path(one.path).is_relative_to(at)
        ]
        if not gone:
            raise NotFound(
                "guard_list_unknown",
                "This desk has no guard list of this name or at this place.",
                observed=named[:120],
                next_step="accord desk guards list shows them.",
            )
        changes = [Change(before=one, after=None, added=0, removed=one.n) for one in gone]
        if keep:
            for one in gone:
                remove_guard_list(connection, one.path)
            places = {one.place for one in gone}
            for one in guard_lists(vault):
                if one.place in places:
                    marks = marks_of_list(connection, one.path)
                    put_guard_list(connection, replace(one, place=one.path), marks)
            _note(connection, changes, person=person, now=now, word="removed")
    return changes


def pinned_lists(vault: Vault) -> tuple[Pinned, ...]:
    """Return what a submit must find unchanged."""
    return tuple(
        Pinned(path=Path(one.path), name=one.name, sha256=one.sha256.hex())
        for one in guard_lists(vault)
    )


def state_of(one: GuardList) -> str:
    """Say how a list lies on the disk now: ``unchanged``, ``changed`` or ``missing``."""
    path = Path(one.path)
    if not path.is_file():
        return "missing"
    try:
        return "unchanged" if digest_of(path) == one.sha256.hex() else "changed"
    except AccordError:
        return "changed"


def write_copy(vault: Vault, home: Path) -> None:
    """Write the copy for ``--dry-run``, where it differs."""
    found = [
        _Copied(path=str(one.path), name=one.name, sha256=one.sha256) for one in pinned_lists(vault)
    ]
    data, target = msgspec.json.encode(found), home / COPY
    if (target.read_bytes() if target.is_file() else b"[]") == data:
        return
    fresh = target.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(data)
    fresh.replace(target)


def copied_lists(home: Path) -> tuple[Pinned, ...]:
    """Return what the copy says; nothing where there is none.

    Raises:
        Malformed: ``guards_copy_damaged``.
    """
    path = home / COPY
    if not path.is_file():
        return ()
    try:
        with path.open("rb") as opened:
            found = msgspec.json.decode(opened.read(MAX_COPY + 1), type=list[_Copied])
    except (OSError, msgspec.MsgspecError, RecursionError) as error:
        raise Malformed(
            "guards_copy_damaged",
            "The copy of the desk's guard lists cannot be read.",
            observed=COPY,
            next_step="Run accord desk guards update, which writes it anew.",
        ) from error
    return tuple(Pinned(path=Path(one.path), name=one.name, sha256=one.sha256) for one in found)


def _take_in(
    vault: Vault, places: Sequence[Path], *, person: str, now: int, word: str, keep: bool
) -> list[Change]:
    found: dict[str, tuple[GuardList, bytes]] = {}
    for place in dict.fromkeys(place.absolute() for place in places):
        for read in read_lists(place):
            one, marks = _described(read, place, now)
            found.setdefault(one.path, (one, marks))
    read_again = {str(place.absolute()) for place in places}
    with vault.transaction() as connection:
        known = {one.path: one for one in guard_lists(vault)}
        gone = [one for one in known.values() if one.place in read_again and one.path not in found]
        if len({*known, *found}) - len(gone) > MAX_LISTS:
            raise Malformed("guards_too_many", f"At most {MAX_LISTS} lists are loaded.")
        changes = []
        for path, (one, marks) in found.items():
            before = known.get(path)
            # A directory that is named later reads the list as one of its own from now on.
            alone = one.place == one.path
            after = one if before is None or not alone else replace(one, place=before.place)
            changes.append(_change(connection, before, after, marks))
            if keep:
                put_guard_list(connection, after, marks)
        for one in gone:
            changes.append(Change(before=one, after=None, added=0, removed=one.n))
            if keep:
                remove_guard_list(connection, one.path)
        if keep:
            _note(connection, changes, person=person, now=now, word=word)
    return changes


def _described(read: ReadList, place: Path, now: int) -> tuple[GuardList, bytes]:
    marks = sorted(
        {hashlib.blake2b(one.encode(), digest_size=MARK).digest() for one in read.entries}
    )
    loaded = read.loaded
    one = GuardList(
        path=str(read.path),
        place=str(place),
        name=loaded.name,
        version=loaded.version,
        sha256=bytes.fromhex(loaded.sha256),
        n=loaded.entries,
        at=now,
    )
    return one, b"".join(marks)


def _change(
    connection: sqlite3.Connection, before: GuardList | None, after: GuardList, marks: bytes
) -> Change:
    if before is None:
        return Change(before=None, after=after, added=after.n, removed=0)
    if before.sha256 == after.sha256:
        return Change(before=before, after=after, added=0, removed=0)
    old, new = _split(marks_of_list(connection, after.path)), _split(marks)
    return Change(before=before, after=after, added=len(new - old), removed=len(old - new))


def _split(marks: bytes) -> set[bytes]:
    return {marks[place : place + MARK] for place in range(0, len(marks), MARK)}


def _note(
    connection: sqlite3.Connection, changes: Sequence[Change], *, person: str, now: int, word: str
) -> None:
    """Write acts that name all that was really changed, with a sign before each: + - or ~.

    Reading the same bytes again changes nothing.
    """
    told = [
        f"{change.sign}{one.name} {one.sha256.hex()}"
        for change in changes
        if change.sign and (one := change.after or change.before)
    ]
    for place in range(0, len(told), LISTS_IN_ACT):
        part = told[place : place + LISTS_IN_ACT]
        which = f", {place + 1} to {place + len(part)}" if len(told) > LISTS_IN_ACT else ""
        subject = f"{len(told)} guard lists{which}: {'; '.join(part)}"
        act = Act.LIST_CHANGE
        record_act_in(connection, person=person, act=act, subject=subject, reason=word, now=now)
