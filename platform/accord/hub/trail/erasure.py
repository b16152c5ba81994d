"""Erasing a person: value and nonce of their name leave every event, their account goes.

Invariants: commitments stay, so the log, every receipt and every proof still hold; the list of
erasures holds no name but places, so it can be kept for ever, and a restored older copy is held to
it; an erasure that was begun is whole, in one transaction, and is itself an event. Nothing of the
name is left in free space of the database or in its write-ahead log.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, delete, insert, or_, select, update

from accord.hub.access import Action, Actor, require
from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.audit.openings import NAMES
from accord.hub.audit.tables import NOBODY, AuditErasure, AuditEvent
from accord.hub.people.tables import PersonRow
from accord.hub.storage import Base, Writer, overwriting, scrub
from accord.kernel.encoding import (
    JsonValue,
    dump_object,
    parse_object,
    require_int,
    require_keys,
    require_list,
    require_str,
)
from accord.kernel.errors import Malformed, NotFound
from accord.kernel.identifiers import OrgId, parse_org_id
from accord.kernel.tlog.leaf import RecordFields, format_record, parse_record

MAX_LINE = 256 * 1024 * 1024
MIN_REASON, MAX_REASON = 3, 500
_LOOKS = (EventClass.AUDIT_EXPORTED.value, EventClass.AUDIT_SEARCHED.value)
"""Events of whatever organisation that hold a name because somebody looked for it."""

_TAG_HEX = 16
_KEYS = ("v", "number", "at", "org", "events", "accounts")
_PLACE_KEYS = ("number", "tag", "fields")
_ACCOUNT_KEYS = ("number", "created")
_CODE = "erasures_malformed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Fields of one event; ``tag`` tells the event from another that might get its number."""

    number: int
    tag: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """One erasure: event ``number``, which fields of which events, which accounts; no name.

    ``accounts`` are pairs of an account's number and the second in which it was made.
    """

    number: int
    at: int
    org: OrgId
    events: tuple[Place, ...]
    accounts: tuple[tuple[int, int], ...]


class Erasures:
    """The verbs: erase a person, at the request of an administrator or at the console."""

    def __init__(
        self, *, engine: Engine, writing: Engine, writer: Writer, recorder: Recorder, file: Path
    ) -> None:
        """Keep the list also in ``file``, beside the database, for a restore."""
        self._engine = engine
        self._writing = writing
        self._writer = writer
        self._recorder = recorder
        self._file = file

    def erase(self, actor: Actor | None, login: str, *, reason: str, now: int) -> Erasure:
        """Erase a person of the actor's own organisation.

        Raises:
            NotFound: ``person_missing``: no event and no account of the organisation has the name.
            Malformed: ``reason_invalid``: no reason, or one that names the person.
            Refused: ``action_not_granted``.
        """
        actor = require(actor, Action.AUDIT_ERASE)
        themselves = actor.person == login
        who = "" if themselves else actor.person
        return self._erase(actor.org, login, person=who, reason=reason, now=now)

    def erase_at_console(self, org: OrgId, login: str, *, reason: str, now: int) -> Erasure:
        """Erase a person for whoever holds the hub's keys; nothing is opened to them.

        Raises:
            NotFound, Malformed: as ``erase``.
        """
        return self._erase(org, login, person="", reason=reason, now=now)

    def _erase(self, org: OrgId, login: str, *, person: str, reason: str, now: int) -> Erasure:
        reason = reason.strip()
        if not MIN_REASON <= len(reason) <= MAX_REASON or login.lower() in reason.lower():
            raise Malformed(
                "reason_invalid",
                f"Say why in {MIN_REASON} to {MAX_REASON} characters, and without the name.",
                observed=f"{len(reason)} characters",
                next_step="Name the request or the ground, not the person.",
            )

        def act(connection: Connection) -> Erasure:
            places, accounts = _found(connection, org, login)
            if not places and not accounts:
                raise NotFound(
                    "person_missing",
                    "No event and no account of this organisation has that name.",
                    next_step="Give the sign-in name as it was written, and the organisation.",
                )
            number = self._recorder.record(
                connection,
                Event(
                    what=EventClass.PERSON_ERASED,
                    org=org,
                    person=person,
                    basis=reason,
                    detail=f"events={len(places)} accounts={len(accounts)}",
                ),
                now=now,
            )
            erasure = Erasure(number=number, at=now, org=org, events=places, accounts=accounts)
            _apply(connection, erasure)
            _delete_name(connection, login)
            return erasure

        erasure = self._writer.run(act)
        scrub(self._writing, "audit_events", *(table.name for table in _people_tables()))
        self.write_file()
        return erasure

    def note_restored(self, backup_id: str, erasures: Sequence[Erasure], *, now: int) -> int:
        """Log that this database came from a backup, and hold it to ``erasures``.

        Returns how many of them it did not have.
        """

        def act(connection: Connection) -> int:
            event = Event(what=EventClass.BACKUP_RESTORED, subject=backup_id)
            self._recorder.record(connection, event, now=now)
            return apply_erasures(connection, erasures)

        missing = self._writer.run(act)
        if erasures:
            scrub(self._writing, "audit_events", *(table.name for table in _people_tables()))
            self.write_file()
        return missing

    def listed(self) -> list[Erasure]:
        """Return all erasures of this hub, in their order."""
        with self._engine.connect() as connection:
            return [
                parse_erasure(raw)
                for raw in connection.scalars(
                    select(AuditErasure.document).order_by(AuditErasure.number)
                )
            ]

    def write_file(self) -> None:
        """Bring the list beside the database up to the table; what only the list has stays."""
        known = {one.number: one for one in load_erasures(self._file)}
        known |= {one.number: one for one in self.listed()}
        if not known:
            return
        draft = self._file.with_suffix(".new")
        with draft.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            for number in sorted(known):
                file.write(format_erasure(known[number]) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._file)


def load_erasures(file: Path) -> list[Erasure]:
    """Read a list of erasures; a file that is not there holds none.

    Raises:
        Malformed: ``erasures_malformed`` or a code of the parts.
    """
    if not file.exists():
        return []
    data = file.read_bytes()
    if data and not data.endswith(b"\n"):
        raise Malformed(
            _CODE,
            "The list of erasures breaks off.",
            observed=file.name,
            next_step="Take the copy of the list that was kept beside another backup.",
        )
    return [parse_erasure(line) for line in data.splitlines()]


def apply_erasures(connection: Connection, erasures: Iterable[Erasure]) -> int:
    """Hold a restored copy to ``erasures``; return how many of them it did not have.

    Within the caller's transaction on a writing connection. Events and accounts that the copy does
    not have are passed over. Run ``scrub`` once it is committed.
    """
    missing = 0
    for erasure in erasures:
        known = connection.scalar(
            select(AuditErasure.number).where(AuditErasure.number == erasure.number)
        )
        _apply(connection, erasure)
        missing += known is None
    return missing


def _apply(connection: Connection, erasure: Erasure) -> None:
    with overwriting(connection):
        for place in erasure.events:
            _close(connection, place)
        for number, created in erasure.accounts:
            _delete_account(connection, number, created)
    stands = select(AuditErasure.number).where(AuditErasure.number == erasure.number)
    if connection.scalar(stands) is None:
        connection.execute(
            insert(AuditErasure).values(number=erasure.number, document=format_erasure(erasure))
        )


def _found(
    connection: Connection, org: OrgId, login: str
) -> tuple[tuple[Place, ...], tuple[tuple[int, int], ...]]:
    """Return where the name stands: events of the organisation, searches of anyone, accounts."""
    # Two walks down two partial indexes; the constant tells the engine which.
    numbers = sorted(
        {
            number
            for column in (AuditEvent.person, AuditEvent.about)
            for number in connection.scalars(
                select(AuditEvent.number).where(
                    column == login,
                    column != NOBODY,
                    or_(AuditEvent.org == org, AuditEvent.what.in_(_LOOKS)),
                )
            )
        }
    )
    places = []
    for number in numbers:
        record = _record(connection, number)
        fields = tuple(name for name in sorted(NAMES) if record.opened().get(name) == login)
        places.append(Place(number=number, tag=_tag(record), fields=fields))
    accounts = connection.execute(
        select(PersonRow.number, PersonRow.created).where(
            PersonRow.login == login, PersonRow.org == org
        )
    ).all()
    return tuple(places), tuple((row.number, row.created) for row in accounts)


def _record(connection: Connection, number: int) -> RecordFields:
    raw = connection.scalar(select(AuditEvent.opened).where(AuditEvent.number == number))
    return parse_record(raw or b"")


def _tag(record: RecordFields) -> str:
    return record.leaf()[2:].hex()[:_TAG_HEX]


def _close(connection: Connection, place: Place) -> None:
    raw = connection.scalar(select(AuditEvent.opened).where(AuditEvent.number == place.number))
    if raw is None:
        return
    record = parse_record(raw)
    if _tag(record) != place.tag:
        return
    gone: dict[str, object] = dict.fromkeys(place.fields, "")
    connection.execute(
        update(AuditEvent)
        .where(AuditEvent.number == place.number)
        .values(opened=format_record(record.close(place.fields)), **gone)
    )


def _people_tables() -> Sequence[Table]:
    """Return the tables whose rows belong to an account, and that of accounts last."""
    people = Base.metadata.tables[PersonRow.__tablename__]
    beside = [
        table
        for table in Base.metadata.tables.values()
        if any(key.column.table is people for key in table.foreign_keys)
    ]
    return [*beside, people]


def _delete_account(connection: Connection, number: int, created: int) -> None:
    own = connection.scalar(
        select(PersonRow.number).where(PersonRow.number == number, PersonRow.created == created)
    )
    if own is None:
        return
    *beside, people = _people_tables()
    for table in beside:
        keys = [key.parent for key in table.foreign_keys if key.column.table is people]
        connection.execute(delete(table).where(or_(*(column == number for column in keys))))
    connection.execute(delete(PersonRow).where(PersonRow.number == number))


def _delete_name(connection: Connection, login: str) -> None:
    """Delete what names the person without belonging to an account, such as an open invite."""
    with overwriting(connection):
        for table in _people_tables()[:-1]:
            if "login" in table.columns:
                connection.execute(delete(table).where(table.columns.login == login))


def format_erasure(erasure: Erasure) -> bytes:
    """Return one line of the list, without its end."""
    events: list[JsonValue] = [
        {"number": one.number, "tag": one.tag, "fields": list(one.fields)} for one in erasure.events
    ]
    accounts: list[JsonValue] = [
        {"number": number, "created": created} for number, created in erasure.accounts
    ]
    return dump_object(
        {
            "v": 1,
            "number": erasure.number,
            "at": erasure.at,
            "org": erasure.org,
            "events": events,
            "accounts": accounts,
        }
    )


def parse_erasure(line: bytes) -> Erasure:
    """Parse one line of the list.

    Raises:
        Malformed: ``erasures_malformed`` or a code of the parts.
    """
    obj = parse_object(line, limit=MAX_LINE)
    require_keys(obj, required=_KEYS)
    require_int(obj, "v", minimum=1, maximum=1)
    return Erasure(
        number=require_int(obj, "number"),
        at=require_int(obj, "at"),
        org=parse_org_id(obj["org"]),
        events=tuple(_place(item) for item in require_list(obj, "events", maximum=10**7)),
        accounts=tuple(_account(item) for item in require_list(obj, "accounts", maximum=1000)),
    )


def _place(item: JsonValue) -> Place:
    if not isinstance(item, dict):
        raise Malformed(_CODE, "A place in the list is an object.")
    require_keys(item, required=_PLACE_KEYS)
    fields = tuple(str(name) for name in require_list(item, "fields", minimum=1, maximum=2))
    if not NAMES.issuperset(fields):
        raise Malformed(_CODE, "Only names of persons can be erased.", observed=str(fields)[:80])
    return Place(
        number=require_int(item, "number"),
        tag=require_str(item, "tag", limit=_TAG_HEX, minimum=_TAG_HEX),
        fields=fields,
    )


def _account(item: JsonValue) -> tuple[int, int]:
    if not isinstance(item, dict):
        raise Malformed(_CODE, "An account in the list is an object.")
    require_keys(item, required=_ACCOUNT_KEYS)
    return require_int(item, "number"), require_int(item, "created")
