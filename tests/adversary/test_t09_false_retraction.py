"""T9: a member takes back, replaces or disputes what is not its own."""

import secrets

import pytest
from tests.desk.wire import DeskAt
from tests.support.hub_world import Desk, World
from tests.support.lies import answering, cut_out, look, lying, twin

from accord.desk.cli.show import describe_bundle
from accord.desk.exchange.retraction import Reason, Retraction, format_retraction
from accord.desk.storage.bundles import find_bundle
from accord.kernel.identifiers import BundleId
from accord.kernel.markings import BundleKind, OrgKind

VALUE = "kept.evil-example.org"
FAR = 2**41


@pytest.fixture(scope="module")
def reader(world: World, police: DeskAt) -> Desk:
    return twin(world, police, OrgKind.LAW_ENFORCEMENT)


@pytest.fixture(scope="module")
def victim(world: World) -> Desk:
    return world.enrol("third-bank", OrgKind.FINANCIAL)


@pytest.fixture(scope="module")
def original(victim: Desk, reader: Desk, police: DeskAt) -> BundleId:
    bundle_id, raw = victim.seal(reader, values=[VALUE])
    assert victim.put_bundle(raw, bundle_id).status_code == 202
    with police.open() as desk:
        desk.mirror.refresh()
        assert desk.pull.receive(secrets.randbits(40), cut_out(raw, police.org)).state == "opened"
    return bundle_id


def recall(world: World, bundle_id: BundleId) -> dict[str, object]:
    line = Retraction(id=bundle_id, reason=Reason.ERROR, deadline=world.clock() + 60)
    return {
        "kind": BundleKind.RETRACTION,
        "refs": [bundle_id],
        "values": [],
        "lines": [format_retraction(line)],
    }


def still_there(police: DeskAt) -> bool:
    with police.open() as desk:
        hits = look(desk, VALUE)
        return bool(hits) and all(hit.active for hit in hits if hit.org.startswith("third-bank"))


def test_the_hub_takes_no_recall_of_anothers_bundle(
    world: World, reader: Desk, original: BundleId
) -> None:
    other = world.enrol("fifth-bank", OrgKind.FINANCIAL)
    bundle_id, raw = other.seal(reader, **recall(world, original))  # type: ignore[arg-type]
    assert other.put_bundle(raw, bundle_id).json()["code"] == "retraction_unknown"


def test_a_recall_that_a_hostile_hub_lets_through_touches_nothing(
    world: World, mallory: Desk, reader: Desk, police: DeskAt, original: BundleId
) -> None:
    _, raw = mallory.seal(reader, **recall(world, original))  # type: ignore[arg-type]
    with police.open() as desk:
        desk.pull.receive(secrets.randbits(40), cut_out(raw, police.org))
    assert still_there(police)


def test_a_bundle_of_the_same_id_is_no_handle_on_the_first(
    world: World, mallory: Desk, reader: Desk, police: DeskAt, original: BundleId
) -> None:
    """Ids are per sender: one's own bundle of the id, then a true recall of it."""
    _, copy = mallory.seal(reader, values=[VALUE], bundle_id=original)
    assert mallory.put_bundle(copy, original).status_code == 202
    bundle_id, taken_back = mallory.seal(reader, **recall(world, original))  # type: ignore[arg-type]
    assert mallory.put_bundle(taken_back, bundle_id).status_code == 202
    with police.open() as desk:
        for raw in (copy, taken_back):
            desk.pull.receive(secrets.randbits(40), cut_out(raw, police.org))
        states = {hit.org: hit.active for hit in look(desk, VALUE)}
    assert states == {"third-bank@hub.test": True, "second-bank@hub.test": False}


def test_a_bundle_does_not_replace_anothers(
    mallory: Desk, reader: Desk, police: DeskAt, original: BundleId
) -> None:
    bundle_id, raw = mallory.seal(reader, values=["new.evil-example.org"], replaces=original)
    assert mallory.put_bundle(raw, bundle_id).status_code == 202
    with police.open() as desk:
        desk.pull.receive(secrets.randbits(40), cut_out(raw, police.org))
    assert still_there(police)


def test_a_hint_of_the_hub_alone_changes_nothing(police: DeskAt, original: BundleId) -> None:
    """Feed items are hints: nothing in the vault moves without a signed bundle."""
    item = f'{{"seq":{FAR},"event":"retracted","at":1,"bundle":"{original}","sender":"third-bank@hub.test","kind":"indicators"}}'
    with police.open() as desk:
        name = (desk.vault.setting("feed_name") or b"a" * 16).decode()
        page = f'{{"items":[{item}],"feed":"{name}","next":{FAR},"more":false,"retention":1}}'
        with lying(police, answering("/v1/feed", page.encode())):
            assert desk.pull.wait_for_news(0)
        shown = describe_bundle(desk, find_bundle(desk.vault, original, "third-bank@hub.test"))
    assert [told["event"] for told in shown["told"]] == ["retracted"]
    assert (shown["states"], shown["marks"]) == (["active"], [])
    assert still_there(police)
