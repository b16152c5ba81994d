"""What the feed tells, and how verbs add to it inside their own acts.

The writer's acts follow one another, also those of several processes, so that numbers are seen in
the order in which they were given: a cursor never passes an item that comes later.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, bindparam, insert, select, update

from accord.hub.feed.tables import FeedRow
from accord.kernel.identifiers import BundleId, OrgId

_ADD = insert(FeedRow)
_END = update(FeedRow).where(FeedRow.bundle == bindparam("about")).values(ends=bindparam("end"))


class Item(StrEnum):
    """What happened (flows, "The feed"), and what the item's subject then is.

    The first five are ends or beginnings of one bundle and are never conflated; what changes an
    indicator at a desk is the signed bundle alone, or the signed ``expires``.
    """

    DELIVERED = "delivered"
    """A bundle for you was accepted; no subject."""
    RETRACTED = "retracted"
    """Its sender takes it back, whole or in part; subject: id of the signed retraction."""
    EXPIRED = "expired"
    """Its signed ``expires`` has passed; no subject."""
    SUPERSEDED = "superseded"
    """Its sender replaced it; subject: id of the bundle that ``replaces`` it."""
    VISIBILITY_LOST = "visibility-lost"
    """You no longer get it, or an organisation no longer gets what you send; subject: the
    organisation that lost it. Hides nothing that was delivered."""
    DISPUTED = "disputed"
    """Somebody who got it says that it is wrong; subject: id of the signed bundle that says so."""
    KEY_CHANGED = "key-changed"
    """An organisation's keys or standing changed; subject: the organisation."""
    REQUEST_CLOSED = "request-closed"
    """A request was closed; the bundle is the request, subject: id of the last bundle about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The bundle that an item is about: row ``number``, and its name, sender and kind."""

    number: int
    bundle: BundleId
    sender: OrgId
    kind: str


def add_items(
    connection: Connection,
    orgs: Iterable[OrgId],
    item: Item,
    about: About,
    *,
    now: int,
    subject: str | None = None,
) -> None:
    """Add ``item`` about a bundle to the feeds of ``orgs``; only inside an act of the writer.

    They are kept while the hub holds the bundle, and then as tombstones (``end_items``).
    """
    add_rows(connection, rows_about(orgs, item, about, now=now, subject=subject))


def rows_about(
    orgs: Iterable[OrgId], item: Item, about: About, *, now: int, subject: str | None = None
) -> list[dict[str, object]]:
    """Return the rows of ``add_items``, to be added together with others."""
    values: dict[str, object] = {
        "item": item.value,
        "bundle": about.number,
        "bundle_id": about.bundle,
        "sender": about.sender,
        "kind": about.kind,
        "subject": subject,
        "at": now,
        "ends": None,
    }
    return [values | {"org": org} for org in dict.fromkeys(orgs)]


def add_rows(connection: Connection, rows: Sequence[dict[str, object]]) -> None:
    """Add rows of ``rows_about`` in their order."""
    if rows:
        connection.execute(_ADD, rows)


def add_notices(
    connection: Connection, orgs: Iterable[OrgId], item: Item, *, subject: str, now: int
) -> None:
    """Add ``item`` about ``subject`` and no bundle, as ``add_items`` does."""
    values: dict[str, object] = {
        "item": item.value,
        "bundle": None,
        "bundle_id": None,
        "sender": None,
        "kind": None,
        "subject": subject,
        "at": now,
        "ends": now,
    }
    add_rows(connection, [values | {"org": org} for org in dict.fromkeys(orgs)])


def told_of(connection: Connection, bundle: int) -> list[OrgId]:
    """Return the organisations to which a bundle was announced, each once.

    Not those for whom it is held aside: whoever was not told of it is not told of its end either.
    """
    rows = connection.scalars(
        select(FeedRow.org)
        .where(FeedRow.bundle == bundle, FeedRow.item == Item.DELIVERED.value)
        .order_by(FeedRow.seq)
    )
    return [OrgId(org) for org in dict.fromkeys(rows)]


def end_items(connection: Connection, bundle: int, *, now: int) -> None:
    """Turn the items of a bundle that was erased into tombstones, kept for a time from ``now``."""
    connection.execute(_END, {"about": bundle, "end": now})
