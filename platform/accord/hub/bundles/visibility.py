"""Who may still get what waits for them: standing and charter as they are now.

A bundle was lawful when it was accepted. When its recipient is suspended or gone, or a new charter
would not let it travel to them, what they have *not yet taken* is withheld: recipient and sender
are told ``visibility-lost``, with the recipient as subject. Nothing that was delivered is hidden.
When the reason is gone and the bundle still stands, it is announced again, as a delivery with a new
number. A recall follows its bundle whatever the charter says.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Row, exists, select, update

from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.bundles.correspondence import senders_of
from accord.hub.bundles.tables import BundleRow, EntryRow
from accord.hub.directory import Directory
from accord.hub.feed import About, Feed, Item, add_items
from accord.hub.feed.tables import FeedRow
from accord.hub.storage import Writer
from accord.kernel.bundle.model import Header, parse_header
from accord.kernel.directory.organisation import Status
from accord.kernel.errors import AccordError
from accord.kernel.identifiers import BundleId, OrgId
from accord.kernel.markings import BundleKind
from accord.kernel.policy.decide import Question, decide

BATCH = 200
"""Entries that one look reads at once."""

Found = Row[tuple[int, int, str, int | None, str, str, str, bytes]]

_WAITING = (
    select(
        EntryRow.bundle,
        EntryRow.position,
        EntryRow.org,
        EntryRow.withheld,
        BundleRow.org.label("sender"),
        BundleRow.bundle_id,
        BundleRow.kind,
        BundleRow.header,
    )
    .join(BundleRow, BundleRow.number == EntryRow.bundle)
    .where(
        EntryRow.delivered.is_(None),
        BundleRow.expired.is_(None),
        exists().where(
            FeedRow.bundle == EntryRow.bundle,
            FeedRow.org == EntryRow.org,
            FeedRow.item == Item.DELIVERED.value,
        ),
    )
    .order_by(EntryRow.bundle, EntryRow.position)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """How many entries were withheld, and how many announced again."""

    lost: int
    restored: int


class Visibility:
    """Withholds and restores what waits; one look after each change of the directory."""

    def __init__(
        self,
        *,
        engine: Engine,
        writer: Writer,
        recorder: Recorder,
        directory: Directory,
        feed: Feed,
    ) -> None:
        """Work with the rooms that are handed down."""
        self._engine = engine
        self._writer = writer
        self._recorder = recorder
        self._directory = directory
        self._feed = feed
        self._seen = -1

    def look(self, *, now: int) -> Changed:
        """Bring everything that waits in step with directory and charter; cheap when neither moved.

        Raises:
            Unavailable: no charter was published yet.
        """
        state = self._directory.refresh()
        if state.size == self._seen:
            return Changed(lost=0, restored=0)
        self._directory.charter()  # without one, nothing is judged
        lost = restored = 0
        place = (-1, -1)
        while rows := self._read(place):
            place = (rows[-1].bundle, rows[-1].position)
            for row in rows:
                reason = self._reason(row)
                if (reason is not None) == (row.withheld is not None):
                    continue
                self._writer.run(self._act(row, reason, now))
                lost += reason is not None
                restored += reason is None
        self._seen = state.size
        if lost or restored:
            self._feed.notify()
        return Changed(lost=lost, restored=restored)

    def _read(self, place: tuple[int, int]) -> list[Found]:
        bundle, position = place
        behind = (EntryRow.bundle > bundle) | (
            (EntryRow.bundle == bundle) & (EntryRow.position > position)
        )
        with self._engine.connect() as connection:
            return list(connection.execute(_WAITING.where(behind).limit(BATCH)).all())  # type: ignore[arg-type]

    def _reason(self, row: Found) -> str | None:
        """Return why the entry's organisation may not get it now, or ``None`` when it may."""
        found = self._directory.state().find_organisation(OrgId(row.org))
        if found is None or found.status is not Status.ACTIVE:
            return "recipient_" + ("unknown" if found is None else found.status.value)
        header = parse_header(row.header)
        if header.kind is BundleKind.RETRACTION:
            return None
        try:
            decision = decide(self._directory.charter(), self._question(header, OrgId(row.org)))
        except AccordError as error:
            return error.code
        return None if decision.allowed else decision.code

    def _question(self, header: Header, recipient: OrgId) -> Question:
        state = self._directory.state()
        with self._engine.connect() as connection:
            replies_to = senders_of(connection, header.org, header.refs)
        return Question(
            sender=state.organisation(header.org).party,
            recipients=(state.organisation(recipient).party,),
            kind=header.kind,
            tlp=header.policy.tlp,
            purpose=header.policy.purpose,
            onward=header.policy.onward,
            lifetime=header.expires - header.created,
            replies_to=replies_to,
        )

    def _act(self, row: Found, reason: str | None, now: int) -> Callable[[Connection], None]:
        sender, recipient = OrgId(row.sender), OrgId(row.org)
        about = About(
            number=row.bundle, bundle=BundleId(row.bundle_id), sender=sender, kind=row.kind
        )

        def act(connection: Connection) -> None:
            changed = connection.execute(
                update(EntryRow)
                .where(
                    EntryRow.bundle == row.bundle,
                    EntryRow.org == recipient,
                    EntryRow.delivered.is_(None),
                    EntryRow.withheld.is_(None) if reason else EntryRow.withheld.is_not(None),
                )
                .values(withheld=now if reason else None)
            )
            if not changed.rowcount:
                return  # taken meanwhile, or another process was quicker
            if reason is None:
                add_items(connection, [recipient], Item.DELIVERED, about, now=now)
            else:
                parties = [recipient, sender]
                lost = Item.VISIBILITY_LOST
                add_items(connection, parties, lost, about, subject=recipient, now=now)
            self._recorder.record(
                connection,
                Event(
                    what=EventClass.BUNDLE_VISIBILITY_LOST
                    if reason
                    else EventClass.BUNDLE_RELEASED,
                    subject=row.bundle_id,
                    basis=reason or "visible_again",
                    detail=f"sender={sender}",
                    concerns=(sender, recipient),
                ),
                now=now,
            )

        return act
