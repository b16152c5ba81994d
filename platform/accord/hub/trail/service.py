"""Reading the trail: search, proof of one event, export. Each is written down first.

Invariants: without an entry of the search in the trail there is no answer (the writer's error goes
to the caller); a name in a filter goes into a field that can be erased; fields open by the table of
``hub.audit.openings``; an export holds only what a checkpoint with its quorum covers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from accord.hub.access import Action, Actor, Role, require
from accord.hub.audit import Event, EventClass, Reader, Recorder, opened_for
from accord.hub.directory import Directory
from accord.hub.storage import Writer
from accord.hub.trail.filters import Wanted, format_cursor, parse_cursor
from accord.hub.trail.queries import Scope, find, read_events
from accord.hub.transparency import LogName, LogReader
from accord.hub.transparency.queries import Head
from accord.kernel.errors import AccordError, Malformed, NotFound, Refused, Unavailable
from accord.kernel.policy.charter import Action as CharterAction
from accord.kernel.policy.decide import decide_action
from accord.kernel.tlog.leaf import RecordFields, format_record, parse_record
from accord.kernel.tlog.proof import format_proof
from accord.kernel.tlog.trailfile import Form, Line, Title, write_trail

MAX_PAGE = 200
"""Most events on one page."""

MAX_EXPORT = 100_000
"""Most events in one export."""

MAX_REASON = 500
MIN_REASON = 3
BLOCK = 500
"""Events that are read at once for an export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailRow:
    """One event as its reader may see it; ``witnessed`` when a quorum covers it."""

    number: int
    fields: Mapping[str, str]
    closed: int
    witnessed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailPage:
    """Events, newest first; ``after`` is the cursor of the next page, empty at the end."""

    rows: Sequence[TrailRow]
    after: str


class Trail:
    """What the auditors of a hub can ask of it."""

    def __init__(
        self,
        *,
        engine: Engine,
        writer: Writer,
        recorder: Recorder,
        directory: Directory,
        reader: LogReader,
    ) -> None:
        """Work with the rooms that are handed down."""
        self._engine = engine
        self._writer = writer
        self._recorder = recorder
        self._directory = directory
        self._log = reader

    def search(
        self,
        actor: Actor | None,
        wanted: Wanted,
        *,
        after: str = "",
        limit: int = 50,
        now: int,
    ) -> TrailPage:
        """Return a page of events that fit, newest first; that they were looked for is logged.

        Args:
            actor: who asks.
            wanted: the filter.
            after: the cursor of an earlier page, empty for the newest.
            limit: 1 to 200 events.
            now: present unix second.

        Raises:
            Malformed: ``cursor_invalid``.
            Refused: ``audit_page_too_large``, ``action_not_granted``.
            Unavailable: the search could not be written down, so it is not answered.
        """
        actor, reader = self._reader(actor, Action.AUDIT_VIEW)
        if not 1 <= limit <= MAX_PAGE:
            raise Refused(
                "audit_page_too_large",
                f"A page has 1 to {MAX_PAGE} events.",
                observed=str(limit),
                next_step="Ask for less and follow the cursor.",
            )
        below = parse_cursor(after) if after else self._end()
        self._note(actor, EventClass.AUDIT_SEARCHED, wanted, detail=wanted.words(), now=now)
        with self._engine.connect() as connection:
            found = find(connection, _scope(reader), wanted, below=below, limit=limit)
            raw = read_events(connection, found.numbers)
        head = self._log.cosigned(LogName.AUDIT)
        covered = head.size if head else 0
        rows = [
            row
            for number in found.numbers
            if (row := _row(reader, number, raw[number], covered)) is not None
        ]
        return TrailPage(rows=rows, after="" if found.after is None else format_cursor(found.after))

    def proof(self, actor: Actor | None, number: int, *, now: int) -> bytes:
        """Return the tlog-proof of one event with what opens to the actor; logged.

        Raises:
            NotFound: ``not_found`` for an event of others.
            Unavailable: ``receipt_pending``: no quorum covers it yet.
        """
        actor, reader = self._reader(actor, Action.AUDIT_VIEW)
        with self._engine.connect() as connection:
            raw = read_events(connection, [number]).get(number)
        shown = None if raw is None else opened_for(reader, parse_record(raw))
        if shown is None:
            raise NotFound("not_found", "There is nothing here for you.")
        head = self._covering(number)
        self._note(
            actor, EventClass.AUDIT_EXPORTED, Wanted(), detail=f"proof number={number}", now=now
        )
        path = self._log.inclusion_proof(LogName.AUDIT, number, head.size)
        return format_proof(number, path, head.note, extra=format_record(shown))

    def export(
        self, actor: Actor | None, wanted: Wanted, form: Form, *, reason: str, now: int
    ) -> tuple[Title, Iterator[bytes]]:
        """Return the title and the pieces of a file of events with their proofs; logged.

        Raises:
            Malformed: ``reason_invalid``.
            Refused: ``audit_export_too_large``, ``action_not_granted``.
            Unavailable: ``checkpoint_missing``, or the export could not be written down.
        """
        actor, reader = self._reader(actor, Action.AUDIT_EXPORT)
        if not MIN_REASON <= len(reason.strip()) <= MAX_REASON:
            raise Malformed(
                "reason_invalid",
                f"An export needs a reason of {MIN_REASON} to {MAX_REASON} characters.",
                observed=f"{len(reason.strip())} characters",
                next_step="Say why you take the events out; it is written down.",
            )
        head = self._log.cosigned(LogName.AUDIT)
        if head is None:
            raise Unavailable(
                "checkpoint_missing", "No checkpoint has its quorum yet.", retry_after=5
            )
        numbers = self._all(reader, wanted, head.size)
        title = Title(
            log=self._directory.root.log_origin(LogName.AUDIT),
            reader=reader.org,
            wanted=wanted.words(),
            made=now,
            count=len(numbers),
            checkpoint=head.note,
        )
        words = f"form={form} n={len(numbers)} {wanted.words()}".rstrip()
        self._note(
            actor, EventClass.AUDIT_EXPORTED, wanted, detail=words, basis=reason.strip(), now=now
        )
        return title, write_trail(form, title, self._lines(reader, numbers, head.size))

    def _all(self, reader: Reader, wanted: Wanted, size: int) -> list[int]:
        """Return the numbers of every event that fits, in the log's order."""
        numbers: list[int] = []
        below: int | None = size
        with self._engine.connect() as connection:
            while below is not None:
                found = find(connection, _scope(reader), wanted, below=below, limit=MAX_EXPORT + 1)
                numbers += found.numbers
                below = found.after
                if len(numbers) > MAX_EXPORT:
                    raise Refused(
                        "audit_export_too_large",
                        f"An export holds at most {MAX_EXPORT} events.",
                        observed=f"more than {MAX_EXPORT} events",
                        next_step="Narrow the period or the filter, and make several files.",
                    )
        return numbers[::-1]

    def _lines(self, reader: Reader, numbers: Sequence[int], size: int) -> Iterator[Line]:
        for start in range(0, len(numbers), BLOCK):
            block = numbers[start : start + BLOCK]
            with self._engine.connect() as connection:
                raw = read_events(connection, block)
            paths = self._log.inclusion_proofs(LogName.AUDIT, block, size)
            for number, path in zip(block, paths, strict=True):
                shown = opened_for(reader, parse_record(raw[number]))
                # What was pruned since it was found opens nothing, but was logged all the same.
                record = shown or parse_record(raw[number]).close_all()
                yield Line(number=number, record=record, path=tuple(path))

    def _reader(self, actor: Actor | None, action: Action) -> tuple[Actor, Reader]:
        """Return the actor and for whom fields open: the charter says who sees the whole trail."""
        actor = require(actor, action)
        return actor, Reader(
            org=actor.org,
            whole=self._sees_whole(actor),
            names=actor.role in {Role.AUDITOR, Role.ADMINISTRATOR},
        )

    def _sees_whole(self, actor: Actor) -> bool:
        try:
            party = self._directory.state().organisation(actor.org).party
            charter = self._directory.charter()
        except AccordError:  # no charter, no grant: the actor's own events alone
            return False
        return decide_action(charter, party, CharterAction.AUDIT_VIEW).allowed

    def _note(
        self,
        actor: Actor,
        what: EventClass,
        wanted: Wanted,
        *,
        detail: str,
        basis: str = "",
        now: int,
    ) -> None:
        event = Event(
            what=what,
            org=actor.org,
            person=actor.person,
            about=wanted.named,
            subject=wanted.subject or wanted.seen_subject,
            basis=basis,
            detail=detail,
        )
        self._writer.run(lambda connection: self._recorder.record(connection, event, now=now))

    def _end(self) -> int:
        head = self._log.head(LogName.AUDIT)
        return head.size if head else 0

    def _covering(self, number: int) -> Head:
        head = self._log.cosigned(LogName.AUDIT)
        if head is None or head.size <= number:
            raise Unavailable(
                "receipt_pending",
                "The witnesses have not cosigned this event yet.",
                retry_after=1,
                next_step="Ask again; the event is safe.",
            )
        return head


def _scope(reader: Reader) -> Scope:
    return Scope(org=reader.org, whole=reader.whole)


def _row(reader: Reader, number: int, raw: bytes, covered: int) -> TrailRow | None:
    shown = opened_for(reader, parse_record(raw))
    if shown is None:
        return None
    return TrailRow(
        number=number,
        fields=shown.opened(),
        closed=_closed(shown),
        witnessed=number < covered,
    )


def _closed(record: RecordFields) -> int:
    return len(record.fields) - len(record.opened())
