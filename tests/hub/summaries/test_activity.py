"""Live figures: weeks of bundles, members by kind."""

import pytest
from tests.support.hub_world import Desk, World

from accord.hub.access import Actor, Role
from accord.hub.audit.queries import first_since
from accord.hub.summaries.activity import WEEK, WEEKS
from accord.kernel.errors import AuthenticationNeeded


def viewer(desk: Desk) -> Actor:
    return Actor(org=desk.org, kind=desk.kind, role=Role.VIEWER)


def test_bundles_are_counted_in_their_week(world: World, bank: Desk, police: Desk) -> None:
    bundle_id, data = bank.seal(police)
    assert bank.put_bundle(data, bundle_id).status_code == 202
    world.clock.now += WEEK
    for _ in range(2):
        # A week on, the directory needs a fresh checkpoint and the bundle a fresh date.
        world.witness_round()
        bundle_id, data = bank.seal(police)
        assert bank.put_bundle(data, bundle_id).status_code == 202
    assert len(police.deliveries()) == 3
    found = world.services.summaries.activity(viewer(bank), now=world.clock())
    assert len(found.weeks) == WEEKS
    assert [week.accepted for week in found.weeks][-3:] == [0, 1, 2]
    assert [week.delivered for week in found.weeks][-3:] == [0, 0, 3]
    assert found.members == (("financial", 1), ("law_enforcement", 1))
    later = world.services.summaries.activity(viewer(bank), now=world.clock() + WEEKS * WEEK)
    assert sum(week.accepted for week in later.weeks) == 0


def test_the_place_of_a_moment_is_found(world: World) -> None:
    with world.services.database.reading.connect() as connection:
        assert first_since(connection, 0) == 0
        last = first_since(connection, world.clock() + 1)
        assert last > 0
        assert first_since(connection, world.clock()) == 0


def test_nobody_sees_them_without_a_name(world: World) -> None:
    with pytest.raises(AuthenticationNeeded):
        world.services.summaries.activity(None, now=world.clock())
