"""An acknowledgement goes to its bundles' sender whole, so it names no other sender's bundles."""

from tests.support.hub_world import Desk, World

from accord.kernel.bundle.framing import parse_trimmed
from accord.kernel.encoding import b64decode
from accord.kernel.markings import OrgKind
from accord.kernel.statements.acknowledgement import (
    Acknowledgement,
    Item,
    Outcome,
    sign_acknowledgement,
)

PATH = "/v1/acknowledgements"
STATEMENT = "application/vnd.accord.statement+json"


def received(world: World, police: Desk) -> dict[str, Item]:
    """Return an item for each delivery, by the sender."""
    found = [parse_trimmed(raw) for _, raw in police.deliveries()]
    return {
        one.header.org: Item(
            bundle=one.header.id,
            manifest=one.manifest_sha256,
            state=Outcome.OPENED,
            time=world.clock(),
        )
        for one in found
    }


def signed(world: World, police: Desk, *items: Item) -> bytes:
    said = Acknowledgement(org=police.org, created=world.clock(), items=items)
    return sign_acknowledgement(said, police.sig)


def test_a_statement_about_two_senders_is_refused_and_reaches_neither(
    world: World, bank: Desk, police: Desk
) -> None:
    other = world.enrol("second-bank", OrgKind.FINANCIAL)
    for desk in (bank, other):
        bundle_id, raw = desk.seal(police)
        desk.put_bundle(raw, bundle_id)
    items = received(world, police)
    mixed = police.send("POST", PATH, signed(world, police, *items.values()), STATEMENT)
    assert (mixed.status_code, mixed.json()["code"]) == (403, "acknowledgement_mixed")
    for desk in (bank, other):
        assert desk.get(PATH, "after=0").json()["items"] == []
    for desk in (bank, other):
        statement = signed(world, police, items[desk.org])
        assert police.send("POST", PATH, statement, STATEMENT).status_code == 202
        [item] = desk.get(PATH, "after=0").json()["items"]
        assert b64decode(item["statement"]) == statement


def test_a_statement_about_several_bundles_of_one_sender_is_taken(
    world: World, bank: Desk, police: Desk
) -> None:
    items = []
    for _ in range(2):
        bundle_id, raw = bank.seal(police)
        bank.put_bundle(raw, bundle_id)
        items.append(received(world, police)[bank.org])
    assert items[0].bundle != items[1].bundle
    answer = police.send("POST", PATH, signed(world, police, *items), STATEMENT)
    assert (answer.status_code, answer.json()["stored"]) == (202, 2)
