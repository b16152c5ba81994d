"""A fresh hub for each test, with a bank and a police desk where a test asks for them.

Tests that make a hub run on each engine (``--engine``), the others once.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.hub_world import Desk, World

from accord.kernel.markings import OrgKind


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    names = vars(metafunc.module)
    makes_hubs = {"World", "Places", "open_database"} & set(names) and "OWN_SERVER" not in names
    if makes_hubs and "engine" not in metafunc.fixturenames:
        metafunc.fixturenames.insert(0, "engine")


@pytest.fixture
def world(tmp_path: Path, engine: str) -> Iterator[World]:
    assert engine
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def bank(world: World) -> Desk:
    return world.enrol("first-bank", OrgKind.FINANCIAL)


@pytest.fixture
def police(world: World) -> Desk:
    return world.enrol("police", OrgKind.LAW_ENFORCEMENT)
