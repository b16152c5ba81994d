"""Cursors: none of another feed, none ahead, and none behind which something is missing."""

from tests.support.hub_world import NOW, Desk, World

from accord.hub.feed import Item, add_notices

DAY = 86_400


def send(sender: Desk, *to: Desk, **changes: object) -> str:
    bundle_id, bundle = sender.seal(*to, **changes)
    assert sender.put_bundle(bundle, bundle_id).status_code == 202
    return bundle_id


def tell(world: World, desk: Desk, now: int) -> None:
    world.services.writer.run(
        lambda connection: add_notices(
            connection, [desk.org], Item.KEY_CHANGED, subject=desk.org, now=now
        )
    )


def code(desk: Desk, path: str, query: str) -> tuple[int, str]:
    answer = desk.get(path, query)
    return answer.status_code, answer.json().get("code", "")


def test_a_place_is_good_only_with_the_name_of_its_own_feed(bank: Desk, police: Desk) -> None:
    send(bank, police)
    mine = police.get("/v1/feed", "after=0").json()
    others = bank.get("/v1/feed", "after=0").json()
    assert mine["feed"] != others["feed"]
    for path in ("/v1/feed", "/v1/deliveries"):
        assert code(police, path, "after=1") == (400, "cursor_nameless")
        assert code(police, path, f"after=1&feed={others['feed']}") == (409, "cursor_other")
        assert code(police, path, f"after=9&feed={mine['feed']}") == (409, "cursor_future")
        assert police.get(path, f"after=1&feed={mine['feed']}").status_code == 200
        assert code(police, path, f"after=1&feed={mine['feed'][1:]}")[0] == 400
        assert code(police, path, f"after=1&feed={mine['feed']}&resync=2")[0] == 400


def test_the_retention_of_tombstones_is_a_setting_and_is_advertised(
    world: World, police: Desk
) -> None:
    assert world.config.feed_days == 90
    said = {
        police.get("/v1/feed", "after=0").json()["retention"],
        world.client.get("/v1/hub").json()["feed_retention"],
    }
    assert said == {90 * DAY}


def test_a_cursor_behind_which_items_were_pruned_is_refused_until_a_resync(
    world: World, bank: Desk, police: Desk
) -> None:
    tell(world, police, NOW)
    first = police.get("/v1/feed", "after=0").json()
    send(bank, police, expires=NOW + 200 * DAY)
    tell(world, police, NOW + DAY)
    feed = world.services.feed
    assert feed.prune(now=NOW + 90 * DAY - 1) == 0
    assert feed.prune(now=NOW + 90 * DAY) == 1
    # Everything that was pruned had been read with this cursor: nothing is missing.
    query = f"after={first['next']}&feed={first['feed']}"
    assert len(police.get("/v1/feed", query).json()["items"]) == 2
    assert feed.prune(now=NOW + 91 * DAY) == 1
    for path in ("/v1/feed", "/v1/deliveries"):
        assert code(police, path, query) == (409, "cursor_stale")
        assert code(police, path, "after=0") == (409, "cursor_stale")
    anew = police.get("/v1/feed", "after=0&resync=1").json()
    assert [item["event"] for item in anew["items"]] == ["delivered"], "a held bundle's items stay"
    # Whoever begins anew goes on without ever being stale between two pages.
    on = f"after={anew['next']}&feed={anew['feed']}&resync=1"
    assert police.get("/v1/feed", on).status_code == 200
    assert code(bank, "/v1/feed", "after=0") == (200, ""), "others miss nothing"


def test_numbers_only_grow_when_the_newest_items_were_pruned(world: World, police: Desk) -> None:
    tell(world, police, NOW)
    before = police.get("/v1/feed", "after=0").json()
    world.services.feed.prune(now=NOW + 91 * DAY)
    query = f"after={before['next']}&feed={before['feed']}"
    assert police.get("/v1/feed", query).json()["items"] == []
    tell(world, police, NOW)
    [item] = police.get("/v1/feed", query).json()["items"]
    assert item["seq"] > before["next"]
