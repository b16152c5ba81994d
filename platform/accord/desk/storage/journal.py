"""Who looked for what, and why: written before an answer is given (fail closed).

Each row becomes a leaf of the journal's tree in the same transaction (journal_leaves.py).
``Act`` is the desk's closed list of events; docs/formats/audit-events.md is made from ``ACTS``.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec
import zstandard

from accord.desk.storage.journal_leaves import LeafKind, add_leaf
from accord.desk.storage.vault import Vault

MIN_REASON, MAX_REASON = 3, 500
"""Characters of a stated reason."""


def says_why(reason: str) -> bool:
    """Return whether a stripped text will do as a stated reason: one line, that can be seen."""
    return MIN_REASON <= len(reason) <= MAX_REASON and reason.isprintable()


class Act(StrEnum):
    """What was done at this desk: ``subject:action``. A search has a table of its own."""

    BUNDLE_PURGE = "bundle:purge"
    BUNDLE_RELEASE = "bundle:release"
    BUNDLE_RETRACT = "bundle:retract"
    BUNDLE_SUBMIT = "bundle:submit"
    BUNDLE_VIEW = "bundle:view"
    DRAFT_APPROVE = "draft:approve"
    DRAFT_MAKE = "draft:make"
    DRAFT_REFUSE = "draft:refuse"
    EVIDENCE_MAKE = "evidence:make"
    EXPORT_MAKE = "export:make"
    FEED_RESYNC = "feed:resync"
    HOLD_LIFT = "hold:lift"
    HOLD_SET = "hold:set"
    JOURNAL_RESTART = "journal:restart"
    KEY_BACKUP = "key:backup"
    KEY_RESTORE = "key:restore"
    KEY_ROTATE = "key:rotate"
    KEY_USE = "key:use"
    LIST_CHANGE = "list:change"
    PERSON_CHANGE = "person:change"
    RECORDS_SEARCH = "records:search"
    REQUEST_ANSWER = "request:answer"
    REQUEST_SEND = "request:send"
    SCREENING_RUN = "screening:run"
    SIGHTING_SEND = "sighting:send"
    TALLY_SEND = "tally:send"
    WATCH_HIT = "watch:hit"
    WATCH_SET = "watch:set"


ACTS: Mapping[Act, str] = {
    Act.BUNDLE_PURGE: "The plaintext of a bundle was deleted at the end of its retention.",
    Act.BUNDLE_RELEASE: "Records that were kept aside were let in or let go, with a reason.",
    Act.BUNDLE_RETRACT: "A bundle of our own, or records of it, was taken back.",
    Act.BUNDLE_SUBMIT: "A bundle was sealed and sent.",
    Act.BUNDLE_VIEW: "A person looked at an opened bundle.",
    Act.DRAFT_APPROVE: "A second person approved a draft; its digest is told.",
    Act.DRAFT_MAKE: "Records were laid aside until a second person approves that they go.",
    Act.DRAFT_REFUSE: "A second person refused a draft, or its maker took it back.",
    Act.EVIDENCE_MAKE: "A file of evidence on one value was made.",
    Act.EXPORT_MAKE: "Records left the desk as a file or to another tool.",
    Act.FEED_RESYNC: "The hub's feed was read from its beginning again, with the reason.",
    Act.HOLD_LIFT: "A legal hold of a case was lifted.",
    Act.HOLD_SET: "A legal hold of a case was set: its records are not deleted while it stands.",
    Act.JOURNAL_RESTART: "This journal began anew, went on after a restore or said that another"
    " ended, with the reason.",
    Act.KEY_BACKUP: "The wrapped keys were copied to a file.",
    Act.KEY_RESTORE: "Keys were restored from a copy.",
    Act.KEY_ROTATE: "The organisation's keys were changed.",
    Act.KEY_USE: "A process opened the organisation's keys with their passphrase.",
    Act.LIST_CHANGE: "A guard list, preset or screening list was added, changed or removed.",
    Act.PERSON_CHANGE: "A person of this desk was added, changed or removed.",
    Act.RECORDS_SEARCH: "A person searched, with a reason; the values and how many were found.",
    Act.REQUEST_ANSWER: "A request of another organisation was acknowledged, answered or declined.",
    Act.REQUEST_SEND: "A request was sent to another organisation.",
    Act.SCREENING_RUN: "A file of our own was matched against the records.",
    Act.SIGHTING_SEND: "A sighting of an indicator was sent to whoever had shared it.",
    Act.TALLY_SEND: "The signed tally of a month was sent.",
    Act.WATCH_HIT: "A watched value came in.",
    Act.WATCH_SET: "A value was put on watch or taken off it.",
}
"""Every act with its sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchEntry:
    """One search: number, time, person, reason, how many values, how many were found."""

    no: int
    at: int
    person: str
    reason: str
    n: int
    found: int | None


def begin_search(
    vault: Vault, *, person: str, reason: str, values: Sequence[str], manner: str, now: int
) -> int:
    """Write the search down durably and return its number; only then may it be answered."""
    packed = zstandard.compress(msgspec.json.encode(list(values)))
    with vault.transaction() as connection:
        done = connection.execute(
            "INSERT INTO searches (at, person, reason, values_sought, n, manner)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (now, person, reason, packed, len(values), manner),
        )
        no = done.lastrowid or 0
        add_leaf(connection, LeafKind.SEARCH, no)
        return no


def finish_search(vault: Vault, no: int, *, found: int) -> None:
    """Add how many of the values were found."""
    with vault.transaction() as connection:
        connection.execute("UPDATE searches SET found = ? WHERE no = ?", (found, no))
        add_leaf(connection, LeafKind.FOUND, no)


def searches(vault: Vault, *, limit: int = 100) -> list[SearchEntry]:
    """Return the searches of this desk, the latest first."""
    rows = vault.connection.execute(
        "SELECT no, at, person, reason, n, found FROM searches ORDER BY no DESC LIMIT ?", (limit,)
    )
    return [
        SearchEntry(no=row[0], at=row[1], person=row[2], reason=row[3], n=row[4], found=row[5])
        for row in rows
    ]


def record_act(vault: Vault, *, person: str, act: Act, subject: str, reason: str, now: int) -> None:
    """Write down an act of the closed list other than a search."""
    with vault.transaction() as connection:
        record_act_in(connection, person=person, act=act, subject=subject, reason=reason, now=now)


def record_act_in(
    connection: sqlite3.Connection, *, person: str, act: Act, subject: str, reason: str, now: int
) -> None:
    """Write an act down in the transaction of what it did."""
    done = connection.execute(
        "INSERT INTO acts (at, person, act, object, reason) VALUES (?, ?, ?, ?, ?)",
        (now, person, act.value, subject, reason),
    )
    add_leaf(connection, LeafKind.ACT, done.lastrowid or 0)
