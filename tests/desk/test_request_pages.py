"""Requests and contacts as pages: seen, answered and closed by a signed-in person alone."""

import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from tests.desk.wire import DeskAt, plan
from tests.support.hub_world import BTC, World

from accord.desk.app import Desk
from accord.desk.app.pages import make_pages
from accord.desk.keyring.people import People
from accord.desk.storage.bundles import find_bundle
from accord.desk.storage.requests import answers_to, find_request
from accord.kernel.correspondence.request import AboutRecords, Ask, Request
from accord.kernel.correspondence.sighting import Count, Period, Saw, Sighting
from accord.kernel.identifiers import BundleId
from accord.kernel.indicators import Basis, normalise, record_of
from accord.kernel.markings import OrgKind

PORT = 8801
BASE = f"http://localhost:{PORT}"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("pages"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def bank(world: World, tmp_path_factory: pytest.TempPathFactory) -> DeskAt:
    home = tmp_path_factory.mktemp("desks") / "bank"
    return DeskAt(world, home, "bank", OrgKind.FINANCIAL, "NL")


@pytest.fixture(scope="module")
def police(world: World, tmp_path_factory: pytest.TempPathFactory) -> DeskAt:
    home = tmp_path_factory.mktemp("desks") / "police"
    return DeskAt(world, home, "police", OrgKind.LAW_ENFORCEMENT, "DE")


@pytest.fixture(scope="module")
def sent(world: World, bank: DeskAt, police: DeskAt) -> BundleId:
    with bank.open() as desk:
        record = record_of(normalise(BTC), confidence=80, basis=Basis.OBSERVED)
        made = plan(world, police.org, source=None)
        name = desk.submissions.send(made, [record]).bundles[0].id
    with police.open() as desk:
        desk.rounds.once()
    return name


def ask(world: World, police: DeskAt, bank: DeskAt, sent: BundleId) -> BundleId:
    request = Request(
        ask=Ask.FREEZE,
        about=(AboutRecords(bundle=sent, org=bank.org, records=(0,)),),
        basis="Order <12>",
        deadline=world.clock() + 3600,
        contact="duty desk",
    )
    with police.open() as desk:
        made = desk.correspondence.plan_request(request, [bank.org], desk.correspondence.policy())
        return desk.correspondence.ask(request, made).id


class Visitor:
    """A browser without script at one desk."""

    def __init__(self, desk: Desk, *, signed_in: bool = True) -> None:
        """Sign in, unless told otherwise."""
        app = make_pages(desk, secret_key=bytes(range(32)), instance="0a0b0c0d", port=PORT)
        self.client: FlaskClient = app.test_client()
        if signed_in:
            password = People(desk.vault).set_password("ana", by="root", now=0)
            self.post("/sign-in", "/sign-in", login="ana", password=password)

    def get(self, path: str, code: int = 200) -> str:
        answer = self.client.get(path, base_url=BASE)
        assert answer.status_code == code, answer.text
        return answer.text

    def post(self, page: str, path: str, **form: str) -> tuple[int, str]:
        found = re.search(r'name="(csrf[^"]*)" value="([^"]+)"', self.get(page))
        assert found
        data = form | {found[1]: found[2]}
        headers = {"Origin": BASE}
        answer = self.client.post(path, base_url=BASE, data=data, headers=headers)
        return answer.status_code, answer.get_data().decode("utf-8", "replace")


def test_a_stranger_sees_and_does_nothing(
    world: World, police: DeskAt, bank: DeskAt, sent: BundleId
) -> None:
    request = ask(world, police, bank, sent)
    with bank.open() as desk:
        desk.rounds.once()
        stranger = Visitor(desk, signed_in=False)
        for path in ("/requests", f"/requests/{police.org}/{request}", "/contacts"):
            assert stranger.client.get(path, base_url=BASE).status_code == 401
        refused = stranger.client.post(f"/requests/{police.org}/{request}", base_url=BASE)
        assert refused.status_code in {400, 401, 403}
        assert answers_to(desk.vault, find_request(desk.vault, request)) == []


def test_a_request_is_answered_from_a_template_and_closed_by_whoever_asked(
    world: World, police: DeskAt, bank: DeskAt, sent: BundleId
) -> None:
    request = ask(world, police, bank, sent)
    page = f"/requests/{police.org}/{request}"
    with bank.open() as desk:
        desk.rounds.once()
        visitor = Visitor(desk)
        assert "Freeze" in visitor.get("/requests")
        assert "due" in visitor.get("/inbox")
        shown = visitor.get(page)
        assert "Order &lt;12&gt;" in shown
        assert "duty desk" in shown
        assert "Send us the order" in visitor.get(f"{page}?template=frozen")
        assert visitor.get(f"{page}?template=none")

        status, text = visitor.post(
            page, page, outcome="declined", text="", reference="", reason=""
        )
        assert (status, "decline_reason" in text) == (400, True)
        status, text = visitor.post(page, page, outcome="unknown")
        assert (status, "outcome_unknown" in text) == (400, True)
        status, _ = visitor.post(
            page, page, outcome="done", text="Owner: Jane Example.\r\nFrozen.", reference="F-1"
        )
        assert status == 303
        (mine,) = answers_to(desk.vault, find_request(desk.vault, request))
        assert mine.outcome == "done"
        answer = visitor.get(f"/inbox/{bank.org}/{mine.id}")
        assert "Jane" not in answer
        assert "They act: they close it." in visitor.get(page)
    with police.open() as desk:
        desk.rounds.once()
        visitor = Visitor(desk)
        mine_page = f"/requests/{police.org}/{request}"
        assert "You: close it" in visitor.get(mine_page)
        assert visitor.post(mine_page, mine_page, close="settled")[0] == 303
        assert "closed" in visitor.get(mine_page)
        visitor.get("/requests/nobody/x", code=400)
        visitor.get(f"/requests/{police.org}/{sent}", code=404)


def test_contacts_are_listed_by_kind_and_country(
    world: World, police: DeskAt, bank: DeskAt
) -> None:
    world.clock.now += 301  # a mirror is looked at again after five minutes
    with police.open() as desk:
        visitor = Visitor(desk)
        assert bank.org in visitor.get("/contacts")
        assert bank.org not in visitor.get("/contacts?kind=law_enforcement")
        assert bank.org in visitor.get("/contacts?country=nl")
        assert "Nobody" in visitor.get("/contacts?kind=ngo")
        visitor.get("/contacts?country=ZZ", code=400)
        visitor.get("/contacts?kind=spies", code=400)
        police.wire.lose_before = {"/"}
        assert bank.org in visitor.get("/contacts"), "also while the hub is away"
        police.wire.lose_before = set()


def test_sightings_stand_on_the_bundles_page(police: DeskAt, bank: DeskAt, sent: BundleId) -> None:
    with police.open() as desk:
        desk.correspondence.sight(
            find_bundle(desk.vault, sent),
            [Sighting(record=0, saw=Saw.SEEN, count=Count.FEW, period=Period.WEEK)],
        )
    with bank.open() as desk:
        desk.rounds.once()
        shown = Visitor(desk).get(f"/inbox/{bank.org}/{sent}")
    assert "What became of it" in shown
    assert "count 2-9, period week" in shown
