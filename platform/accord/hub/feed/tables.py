"""Rows of the feed."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from accord.hub.storage import Base


class FeedRow(Base):
    """One item of an organisation's feed; ``seq`` only grows, over all organisations.

    An item about a bundle repeats the bundle's name, sender and kind, so that it outlives it;
    ``subject`` is what the item is about beside or instead of a bundle (``items.Item``). ``ends``
    is when the time as a tombstone began: never while the hub holds the bundle.
    """

    __tablename__ = "feed_items"
    __table_args__ = (
        Index("ix_feed_items_org_seq", "org", "seq"),
        Index("ix_feed_items_bundle", "bundle"),
        Index("ix_feed_items_ends", "ends"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    org: Mapped[str]
    item: Mapped[str]
    bundle: Mapped[int | None] = mapped_column(ForeignKey("bundles.number"))
    bundle_id: Mapped[str | None]
    sender: Mapped[str | None]
    kind: Mapped[str | None]
    subject: Mapped[str | None]
    at: Mapped[int]
    ends: Mapped[int | None]


class FeedPruned(Base):
    """Up to which number items of an organisation's feed may be missing, because they were pruned.

    A cursor below ``through`` is stale: what lies between cannot be told any more.
    """

    __tablename__ = "feed_pruned"

    org: Mapped[str] = mapped_column(primary_key=True)
    through: Mapped[int]
