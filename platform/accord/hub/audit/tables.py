"""Rows of the audit trail: events with their openings, and each organisation's sequence."""

from sqlalchemy import ColumnElement, Index, LargeBinary, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from accord.hub.storage import Base

NOBODY: ColumnElement[str] = literal_column("''")
"""What stands in a name's column where there is none; a constant, as in the index that skips it."""

OK: ColumnElement[str] = literal_column("'ok'")
"""The outcome of most events, as in the index that skips it."""


def _where(column: str, condition: str) -> Index:
    """Return the index of a column that says nothing in most rows."""
    return Index(
        f"ix_audit_events_{column}_number",
        column,
        "number",
        sqlite_where=text(condition),
        postgresql_where=text(condition),
    )


class AuditEvent(Base):
    """An event; ``number`` is its number in the audit log.

    ``opened`` holds the values and nonces of the fields (JSON); erasing a field removes both. The
    other columns are copies of fields by which one looks: they go with the field, and the
    self-audit compares them.
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_what_number", "what", "number"),
        Index("ix_audit_events_subject_number", "subject", "number"),
        _where("person", "person != ''"),
        _where("about", "about != ''"),
        _where("outcome", "outcome != 'ok'"),
        Index(
            "ix_audit_events_refused",
            "number",
            sqlite_where=text("outcome != 'ok'"),
            postgresql_where=text("outcome != 'ok'"),
        ),
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry_id: Mapped[bytes] = mapped_column(LargeBinary)
    time: Mapped[int]
    what: Mapped[str]
    org: Mapped[str]
    person: Mapped[str]
    about: Mapped[str]
    subject: Mapped[str]
    outcome: Mapped[str]
    opened: Mapped[bytes] = mapped_column(LargeBinary)


class AuditOrg(Base):
    """Event ``number`` of class ``what`` is the ``seq``-th that concerns ``org``, from 1 on."""

    __tablename__ = "audit_orgs"
    __table_args__ = (
        Index("ix_audit_orgs_org_what_number", "org", "what", "number"),
        {"sqlite_with_rowid": False},
    )

    org: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]
    what: Mapped[str]


class AuditSequence(Base):
    """The last number that an organisation got, and its chain (``kernel.tlog.heads``)."""

    __tablename__ = "audit_sequences"

    org: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int]
    chain: Mapped[bytes] = mapped_column(LargeBinary)


class AuditErasure(Base):
    """An erasure of a person, event ``number``; ``document`` says of which fields, with no name."""

    __tablename__ = "audit_erasures"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    document: Mapped[bytes] = mapped_column(LargeBinary)
