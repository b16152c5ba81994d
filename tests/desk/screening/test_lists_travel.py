"""A list of the police's reaches a bank over a real hub, raises its watch, screens, and is recalled."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.desk.conftest import records_of
from tests.desk.test_recalls import pull, take_back
from tests.desk.wire import DeskAt, plan
from tests.support.hub_world import BTC, World

from accord.desk import app as desk_app
from accord.desk.indicators.watching import DAY, alerts, set_watch
from accord.desk.screening import Screened, ScreenOptions, screen
from accord.desk.storage.bundles import find_bundle
from accord.desk.storage.exports import who_took
from accord.kernel.bundle.model import HandlingPolicy
from accord.kernel.errors import Refused
from accord.kernel.identifiers import BundleId
from accord.kernel.markings import BundleKind, LegalBasis, Onward, OrgKind, Purpose, Tlp

SITE = "market.evil-example.org"
POLICY = HandlingPolicy(
    tlp=Tlp.AMBER,
    purpose=Purpose.SCREENING,
    legal_basis=LegalBasis.LEGAL_OBLIGATION,
    onward=Onward.NONE,
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "hub-side"
    folder.mkdir()
    made = World(folder)
    yield made
    made.close()


def send_list(police: DeskAt, bank: DeskAt) -> BundleId:
    wish = plan(police.world, bank.org, kind=BundleKind.LIST, policy=POLICY)
    with police.open() as desk:
        return desk.submissions.send(wish, records_of([BTC, SITE])).bundles[0].id


def check(desk: desk_app.Desk, own: Path, report: Path) -> Screened:
    return screen(
        desk.vault,
        own,
        ScreenOptions(report=report, only_lists=True),
        person="ana",
        reason="monthly check",
        now=desk.clock(),
    )


def test_a_list_is_sent_watched_screened_and_recalled(world: World, tmp_path: Path) -> None:
    police = DeskAt(world, tmp_path / "police", "police", OrgKind.LAW_ENFORCEMENT, "DE")
    bank = DeskAt(world, tmp_path / "bank", "first-bank", OrgKind.FINANCIAL, "NL")
    own = tmp_path / "own.csv"
    own.write_text(f"wallet\n{BTC}\nexample.com\npay.{SITE}\n", encoding="utf-8")
    with bank.open() as desk:
        now = desk.clock()
        set_watch(desk.vault, BTC, reason="case 17", person="ana", now=now, expires=now + 9 * DAY)
    listed = send_list(police, bank)
    pull(bank)
    pull(bank)
    with bank.open() as desk:
        done = check(desk, own, tmp_path / "first.csv")
        assert (done.rows, done.matched, done.listed.records) == (3, 2, 2)
        (alert,) = alerts(desk.vault, now=desk.clock(), limit=10)
        assert (alert.bundle.id, alert.hit.record) == (listed, 0)
    with police.open() as desk:
        take_back(desk, listed, records=(0,))
    pull(bank)
    with bank.open() as desk:
        again = check(desk, own, tmp_path / "second.csv")
        assert (again.matched, again.listed.records, again.listed.withheld["ended"]) == (1, 1, 1)
        (alert,) = alerts(desk.vault, now=desk.clock(), limit=10)
        assert alert.found is not None
        assert alert.found.states == ("retracted",)
        row = find_bundle(desk.vault, listed, police.org).no
        assert [one.form for one in who_took(desk.vault, row, [0])] == ["screening"]
    with police.open() as desk:
        take_back(desk, listed)
    pull(bank)
    with bank.open() as desk, pytest.raises(Refused) as caught:
        check(desk, own, tmp_path / "third.csv")
    assert caught.value.code == "lists_none"
