"""Rows of the logs: heads, entries, tiles, and the newest checkpoint that has its quorum."""

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from accord.hub.storage import Base


class LogHead(Base):
    """The newest checkpoint of a log, signed by the hub alone."""

    __tablename__ = "log_heads"

    log: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    root: Mapped[bytes] = mapped_column(LargeBinary)
    note: Mapped[bytes] = mapped_column(LargeBinary)


class LogEntry(Base):
    """One entry as it was logged."""

    __tablename__ = "log_entries"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    log: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    entry: Mapped[bytes] = mapped_column(LargeBinary)


class LogTile(Base):
    """The hashes of one tile, up to 256 of 32 bytes; a narrower tile is a prefix of it."""

    __tablename__ = "log_tiles"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    log: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    hashes: Mapped[bytes] = mapped_column(LargeBinary)


class CosignedHead(Base):
    """The newest checkpoint of a log that enough witnesses have cosigned."""

    __tablename__ = "log_cosigned"

    log: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    note: Mapped[bytes] = mapped_column(LargeBinary)
