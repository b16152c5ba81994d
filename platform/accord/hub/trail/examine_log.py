"""Self-audit, first part: logs, tiles, events, organisations' sequences, each from the bytes below.

Compared are (1) the head with its signatures; (2) every entry with every tile and the head's root;
(3) every event with its entry, and the copies beside it with its fields; (4) every organisation's
numbers, classes and chain with the events and with the stored sequence.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from accord.hub.audit.tables import AuditEvent, AuditOrg, AuditSequence
from accord.hub.trail.findings import Findings
from accord.hub.transparency.tables import CosignedHead, LogEntry, LogHead, LogTile
from accord.kernel.directory.rootfile import LogName, RootFile
from accord.kernel.errors import AccordError
from accord.kernel.identifiers import OrgId
from accord.kernel.tlog.checkpoint import verify_checkpoint, verify_cosigned
from accord.kernel.tlog.heads import FIELD, Membership, chain_next, chain_start, parse_membership
from accord.kernel.tlog.leaf import Leaf, RecordFields, parse_record
from accord.kernel.tlog.merkle import leaf_hash, root_packed

BLOCK = 2000
HASH_SIZE = 32
TILE = 256
_OrgRow = Row[str, int, int, str]
_COPIED = ("what", "org", "person", "about", "subject", "outcome")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One event as the second part needs it."""

    number: int
    record: RecordFields
    fields: Mapping[str, str]


def examine_logs(connection: Connection, root: RootFile, findings: Findings) -> None:
    """Compare heads, entries and tiles of both logs."""
    for name in LogName:
        hashes = _entry_hashes(connection, name, findings)
        _examine_head(connection, root, name, hashes, findings)
        _examine_tiles(connection, name, hashes, findings)


def _entry_hashes(connection: Connection, log: LogName, findings: Findings) -> bytes:
    """Return the packed leaf hashes of the stored entries; a gap ends what can be compared."""
    packed = bytearray()
    for row in _paged_entries(connection, log):
        expected = len(packed) // HASH_SIZE
        if row.number != expected:
            findings.add("log_entries", f"{log}: entry {expected} is missing")
            break
        packed += leaf_hash(row.entry)
        findings.looked["log_entries"] += 1
    return bytes(packed)


def _paged_entries(connection: Connection, log: LogName) -> Iterator[Row[int, bytes]]:
    last = -1
    while rows := connection.execute(
        select(LogEntry.number, LogEntry.entry)
        .where(LogEntry.log == log.value, LogEntry.number > last)
        .order_by(LogEntry.number)
        .limit(BLOCK)
    ).all():
        yield from rows
        last = rows[-1].number


def _examine_head(
    connection: Connection, root: RootFile, log: LogName, hashes: bytes, findings: Findings
) -> None:
    head = connection.execute(select(LogHead.__table__).where(LogHead.log == log.value)).first()
    size = len(hashes) // HASH_SIZE
    if head is None:
        findings.unless(size == 0, "log_heads", f"{log}: no head over {size} entries")
        return
    try:
        said = verify_checkpoint(
            head.note, origin=root.log_origin(log), log_vkeys=root.log_vkeys(log)
        )
    except AccordError as error:
        findings.add("log_heads", f"{log}: {error.code}")
        return
    fits = (said.size, said.root) == (head.size, head.root)
    findings.unless(fits, "log_heads", f"{log}: the row says {head.size}, its note {said.size}")
    findings.unless(size == said.size, "log_entries", f"{log}: {size} entries, head {said.size}")
    if size == said.size:
        findings.unless(root_packed(hashes) == said.root, "log_entries", f"{log}: another root")
    kept = connection.scalar(select(CosignedHead.note).where(CosignedHead.log == log.value))
    if kept is not None:
        _examine_cosigned(root, log, kept, hashes, findings)


def _examine_cosigned(
    root: RootFile, log: LogName, note: bytes, hashes: bytes, findings: Findings
) -> None:
    try:
        said = verify_cosigned(note, root.log_policy(log))
    except AccordError as error:
        findings.add("log_cosigned", f"{log}: {error.code}")
        return
    size = len(hashes) // HASH_SIZE
    whole = said.size <= size and root_packed(hashes[: said.size * HASH_SIZE]) == said.root
    findings.unless(whole, "log_cosigned", f"{log}: what witnesses saw at {said.size} is not here")


def _examine_tiles(connection: Connection, log: LogName, hashes: bytes, findings: Findings) -> None:
    level, row_hashes, wanted = 0, hashes, set()
    while row_hashes:
        for start in range(0, len(row_hashes), TILE * HASH_SIZE):
            number = start // (TILE * HASH_SIZE)
            wanted.add((level, number))
            made = row_hashes[start : start + TILE * HASH_SIZE]
            kept = connection.scalar(
                select(LogTile.hashes).where(
                    LogTile.log == log.value, LogTile.level == level, LogTile.number == number
                )
            )
            findings.looked["log_tiles"] += 1
            findings.unless(kept == made, "log_tiles", f"{log}: tile {level}/{number}")
        whole = len(row_hashes) // (TILE * HASH_SIZE) * (TILE * HASH_SIZE)
        row_hashes = b"".join(
            root_packed(row_hashes[start : start + TILE * HASH_SIZE])
            for start in range(0, whole, TILE * HASH_SIZE)
        )
        level += 1
    for row in connection.execute(
        select(LogTile.level, LogTile.number).where(LogTile.log == log.value)
    ):
        if (row.level, row.number) not in wanted:
            findings.add("log_tiles", f"{log}: tile {row.level}/{row.number} is too many")


def examine_events(connection: Connection, findings: Findings) -> Iterator[Seen]:
    """Compare each event with its entry, and every sequence; yield events for the second part."""
    orgs = _Sequences(connection, findings)
    entries = _Entries(connection, findings)
    for row in _paged_events(connection):
        seen = _examine_event(row, entries.at(row.number), findings)
        findings.looked["audit_events"] += 1
        if seen is not None:
            orgs.take(seen)
            yield seen
    entries.finish()
    orgs.finish()


class _Entries:
    """Walks over the log's entries beside the events; one that is passed over has no event."""

    def __init__(self, connection: Connection, findings: Findings) -> None:
        self._rows = _paged_entries(connection, LogName.AUDIT)
        self._findings = findings
        self._next = next(self._rows, None)

    def at(self, number: int) -> bytes | None:
        """Return the entry of event ``number``."""
        while self._next is not None and self._next.number < number:
            self._findings.add("audit_events", f"event {self._next.number} is missing")
            self._next = next(self._rows, None)
        if self._next is None or self._next.number != number:
            return None
        entry: bytes = self._next.entry
        self._next = next(self._rows, None)
        return entry

    def finish(self) -> None:
        """Note the entries that are left: none of them has an event."""
        while self._next is not None:
            self.at(self._next.number + 1)


def _paged_events(connection: Connection) -> Iterator[Row[Any]]:
    last = -(2**62)
    table = AuditEvent.__table__
    while rows := connection.execute(
        select(table).where(AuditEvent.number > last).order_by(AuditEvent.number).limit(BLOCK)
    ).all():
        yield from rows
        last = rows[-1].number


def _examine_event(row: Row[Any], entry: bytes | None, findings: Findings) -> Seen | None:
    where = f"event {row.number}"
    try:
        record = parse_record(row.opened)
    except AccordError as error:
        findings.add("audit_events", f"{where}: {error.code}")
        return None
    if entry is None or record.leaf() != entry:
        findings.add("audit_events", f"{where} is not what was logged")
        return None
    fields = record.opened()
    findings.unless(record.entry_id == row.entry_id, "audit_events", f"{where}: column entry_id")
    for name in _COPIED:
        if getattr(row, name) != fields.get(name, ""):
            findings.add("audit_events", f"{where}: column {name}")
    if "time" in fields and str(row.time) != fields["time"]:
        findings.add("audit_events", f"{where}: column time")
    return Seen(number=row.number, record=record, fields=fields)


class _Sequences:
    """Recomputes each organisation's numbers and chain beside the stored rows."""

    def __init__(self, connection: Connection, findings: Findings) -> None:
        self._findings = findings
        self._connection = connection
        self._chains: dict[str, tuple[int, bytes]] = {}
        self._rows = self._paged_rows()
        self._next: dict[int, list[_OrgRow]] = defaultdict(list)
        self._read_to = -1

    def _paged_rows(self) -> Iterator[list[_OrgRow]]:
        """Yield the rows of ``BLOCK`` events after the other, by the number of the event."""
        last = -1
        while True:
            rows = list(
                self._connection.execute(
                    select(AuditOrg.org, AuditOrg.seq, AuditOrg.number, AuditOrg.what)
                    .where(AuditOrg.number > last, AuditOrg.number <= last + BLOCK)
                    .order_by(AuditOrg.number)
                )
            )
            last += BLOCK
            yield rows

    def _of(self, number: int) -> list[_OrgRow]:
        while number > self._read_to:
            for row in next(self._rows):
                self._next[row.number].append(row)
            self._read_to += BLOCK
        return self._next.pop(number, [])

    def take(self, seen: Seen) -> None:
        """Compare one event's members with the rows, and go on with their chains."""
        said = {one.org: one for one in self._memberships(seen)}
        rows = {row.org: row for row in self._of(seen.number)}
        what = seen.fields.get("what", "")
        self._findings.looked["audit_orgs"] += len(rows)
        pruned = "what" not in seen.fields
        for org in sorted(said.keys() | rows.keys()):
            row, one = rows.get(OrgId(org)), said.get(OrgId(org))
            where = f"event {seen.number}, {org}"
            if row is None or (one is None and not pruned):
                self._findings.add("audit_orgs", f"{where}: a row is missing or too many")
                continue
            if (one is not None and row.seq != one.seq) or row.what != (what or row.what):
                self._findings.add("audit_orgs", f"{where}: number {row.seq}, {row.what}")
                continue
            self._chain(org, row.seq, one, seen)

    def _memberships(self, seen: Seen) -> Iterator[Membership]:
        for name, value in seen.fields.items():
            if name.startswith(FIELD):
                try:
                    yield parse_membership(value)
                except AccordError as error:
                    self._findings.add("audit_orgs", f"event {seen.number}: {error.code}")

    def _chain(self, org: str, seq: int, said: Membership | None, seen: Seen) -> None:
        last, chain = self._chains.get(org) or (0, chain_start(OrgId(org)))
        where = f"event {seen.number}, {org}"
        self._findings.unless(seq == last + 1, "audit_orgs", f"{where}: {seq} after {last}")
        committed = said.before if said is not None and said.before is not None else chain
        self._findings.unless(committed == chain, "audit_orgs", f"{where}: another chain")
        leaf = Leaf(seen.record.leaf())
        following = chain_next(chain, seq=seq, number=seen.number, leaf=leaf)
        self._chains[org] = (seq, following)

    def finish(self) -> None:
        """Compare where each organisation stands with what is stored of it."""
        stored = {
            row.org: (row.last, row.chain)
            for row in self._connection.execute(select(AuditSequence.__table__))
        }
        for org in sorted(stored.keys() | self._chains.keys()):
            self._findings.looked["audit_sequences"] += 1
            if stored.get(org) != self._chains.get(org):
                last = stored.get(org, (0, b""))[0]
                self._findings.add("audit_sequences", f"{org}: {last} is stored")
        surplus = self._connection.execute(
            select(AuditOrg.org, AuditOrg.number).where(
                AuditOrg.number.not_in(select(AuditEvent.number))
            )
        )
        for row in surplus:
            self._findings.add("audit_orgs", f"event {row.number}, {row.org}: no such event")
