"""Tallies and releases of before stay: as the newest tally, and as the first version."""

from alembic import command
from sqlalchemy import text
from tests.support.postgres import empty_database

from accord.hub.storage.migrations import configuration

BEFORE, HERE = "0012", "0013"


def test_what_was_sent_and_released_is_kept_both_ways(engine: str) -> None:
    with empty_database(engine) as connection:
        command.upgrade(configuration(connection), BEFORE)
        connection.execute(
            text("INSERT INTO tallies (month, org, created, number, statement)"
                 " VALUES ('2026-10', 'bank@hub', 5, 7, :b01)"),
            {"b01": b"\1"},
        )  # fmt: skip
        connection.execute(
            text("INSERT INTO releases (month, audience, number, document)"
                 " VALUES ('2026-10', 'members', 9, :b02)"),
            {"b02": b"\2"},
        )  # fmt: skip
        command.upgrade(configuration(connection), HERE)
        connection.execute(
            text("INSERT INTO tally_statements (month, org, number, created, statement)"
                 " VALUES ('2026-10', 'bank@hub', 11, 6, :b03)"),
            {"b03": b"\3"},
        )  # fmt: skip
        connection.execute(
            text("INSERT INTO summary_releases (period, audience, version, number, document)"
                 " VALUES ('2026-10', 'members', 2, 12, :b04), ('2026-Q4', 'public', 1, 13, :b05)"),
            {"b04": b"\4", "b05": b"\5"},
        )  # fmt: skip
        read = text(
            "SELECT version, number, document FROM summary_releases"
            " WHERE period = '2026-10' ORDER BY version"
        )
        assert [(row[0], row[1], bytes(row[2])) for row in connection.execute(read)] == [
            (1, 9, b"\2"),
            (2, 12, b"\4"),
        ]
        command.downgrade(configuration(connection), BEFORE)
        tallies = connection.execute(text("SELECT org, created, number, statement FROM tallies"))
        assert [(*row[:3], bytes(row[3])) for row in tallies] == [("bank@hub", 6, 11, b"\3")]
        releases = connection.execute(text("SELECT month, number, document FROM releases"))
        assert [(*row[:2], bytes(row[2])) for row in releases] == [("2026-10", 9, b"\2")]
