"""Rows of what was seen at the gate."""

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from accord.hub.storage import Base


class NonceRow(Base):
    """A nonce's hash, and the unix second up to which its signature could be accepted."""

    __tablename__ = "nonces"

    name: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    until: Mapped[int] = mapped_column(index=True)
