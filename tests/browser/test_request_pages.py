"""Requests and contacts in a real browser: axe clean, on a phone too, by keyboard, without script."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.browser.conftest import Visit, examine, served, sign_in
from tests.desk.wire import DeskAt
from tests.support.hub_world import World

from accord.desk.app.pages import make_pages
from accord.desk.keyring.people import People
from accord.kernel.correspondence.request import AboutValue, Ask, Request
from accord.kernel.indicators import Kind
from accord.kernel.markings import OrgKind


@dataclass(frozen=True)
class Place:
    """A bank's desk with a request that waits, and one that it may not answer any more."""

    base: str
    password: str
    path: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    world = World(tmp_path_factory.mktemp("hub"))
    homes = tmp_path_factory.mktemp("desks")
    bank = DeskAt(world, homes / "bank", "bank", OrgKind.FINANCIAL, "NL")
    police = DeskAt(world, homes / "police", "police", OrgKind.LAW_ENFORCEMENT, "DE")
    about = AboutValue(kind=Kind.DOMAIN, network=None, value=f"{'a' * 60}.example.org")
    with police.open() as desk:
        for ask, hours in ((Ask.FREEZE, 5), (Ask.INFORMATION, 100)):
            request = Request(
                ask=ask,
                about=(about,),
                basis="Article 18, order 12/2026 of the district court",
                deadline=world.clock() + hours * 3600,
                contact="duty desk, +31 20 000 0001",
                text="Please stop outgoing transfers.\nWe send the order tomorrow.",
            )
            plan = desk.correspondence.plan_request(
                request, [bank.org], desk.correspondence.policy()
            )
            first = desk.correspondence.ask(request, plan).id
    with bank.open() as desk:
        desk.rounds.once()
        app = make_pages(desk, secret_key=bytes(32), instance="0a0b0c0d", port=0)
        password = People(desk.vault).set_password("ana", by="root", now=0)
        with served(app) as base:
            yield Place(base=base, password=password, path=f"/requests/{police.org}/{first}")
    world.close()


def test_requests_and_contacts_are_axe_clean_and_fit_a_phone(visit: Visit, place: Place) -> None:
    for width in (1280, 360):
        page = visit(place.base, viewport={"width": width, "height": 800})
        sign_in(page, "ana", place.password)
        for path in ("/requests", place.path, f"{place.path}?template=frozen", "/contacts"):
            page.goto(path)
            examine(page, f"{path} at {width} px")


def test_a_request_is_answered_without_script(visit: Visit, place: Place) -> None:
    page = visit(place.base, java_script_enabled=False)
    sign_in(page, "ana", place.password)
    page.goto("/requests")
    assert "You: say that you have it" in page.inner_text("main")
    page.goto(place.path)
    page.get_by_label("Start from a ready answer").select_option("received")
    page.get_by_role("button", name="Fill in").click()
    assert "work on it" in page.get_by_label("In words").input_value()
    page.get_by_role("button", name="Send the answer").click()
    page.wait_for_load_state()
    assert "You: answer it." in page.inner_text("main")
