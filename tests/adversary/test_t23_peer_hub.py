"""T23: a hostile peer hub. Federation comes later; until then its door is closed."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.desk.wire import DeskAt
from tests.support.hub_world import Desk, World
from tests.support.lies import Parts, cut_out

from accord.kernel.bundle.model import DirectoryPoint
from accord.kernel.directory.organisation import Organisation
from accord.kernel.directory.statements import Op, sign_statement
from accord.kernel.directory.transition import following_statement
from accord.kernel.errors import AccordError
from accord.kernel.identifiers import OrgId
from accord.kernel.keys import SigningKeyPair


def append_peering(world: World, held: Organisation, signers: Sequence[SigningKeyPair]) -> None:
    base = following_statement(held, Op.PEER, not_before=world.clock())
    raw = sign_statement(base, signers)
    world.services.directory.append_statement(raw, now=world.clock())


def test_a_peering_statement_is_refused(world: World, mallory: Desk) -> None:
    """By whomever it is signed: the directory knows no rule for it yet."""
    held = world.services.directory.refresh().organisation(mallory.org)
    before = held
    for signers in ([mallory.sig], [world.registrar], [mallory.sig, world.registrar]):
        with pytest.raises(AccordError):
            append_peering(world, held, signers)
    assert world.services.directory.refresh().organisation(mallory.org) == before


def test_no_route_is_for_peers(world: World) -> None:
    rules = [rule.rule for rule in world.app.url_map.iter_rules()]
    assert [
        rule for rule in rules if "peer" in rule or "relay" in rule or "federation" in rule
    ] == []


def test_a_sender_of_another_hub_is_refused_by_hub_and_desk(
    world: World, mallory: Desk, police: DeskAt
) -> None:
    """Privilege hangs on a statement, never on a header that names another hub."""
    foreign = OrgId("second-bank@hub.elsewhere")
    point = replace(world.point(), origin="hub.elsewhere/directory")
    made = Parts(
        sender=mallory,
        recipients=[(police.org, police.keyring.kem[-1].public)],
        header={"org": foreign, "directory": (point,)},
    )
    raw = made.seal()
    assert mallory.put_bundle(raw, made.id).status_code in {403, 422}
    with police.open() as desk:
        received = desk.pull.receive(2**30, cut_out(raw, police.org))
    assert (received.state, received.code) == ("refused", "sender_hub_unknown")


def test_a_directory_of_another_hub_resolves_no_key_here(
    world: World, mallory: Desk, police: DeskAt
) -> None:
    other = DirectoryPoint(origin="hub.elsewhere/directory", size=1, root=bytes(32))
    made = Parts(
        sender=mallory,
        recipients=[(police.org, police.keyring.kem[-1].public)],
        header={"directory": (replace(world.point(), root=bytes(32)), other)},
    )
    answer = mallory.put_bundle(made.seal(), made.id)
    assert answer.json()["code"] == "directory_other"


def test_a_recipient_at_another_hub_is_refused(world: World, mallory: Desk, police: DeskAt) -> None:
    key = police.keyring.kem[-1].public
    made = Parts(sender=mallory, recipients=[(OrgId("police@hub.elsewhere"), key)])
    answer = mallory.put_bundle(made.seal(), made.id)
    assert answer.json()["code"] == "recipient_unknown"
    assert world
