"""T19: members who stretch the directory's rules at the hub: expired keys, recalls as a free ticket."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.hub_world import Desk, World

from accord.kernel.directory.statements import Op, sign_statement
from accord.kernel.directory.transition import following_statement
from accord.kernel.keys import RequestKeyPair
from accord.kernel.markings import BundleKind, OrgKind
from accord.kernel.statements.acknowledgement import (
    Acknowledgement,
    Item,
    Outcome,
    sign_acknowledgement,
)
from accord.kernel.statements.tally import Tally, sign_tally

DAY = 86_400
LATE = 401 * DAY
"""Beyond the dates of the keys that the simulated desks enrol."""


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


def rotate(world: World, desk: Desk, **keys: object) -> None:
    """Give ``desk`` new keys now, by a statement of its own."""
    held = world.services.directory.refresh().organisation(desk.org)
    base = following_statement(held, Op.ROTATE, not_before=world.clock())
    statement = replace(base, not_after=world.clock() + 390 * DAY, **keys)  # type: ignore[arg-type]
    world.services.directory.append_statement(
        sign_statement(statement, [desk.sig]), now=world.clock()
    )


def with_fresh_request_key(world: World, desk: Desk) -> None:
    """Let only the signing and opening keys of ``desk`` expire."""
    world.clock.now += 390 * DAY
    desk.request_key = RequestKeyPair.generate()
    rotate(world, desk, request_key=desk.request_key.public)
    world.clock.now += 11 * DAY
    world.witness_round()


def test_an_expired_request_key_asks_nothing(world: World, bank: Desk) -> None:
    assert bank.get("/v1/feed", "after=0").status_code == 200
    world.clock.now += LATE
    assert bank.get("/v1/feed", "after=0").status_code == 401


def test_an_expired_signing_key_sends_nothing(world: World, bank: Desk) -> None:
    with_fresh_request_key(world, bank)
    assert bank.get("/v1/feed", "after=0").status_code == 200
    late = world.enrol("late-police", OrgKind.LAW_ENFORCEMENT)
    bundle_id, bundle = bank.seal(late)
    answer = bank.put_bundle(bundle, bundle_id)
    assert (answer.status_code, answer.json()["code"]) == (422, "key_expired")
    assert late.deliveries() == []


def test_nothing_is_taken_for_an_expired_opening_key(world: World, police: Desk) -> None:
    with_fresh_request_key(world, police)
    fresh = world.enrol("fresh-bank", OrgKind.FINANCIAL)
    bundle_id, bundle = fresh.seal(police)
    answer = fresh.put_bundle(bundle, bundle_id)
    assert answer.json()["code"] == "recipient_key_expired"


def test_an_expired_key_neither_acknowledges_nor_tallies(
    world: World, bank: Desk, police: Desk
) -> None:
    bundle_id, bundle = bank.seal(police)
    assert bank.put_bundle(bundle, bundle_id).status_code == 202
    with_fresh_request_key(world, police)
    said = Acknowledgement(
        org=police.org,
        created=world.clock(),
        items=(
            Item(bundle=bundle_id, manifest=bytes(32), state=Outcome.OPENED, time=world.clock()),
        ),
    )
    acknowledged = police.send(
        "POST",
        "/v1/acknowledgements",
        sign_acknowledgement(said, police.sig),
        "application/vnd.accord.statement+json",
    )
    tallied = police.send(
        "PUT",
        "/v1/tallies/2026-11",
        sign_tally(
            Tally(org=police.org, month="2026-11", created=world.clock(), cells=()), police.sig
        ),
        "application/vnd.accord.statement+json",
    )
    for answer in (acknowledged, tallied):
        assert answer.json()["code"] == "key_expired"


def test_a_recall_is_no_ticket_past_the_charter(world: World, bank: Desk, police: Desk) -> None:
    exchange = world.enrol("exchange", OrgKind.FINANCIAL)
    original, bundle = bank.seal(police)
    assert bank.put_bundle(bundle, original).status_code == 202
    recall = {"kind": BundleKind.RETRACTION, "refs": [original]}
    bundle_id, bundle = bank.seal(police, exchange, **recall)
    answer = bank.put_bundle(bundle, bundle_id)
    assert answer.json()["code"] == "retraction_surplus"
    assert exchange.deliveries() == []
