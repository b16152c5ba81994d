"""The declarative base of all tables of the hub, with names for every constraint.

Numbers are 64 bits wide on both engines: SQLite's ``INTEGER`` is, PostgreSQL's is not.
"""

from sqlalchemy import BigInteger, Integer, MetaData
from sqlalchemy.orm import DeclarativeBase

WHOLE = BigInteger().with_variant(Integer(), "sqlite")
"""The type of whole numbers in tables and revisions; SQLite numbers rows only of an INTEGER."""

SEALED = "sealed"
"""Marks, in a column's ``info``, bytes that cannot be compressed: PostgreSQL need not try."""


class Base(DeclarativeBase):
    """Base of the rooms' tables; migrations rely on the constraint names."""

    type_annotation_map = {int: WHOLE}  # noqa: RUF012 - SQLAlchemy's own form
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
