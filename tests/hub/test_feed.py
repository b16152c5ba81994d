"""The feed: one rising order, long-polls that wake up, and no more waiters than places."""

import threading
import time

import pytest
from tests.support.hub_world import NOW, Desk, World

from accord.hub.feed import Item, add_notices, service
from accord.protocol.schemas.feed import STATES, FeedPage


def test_a_poll_wakes_up_when_something_arrives(world: World, bank: Desk, police: Desk) -> None:
    found: list[dict[str, object]] = []
    poll = threading.Thread(
        target=lambda: found.append(police.get("/v1/feed", "after=0&wait=20").json())
    )
    poll.start()
    bundle_id, bundle = bank.seal(police)
    assert bank.put_bundle(bundle, bundle_id).status_code == 202
    poll.join(timeout=10)
    assert not poll.is_alive()
    [page] = found
    assert [item["bundle"] for item in page["items"]] == [bundle_id]  # type: ignore[union-attr, attr-defined]
    assert world.services.feed.newest() == 1


def test_a_poll_without_a_place_gets_an_empty_page_and_a_time(world: World, police: Desk) -> None:
    places = world.config.threads // 4
    for _ in range(places):
        assert world.services.feed._places.acquire(blocking=False)
    answer = police.get("/v1/feed", "after=0&wait=20")
    assert answer.status_code == 200
    page = answer.json()
    assert (page["items"], page["next"], page["more"], page["retry_after"]) == ([], 0, False, 10)
    assert answer.headers["Retry-After"] == "10"


def test_pages_follow_each_other_without_gap_or_repeat(bank: Desk, police: Desk) -> None:
    sent = []
    for _ in range(5):
        bundle_id, bundle = bank.seal(police)
        assert bank.put_bundle(bundle, bundle_id).status_code == 202
        sent.append(bundle_id)
    found, query, more = [], "after=0", True
    while more:
        page = police.get("/v1/feed", f"{query}&limit=2").json()
        found += [item["bundle"] for item in page["items"]]
        query, more = f"after={page['next']}&feed={page['feed']}", page["more"]
    assert found == sent


def test_a_poll_waits_its_time_through_what_others_get(world: World, police: Desk) -> None:
    answered = threading.Event()

    def ask() -> None:
        police.get("/v1/feed", "after=0&wait=4")
        answered.set()

    poll = threading.Thread(target=ask)
    start = time.monotonic()
    poll.start()
    while time.monotonic() < start + 2:
        world.services.feed.notify()
        assert not answered.wait(0.05)
    poll.join(timeout=10)
    assert answered.is_set()


def test_a_poll_reads_again_for_its_own_items_and_not_for_those_of_others(
    world: World, bank: Desk, police: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LOOK_SECONDS", 60.0)
    feed, reads, waits = world.services.feed, [], threading.Event()
    read, wait_past = feed._read, service._Room.wait_past

    def counted(*args: object) -> service.FeedPage:
        reads.append(args[0])
        return read(*args)  # type: ignore[arg-type]

    def told(room: service._Room, seen: int, seconds: float) -> None:
        waits.set()
        wait_past(room, seen, seconds)

    monkeypatch.setattr(feed, "_read", counted)
    monkeypatch.setattr(service._Room, "wait_past", told)
    found: list[dict[str, object]] = []
    poll = threading.Thread(
        target=lambda: found.append(police.get("/v1/feed", "after=0&wait=30").json())
    )
    poll.start()
    assert waits.wait(20)
    before = len(reads)
    feed.notify([bank.org])
    bundle_id, bundle = bank.seal(police)
    assert bank.put_bundle(bundle, bundle_id).status_code == 202
    poll.join(timeout=20)
    assert not poll.is_alive()
    assert len(reads) == before + 1
    assert [item["bundle"] for item in found[0]["items"]] == [bundle_id]  # type: ignore[attr-defined]
    assert not feed._rooms


def test_a_notice_stands_without_a_bundle_in_the_one_order(
    world: World, bank: Desk, police: Desk
) -> None:
    bundle_id, bundle = bank.seal(police)
    assert bank.put_bundle(bundle, bundle_id).status_code == 202
    world.services.writer.run(
        lambda connection: add_notices(
            connection, [police.org, police.org], Item.KEY_CHANGED, subject=bank.org, now=NOW
        )
    )
    raw = police.get("/v1/feed", "after=0").json()
    first, notice = FeedPage().load(raw)["items"]
    assert (first["event"], first["bundle"], first["sender"], first["kind"]) == (
        "delivered",
        bundle_id,
        bank.org,
        "indicators",
    )
    assert notice == {
        "seq": first["seq"] + 1,
        "event": "key-changed",
        "at": NOW,
        "subject": bank.org,
    }
    assert [seq for seq, _ in police.deliveries()] == [first["seq"]]


def test_the_closed_list_of_items_is_one_at_hub_and_on_the_wire() -> None:
    assert tuple(Item) == STATES
