"""Self-audit, second part: what the rooms hold, against the events that say how it came.

Every bundle, acknowledgement, tally, release and account has the event that made it, and every
such event has its row; stored bytes still have the hash that was logged.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, select

from accord.hub.audit.tables import AuditErasure
from accord.hub.bundles.tables import AcknowledgementRow, BundleRow, EntryRow
from accord.hub.people.tables import PersonRow
from accord.hub.storage import BodyStore
from accord.hub.summaries.tables import ReleaseRow, TallyRow
from accord.hub.trail.examine_log import Seen
from accord.hub.trail.findings import Findings
from accord.kernel.bundle.framing import format_bundle
from accord.kernel.errors import AccordError

_KEPT = frozenset({"bundle.accepted", "bundle.acknowledged", "tally.received", "summary.released"})
_BLOCK = 500


class Events:
    """What the second part keeps of the events that pass by: facts by number and by kind."""

    def __init__(self) -> None:
        """Begin with none."""
        self.by_number: dict[int, tuple[str, str, str, str]] = {}
        self.delivered: set[tuple[str, str]] = set()
        self.erased: set[int] = set()
        self.added: set[tuple[str, str]] = set()
        self.roles: dict[str, str] = {}
        self.pruned = False
        """Whether an event no longer says what it was about, its time being over."""

    def take(self, seen: Seen) -> None:
        """Keep what will be compared; of an event that was pruned only class and organisation."""
        what, org = seen.fields.get("what", ""), seen.fields.get("org", "")
        subject, detail = seen.fields.get("subject", ""), seen.fields.get("detail", "")
        self.pruned = self.pruned or "subject" not in seen.fields
        if what in _KEPT:
            self.by_number[seen.number] = (what, org, subject, detail)
        elif what == "person.erased":
            self.erased.add(seen.number)
        elif what == "bundle.delivered" and subject:
            self.delivered.add((org, subject))
        elif what == "person.added":
            self.added.add((org, seen.fields.get("person", "")))
            self.roles[subject or seen.fields.get("person", "")] = detail
        elif what == "role.changed" and subject:
            self.roles[subject] = detail.rpartition(" ")[2]

    def numbers(self, what: str) -> set[int]:
        """Return the numbers of the events of one class."""
        return {number for number, one in self.by_number.items() if one[0] == what}


def examine_rows(
    connection: Connection, bodies: BodyStore, events: Events, findings: Findings
) -> None:
    """Compare the rooms' rows with ``events``."""
    _bundles(connection, bodies, events, findings)
    _deliveries(connection, events, findings)
    _acknowledgements(connection, events, findings)
    _tallies(connection, events, findings)
    _releases(connection, events, findings)
    _people(connection, events, findings)
    erasures = set(connection.scalars(select(AuditErasure.number)))
    _same(erasures, events.erased, "audit_erasures", "erasure", findings)


def _same(rows: set[int], logged: set[int], check: str, what: str, findings: Findings) -> None:
    for number in sorted(logged - rows):
        findings.add(check, f"{what} of event {number} has no row")
    for number in sorted(rows - logged):
        findings.add(check, f"{what} of event {number} was never logged")


def _fits(events: Events, number: int, what: str, org: str, subject: str | None = None) -> bool:
    """Tell whether an event is what a row says; one that was pruned no longer says about what."""
    found = events.by_number.get(number)
    if found is None or found[:2] != (what, org):
        return False
    return subject is None or found[2] in {subject, ""}


def _bundles(connection: Connection, bodies: BodyStore, events: Events, findings: Findings) -> None:
    numbers: set[int] = set()
    last = 0
    table = BundleRow.__table__
    while rows := connection.execute(
        select(table).where(BundleRow.number > last).order_by(BundleRow.number).limit(_BLOCK)
    ).all():
        for row in rows:
            numbers.add(row.audit_number)
            findings.looked["bundles"] += 1
            where = f"bundle {row.bundle_id} of {row.org}"
            if not _fits(events, row.audit_number, "bundle.accepted", row.org, row.bundle_id):
                findings.add("bundles", f"{where} was never accepted")
                continue
            detail = events.by_number.get(row.audit_number, ("", "", "", ""))[3]
            logged = f"sha256={row.digest.hex()}" in detail.split(" ") or not detail
            findings.unless(logged, "bundles", f"{where}: another digest")
            if not _digest_holds(connection, bodies, row):
                findings.add("bundles", f"{where}: other bytes than were accepted")
        last = rows[-1].number
    _same(numbers, events.numbers("bundle.accepted"), "bundles", "bundle", findings)


def _digest_holds(connection: Connection, bodies: BodyStore, row: Row[Any]) -> bool:
    """Tell whether the stored parts are the bytes that were accepted; erased ones are passed."""
    body = row.body
    file = row.body_file
    if body is None and file is None:
        return True
    try:
        content = body if file is None else bodies.get(file)
    except (AccordError, OSError):
        return False
    entries = connection.scalars(
        select(EntryRow.entry).where(EntryRow.bundle == row.number).order_by(EntryRow.position)
    ).all()
    raw = format_bundle(
        header=row.header,
        dsse=row.dsse,
        entries=list(entries),
        body=content,
    )
    return bool(hashlib.sha256(raw).digest() == row.digest)


def _deliveries(connection: Connection, events: Events, findings: Findings) -> None:
    rows = {
        (row.org, row.bundle_id)
        for row in connection.execute(
            select(EntryRow.org, BundleRow.bundle_id)
            .join(BundleRow, BundleRow.number == EntryRow.bundle)
            .where(EntryRow.delivered.is_not(None))
        )
    }
    findings.looked["bundle_entries"] += len(rows)
    if not events.pruned:
        for org, bundle in sorted(rows - events.delivered):
            findings.add("bundle_entries", f"{bundle} to {org}: its delivery was never logged")
    for org, bundle in sorted(events.delivered - rows):
        findings.add("bundle_entries", f"{bundle} to {org}: its delivery was taken back")


def _acknowledgements(connection: Connection, events: Events, findings: Findings) -> None:
    rows = connection.execute(
        select(
            AcknowledgementRow.number,
            AcknowledgementRow.recipient,
            AcknowledgementRow.digest,
            AcknowledgementRow.statement,
        )
    ).all()
    for row in rows:
        findings.looked["acknowledgements"] += 1
        where = f"acknowledgement of event {row.number}"
        whole = hashlib.sha256(row.statement).digest() == row.digest
        findings.unless(whole, "acknowledgements", f"{where}: other bytes than were taken")
        fits = _fits(events, row.number, "bundle.acknowledged", row.recipient)
        findings.unless(fits, "acknowledgements", f"{where} was never logged")
    _have_rows(events, "bundle.acknowledged", (row.number for row in rows), findings)


def _have_rows(events: Events, what: str, numbers: Iterable[int], findings: Findings) -> None:
    for number in sorted(events.numbers(what) - set(numbers)):
        findings.add("acknowledgements", f"acknowledgement of event {number} has no row")


def _tallies(connection: Connection, events: Events, findings: Findings) -> None:
    newest: dict[tuple[str, str], int] = {}
    for number in sorted(events.numbers("tally.received")):
        _, org, month, _ = events.by_number[number]
        if month:
            newest[month, org] = number
    kept = {
        (row.month, row.org): row.number
        for row in connection.execute(
            select(TallyRow.month, TallyRow.org, TallyRow.number).order_by(TallyRow.number)
        )
    }
    findings.looked["tallies"] += len(kept)
    for (month, org), number in kept.items():
        fits = _fits(events, number, "tally.received", org, month)
        if not fits or newest.pop((month, org), number) != number:
            findings.add("tallies", f"tally of {month} by {org} is not the newest that was logged")
    for month, org in sorted(newest):
        findings.add("tallies", f"tally of {month} by {org} has no row")


def _releases(connection: Connection, events: Events, findings: Findings) -> None:
    rows = connection.execute(select(ReleaseRow.number, ReleaseRow.period)).all()
    for row in rows:
        findings.looked["releases"] += 1
        fits = _fits(events, row.number, "summary.released", "", row.period)
        findings.unless(fits, "releases", f"release of {row.period} was never logged")
    for number in sorted(events.numbers("summary.released") - {row.number for row in rows}):
        findings.add("releases", f"release of event {number} has no row")


def _people(connection: Connection, events: Events, findings: Findings) -> None:
    table = PersonRow.__table__
    for row in connection.execute(select(table)):
        findings.looked["people"] += 1
        where = f"account {row.number} of {row.org}"
        if (row.org, row.login) not in events.added:
            findings.unless(events.pruned, "people", f"{where} was never added")
            continue
        handle = row.handle if "handle" in table.columns else row.login
        role = events.roles.get(handle, events.roles.get(row.login, row.role))
        findings.unless(role == row.role, "people", f"{where}: the role is {row.role}")
