"""Whose signature a desk takes: keys that were rotated, left behind, suspended, revoked, recovered.

The thief here holds an old signing key and has the hub's help: any delivery, any date, any
directory size that was once true.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.desk.conftest import records_of
from tests.desk.test_distrust import answering, sealed_for
from tests.desk.wire import DeskAt, plan
from tests.support.hub_world import BTC, Desk, World

from accord.desk.exchange.confirmations import Standing, collect, confirmations
from accord.desk.exchange.pull import Received
from accord.desk.exchange.signers import LATE, SETTLE, Drained, note_drained, read_drained
from accord.desk.storage import Vault
from accord.desk.storage.bundles import find_bundle, list_bundles
from accord.desk.storage.deliveries import refused_deliveries
from accord.hub.feed import Item as FeedItem
from accord.hub.feed import add_notices
from accord.kernel.directory.statements import Op, Statement, sign_statement
from accord.kernel.directory.transition import RECOVERY_HOLD
from accord.kernel.encoding import b64encode
from accord.kernel.errors import Unavailable
from accord.kernel.identifiers import OrgId
from accord.kernel.keys import KemKeyPair, RequestKeyPair, SigningKeyPair
from accord.kernel.markings import OrgKind
from accord.kernel.statements.acknowledgement import (
    Acknowledgement,
    Item,
    Outcome,
    sign_acknowledgement,
)

DAY = 86_400


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


@pytest.fixture
def sender(world: World) -> Desk:
    return world.enrol("second-bank", OrgKind.FINANCIAL)


def act(world: World, org: OrgId, op: Op, signers: list[SigningKeyPair], **fields: object) -> None:
    """Put one statement about ``org`` into the directory, as its signers' programs would."""
    held = world.services.directory.state().organisation(org)
    statement = Statement(
        org=org, seq=held.seq + 1, prev=held.digest, op=op, not_before=world.clock(), **fields
    )
    world.services.directory.append_statement(sign_statement(statement, signers), now=world.clock())
    world.witness_round()


def rotate(world: World, org: OrgId, old: SigningKeyPair, **fields: object) -> SigningKeyPair:
    new = SigningKeyPair.generate()
    act(
        world,
        org,
        Op.ROTATE,
        [new, old],
        sig=new.public,
        not_after=world.clock() + 400 * DAY,
        **fields,
    )
    return new


def suspend(world: World, org: OrgId) -> None:
    act(world, org, Op.SUSPEND, [world.registrar])


def recover(world: World, desk: Desk) -> SigningKeyPair:
    new = SigningKeyPair.generate()
    act(
        world,
        desk.org,
        Op.RECOVER,
        [new, desk.recovery, world.registrar],
        kem=KemKeyPair.generate().public,
        sig=new.public,
        request_key=RequestKeyPair.generate().public,
        recovery=SigningKeyPair.generate().public,
        not_after=world.clock() + 400 * DAY,
    )
    return new


def first_pull(police: DeskAt, raw: bytes) -> Received:
    """What a desk makes of a delivery, right after it brought its directory up to date."""
    with police.open() as desk:
        desk.mirror.refresh()
        received = desk.pull.receive(1, raw)
        refused = refused_deliveries(desk.vault, limit=9)
        if received.code is None:
            assert (len(list_bundles(desk.vault)), refused) == (1, [])
        else:
            assert list_bundles(desk.vault) == []
            assert [row.code for row in refused] == [received.code]
        return received


def test_a_bundle_that_was_under_way_when_its_key_was_rotated_is_taken(
    world: World, police: DeskAt, sender: Desk
) -> None:
    raw = sealed_for(sender, police)
    world.clock.now += DAY
    rotate(world, sender.org, sender.sig)
    world.clock.now += 10 * DAY
    assert first_pull(police, raw).state == "opened"


def test_a_bundle_that_was_under_way_when_its_sender_left_is_taken(
    world: World, police: DeskAt, sender: Desk
) -> None:
    raw = sealed_for(sender, police)
    world.clock.now += DAY
    act(world, sender.org, Op.LEAVE, [sender.sig])
    assert first_pull(police, raw).state == "opened"


def test_a_thief_cannot_backdate_to_before_a_revocation(
    world: World, police: DeskAt, sender: Desk
) -> None:
    point, then = world.point(), world.clock()
    world.clock.now += DAY
    act(world, sender.org, Op.REVOKE, [sender.sig], compromised_since=world.clock())
    backdated = sealed_for(sender, police, created=then, directory=[point])
    assert first_pull(police, backdated).code == "signer_withdrawn"


def test_a_thief_cannot_backdate_to_before_a_suspension(
    world: World, police: DeskAt, sender: Desk
) -> None:
    raw = sealed_for(sender, police)
    suspend(world, sender.org)
    assert first_pull(police, raw).code == "signer_withdrawn"


def test_a_sender_that_was_resumed_is_taken_again(
    world: World, police: DeskAt, sender: Desk
) -> None:
    raw = sealed_for(sender, police)
    suspend(world, sender.org)
    act(world, sender.org, Op.RESUME, [world.registrar])
    assert first_pull(police, raw).state == "opened"


def test_a_thief_cannot_backdate_to_before_a_recovery_even_when_it_is_over(
    world: World, police: DeskAt, sender: Desk
) -> None:
    point, then = world.point(), world.clock()
    world.clock.now += DAY
    recover(world, sender)
    backdated = sealed_for(sender, police, created=then, directory=[point])
    world.clock.now += RECOVERY_HOLD
    act(world, sender.org, Op.RESUME, [world.registrar])
    assert first_pull(police, backdated).code == "signer_withdrawn"


def test_a_thief_who_rotated_the_stolen_key_away_does_not_make_its_end_an_ordinary_one(
    world: World, police: DeskAt, sender: Desk
) -> None:
    point, then = world.point(), world.clock()
    world.clock.now += DAY
    rotate(world, sender.org, sender.sig)
    world.clock.now += 60
    recover(world, sender)
    backdated = sealed_for(sender, police, created=then, directory=[point])
    assert first_pull(police, backdated).code == "signer_withdrawn"


def test_a_key_signs_nothing_after_its_end(world: World, police: DeskAt, sender: Desk) -> None:
    point = world.point()
    rotate(world, sender.org, sender.sig)
    world.clock.now += DAY
    raw = sealed_for(sender, police, directory=[point])
    assert first_pull(police, raw).code == "signer_ended"


def test_a_size_at_which_the_key_did_not_count_is_refused(
    world: World, police: DeskAt, sender: Desk
) -> None:
    early = sealed_for(sender, police)
    new = rotate(world, sender.org, sender.sig)
    with police.open() as desk:
        desk.mirror.refresh()
        at_new_size = sealed_for(sender, police)
        point = desk.mirror.sealing_point()
        assert desk.pull.receive(1, at_new_size).code == "key_not_in_force"
        assert desk.pull.receive(2, early).state == "opened"
        sender.sig = new
        assert desk.pull.receive(3, sealed_for(sender, police, directory=[point])).state == "opened"


def test_an_old_bundle_under_an_ended_key_is_refused(
    world: World, police: DeskAt, sender: Desk
) -> None:
    lasting = world.clock() + 200 * DAY
    one, other = (sealed_for(sender, police, expires=lasting) for _ in range(2))
    rotate(world, sender.org, sender.sig)
    world.clock.now += LATE
    with police.open() as desk:
        desk.mirror.refresh()
        assert desk.pull.receive(1, one).state == "opened"
        world.clock.now += 1
        assert desk.pull.receive(2, other).code == "signer_late"


def test_once_all_has_been_taken_in_an_ended_key_counts_no_more(
    world: World, police: DeskAt, sender: Desk
) -> None:
    one, other = sealed_for(sender, police), sealed_for(sender, police)
    rotate(world, sender.org, sender.sig)
    for _ in range(2):  # the feed has come as far as what is received below
        world.services.writer.run(
            lambda connection: add_notices(
                connection,
                [police.org],
                FeedItem.KEY_CHANGED,
                subject=sender.org,
                now=world.clock(),
            )
        )
    with police.open() as desk:
        for wait in (0, SETTLE - 1):
            world.clock.now += wait
            desk.pull.pull(retention_days=30)
        assert desk.pull.receive(1, one).state == "opened"
        world.clock.now += 1
        desk.pull.pull(retention_days=30)
    with police.open() as desk:  # the vault remembers
        assert desk.pull.receive(2, other).code == "signer_late"


def test_a_pull_that_ends_early_settles_nothing(world: World, police: DeskAt, sender: Desk) -> None:
    raw = sealed_for(sender, police)
    rotate(world, sender.org, sender.sig)
    with police.open() as desk:
        desk.pull.pull(retention_days=30)
        world.clock.now += 2 * SETTLE
        police.wire.lose_before = {"/v1/deliveries"}
        with pytest.raises(Unavailable):
            desk.pull.pull(retention_days=30)
        assert desk.pull.receive(1, raw).state == "opened"


def test_what_was_taken_in_is_remembered_by_the_hour(vault: Vault) -> None:
    assert read_drained(vault) == Drained()
    seen = []
    for size, now in ((5, 1000), (6, 1000 + SETTLE - 1), (7, 1000 + SETTLE), (8, 900)):
        note_drained(vault, size=size, now=now)
        seen.append(read_drained(vault))
    assert seen == [
        Drained(settled=0, size=5, since=1000),
        Drained(settled=0, size=5, since=1000),
        Drained(settled=5, size=7, since=1000 + SETTLE),
        Drained(settled=5, size=7, since=1000 + SETTLE),
    ]


def acknowledged(
    world: World, bank: DeskAt, org: OrgId, signer: SigningKeyPair, *, created: int
) -> tuple[tuple[int, int], Standing]:
    """Send a bundle to ``org``; hand the sender this acknowledgement of it; say what counts."""
    with bank.open() as desk:
        sent = list_bundles(desk.vault)[0].id
        manifest = find_bundle(desk.vault, sent).manifest
        item = Item(bundle=sent, manifest=manifest, state=Outcome.OPENED, time=created)
        said = Acknowledgement(org=org, created=created, items=(item,))
        page = {
            "items": [
                {"seq": 1, "org": org, "statement": b64encode(sign_acknowledgement(said, signer))}
            ],
            "next": 0,
            "more": False,
        }
        bank.wire.change = answering(json.dumps(page).encode(), part="/v1/acknowledgements")
        desk.mirror.refresh()
        counts = collect(desk.vault, desk.client, desk.mirror)
        (one,) = confirmations(desk.vault, sent, now=world.clock())
        return counts, one.standing


def sent_to(world: World, bank: DeskAt, police: DeskAt) -> None:
    with bank.open() as desk:
        desk.submissions.send(plan(world, police.org), records_of([BTC]))


def test_an_acknowledgement_counts_also_after_its_signer_rotated(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    sent_to(world, bank, police)
    then = world.clock()
    world.clock.now += DAY
    rotate(world, police.org, police.keyring.signing)
    world.clock.now += 100 * DAY
    found = acknowledged(world, bank, police.org, police.keyring.signing, created=then)
    assert found == ((1, 0), Standing.CONFIRMED)


def test_a_rotated_key_confirms_nothing_later(world: World, bank: DeskAt, police: DeskAt) -> None:
    sent_to(world, bank, police)
    new = rotate(world, police.org, police.keyring.signing)
    world.clock.now += DAY
    now = world.clock()
    old = acknowledged(world, bank, police.org, police.keyring.signing, created=now)
    assert old == ((0, 1), Standing.PENDING)
    assert acknowledged(world, bank, police.org, new, created=now) == ((1, 0), Standing.CONFIRMED)


def test_a_new_key_confirms_nothing_from_before_its_time(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    sent_to(world, bank, police)
    then = world.clock()
    world.clock.now += DAY
    new = rotate(world, police.org, police.keyring.signing)
    found = acknowledged(world, bank, police.org, new, created=then)
    assert found == ((0, 1), Standing.PENDING)


def test_a_withdrawn_key_confirms_nothing(world: World, bank: DeskAt, police: DeskAt) -> None:
    sent_to(world, bank, police)
    then = world.clock()
    world.clock.now += DAY
    suspend(world, police.org)
    found = acknowledged(world, bank, police.org, police.keyring.signing, created=then)
    assert found == ((0, 1), Standing.PENDING)
