"""Rows of the audit trail: events with their openings, and each organisation's sequence."""

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from accord.hub.storage import Base


class AuditEvent(Base):
    """An event; ``number`` is its number in the audit log.

    ``opened`` holds the values and nonces of the fields (JSON); erasing a field removes both.
    """

    __tablename__ = "audit_events"
    __table_args__ = (Index("ix_audit_events_what_number", "what", "number"),)

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry_id: Mapped[bytes] = mapped_column(LargeBinary)
    time: Mapped[int]
    what: Mapped[str]
    opened: Mapped[bytes] = mapped_column(LargeBinary)


class AuditOrg(Base):
    """Event ``number`` is the ``seq``-th that concerns ``org``; gap-free from 1."""

    __tablename__ = "audit_orgs"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    org: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]


class AuditSequence(Base):
    """The last number that an organisation got."""

    __tablename__ = "audit_sequences"

    org: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int]
