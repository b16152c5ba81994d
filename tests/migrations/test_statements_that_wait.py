"""What waited for the registrars before other statements could wait too goes on waiting."""

from alembic import command
from sqlalchemy import text
from tests.support.postgres import empty_database

from accord.hub.storage.migrations import configuration

BEFORE, HERE = "0005", "0006"


def test_enrolments_that_waited_still_wait_and_nothing_else_does_on_the_way_down(
    engine: str,
) -> None:
    keep = (
        "INSERT INTO enrolments (enrolment_id, org, statement, secret_hash, state, at{more})"
        " VALUES (:id, 'bank@hub', :raw, :raw, 'approval-needed', 1{values})"
    )
    with empty_database(engine) as connection:
        command.upgrade(configuration(connection), BEFORE)
        connection.execute(text(keep.format(more="", values="")), {"id": "a", "raw": b"x"})
        command.upgrade(configuration(connection), HERE)
        connection.execute(
            text(keep.format(more=", op", values=", 'recover'")), {"id": "b", "raw": b"x"}
        )
        read = text("SELECT enrolment_id, op, reason FROM enrolments ORDER BY enrolment_id")
        assert [tuple(row) for row in connection.execute(read)] == [
            ("a", "enrol", None),
            ("b", "recover", None),
        ]
        command.downgrade(configuration(connection), BEFORE)
        kept = connection.execute(text("SELECT enrolment_id FROM enrolments")).all()
        assert [tuple(row) for row in kept] == [("a",)]
