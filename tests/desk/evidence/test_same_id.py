"""A member sends a bundle under the id of another's, to stop or to taint its evidence."""

import hashlib
from collections.abc import Iterator, Sequence

import pytest
from flask import Flask
from tests.desk.conftest import records_of
from tests.desk.evidence.conftest import EVM, made_at
from tests.desk.wire import DeskAt, plan
from tests.support.forged_evidence import statement_in
from tests.support.hub_world import BTC, Desk, World
from tests.support.lies import twin

from accord.desk.evidence.service import MadeEvidence
from accord.desk.storage.bundles import find_bundle, purge_expired
from accord.desk.storage.journal import Act, record_act
from accord.desk.web.evidence import _wanted
from accord.kernel.errors import NotFound, Refused
from accord.kernel.identifiers import BundleId
from accord.kernel.markings import OrgKind


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("hub"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def bank(world: World, tmp_path_factory: pytest.TempPathFactory) -> DeskAt:
    home = tmp_path_factory.mktemp("desks") / "bank"
    return DeskAt(world, home, "first-bank", OrgKind.FINANCIAL, "NL")


@pytest.fixture(scope="module")
def police(world: World, tmp_path_factory: pytest.TempPathFactory) -> DeskAt:
    home = tmp_path_factory.mktemp("desks") / "police"
    return DeskAt(world, home, "police", OrgKind.LAW_ENFORCEMENT, "DE")


@pytest.fixture(scope="module")
def mallory(world: World) -> Desk:
    return world.enrol("second-bank", OrgKind.FINANCIAL)


@pytest.fixture(scope="module")
def sent(bank: DeskAt, police: DeskAt, mallory: Desk) -> BundleId:
    return sent_twice(bank, police, mallory, BTC)


def sent_twice(bank: DeskAt, police: DeskAt, mallory: Desk, value: str) -> BundleId:
    """Return the id that two bundles have at the police: the bank's and, a minute later, another's.

    Each was looked at, by one person before and by others after the second one came.
    """
    world, source = bank.world, hashlib.sha256(value.encode()).digest()
    with bank.open() as desk:
        asked = plan(world, police.org, source=source)
        (bundle,) = desk.submissions.send(asked, records_of([value])).bundles
    with police.open() as desk:
        desk.rounds.once()
    looked_at(police, "old-ana", bundle.id)
    world.clock.now += 60
    to = twin(world, police, OrgKind.LAW_ENFORCEMENT)
    name, same = mallory.seal(to, values=[value], bundle_id=bundle.id)
    assert mallory.put_bundle(same, name).status_code == 202
    with police.open() as desk:
        desk.rounds.once()
        first = find_bundle(desk.vault, bundle.id, bank.org).subject
        second = find_bundle(desk.vault, bundle.id, mallory.org).subject
    looked_at(police, "old-bo", bundle.id)
    looked_at(police, "ana", first)
    looked_at(police, "mal", second)
    return bundle.id


def looked_at(at: DeskAt, person: str, subject: str) -> None:
    with at.open() as desk:
        now = desk.clock()
        record_act(
            desk.vault, person=person, act=Act.BUNDLE_VIEW, subject=subject, reason="", now=now
        )


def lookers(made: MadeEvidence) -> Sequence[str]:
    custody = statement_in(made.data).custody
    return [one.who for one in custody if one.what == "looked at the bundle"]


def test_a_bundle_of_the_same_id_does_not_stop_evidence_of_the_other(
    bank: DeskAt, police: DeskAt, mallory: Desk, sent: BundleId
) -> None:
    with pytest.raises(Refused, match="evidence_ambiguous") as several:
        made_at(police, BTC, bundle=sent, record=0)
    assert bank.org in str(several.value)
    assert mallory.org in str(several.value)
    assert "--from" in str(several.value.next_step)
    for org in (bank.org, mallory.org):
        shows = made_at(police, BTC, org=org, bundle=sent, record=0).shows
        assert shows.disclosure.header.org == org


@pytest.mark.usefixtures("sent")
def test_what_was_done_with_one_is_not_custody_of_the_other(
    bank: DeskAt, police: DeskAt, mallory: Desk
) -> None:
    """An act of before, that names the id alone, counts while there was but one of that id."""
    assert lookers(made_at(police, BTC, org=bank.org)) == ["old-ana", "ana"]
    assert lookers(made_at(police, BTC, org=mallory.org)) == ["mal"]


def test_the_page_of_a_bundle_makes_evidence_of_that_bundle_or_of_none(
    world: World, bank: DeskAt, police: DeskAt, mallory: Desk
) -> None:
    sent = sent_twice(bank, police, mallory, EVM)
    asked = Flask(__name__).test_request_context(method="POST", data={"record": "0"})
    with police.open() as desk, asked:
        wanted = _wanted(desk.vault, bank.org, sent)
    assert (wanted.org, wanted.bundle, wanted.record) == (bank.org, sent, 0)
    assert made_at(police, EVM, org=mallory.org, bundle=sent).shows.disclosure.index == 0
    with police.open() as desk:
        later = world.clock() + 31 * 86_400
        (gone,) = purge_expired(
            desk.vault,
            before=later,
            now=later,
            held=lambda one: (one.org, one.id) != (bank.org, sent),
        )
    assert (gone.org, gone.id) == (bank.org, sent)
    with pytest.raises(NotFound, match="evidence_none"):
        made_at(police, EVM, org=wanted.org, bundle=sent, record=0)
