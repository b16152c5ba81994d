"""Regular work: done when due, whatever fails beside it and wherever the clock goes."""

import pytest
from tests.support.hub_world import NOW, Desk, MovingClock, World

from accord.hub.jobs.regular import RegularWork
from accord.kernel.errors import Unavailable


def test_an_act_is_done_at_once_and_then_each_time_it_is_due() -> None:
    clock = MovingClock()
    work = RegularWork(clock)
    seen: list[int] = []
    work.every("look", 5, seen.append)
    for clock.now in (NOW, NOW + 1, NOW + 5, NOW + 6):
        work.run_due()
    assert seen == [NOW, NOW + 5]


def test_a_failing_act_stops_neither_the_others_nor_its_next_time() -> None:
    clock = MovingClock()
    work = RegularWork(clock)
    seen: list[int] = []

    def fail(_now: int) -> None:
        raise Unavailable("storage_failed", "Full.")

    work.every("bad", 5, fail)
    work.every("good", 5, seen.append)
    assert work.run_due() == ["bad", "good"]
    clock.now += 5
    assert work.run_due() == ["bad", "good"]
    assert seen == [NOW, NOW + 5]


def test_a_clock_that_is_set_back_does_not_stop_the_work() -> None:
    clock = MovingClock()
    work = RegularWork(clock)
    work.every("look", 5, lambda _now: None)
    work.run_due()
    clock.now -= 86_400
    assert work.run_due() == ["look"]


def test_one_name_is_registered_once() -> None:
    work = RegularWork(MovingClock())
    work.every("look", 5, lambda _now: None)
    with pytest.raises(ValueError, match="look"):
        work.every("look", 9, lambda _now: None)


def test_expiry_is_regular_work_of_every_hub(world: World, bank: Desk, police: Desk) -> None:
    bundle_id, bundle = bank.seal(police)
    assert bank.put_bundle(bundle, bundle_id).status_code == 202
    world.services.jobs.run_due()
    world.clock.now += 31 * 86_400
    assert "expiry" in world.services.jobs.run_due()
    items = police.get("/v1/feed", "after=0").json()["items"]
    assert [item["event"] for item in items] == ["delivered", "expired"]
