"""A recipient asks for the proof that one sender's bundle was erased, and gets another's."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import Connection, select, update
from tests.desk.conftest import records_of
from tests.desk.wire import Change, DeskAt, plan
from tests.support.hub_world import BTC, Desk, World
from tests.support.lies import lying, twin

from accord.desk.exchange.erasure import FetchedErasure, fetch_erasure
from accord.hub.audit import Event, EventClass
from accord.hub.bundles.tables import BundleRow
from accord.kernel.errors import Refused, VerificationFailed
from accord.kernel.identifiers import BundleId, OrgId
from accord.kernel.markings import OrgKind


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def bank(world: World, tmp_path: Path) -> DeskAt:
    return DeskAt(world, tmp_path / "bank", "first-bank", OrgKind.FINANCIAL, "NL")


@pytest.fixture
def police(world: World, tmp_path: Path) -> DeskAt:
    return DeskAt(world, tmp_path / "police", "police", OrgKind.LAW_ENFORCEMENT, "DE")


@pytest.fixture
def mallory(world: World) -> Desk:
    return world.enrol("second-bank", OrgKind.FINANCIAL)


@pytest.fixture
def sent(world: World, bank: DeskAt, police: DeskAt, mallory: Desk) -> BundleId:
    """Return the id of two erased bundles that the police had from the bank and from mallory."""
    with bank.open() as desk:
        (bundle,) = desk.submissions.send(plan(world, police.org), records_of([BTC])).bundles
    name, same = mallory.seal(twin(world, police, OrgKind.LAW_ENFORCEMENT), bundle_id=bundle.id)
    assert mallory.put_bundle(same, name).status_code == 202
    with police.open() as desk:
        desk.rounds.once()
    later = world.clock() + 31 * 86_400
    assert world.services.retention.expire(now=later) == 2
    assert world.services.retention.erase(now=later) == 2
    world.witness_round()
    return bundle.id


def tell_as_before(world: World, org: OrgId, bundle: BundleId) -> None:
    """Log the erasure of a bundle once more, as hubs did before they told the sender."""
    services = world.services
    mine = (BundleRow.org == org, BundleRow.bundle_id == bundle)

    def act(connection: Connection) -> None:
        digest = connection.scalar(select(BundleRow.digest).where(*mine))
        assert digest is not None
        event = Event(
            what=EventClass.BUNDLE_ERASED,
            subject=bundle,
            basis="retention",
            detail=f"sha256={digest.hex()}",
            concerns=(org, OrgId(f"police@{world.root.hub}")),
        )
        number = services.recorder.record(connection, event, now=world.clock())
        connection.execute(update(BundleRow).where(*mine).values(erased_number=number))

    services.writer.run(act)
    world.witness_round()


def fetched(at: DeskAt, bundle: BundleId, sender: OrgId | None) -> FetchedErasure:
    with at.open() as desk:
        return fetch_erasure(
            desk.vault, desk.client, desk.mirror, org=desk.org, bundle=bundle, sender=sender
        )


def answers_with(proof: bytes) -> Change:
    def change(request: httpx2.Request, answer: httpx2.Response) -> httpx2.Response:
        return httpx2.Response(200, content=proof) if "erasure" in request.url.path else answer

    return change


def test_the_proof_for_a_bundle_of_the_same_id_is_refused(
    world: World, bank: DeskAt, police: DeskAt, mallory: Desk, sent: BundleId
) -> None:
    """By the sender that the event tells and, of an event of before, by the accepted digest."""
    with pytest.raises(Refused, match="bundle_ambiguous"):
        fetched(police, sent, None)
    for told in (True, False):
        if not told:
            for org in (bank.org, mallory.org):
                tell_as_before(world, org, sent)
        right, other = (fetched(police, sent, org) for org in (bank.org, mallory.org))
        assert right.shows.erasure.sender == (bank.org if told else None)
        assert right.compared
        assert other.compared
        with (
            lying(police, answers_with(other.data)),
            pytest.raises(VerificationFailed, match="erasure_other"),
        ):
            fetched(police, sent, bank.org)
        own = fetched(bank, sent, None)
        assert (own.compared, own.shows) == (True, right.shows)


def test_a_desk_that_never_took_the_bundle_is_told_whose_it_was(
    world: World, bank: DeskAt, police: DeskAt, mallory: Desk, sent: BundleId
) -> None:
    with police.open() as desk, desk.vault.transaction() as connection:
        connection.execute("DELETE FROM own_events")  # as a vault that was made anew
    proof = fetched(police, sent, bank.org)
    assert (proof.shows.erasure.sender, proof.compared) == (bank.org, False)
    other = fetched(police, sent, mallory.org)
    with (
        lying(police, answers_with(other.data)),
        pytest.raises(VerificationFailed, match="erasure_other"),
    ):
        fetched(police, sent, bank.org)
    tell_as_before(world, bank.org, sent)
    proof = fetched(police, sent, bank.org)
    assert (proof.shows.erasure.sender, proof.compared) == (None, False), "and the command says so"
