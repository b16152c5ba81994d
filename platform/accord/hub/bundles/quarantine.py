"""Bundles held aside: stored, logged, receipted, but not delivered until the operator decides.

Releasing delivers a bundle as if it had just been accepted; dropping keeps it undelivered for good.
Either is an event that the sender's own trail has, and the row says it ever after: nothing is lost
in silence. The operator decides by sender and time alone; no one here can read a bundle.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, Engine, insert, select, update

from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.bundles.tables import BundleRow, EntryRow, HeldRow
from accord.hub.feed import About, Feed, Item, add_items
from accord.hub.storage import Writer
from accord.kernel.errors import NotFound
from accord.kernel.identifiers import BundleId, OrgId

DROPPED = "held_dropped"


class HeldState(StrEnum):
    """What became of a bundle that was held aside."""

    HELD = "held"
    RELEASED = "released"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One bundle of ``org``, held since then because of ``reason``."""

    org: OrgId
    bundle: BundleId
    kind: str
    size: int
    reason: str
    since: int
    state: HeldState
    decided: int | None


def hold(connection: Connection, number: int, org: OrgId, reason: str, *, now: int) -> None:
    """Keep the stored bundle ``number`` aside; only inside an act of the writer."""
    connection.execute(
        insert(HeldRow).values(
            bundle=number, org=org, reason=reason, since=now, state=HeldState.HELD.value
        )
    )


class Quarantine:
    """The operator's verbs: list, release, drop."""

    def __init__(self, *, engine: Engine, writer: Writer, recorder: Recorder, feed: Feed) -> None:
        """Work with the rooms that are handed down."""
        self._engine = engine
        self._writer = writer
        self._recorder = recorder
        self._feed = feed

    def list(
        self, *, org: OrgId | None = None, state: HeldState | None = None, limit: int = 1000
    ) -> Sequence[Held]:
        """Return what is (or was) held aside, the oldest first."""
        asked = (
            select(
                HeldRow.org,
                HeldRow.reason,
                HeldRow.since,
                HeldRow.state,
                HeldRow.decided,
                BundleRow.bundle_id,
                BundleRow.kind,
                BundleRow.body_length,
            )
            .join(BundleRow, BundleRow.number == HeldRow.bundle)
            .order_by(HeldRow.bundle)
            .limit(limit)
        )
        if org is not None:
            asked = asked.where(HeldRow.org == org)
        if state is not None:
            asked = asked.where(HeldRow.state == state.value)
        with self._engine.connect() as connection:
            rows = connection.execute(asked).all()
        return [
            Held(
                org=OrgId(row.org),
                bundle=BundleId(row.bundle_id),
                kind=row.kind,
                size=row.body_length,
                reason=row.reason,
                since=row.since,
                state=HeldState(row.state),
                decided=row.decided,
            )
            for row in rows
        ]

    def release(self, org: OrgId, bundle: BundleId, *, now: int) -> None:
        """Deliver a bundle that was held aside.

        Raises:
            NotFound: ``held_unknown`` when it is not held (any more).
        """

        def act(connection: Connection) -> None:
            about = self._decide(connection, org, bundle, HeldState.RELEASED, now=now)
            recipients = connection.scalars(
                select(EntryRow.org)
                .where(EntryRow.bundle == about.number)
                .order_by(EntryRow.position)
            ).all()
            add_items(connection, map(OrgId, recipients), Item.DELIVERED, about, now=now)
            self._record(connection, EventClass.BUNDLE_RELEASED, org, bundle, "ok", now=now)

        self._writer.run(act)
        self._feed.notify()

    def drop(self, org: OrgId, bundle: BundleId, *, now: int) -> None:
        """Leave a bundle that was held aside undelivered for good; its sealed bytes stay.

        Raises:
            NotFound: ``held_unknown`` when it is not held (any more).
        """

        def act(connection: Connection) -> None:
            self._decide(connection, org, bundle, HeldState.DROPPED, now=now)
            self._record(connection, EventClass.BUNDLE_REFUSED, org, bundle, DROPPED, now=now)

        self._writer.run(act)

    def _decide(
        self, connection: Connection, org: OrgId, bundle: BundleId, state: HeldState, *, now: int
    ) -> About:
        row = connection.execute(
            select(BundleRow.number, BundleRow.kind)
            .join(HeldRow, HeldRow.bundle == BundleRow.number)
            .where(
                BundleRow.org == org,
                BundleRow.bundle_id == bundle,
                HeldRow.state == HeldState.HELD.value,
                BundleRow.expired.is_(None),
            )
        ).one_or_none()
        if row is None:
            raise NotFound(
                "held_unknown",
                "No bundle of this id is held aside.",
                observed=f"{bundle} of {org}",
                next_step="accord hub quarantine list shows those that are.",
            )
        connection.execute(
            update(HeldRow)
            .where(HeldRow.bundle == row.number)
            .values(state=state.value, decided=now)
        )
        return About(number=row.number, bundle=bundle, sender=org, kind=row.kind)

    def _record(
        self,
        connection: Connection,
        what: EventClass,
        org: OrgId,
        bundle: BundleId,
        outcome: str,
        *,
        now: int,
    ) -> None:
        event = Event(
            what=what, subject=bundle, outcome=outcome, detail=f"sender={org}", concerns=(org,)
        )
        self._recorder.record(connection, event, now=now)
