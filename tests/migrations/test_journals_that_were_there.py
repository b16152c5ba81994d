"""Heads of before journals had names stay; on the way down the one heard of last stays."""

from alembic import command
from sqlalchemy import text
from tests.support.postgres import empty_database

from accord.hub.storage.migrations import configuration

BEFORE, HERE = "0017", "0018"


def test_heads_go_up_without_a_name_and_down_with_the_last_of_each(engine: str) -> None:
    with empty_database(engine) as connection:
        command.upgrade(configuration(connection), BEFORE)
        old = text("INSERT INTO journal_heads VALUES (:org, :size, :root, :number, 1)")
        for org, size in (("bank@hub", 4), ("police@hub", 9)):
            row = {"org": org, "size": size, "root": b"\1" * 32, "number": size}
            connection.execute(old, row)
        command.upgrade(configuration(connection), HERE)
        read = text("SELECT org, journal, size, begun, said, ended FROM journals ORDER BY org")
        assert [tuple(row) for row in connection.execute(read)] == [
            ("bank@hub", "", 4, None, None, None),
            ("police@hub", "", 9, None, None, None),
        ]
        new = text(
            "INSERT INTO journals (org, journal, size, root, number, at, begun, said)"
            " VALUES ('bank@hub', :name, :size, :root, :number, 2, :number, 'restored')"
        )
        for name, size, number in (("a" * 32, 3, 12), ("b" * 32, 7, 11)):
            row = {"name": name, "size": size, "root": b"\2" * 32, "number": number}
            connection.execute(new, row)
        command.downgrade(configuration(connection), BEFORE)
        kept = text("SELECT org, size, number FROM journal_heads ORDER BY org")
        assert [tuple(row) for row in connection.execute(kept)] == [
            ("bank@hub", 3, 12),
            ("police@hub", 9, 9),
        ]
        command.upgrade(configuration(connection), HERE)
        assert connection.scalar(text("SELECT count(*) FROM journals")) == 2
