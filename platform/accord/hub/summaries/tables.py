"""Rows of tallies: one for each organisation and closed month, as it was signed."""

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
