"""One hub for each module, with two real desks; tests that break a hub make their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.desk.wire import DeskAt
from tests.support.hub_world import Desk, World

from accord.kernel.markings import OrgKind


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the written order within each module: its tests share one hub, its clock and desks."""
    here = Path(__file__).parent
    places: dict[Path, list[int]] = {}
    for place, item in enumerate(items):
        if here in item.path.parents:
            places.setdefault(item.path, []).append(place)
    for own in places.values():
        ordered = sorted((items[place] for place in own), key=lambda item: item.location[1] or 0)
        for place, item in zip(own, ordered, strict=True):
            items[place] = item


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
