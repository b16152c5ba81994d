"""The newest head of each organisation's journal, to compare the next one with."""

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from accord.hub.storage import Base


class JournalHeadRow(Base):
    """The head that ``org`` sent last: rows, root, number of its event, second."""

    __tablename__ = "journal_heads"

    org: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    root: Mapped[bytes] = mapped_column(LargeBinary)
    number: Mapped[int]
    at: Mapped[int]
