"""Rows of tallies, as they were signed, and of releases, as they were published."""

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from accord.hub.storage import Base


class TallyRow(Base):
    """A tally of ``org`` for ``month`` (YYYY-MM); that with the highest ``number`` counts.

    ``number`` is its event in the audit log: it says which tallies were here at a release.
    """

    __tablename__ = "tally_statements"

    month: Mapped[str] = mapped_column(primary_key=True)
    org: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    created: Mapped[int]
    statement: Mapped[bytes] = mapped_column(LargeBinary)


class ReleaseRow(Base):
    """What ``audience`` was shown of ``period``; written once, never changed."""

    __tablename__ = "summary_releases"

    period: Mapped[str] = mapped_column(primary_key=True)
    audience: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]
    document: Mapped[bytes] = mapped_column(LargeBinary)
