"""Insert, or do something else when the row stands: the statement that each engine spells its way.

Composing a statement costs more than running it, so both forms are made once, at import.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Insert
from sqlalchemy.dialects import postgresql, sqlite

from accord.hub.storage.base import Base

Condition = Callable[[Any], ColumnElement[bool]]
"""Given the row that was to be inserted, says whether it replaces the one that stands."""

_INSERTS: dict[str, Callable[[type[Base]], sqlite.Insert | postgresql.Insert]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}


@dataclass(frozen=True, slots=True)
class Upsert:
    """One statement in the forms of all engines; values are given when it is executed."""

    forms: dict[str, Insert]

    def on(self, connection: Connection) -> Insert:
        """Return the form for the engine of ``connection``."""
        return self.forms[connection.dialect.name]


def replacing(
    table: type[Base], keys: Sequence[str], *columns: str, where: Condition | None = None
) -> Upsert:
    """Insert a row; when one with its ``keys`` stands, set ``columns`` (if ``where`` says so)."""
    forms: dict[str, Insert] = {}
    for name, insert in _INSERTS.items():
        statement = insert(table)
        forms[name] = statement.on_conflict_do_update(
            index_elements=keys,
            set_={column: statement.excluded[column] for column in columns},
            where=None if where is None else where(statement.excluded),
        )
    return Upsert(forms)


def adding_many(table: type[Base], keys: Sequence[str]) -> Upsert:
    """Insert rows in one statement, in the order given; it returns the key of each new one."""
    [key] = keys
    return Upsert(
        {
            name: insert(table)
            .on_conflict_do_nothing(index_elements=keys)
            .returning(table.__table__.columns[key])
            for name, insert in _INSERTS.items()
        }
    )


def adding(table: type[Base], keys: Sequence[str]) -> Upsert:
    """Insert a row; when one with its ``keys`` stands, leave it: ``rowcount`` tells."""
    return Upsert(
        {
            name: insert(table)
            .on_conflict_do_nothing(index_elements=keys)
            .inline()
            .execution_options(preserve_rowcount=True)
            for name, insert in _INSERTS.items()
        }
    )
