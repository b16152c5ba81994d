"""The seventh revision: requests stored before are open until they expire, other kinds are none."""

from alembic import command
from sqlalchemy import inspect, text
from tests.support.postgres import empty_database

from accord.hub.storage.migrations import configuration

BEFORE, AFTER = "0006", "0007"
ADD = (
    "INSERT INTO bundles (number, org, bundle_id, digest, manifest, kind, accepted, expires,"
    " audit_number, directory_size, state, header, dsse, leaves, body, body_length)"
    " VALUES (:number, 'police@hub.test', :name, :bytes, :bytes, :kind, 1, :expires, :number, 1,"
    " 'active', :bytes, :bytes, :bytes, :bytes, 1)"
)


def test_requests_that_were_stored_before_are_open_until_they_expire(engine: str) -> None:
    with empty_database(engine) as connection:
        config = configuration(connection)
        command.upgrade(config, BEFORE)
        assert "open_requests" not in inspect(connection).get_table_names()
        for number, kind in enumerate(("request", "indicators", "request"), start=1):
            connection.execute(
                text(ADD),
                {
                    "number": number,
                    "name": f"b{number}",
                    "kind": kind,
                    "expires": number * 100,
                    "bytes": b"x",
                },
            )
        command.upgrade(config, AFTER)
        rows = connection.execute(
            text("SELECT bundle, org, expires, closed FROM open_requests ORDER BY bundle")
        ).all()
        assert [tuple(row) for row in rows] == [
            (1, "police@hub.test", 100, None),
            (3, "police@hub.test", 300, None),
        ]
        command.downgrade(config, BEFORE)
        assert connection.scalar(text("SELECT count(*) FROM bundles")) == 3
