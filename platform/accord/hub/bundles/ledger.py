"""How far recalls are, in counts: for the operator, oversight, and each sender of its own.

The hub cannot read which records a retraction takes back, why, or until when: it knows that
one passed, to how many, and how many have said, signed, that they applied it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, select

from accord.hub.access import Action, Actor, require
from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.bundles.tables import BundleRow, EntryRow, RecallRow
from accord.hub.storage import Writer
from accord.hub.storage.upserts import adding
from accord.kernel.identifiers import BundleId, OrgId
from accord.kernel.markings import BundleKind, OrgKind

MAX_SHOWN = 200
_OVERSEEING = frozenset({OrgKind.OPERATOR, OrgKind.OVERSIGHT})
_ADD = adding(RecallRow, ["bundle", "org"])


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallCount:
    """One retraction: from whom, when, to how many, how many applied it, the last one when."""

    sender: OrgId
    bundle: BundleId
    accepted: int
    recipients: int
    confirmed: int
    last: int | None


def note_applied(
    connection: Connection,
    recorder: Recorder,
    org: OrgId,
    sender: OrgId,
    bundle: BundleId,
    *,
    now: int,
) -> None:
    """Count ``org``'s signed word that it applied ``sender``'s retraction; tell when all have.

    The sender is asked for, as another member may have used the same id for its own retraction.

    Only inside an act of the writer, after the acknowledgement was verified.
    """
    row = connection.execute(
        select(BundleRow.number)
        .join(EntryRow, EntryRow.bundle == BundleRow.number)
        .where(
            BundleRow.org == sender,
            BundleRow.bundle_id == bundle,
            BundleRow.kind == BundleKind.RETRACTION.value,
            EntryRow.org == org,
        )
        .limit(1)
    ).one_or_none()
    if row is None:
        return
    added = connection.execute(
        _ADD.on(connection), {"bundle": row.number, "org": org, "confirmed": now}
    )
    if not added.rowcount:
        return
    count = _counts(connection, row.number)
    if count[0] == count[1]:
        recorder.record(
            connection,
            Event(
                what=EventClass.RETRACTION_CONFIRMED,
                subject=bundle,
                detail=f"recipients={count[0]} sender={sender}",
                concerns=(sender,),
            ),
            now=now,
        )


def _counts(connection: Connection, number: int) -> tuple[int, int]:
    recipients = connection.scalar(
        select(func.count(func.distinct(EntryRow.org))).where(EntryRow.bundle == number)
    )
    confirmed = connection.scalar(
        select(func.count()).select_from(RecallRow).where(RecallRow.bundle == number)
    )
    return recipients or 0, confirmed or 0


class RecallCounts:
    """Reads the counts; that somebody looked is recorded."""

    def __init__(self, *, engine: Engine, writer: Writer, recorder: Recorder) -> None:
        """Work with the rooms that are handed down."""
        self._engine = engine
        self._writer = writer
        self._recorder = recorder

    def view(self, actor: Actor | None, *, now: int) -> Sequence[RecallCount]:
        """Return the latest recalls: all of them to operator and oversight, else one's own."""
        actor = require(actor, Action.RECALLS_VIEW)
        event = Event(
            what=EventClass.LEDGER_VIEWED,
            org=actor.org,
            person=actor.person,
            subject="recalls",
            concerns=(actor.org,),
        )
        self._writer.run(lambda connection: self._recorder.record(connection, event, now=now))
        asked = (
            select(BundleRow.number, BundleRow.org, BundleRow.bundle_id, BundleRow.accepted)
            .where(BundleRow.kind == BundleKind.RETRACTION.value)
            .order_by(BundleRow.number.desc())
            .limit(MAX_SHOWN)
        )
        if actor.kind not in _OVERSEEING:
            asked = asked.where(BundleRow.org == actor.org)
        with self._engine.connect() as connection:
            rows = connection.execute(asked).all()
            found = []
            for row in rows:
                recipients, confirmed = _counts(connection, row.number)
                last = connection.scalar(
                    select(func.max(RecallRow.confirmed)).where(RecallRow.bundle == row.number)
                )
                found.append(
                    RecallCount(
                        sender=OrgId(row.org),
                        bundle=BundleId(row.bundle_id),
                        accepted=row.accepted,
                        recipients=recipients,
                        confirmed=confirmed,
                        last=last,
                    )
                )
        return found
