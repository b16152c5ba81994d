"""The desk and the feed: a gap is never silent, and hints change nothing that is stored."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.desk.conftest import records_of
from tests.desk.wire import DeskAt, plan
from tests.support.hub_world import BTC, World
from tests.support.lies import answering, lying

from accord.desk.cli.shown import pull_data, pull_line
from accord.desk.exchange.pull import PullReport
from accord.desk.storage.bundles import list_bundles
from accord.desk.storage.hints import missing, notices
from accord.hub.feed import Item, add_notices
from accord.kernel.errors import Conflict
from accord.kernel.identifiers import BundleId
from accord.kernel.markings import OrgKind

DAY = 86_400
SITE = "market.evil-example.org"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "hub-side"
    folder.mkdir()
    made = World(folder)
    yield made
    made.close()


@pytest.fixture
def bank(world: World, tmp_path: Path) -> DeskAt:
    return DeskAt(world, tmp_path / "bank", "first-bank", OrgKind.FINANCIAL, "NL")


@pytest.fixture
def police(world: World, tmp_path: Path) -> DeskAt:
    return DeskAt(world, tmp_path / "police", "police", OrgKind.LAW_ENFORCEMENT, "DE")


def send(bank: DeskAt, police: DeskAt, source: bytes, **changes: object) -> BundleId:
    with bank.open() as desk:
        report = desk.submissions.send(
            plan(bank.world, police.org, source=source * 32, **changes), records_of([BTC, SITE])
        )
        return report.bundles[0].id


def pull(police: DeskAt, *, resync: bool = False) -> PullReport:
    with police.open() as desk:
        return desk.pull.pull(retention_days=30, resync=resync)


def tell(world: World, police: DeskAt, now: int) -> None:
    world.services.writer.run(
        lambda connection: add_notices(
            connection, [police.org], Item.KEY_CHANGED, subject="first-bank@hub.test", now=now
        )
    )


def test_a_stale_cursor_leads_to_a_full_resync_that_is_said(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    first = send(bank, police, b"a", expires=world.clock() + 300 * DAY)
    pull(police)
    tell(world, police, world.clock())
    second = send(bank, police, b"b", expires=world.clock() + 300 * DAY)
    world.services.feed.prune(now=world.clock() + 90 * DAY)
    report = pull(police)
    assert report.resync is not None
    assert (report.resync.reason, report.resync.items, report.resync.fetched) == (
        "cursor_stale",
        2,
        1,
    )
    assert (report.bundles, report.missing) == (1, 0)
    assert "full resync (cursor_stale)" in pull_line(report)
    assert pull_data(report)["resync"]["fetched"] == 1
    with police.open() as desk:
        assert {one.id for one in list_bundles(desk.vault)} == {first, second}
        acts = desk.vault.connection.execute("SELECT act, reason FROM acts").fetchall()
        assert ("feed:resync", "cursor_stale") in acts
    after = pull(police)
    assert (after.resync, after.bundles, after.repeated) == (None, 0, 0)


def test_what_was_announced_and_never_came_is_named(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    withheld = send(bank, police, b"a")
    with police.open() as desk, lying(police, answering("/v1/deliveries", b"")):
        assert desk.pull.pull(retention_days=30).missing == 1
        [one] = missing(desk.vault)
    assert (one.id, one.org, one.ended) == (withheld, bank.org, False)
    assert pull(police).missing == 0, "it came after all"
    late = send(bank, police, b"b", expires=world.clock() + DAY)
    world.clock.now += DAY
    world.services.retention.expire(now=world.clock())
    world.services.retention.erase(now=world.clock())
    world.witness_round()
    assert pull(police).missing == 1
    with police.open() as desk:
        [one] = missing(desk.vault)
        assert (one.id, one.ended) == (late, True)


def test_a_cursor_of_another_feed_is_not_mended_without_a_person(
    bank: DeskAt, police: DeskAt
) -> None:
    first = send(bank, police, b"a")
    pull(police)
    with police.open() as desk:
        desk.vault.put_setting("feed_cursor", b"99")
    with pytest.raises(Conflict) as caught:
        pull(police)
    assert caught.value.code == "cursor_future"
    assert "--resync" in (caught.value.next_step or "")
    with police.open() as desk:
        desk.vault.put_setting("feed_name", b"a" * 16)
    with pytest.raises(Conflict) as caught:
        pull(police)
    assert caught.value.code == "cursor_other"
    report = pull(police, resync=True)
    assert report.resync is not None
    assert (report.resync.reason, report.bundles) == ("asked for", 0)
    second = send(bank, police, b"b")
    assert pull(police).bundles == 1
    with police.open() as desk:
        assert {one.id for one in list_bundles(desk.vault)} == {first, second}


def test_notices_are_kept_for_people_and_change_nothing(world: World, police: DeskAt) -> None:
    tell(world, police, world.clock())
    pull(police)
    with police.open() as desk:
        [notice] = notices(desk.vault, limit=5)
        assert (notice.event, notice.subject) == ("key-changed", "first-bank@hub.test")
        assert list_bundles(desk.vault) == []
