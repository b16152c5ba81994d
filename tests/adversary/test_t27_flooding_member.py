"""T27: a member floods the others: bundles, requests, the same bytes again and again."""

import dataclasses
from collections.abc import Iterator

import pytest
from tests.desk.wire import DeskAt, plan
from tests.support.hub_world import Desk, World

from accord.hub.bundles import HeldState
from accord.hub.transparency import LogName
from accord.kernel.indicators import Basis, normalise, record_of
from accord.kernel.markings import OrgKind

FLOOD = 40


@pytest.fixture(autouse=True)
def small(world: World) -> Iterator[None]:
    quotas = world.services.bundles._quotas
    usual = quotas.limits
    quotas.limits = dataclasses.replace(usual, bundles_per_minute=10, bundles_per_hour=30)
    yield
    quotas.limits = usual


def test_a_flood_of_one_member_does_not_delay_the_delivery_of_another(
    world: World, mallory: Desk, bank: DeskAt, police: DeskAt
) -> None:
    target = world.enrol("target", OrgKind.LAW_ENFORCEMENT)
    answers = []
    for _ in range(FLOOD):
        name, sealed = mallory.seal(target)
        answers.append(mallory.put_bundle(sealed, name))
    codes = [answer.status_code for answer in answers]
    assert set(codes) == {202, 429}, "never an error of the hub's own"
    assert codes.count(202) == 30
    record = record_of(normalise("found.test"), confidence=80, basis=Basis.OBSERVED)
    with bank.open() as desk:
        sent = desk.submissions.send(plan(world, target.org, police.org, source=None), [record])
    assert sent.complete
    with police.open() as desk:
        assert desk.rounds.once().records == 1
    assert len(target.deliveries()) == 10 + 1, "the burst, and the other member's bundle"
    held = world.services.quarantine.list(org=mallory.org, state=HeldState.HELD)
    assert len(held) == 20, "the rest is kept aside with its reason, not lost"
    assert {one.reason for one in held} == {"burst"}


def entries(world: World) -> int:
    """Return the size of the audit log."""
    head = world.services.reader.head(LogName.AUDIT)
    return 0 if head is None else head.size


def test_the_same_bytes_again_are_no_second_bundle(world: World, mallory: Desk) -> None:
    world.clock.now += 3600
    target = world.enrol("second-target", OrgKind.LAW_ENFORCEMENT)
    name, sealed = mallory.seal(target)
    indexes = {mallory.put_bundle(sealed, name).json()["index"] for _ in range(FLOOD)}
    assert len(indexes) == 1
    assert len(target.deliveries()) == 1


def test_refusals_fill_no_log(world: World, mallory: Desk) -> None:
    target = world.enrol("third-target", OrgKind.LAW_ENFORCEMENT)
    world.clock.now += 3600
    for _ in range(30):
        name, sealed = mallory.seal(target)
        mallory.put_bundle(sealed, name)
    world.services.jobs.run_due()
    before = entries(world)
    for _ in range(FLOOD):
        name, sealed = mallory.seal(target)
        assert mallory.put_bundle(sealed, name).status_code == 429
    assert entries(world) == before
    world.clock.now += 61
    world.services.jobs.run_due()
    assert entries(world) == before + 1
