"""T34: a member uses the id of another's bundle again, so that the trail mixes the two up.

Ids are unique for each sender only. Events of the hub name the sender, desks match both.
"""

from dataclasses import replace

import pytest
from tests.desk.conftest import records_of
from tests.desk.wire import DeskAt, plan
from tests.support.hub_world import BTC, Desk, World
from tests.support.lies import POLICY, Parts

from accord.desk.exchange.own_events import check_own_events
from accord.desk.exchange.timeline import Timeline, What, timeline_here
from accord.desk.storage.bundles import find_bundle
from accord.desk.storage.own_events import own_events_of, unlogged_acceptances, unlogged_deliveries
from accord.hub.access import Actor, Role
from accord.kernel.bundle.framing import parse_trimmed
from accord.kernel.identifiers import BundleId
from accord.kernel.markings import BundleKind, OrgKind, Purpose
from accord.kernel.statements.acknowledgement import (
    Acknowledgement,
    Item,
    Outcome,
    sign_acknowledgement,
)
from accord.protocol.paths import ACKNOWLEDGEMENTS, STATEMENT_TYPE

LATER = 10**12


@pytest.fixture(scope="module")
def mallory(world: World) -> Desk:
    """A member that may send to both."""
    return world.enrol("second-police", OrgKind.LAW_ENFORCEMENT)


@pytest.fixture(scope="module")
def sent(world: World, bank: DeskAt, police: DeskAt) -> BundleId:
    """The bank's bundle, taken and acknowledged by the police."""
    with bank.open() as desk:
        report = desk.submissions.send(plan(world, police.org), records_of([BTC]))
    rounds(world, police, bank)
    return report.bundles[0].id


def rounds(world: World, *desks: DeskAt) -> None:
    for at in desks:
        with at.open() as desk:
            desk.rounds.once()
        world.witness_round()
    for at in desks:
        with at.open() as desk:
            check_own_events(desk.vault, desk.client, desk.mirror, org=at.org, clock=world.clock)


def story(world: World, bank: DeskAt, sent: BundleId) -> Timeline:
    with bank.open() as desk:
        bundle = find_bundle(desk.vault, sent, bank.org)
        found = timeline_here(desk.vault, bundle, now=world.clock())
    assert found is not None
    return found


def test_anothers_bundle_of_the_same_id_changes_nothing_in_timeline_and_comparison(
    world: World, bank: DeskAt, police: DeskAt, mallory: Desk, sent: BundleId
) -> None:
    before = story(world, bank, sent)
    assert {What.ACCEPTED, What.DELIVERED, What.OPENED} <= {one.what for one in before.events}
    made = Parts(
        sender=mallory,
        recipients=[(at.org, at.keyring.kem[-1].public) for at in (bank, police)],
        kind=BundleKind.LIST,
        header={"policy": replace(POLICY, purpose=Purpose.INVESTIGATION)},
    )
    made.id = sent
    answer = mallory.put_bundle(made.seal(), sent)
    assert answer.status_code == 202, answer.text
    world.witness_round()
    rounds(world, police, bank)
    assert story(world, bank, sent) == before
    with bank.open() as desk:
        seen = desk.vault.connection.execute(
            "SELECT what, sender FROM own_events WHERE subject = ? ORDER BY seq", (sent,)
        ).fetchall()
        assert ("bundle.accepted", mallory.org) in seen
        assert ("bundle.delivered", mallory.org) in seen
        assert {row.sender for row in own_events_of(desk.vault, bank.org, sent)} == {bank.org}


def test_anothers_event_stands_in_for_none_of_ours(
    bank: DeskAt, police: DeskAt, mallory: Desk, sent: BundleId
) -> None:
    with police.open() as desk:
        assert not unlogged_deliveries(desk.vault, police.org, before=LATER)
        lose = "DELETE FROM own_events WHERE what = ? AND sender = ?"
        desk.vault.connection.execute(lose, ("bundle.delivered", bank.org))
        assert unlogged_deliveries(desk.vault, police.org, before=LATER) == [sent]
    with bank.open() as desk:
        assert not unlogged_acceptances(desk.vault, bank.org, size=LATER)
        index = desk.vault.connection.execute(
            "DELETE FROM own_events WHERE what = 'bundle.accepted' AND sender = ? RETURNING number",
            (bank.org,),
        ).fetchone()[0]
        desk.vault.connection.execute(
            "UPDATE own_events SET number = ? WHERE what = 'bundle.accepted' AND sender = ?",
            (index, mallory.org),
        )
        assert unlogged_acceptances(desk.vault, bank.org, size=LATER) == [(sent, index)]


def test_an_old_event_without_sender_counts_for_one_bundle_and_for_nobody_elses(
    bank: DeskAt, police: DeskAt, mallory: Desk, sent: BundleId
) -> None:
    with police.open() as desk:
        forget = "UPDATE own_events SET sender = '' WHERE what = 'bundle.delivered'"
        desk.vault.connection.execute(forget)
        assert unlogged_deliveries(desk.vault, police.org, before=LATER) == [sent], "two came"
        desk.vault.connection.execute("DELETE FROM deliveries WHERE org = ?", (mallory.org,))
        assert not unlogged_deliveries(desk.vault, police.org, before=LATER)
    with bank.open() as desk:
        desk.vault.connection.execute(forget)
        told = own_events_of(desk.vault, bank.org, sent)
        assert [one.actor for one in told if one.what == "bundle.delivered"] == [police.org]


def test_a_recall_is_confirmed_for_its_own_sender_alone(world: World) -> None:
    """The other's recall of the same id was there first; the word is on the second one."""
    reader = world.enrol("reader", OrgKind.LAW_ENFORCEMENT)
    other = world.enrol("second-bank", OrgKind.FINANCIAL)
    victim = world.enrol("third-bank", OrgKind.FINANCIAL)
    to = [(reader.org, reader.kem.public)]

    def put(sender: Desk, kind: BundleKind, name: BundleId | None, *refs: BundleId) -> BundleId:
        made = Parts(sender=sender, recipients=to, kind=kind, header={"refs": refs})
        made.id = name or made.id
        assert sender.put_bundle(made.seal(), made.id).status_code == 202
        return made.id

    recall: BundleId | None = None
    for sender in (other, victim):
        original = put(sender, BundleKind.INDICATORS, None)
        recall = put(sender, BundleKind.RETRACTION, recall, original)
    for raw in (one for _, one in reader.deliveries()):
        got = parse_trimmed(raw)
        if (got.header.org, got.header.id) == (victim.org, recall):
            item = Item(
                bundle=got.header.id,
                manifest=got.manifest_sha256,
                state=Outcome.RECALL_APPLIED,
                time=world.clock(),
            )
            said = Acknowledgement(org=reader.org, created=world.clock(), items=(item,))
            statement = sign_acknowledgement(said, reader.sig)
            assert (
                reader.send("POST", ACKNOWLEDGEMENTS, statement, STATEMENT_TYPE).status_code == 202
            )
    for desk, confirmed in ((other, 0), (victim, 1)):
        viewer = Actor(org=desk.org, kind=desk.kind, role=Role.VIEWER)
        (count,) = world.services.recalls.view(viewer, now=world.clock())
        assert (count.bundle, count.confirmed) == (recall, confirmed)
