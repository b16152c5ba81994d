"""Rows of tallies, as they were signed, and of releases, as they were published."""

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from accord.hub.storage import Base


class TallyRow(Base):
    """The newest tally of ``org`` for ``month`` (YYYY-MM)."""

    __tablename__ = "tallies"

    month: Mapped[str] = mapped_column(primary_key=True)
    org: Mapped[str] = mapped_column(primary_key=True)
    created: Mapped[int]
    number: Mapped[int]
    statement: Mapped[bytes] = mapped_column(LargeBinary)


class ReleaseRow(Base):
    """What ``audience`` was shown of ``month``; written once, never changed."""

    __tablename__ = "releases"

    month: Mapped[str] = mapped_column(primary_key=True)
    audience: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
    document: Mapped[bytes] = mapped_column(LargeBinary)
