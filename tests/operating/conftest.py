"""A fresh hub with a bank and a police desk where a test asks for them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.hub_world import Desk, World

from accord.kernel.markings import OrgKind


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def bank(world: World) -> Desk:
    return world.enrol("first-bank", OrgKind.FINANCIAL)


@pytest.fixture
def police(world: World) -> Desk:
    return world.enrol("police", OrgKind.LAW_ENFORCEMENT)
