"""One hub for each module, with two real desks; tests that break a hub make their own."""

from collections.abc import Iterator

import pytest
from tests.desk.wire import DeskAt
from tests.support.hub_world import Desk, World

from accord.kernel.markings import OrgKind


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("hub"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def bank(world: World, tmp_path_factory: pytest.TempPathFactory) -> DeskAt:
    home = tmp_path_factory.mktemp("desks") / "bank"
    return DeskAt(world, home, "first-bank", OrgKind.FINANCIAL, "NL")


@pytest.fixture(scope="module")
def police(world: World, tmp_path_factory: pytest.TempPathFactory) -> DeskAt:
    home = tmp_path_factory.mktemp("desks") / "police"
    return DeskAt(world, home, "police", OrgKind.LAW_ENFORCEMENT, "DE")


@pytest.fixture(scope="module")
def mallory(world: World) -> Desk:
    """A member that plays false: real keys, its own requests and bundles."""
    return world.enrol("second-bank", OrgKind.FINANCIAL)
