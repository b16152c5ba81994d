"""Delivery of sealed bundles: one by its name, or many in one stream behind a cursor.

Invariants: what goes to a recipient is its own entry and what all recipients get, byte for byte as
the sender sealed it; the first delivery is recorded before its first byte is given out; what is
withheld, held aside or erased goes to nobody. A stream that breaks is asked for again behind the
last whole delivery. Memory does not grow with bundles: they are read in groups, large bodies in
pieces from their files.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Row, bindparam, exists, select, update

from accord.clock import Clock
from accord.hub.access import Action, Actor, require
from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.bundles.tables import BundleRow, EntryRow
from accord.hub.directory import Directory
from accord.hub.feed import Cursor, Feed, Item
from accord.hub.feed.tables import FeedRow
from accord.hub.storage import BodyStore, Writer
from accord.kernel.bundle.framing import format_front
from accord.kernel.errors import NotFound, Unavailable
from accord.kernel.identifiers import BundleId, OrgId
from accord.kernel.tlog import merkle

GROUP = 64
"""Bundles that are recorded in one act and read in one query at most."""

GROUP_BYTES = 4 * 1024 * 1024
"""Bytes of bodies that one query reads at most, but for a single one."""

PLACES_EACH = 4
"""Streams that one organisation may have open at once: a reader that stalls holds up itself."""

RETRY_SECONDS = 5

Found = Row[int, int, str, str, int, int | None, int, str | None]
"""Item, bundle, its id and sender, position of the entry, when delivered, length, body's file."""

Sealed = Row[int, int, bytes, bytes, bytes, bytes, bytes | None, str | None]
"""Bundle, position, entry, header, signatures, leaves, and the body or its file."""

# Built once: composing a statement costs more than running it.
_ANNOUNCED = exists().where(  # what is held aside was never announced
    FeedRow.bundle == BundleRow.number,
    FeedRow.org == EntryRow.org,
    FeedRow.item == Item.DELIVERED.value,
)
_ONE = (
    select(
        BundleRow.number,
        BundleRow.bundle_id,
        BundleRow.org.label("sender"),
        BundleRow.erased,
        EntryRow.position,
        EntryRow.delivered,
    )
    .join(EntryRow, EntryRow.bundle == BundleRow.number)
    .where(
        BundleRow.bundle_id == bindparam("bundle_id"),
        EntryRow.org == bindparam("org"),
        EntryRow.withheld.is_(None),
        _ANNOUNCED,
    )
    .order_by(BundleRow.number, EntryRow.position)
)
_BEHIND = (
    select(
        FeedRow.seq,
        BundleRow.number.label("bundle"),
        BundleRow.bundle_id,
        BundleRow.org.label("sender"),
        EntryRow.position,
        EntryRow.delivered,
        BundleRow.body_length,
        BundleRow.body_file,
    )
    .join(BundleRow, BundleRow.number == FeedRow.bundle)
    .join(EntryRow, (EntryRow.bundle == FeedRow.bundle) & (EntryRow.org == FeedRow.org))
    .where(
        FeedRow.org == bindparam("org"),
        FeedRow.seq > bindparam("after"),
        FeedRow.item == Item.DELIVERED.value,
        BundleRow.erased.is_(None),
        EntryRow.withheld.is_(None),
    )
    .order_by(FeedRow.seq, EntryRow.position)
    .limit(bindparam("most"))
)
_SEALED = (
    select(
        EntryRow.bundle,
        EntryRow.position,
        EntryRow.entry,
        BundleRow.header,
        BundleRow.dsse,
        BundleRow.leaves,
        BundleRow.body,
        BundleRow.body_file,
    )
    .join(BundleRow, BundleRow.number == EntryRow.bundle)
    .where(
        EntryRow.org == bindparam("org"),
        EntryRow.bundle.in_(bindparam("bundles", expanding=True)),
        EntryRow.withheld.is_(None),
        BundleRow.erased.is_(None),
    )
)
_DELIVERED = (
    update(EntryRow)
    .where(
        EntryRow.bundle == bindparam("of"),
        EntryRow.org == bindparam("to"),
        EntryRow.delivered.is_(None),
        EntryRow.withheld.is_(None),
    )
    .values(delivered=bindparam("at"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One trimmed bundle for one recipient, in pieces: ``front`` and then ``body``.

    ``seq`` is its number in the recipient's feed, ``length`` that of all its bytes. ``body`` is
    read before the next delivery is asked for.
    """

    seq: int
    front: bytes
    body: Iterable[bytes]
    length: int


class Deliveries:
    """The verbs of delivery: one bundle, or all behind a cursor."""

    def __init__(
        self,
        *,
        engine: Engine,
        writer: Writer,
        recorder: Recorder,
        bodies: BodyStore,
        directory: Directory,
        feed: Feed,
        places: int,
    ) -> None:
        """Work with the rooms that are handed down; at most ``places`` streams are open at once."""
        self._engine = engine
        self._writer = writer
        self._recorder = recorder
        self._bodies = bodies
        self._directory = directory
        self._feed = feed
        self._places = max(1, places)
        self._lock = threading.Lock()
        self._open: Counter[OrgId] = Counter()

    def one(
        self, actor: Actor | None, bundle_id: BundleId, sender: OrgId | None, *, now: int
    ) -> bytes:
        """Return the trimmed bundle for the actor's organisation and record the first delivery.

        Raises:
            NotFound: ``not_found``, also for a bundle that names only others; ``bundle_erased``.
        """
        actor = require(actor, Action.BUNDLE_READ)
        with self._engine.connect() as connection:
            found = connection.execute(_ONE, {"bundle_id": bundle_id, "org": actor.org}).all()
        rows = [row for row in found if sender is None or row.sender == sender]
        nothing = NotFound("not_found", "There is nothing here for you.")
        if len({row.number for row in rows}) != 1:
            raise nothing
        row = rows[0]
        if row.erased is not None:
            raise NotFound(
                "bundle_erased",
                "The sealed bytes of this bundle were deleted at the end of their time.",
                observed=f"erased at {row.erased}",
                next_step="The hub proves it: ask for the bundle's erasure.",
            )
        if row.delivered is None:
            self._record(actor.org, [(row.number, row.bundle_id, OrgId(row.sender))], now)
        sealed = self._sealed(actor.org, [row.number]).get((row.number, row.position))
        if sealed is None:
            raise nothing  # withheld or erased since the first look
        with self._delivery(0, row.position, sealed) as delivery:
            return b"".join((delivery.front, *delivery.body))

    @contextmanager
    def place(self, actor: Actor | None) -> Iterator[None]:
        """Hold one of the places for streams until the block ends.

        Raises:
            Unavailable: ``streams_busy``: all are taken, or the organisation has its share.
        """
        org = require(actor, Action.BUNDLE_READ).org
        with self._lock:
            if sum(self._open.values()) >= self._places or self._open[org] >= PLACES_EACH:
                raise Unavailable(
                    "streams_busy",
                    "Too many streams of deliveries are open.",
                    retry_after=RETRY_SECONDS,
                    observed=f"{self._open[org]} of your organisation",
                    next_step="End one, or ask again in a moment.",
                )
            self._open[org] += 1
        try:
            yield
        finally:
            with self._lock:
                self._open[org] -= 1
                if not self._open[org]:
                    del self._open[org]

    def after(
        self, actor: Actor | None, cursor: Cursor, *, limit: int, clock: Clock
    ) -> Iterator[Delivery]:
        """Yield the trimmed bundles of the actor's feed behind ``cursor``, at most ``limit``.

        What was erased or withheld since the first look is left out. Each group is recorded with
        the time at which it is given out, and only while the organisation is still active.

        Raises:
            Malformed, Conflict: the cursor does not hold (``feed.cursors``).
            Unavailable: a first delivery cannot be recorded; also in the middle, which then ends.
        """
        org = require(actor, Action.BUNDLE_READ).org
        with self._engine.connect() as connection:
            self._feed.check(connection, org, cursor)
            asked = {"org": org, "after": cursor.after, "most": limit}
            groups = list(_groups(connection.execute(_BEHIND, asked).all()))
        if groups:  # now, so that a refusal is still an answer of its own
            self._record(org, _first(groups[0]), clock())
        return self._stream(org, groups, clock)

    def _stream(
        self, org: OrgId, groups: Sequence[Sequence[Found]], clock: Clock
    ) -> Iterator[Delivery]:
        for number, group in enumerate(groups):
            if number:
                if not self._directory.is_active(org):
                    return  # suspended or revoked meanwhile: the next request is told so
                self._record(org, _first(group), clock())
            sealed = self._sealed(org, sorted({row.bundle for row in group}))
            for row in group:
                found = sealed.get((row.bundle, row.position))
                if found is not None:
                    with self._delivery(row.seq, row.position, found) as delivery:
                        yield delivery

    def _record(self, org: OrgId, first: Sequence[tuple[int, str, OrgId]], now: int) -> None:
        if first:
            self._writer.run(lambda connection: self._deliver(connection, org, first, now))

    def _deliver(
        self,
        connection: Connection,
        org: OrgId,
        first: Sequence[tuple[int, str, OrgId]],
        now: int,
    ) -> None:
        for number, bundle_id, sender in first:
            changed = connection.execute(_DELIVERED, {"of": number, "to": org, "at": now})
            if changed.rowcount:
                self._recorder.record(
                    connection,
                    Event(
                        what=EventClass.BUNDLE_DELIVERED,
                        org=org,
                        subject=bundle_id,
                        detail=f"sender={sender}",
                        concerns=(org, sender),
                    ),
                    now=now,
                )

    def _sealed(self, org: OrgId, bundles: Sequence[int]) -> dict[tuple[int, int], Sealed]:
        with self._engine.connect() as connection:
            rows = connection.execute(_SEALED, {"org": org, "bundles": bundles}).all()
        return {(row.bundle, row.position): row for row in rows}

    @contextmanager
    def _delivery(self, seq: int, position: int, row: Sealed) -> Iterator[Delivery]:
        leaves = [
            row.leaves[start : start + merkle.HASH_SIZE]
            for start in range(0, len(row.leaves), merkle.HASH_SIZE)
        ]
        with self._body(row) as (size, body):
            front = format_front(
                header=row.header,
                dsse=row.dsse,
                index=position,
                entry=row.entry,
                path=merkle.inclusion_path(position, leaves),
                length=size,
            )
            yield Delivery(seq=seq, front=front, body=body, length=len(front) + size)

    def _body(self, row: Sealed) -> AbstractContextManager[tuple[int, Iterable[bytes]]]:
        if row.body_file is None:
            return nullcontext((len(row.body), (row.body,)))
        return self._bodies.open(row.body_file)


def _groups(rows: Iterable[Found]) -> Iterator[list[Found]]:
    """Yield ``rows`` in groups that are small enough to be recorded and read at once."""
    group: list[Found] = []
    size = 0
    for row in rows:
        length = 0 if row.body_file else row.body_length
        if group and (len(group) == GROUP or size + length > GROUP_BYTES):
            yield group
            group, size = [], 0
        group.append(row)
        size += length
    if group:
        yield group


def _first(group: Iterable[Found]) -> list[tuple[int, str, OrgId]]:
    return [
        (row.bundle, row.bundle_id, OrgId(row.sender)) for row in group if row.delivered is None
    ]
