"""Rows of invites, enrolments and published documents."""

from sqlalchemy import Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from accord.hub.storage import Base


class InviteRow(Base):
    """A one-off invite; only the hash of its code is kept."""

    __tablename__ = "invites"

    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    org: Mapped[str]
    kind: Mapped[str]
    made: Mapped[int]
    expires: Mapped[int]
    used: Mapped[int | None]


class EnrolmentRow(Base):
    """A statement on its way: proof of possession first, then the registrars' approval.

    ``op`` is the statement's; ``reason`` says why it was refused.
    """

    __tablename__ = "enrolments"
    __table_args__ = (Index("ix_enrolments_state", "state"),)

    enrolment_id: Mapped[str] = mapped_column(primary_key=True)
    org: Mapped[str]
    statement: Mapped[bytes] = mapped_column(LargeBinary)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str]
    at: Mapped[int]
    op: Mapped[str]
    reason: Mapped[str | None]


class DocumentRow(Base):
    """A signed document that the directory log points to: a charter or a root file."""

    __tablename__ = "documents"
    __table_args__ = (UniqueConstraint("kind", "version"),)

    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    version: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[int]
