"""The name of an engine in a test's id is the engine that its hub really keeps its data on."""

import pytest
from sqlalchemy import Connection, text
from tests.support.hub_world import Places, World

from accord.hub.storage import open_database

VERSION = {"sqlite": "SELECT sqlite_version()", "postgresql": "SHOW server_version"}


def test_a_hub_writes_and_reads_on_the_engine_of_the_tests_name(
    world: World, engine: str, request: pytest.FixtureRequest
) -> None:
    assert f"[{engine}]" in request.node.name
    database = world.services.database
    for one in (database.writing, database.reading):
        assert one.dialect.name == engine
        with one.begin() as connection:
            version = connection.execute(text(VERSION[engine])).scalar_one()
    assert int(version.split(".")[0]) >= {"sqlite": 3, "postgresql": 15}[engine]
    assert (world.config.home / "hub.db").exists() is (engine == "sqlite")


def test_a_copied_hub_has_the_tables_that_an_empty_database_gets(world: World, engine: str) -> None:
    def tables(connection: Connection) -> list[tuple[str, ...]]:
        from_where = {
            "sqlite": "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY 1",
            "postgresql": "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = 'public' ORDER BY 1, 2",
        }[engine]
        return [tuple(row) for row in connection.execute(text(from_where))]

    fresh = open_database(Places.empty(world.folder / "fresh.db"))
    try:
        with fresh.reading.begin() as made, world.services.database.reading.begin() as copied:
            assert tables(made) == tables(copied)
            assert tables(made)
    finally:
        fresh.close()
