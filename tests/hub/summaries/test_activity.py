"""Live figures: weeks of bundles, members by kind."""

import pytest
from tests.support.hub_world import Desk, World

from accord.hub.access import Actor, Role
from accord.hub.audit.queries import first_since
from accord.hub.bundles.recalls import Recalls
from accord.hub.summaries.activity import WEEK, WEEKS
from accord.kernel.bundle.framing import parse_trimmed
from accord.kernel.errors import AuthenticationNeeded
from accord.kernel.markings import BundleKind
from accord.kernel.statements.acknowledgement import (
    Acknowledgement,
    Item,
    Outcome,
    sign_acknowledgement,
)
from accord.protocol.paths import ACKNOWLEDGEMENTS, STATEMENT_TYPE


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


def test_recalls_and_how_fast_they_are_confirmed_are_counted(
    world: World, bank: Desk, police: Desk
) -> None:
    bundle_id, data = bank.seal(police)
    assert bank.put_bundle(data, bundle_id).status_code == 202
    recall_id, recall = bank.seal(police, kind=BundleKind.RETRACTION, refs=(bundle_id,))
    assert bank.put_bundle(recall, recall_id).status_code == 202

    def recalls() -> Recalls:
        return world.services.summaries.activity(viewer(bank), now=world.clock()).recalls

    assert recalls() == Recalls(sent=1, recipients=1, confirmed=0, median=None)
    world.clock.now += 2
    for raw in (one for _, one in police.deliveries()):
        got = parse_trimmed(raw)
        applied = got.header.kind is BundleKind.RETRACTION
        item = Item(
            bundle=got.header.id,
            manifest=got.manifest_sha256,
            state=Outcome.RECALL_APPLIED if applied else Outcome.RECEIVED,
            time=world.clock(),
        )
        said = Acknowledgement(org=police.org, created=world.clock(), items=(item,))
        statement = sign_acknowledgement(said, police.sig)
        answer = police.send("POST", ACKNOWLEDGEMENTS, statement, STATEMENT_TYPE)
        assert answer.status_code == 202, answer.text
        world.clock.now += 1
    assert recalls() == Recalls(sent=1, recipients=1, confirmed=1, median=3)


def test_the_place_of_a_moment_is_found(world: World) -> None:
    with world.services.database.reading.connect() as connection:
        assert first_since(connection, 0) == 0
        last = first_since(connection, world.clock() + 1)
        assert last > 0
        assert first_since(connection, world.clock()) == 0


def test_nobody_sees_them_without_a_name(world: World) -> None:
    with pytest.raises(AuthenticationNeeded):
        world.services.summaries.activity(None, now=world.clock())
