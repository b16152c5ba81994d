"""A log that does not grow stays usable: its newest checkpoint is cosigned again in time."""

import pytest
from tests.support.hub_world import World

from accord.hub.transparency.witnesses import REFRESH_SECONDS
from accord.kernel.directory.rootfile import LogName
from accord.kernel.tlog.checkpoint import verify_cosigned

DAY = 86_400


@pytest.mark.parametrize("name", LogName)
def test_a_quiet_log_gets_younger_cosignatures(world: World, name: LogName) -> None:
    before = world.services.reader.cosigned(name)
    world.clock.now += DAY + 1
    world.witness_round()
    after = world.services.reader.cosigned(name)
    assert before is not None
    assert after is not None
    assert after.size == before.size
    verify_cosigned(after.note, world.root.log_policy(name), now=world.clock(), max_age=DAY)


def test_an_idle_round_within_the_refresh_time_asks_nobody(world: World) -> None:
    world.clock.now += REFRESH_SECONDS - 1
    assert not world.services.jobs.round(LogName.DIRECTORY)
    world.clock.now += 1
    assert world.services.jobs.round(LogName.DIRECTORY)
