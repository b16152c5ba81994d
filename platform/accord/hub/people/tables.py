"""Rows of people."""

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from accord.hub.storage import Base


class PersonRow(Base):
    """An account; ``password`` is an Argon2id hash in PHC form."""

    __tablename__ = "people"
    __table_args__ = (UniqueConstraint("login"),)

    number: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str]
    org: Mapped[str]
    role: Mapped[str]
    password: Mapped[str]
    created: Mapped[int]
    disabled: Mapped[int | None]
