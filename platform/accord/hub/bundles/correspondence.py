"""Requests, answers and sightings as a hub knows them: by kind and refs, never by content.

An answer goes to whoever asked, a sighting to whoever sent the bundle, and nobody else. Refusals
are the same for what does not exist and for what went to others. A request is open until its sender
closes it (a bundle of kind ``request`` whose only ref is that request) or it expires.
"""

from collections.abc import Collection

from sqlalchemy import Connection, exists, func, insert, select, update

from accord.hub.bundles.tables import BundleRow, EntryRow, OpenRequestRow
from accord.hub.feed import About, Item, add_items
from accord.kernel.bundle.model import Header
from accord.kernel.errors import Refused
from accord.kernel.identifiers import BundleId, OrgId
from accord.kernel.markings import BundleKind


def senders_of(
    connection: Connection,
    org: OrgId,
    refs: Collection[BundleId],
    *,
    kind: BundleKind | None = None,
) -> frozenset[OrgId]:
    """Return who sent ``org`` the bundles ``refs`` (only those of ``kind``, when it is told)."""
    if not refs:
        return frozenset()
    asked = select(BundleRow.org).where(
        BundleRow.bundle_id.in_(refs),
        exists().where(EntryRow.bundle == BundleRow.number, EntryRow.org == org),
    )
    if kind is not None:
        asked = asked.where(BundleRow.kind == kind.value)
    return frozenset(map(OrgId, connection.scalars(asked)))


def require_addressee(
    connection: Connection, header: Header, recipients: Collection[OrgId]
) -> None:
    """Check that an answer goes to whoever asked, and a sighting to whoever sent the bundle.

    Raises:
        Refused: ``response_not_asked``, ``sighting_not_received``.
    """
    if header.kind is BundleKind.RESPONSE:
        if not _only(
            recipients,
            senders_of(connection, header.org, header.refs, kind=BundleKind.REQUEST),
            header,
        ):
            raise Refused(
                "response_not_asked",
                "An answer names one request, and goes to the organisation that asked you.",
                observed=f"{len(header.refs)} refs, {len(recipients)} recipients",
                next_step="See what you were asked with: accord requests",
            )
    elif header.kind is BundleKind.SIGHTING and not _only(
        recipients, senders_of(connection, header.org, header.refs), header
    ):
        raise Refused(
            "sighting_not_received",
            "A sighting names one bundle, and goes to the organisation that sent it to you.",
            observed=f"{len(header.refs)} refs, {len(recipients)} recipients",
            next_step="See what you received with: accord inbox",
        )


def _only(recipients: Collection[OrgId], senders: Collection[OrgId], header: Header) -> bool:
    named = set(recipients)
    return len(header.refs) == 1 and len(named) == 1 and named <= set(senders)


def note_request(
    connection: Connection, header: Header, number: int, closed: About | None, *, now: int
) -> None:
    """Open the request that was stored as bundle ``number``, or close ``closed``."""
    if closed is None:
        connection.execute(
            insert(OpenRequestRow).values(bundle=number, org=header.org, expires=header.expires)
        )
        return
    changed = connection.execute(
        update(OpenRequestRow)
        .where(OpenRequestRow.bundle == closed.number, OpenRequestRow.closed.is_(None))
        .values(closed=now)
    )
    if changed.rowcount:
        recipients = connection.scalars(
            select(EntryRow.org).where(EntryRow.bundle == closed.number).order_by(EntryRow.position)
        ).all()
        add_items(
            connection,
            [*map(OrgId, recipients), header.org],
            Item.REQUEST_CLOSED,
            closed,
            subject=header.id,
            now=now,
        )


def closed_by(connection: Connection, header: Header) -> About | None:
    """Return the request that a bundle closes: the sender's own, and the only ref of a request."""
    if header.kind is not BundleKind.REQUEST or len(header.refs) != 1:
        return None
    row = connection.execute(
        select(BundleRow.number).where(
            BundleRow.org == header.org,
            BundleRow.bundle_id == header.refs[0],
            BundleRow.kind == BundleKind.REQUEST.value,
        )
    ).one_or_none()
    if row is None:
        return None
    return About(
        number=row.number, bundle=header.refs[0], sender=header.org, kind=BundleKind.REQUEST.value
    )


def open_requests(connection: Connection, org: OrgId, *, now: int) -> int:
    """Return how many requests of ``org`` are neither closed nor expired."""
    return (
        connection.scalar(
            select(func.count()).where(
                OpenRequestRow.org == org,
                OpenRequestRow.closed.is_(None),
                OpenRequestRow.expires > now,
            )
        )
        or 0
    )
