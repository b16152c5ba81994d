"""The end of keeping: a bundle is told expired, its sealed bytes are deleted, and that is proved.

The charter bounds how long a bundle may be kept: no rule lets ``expires`` lie further from
``created`` than its ``retention_days``. At ``expires`` the recipients are told; then header,
signatures, recipient entries and body go, and the event ``bundle.erased`` is committed with that.
What stays is what proves things: who sent what to whom and when, the digests, and the feed's items
as tombstones. Bodies in files are deleted after the commit (``sweep``).
"""

from sqlalchemy import ColumnElement, Connection, Engine, func, select, update

from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.bundles.sweep import BodySweep
from accord.hub.bundles.tables import BundleRow, EntryRow
from accord.hub.feed import About, Feed, Item, add_items, end_items, told_of
from accord.hub.storage import Writer, overwriting
from accord.kernel.identifiers import BundleId, OrgId

BATCH = 200
"""Bundles that one act expires or erases at most, so that others are not held up."""

_FOUND = (BundleRow.number, BundleRow.org, BundleRow.bundle_id, BundleRow.kind)


class Retention:
    """The verbs at the end of a bundle's time: expire, erase."""

    def __init__(
        self, *, engine: Engine, writer: Writer, recorder: Recorder, sweep: BodySweep, feed: Feed
    ) -> None:
        """Work with the rooms that are handed down."""
        self._engine = engine
        self._writer = writer
        self._recorder = recorder
        self._sweep = sweep
        self._feed = feed
        self.erased = 0

    def expire(self, *, now: int) -> int:
        """Tell the recipients of bundles whose signed ``expires`` has passed; return how many."""

        def act(connection: Connection) -> int:
            # A row that is written anew must not leave its body behind in a free page.
            with overwriting(connection):
                return self._expire(connection, now)

        done = 0
        while self._any(*_ended(now)):
            done += self._writer.run(act)
        if done:
            self._feed.notify()
        return done

    def _expire(self, connection: Connection, now: int) -> int:
        rows = connection.execute(select(*_FOUND).where(*_ended(now)).limit(BATCH)).all()
        for row in rows:
            about = About(
                number=row.number,
                bundle=BundleId(row.bundle_id),
                sender=OrgId(row.org),
                kind=row.kind,
            )
            told = told_of(connection, row.number)
            add_items(connection, told, Item.EXPIRED, about, now=now)
            connection.execute(
                update(BundleRow).where(BundleRow.number == row.number).values(expired=now)
            )
            self._recorder.record(
                connection,
                Event(
                    what=EventClass.BUNDLE_EXPIRED,
                    subject=row.bundle_id,
                    detail=f"sender={row.org}",
                    concerns=(OrgId(row.org),),
                ),
                now=now,
            )
        return len(rows)

    def erase(self, *, now: int) -> int:
        """Delete the sealed bytes of bundles that are expired; return of how many."""
        due = (BundleRow.erased.is_(None), BundleRow.expired.is_not(None))
        done = 0
        while self._any(*due):
            files: list[str] = []
            done += self._writer.run(
                lambda connection: self._erase(connection, files, now)  # noqa: B023 - called at once
            )
            # After the commit: a row never names a file that is gone.
            self._sweep.delete(files, now=now)
        self.erased += done
        return done

    def _erase(self, connection: Connection, files: list[str], now: int) -> int:
        rows = connection.execute(
            select(*_FOUND, BundleRow.digest, BundleRow.body_file)
            .where(BundleRow.erased.is_(None), BundleRow.expired.is_not(None))
            .limit(BATCH)
        ).all()
        with overwriting(connection):
            for row in rows:
                index = self._recorder.record(
                    connection,
                    Event(
                        what=EventClass.BUNDLE_ERASED,
                        subject=row.bundle_id,
                        basis="retention",
                        detail=f"sha256={row.digest.hex()} sender={row.org}",
                        concerns=(OrgId(row.org), *_parties(connection, row.number)),
                    ),
                    now=now,
                )
                connection.execute(
                    update(BundleRow)
                    .where(BundleRow.number == row.number)
                    .values(
                        erased=now,
                        erased_number=index,
                        header=b"",
                        dsse=b"",
                        leaves=b"",
                        body=None,
                        body_file=None,
                    )
                )
                connection.execute(
                    update(EntryRow).where(EntryRow.bundle == row.number).values(entry=b"")
                )
                end_items(connection, row.number, now=now)
                if row.body_file is not None:
                    files.append(row.body_file)
        return len(rows)

    def due(self, *, now: int) -> int:
        """Return how many bundles are past their time and not erased; above 0 only for moments."""
        with self._engine.connect() as connection:
            return (
                connection.scalar(
                    select(func.count())
                    .select_from(BundleRow)
                    .where(BundleRow.erased.is_(None), BundleRow.expires <= now)
                )
                or 0
            )

    def _any(self, *due: ColumnElement[bool]) -> bool:
        with self._engine.connect() as connection:
            return connection.scalar(select(BundleRow.number).where(*due).limit(1)) is not None


def _ended(now: int) -> tuple[ColumnElement[bool], ...]:
    return (BundleRow.expired.is_(None), BundleRow.expires <= now)


def _parties(connection: Connection, number: int) -> list[OrgId]:
    rows = connection.scalars(
        select(EntryRow.org).where(EntryRow.bundle == number).order_by(EntryRow.position)
    )
    return [OrgId(org) for org in dict.fromkeys(rows)]
