"""Rows of bundles, recipient entries, acknowledgements, open requests, quotas and quarantine."""

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from accord.hub.storage import SEALED, Base


class BundleRow(Base):
    """An accepted bundle. The body stands in the row or, when it is large, in a file.

    ``expired`` is when its end was told, ``erased`` when its sealed bytes were deleted: then
    header, signatures, leaves and entries are empty, and ``erased_number`` is the event.
    """

    __tablename__ = "bundles"
    __table_args__ = (
        UniqueConstraint("org", "bundle_id"),
        Index("ix_bundles_expired_expires", "expired", "expires"),
        Index("ix_bundles_erased_expired", "erased", "expired"),
        Index("ix_bundles_body_file", "body_file"),
        Index("ix_bundles_kind_number", "kind", "number"),
        Index("ix_bundles_bundle_id", "bundle_id"),
        Index("ix_bundles_kind_accepted", "kind", "accepted"),
    )

    number: Mapped[int] = mapped_column(primary_key=True)
    org: Mapped[str]
    bundle_id: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    manifest: Mapped[bytes] = mapped_column(LargeBinary)
    kind: Mapped[str]
    accepted: Mapped[int]
    expires: Mapped[int]
    audit_number: Mapped[int]
    directory_size: Mapped[int]
    expired: Mapped[int | None]
    erased: Mapped[int | None]
    erased_number: Mapped[int | None]
    header: Mapped[bytes] = mapped_column(LargeBinary)
    dsse: Mapped[bytes] = mapped_column(LargeBinary)
    leaves: Mapped[bytes] = mapped_column(LargeBinary)
    body: Mapped[bytes | None] = mapped_column(LargeBinary, info={SEALED: True})
    body_file: Mapped[str | None]
    body_length: Mapped[int]


class EntryRow(Base):
    """A recipient's entry of a bundle, in file order; ``delivered`` is the first time it went.

    ``withheld`` is since when its organisation may not get it (``visibility``), or ``None``.
    """

    __tablename__ = "bundle_entries"
    __table_args__ = (Index("ix_bundle_entries_org_bundle", "org", "bundle"),)

    bundle: Mapped[int] = mapped_column(ForeignKey("bundles.number"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    org: Mapped[str]
    entry: Mapped[bytes] = mapped_column(LargeBinary)
    delivered: Mapped[int | None]
    withheld: Mapped[int | None]


class OpenRequestRow(Base):
    """A request: open until ``closed`` (by whoever asked) or ``expires``, in unix seconds."""

    __tablename__ = "open_requests"
    __table_args__ = (Index("ix_open_requests_org_expires", "org", "expires"),)

    bundle: Mapped[int] = mapped_column(ForeignKey("bundles.number"), primary_key=True)
    org: Mapped[str]
    expires: Mapped[int]
    closed: Mapped[int | None]


class MemberUseRow(Base):
    """What a member has sent in the present minute, hour and day (each by its first second)."""

    __tablename__ = "member_use"

    org: Mapped[str] = mapped_column(primary_key=True)
    minute: Mapped[int]
    hour: Mapped[int]
    day: Mapped[int]
    minute_bundles: Mapped[int]
    hour_bundles: Mapped[int]
    hour_recalls: Mapped[int]
    day_bytes: Mapped[int] = mapped_column(BigInteger)


class HeldRow(Base):
    """A bundle that is (or was) held aside undelivered, why, and what was decided when."""

    __tablename__ = "held_bundles"
    __table_args__ = (Index("ix_held_bundles_state_org", "state", "org"),)

    bundle: Mapped[int] = mapped_column(ForeignKey("bundles.number"), primary_key=True)
    org: Mapped[str]
    reason: Mapped[str]
    since: Mapped[int]
    state: Mapped[str]
    decided: Mapped[int | None]


class RecallRow(Base):
    """Organisation ``org`` said, signed, that it applied the retraction ``bundle``."""

    __tablename__ = "recalls_applied"

    bundle: Mapped[int] = mapped_column(ForeignKey("bundles.number"), primary_key=True)
    org: Mapped[str] = mapped_column(primary_key=True)
    confirmed: Mapped[int]


class AcknowledgementRow(Base):
    """A recipient's signed acknowledgement, as it came, once for each sender that it answers.

    ``number`` is its event in the audit log; the same bytes are kept once.
    """

    __tablename__ = "acknowledgements"
    __table_args__ = (
        Index("ix_acknowledgements_sender_seq", "sender", "seq"),
        UniqueConstraint("recipient", "digest", "sender"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    sender: Mapped[str]
    recipient: Mapped[str]
    at: Mapped[int]
    number: Mapped[int]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    statement: Mapped[bytes] = mapped_column(LargeBinary)
