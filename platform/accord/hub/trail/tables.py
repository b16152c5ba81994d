"""The newest head of each journal of each organisation, to compare the next one with."""

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from accord.hub.storage import Base


class JournalRow(Base):
    """The head of ``journal`` that ``org`` sent last: rows, root, number of its event, second.

    ``journal`` is its name in hexadecimal, empty for heads of desks from before names. ``begun`` is
    the number of the event by which it began anew, ``said`` what that event says; ``ended`` the
    number of the one by which it ended.
    """

    __tablename__ = "journals"

    org: Mapped[str] = mapped_column(primary_key=True)
    journal: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    root: Mapped[bytes] = mapped_column(LargeBinary)
    number: Mapped[int]
    at: Mapped[int]
    begun: Mapped[int | None]
    said: Mapped[str | None]
    ended: Mapped[int | None]
