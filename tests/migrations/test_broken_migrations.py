"""A migration that ends in the middle: nothing of it is kept, and the next start does all of it.

Both engines change tables inside transactions. Each run below is a process of its own that stops
itself, or breaks its database, before the n-th statement of the same migration.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from tests.support.hub_world import Places

from accord.hub.storage import open_database
from accord.hub.storage.engine import Place
from accord.hub.storage.examination import looking_at
from accord.hub.storage.migrations import HEAD, configuration, revision_of
from accord.kernel.errors import Unavailable

OLD = "0003"
STRIDE = 23
"""Statements between two kills; a prime, so that they come between and inside revisions."""

Strike = Callable[[sa.Connection], None]
_FORK = multiprocessing.get_context("fork")


def old_database(place: Place) -> None:
    """Make one of an early release, with a bundle, its item, and acknowledgements."""
    database = open_database(place)
    with database.writing.begin() as connection:
        command.downgrade(configuration(connection), OLD)
        for number in range(1, 201):
            connection.execute(
                sa.text(
                    "INSERT INTO bundles (number, org, bundle_id, digest, manifest, kind, accepted,"
                    " expires, audit_number, directory_size, state, header, dsse, leaves, body,"
                    " body_length) VALUES (:number, 'bank@hub', :name, :some, :some, 'indicators',"
                    " 1, 2, 3, 4, 'active', :some, :some, :some, :some, 4)"
                ),
                {"number": number, "name": f"bundle-{number}", "some": b"some"},
            )
            connection.execute(
                sa.text(
                    "INSERT INTO feed_items (seq, org, item, bundle, at)"
                    " VALUES (:number, 'police@hub', 'delivered', :number, 1)"
                ),
                {"number": number},
            )
    database.close()


def contents(place: Place) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table."""
    with looking_at(place) as engine, engine.connect() as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        return {
            table.name: sorted(
                (tuple(row) for row in connection.execute(sa.select(table))), key=str
            )
            for table in tables.sorted_tables
        }


def strike_before(number: int, strike: Strike) -> Callable[[], None]:
    """Let ``strike`` happen before the ``number``-th statement from now on; return what ends it."""
    seen = 0

    def count(connection: sa.Connection, *_rest: object) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            strike(connection)

    sa.event.listen(sa.Engine, "before_cursor_execute", count)
    return lambda: sa.event.remove(sa.Engine, "before_cursor_execute", count)


def _start_and_die(place: Place, number: int) -> None:
    strike_before(number, lambda _connection: os.kill(os.getpid(), signal.SIGKILL))
    open_database(place).close()
    os._exit(0)


def test_a_migration_killed_anywhere_leaves_all_as_it_was_and_the_next_start_completes(
    engine: str, tmp_path: Path
) -> None:
    assert engine in {"sqlite", "postgresql"}
    place = Places.empty(tmp_path / "hub.db")
    old_database(place)
    before = contents(place)
    kills, number = 0, 1
    while True:
        process = _FORK.Process(target=_start_and_die, args=(place, number))
        process.start()
        process.join(60)
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        assert contents(place) == before
        kills, number = kills + 1, number + STRIDE
    assert kills >= 5
    after = contents(place)
    assert after["alembic_version"] == [(HEAD,)]
    assert len(after["bundles"]) == len(after["feed_items"]) == 200
    open_database(place).close()
    assert contents(place) == after


def _break(connection: sa.Connection) -> None:
    raw = connection.connection.cursor()
    if connection.dialect.name == "sqlite":  # as on a full disk: no page more than now
        raw.execute("PRAGMA page_count")
        raw.execute(f"PRAGMA max_page_count = {raw.fetchone()[0]}")
    else:
        raw.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def test_a_migration_without_room_or_server_says_so_and_leaves_all_as_it_was(
    engine: str, tmp_path: Path
) -> None:
    assert engine in {"sqlite", "postgresql"}
    place = Places.empty(tmp_path / "hub.db")
    old_database(place)
    before = contents(place)
    mend = strike_before(STRIDE, _break)
    try:
        with pytest.raises(Unavailable) as caught:
            open_database(place)
    finally:
        mend()
    assert caught.value.code == "migration_failed"
    assert caught.value.observed in {"SQLITE_FULL", "AdminShutdown"}
    assert "start again" in str(caught.value)
    assert contents(place) == before
    database = open_database(place)
    with database.reading.connect() as connection:
        assert revision_of(connection) == HEAD
    database.close()
