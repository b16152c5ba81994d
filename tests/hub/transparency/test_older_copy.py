"""A hub on an older copy of its database is stopped by its witness, before and after it grows."""

from pathlib import Path

import pytest
from tests.support.hub_world import World

from accord.hub.services import Services
from accord.kernel.directory.rootfile import LogName
from accord.kernel.errors import Conflict
from accord.kernel.tlog.leaf import RecordFields


def grow(services: Services, count: int) -> None:
    for _ in range(count):
        leaf = RecordFields.fresh({"action": "filler"}).leaf()
        services.writer.run(lambda _, leaf=leaf: services.logs.append(LogName.AUDIT, leaf))


@pytest.fixture
def restored(world: World, tmp_path: Path) -> Services:
    """The hub on a copy from before the witness saw the log grow by five."""
    grow(world.services, 3)
    world.witness_round()
    world.services.close()
    copied = world.copy(tmp_path / "copy")
    world.services = world.open_services()
    grow(world.services, 5)
    world.witness_round()
    world.services.close()
    world.put_back(copied)
    world.services = world.open_services()
    return world.services


def test_it_does_not_start(restored: Services) -> None:
    with pytest.raises(Conflict) as caught:
        restored.jobs.first_round()
    assert caught.value.code == "behind_witness"


@pytest.mark.parametrize("count", [5, 9])
def test_when_it_grew_in_the_dark_the_fork_is_found(restored: Services, count: int) -> None:
    grow(restored, count)
    with pytest.raises(Conflict) as caught:
        restored.jobs.round(LogName.AUDIT)
    assert caught.value.code == "forked_from_witness"


def test_the_newest_copy_goes_on(world: World) -> None:
    grow(world.services, 3)
    world.witness_round()
    world.services.close()
    world.services = world.open_services()
    world.services.jobs.first_round()
    grow(world.services, 1)
    assert world.services.jobs.round(LogName.AUDIT)
