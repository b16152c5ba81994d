"""The hub's pages in a real browser: sign in, read, download; axe finds nothing; no script needed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from tests.browser.conftest import served
from tests.hub.summaries.test_disclosure import sample
from tests.support.hub_world import NOW, World

from accord.hub.access import Role
from accord.kernel.markings import OrgKind
from accord.kernel.statements.tally import TALLY_TYPE, month_end, sign_tally

MONTH = "2026-10"
PATHS = ("/summary", "/log", "/nowhere", "/sign-in")


class Place:
    """A hub with one released month, its address and a person's password."""

    def __init__(self, folder: Path) -> None:
        """Enrol six banks, take their tallies, release the month."""
        self.world = World(folder)
        ngo = self.world.enrol("ngo", OrgKind.NGO)
        self.password = self.world.services.people.add(
            "nora", org=ngo.org, role=Role.VIEWER, now=NOW
        )
        for tally in sample(1):
            desk = self.world.enrol(tally.org.split("@")[0], OrgKind.FINANCIAL)
            signed = sign_tally(
                replace(tally, org=desk.org, month=MONTH, created=month_end(MONTH)), desk.sig
            )
            assert desk.send("PUT", f"/v1/tallies/{MONTH}", signed, TALLY_TYPE).status_code == 202
        self.world.services.releases.release(MONTH, now=NOW)
        self.world.witness_round()
        self.base = ""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("hub"))
    with served(made.world.app) as base:
        made.base = base
        yield made
    made.world.close()


@pytest.fixture
def page(browser: Browser, place: Place) -> Iterator[Page]:
    context = browser.new_context(base_url=place.base, java_script_enabled=True)
    opened = context.new_page()
    yield opened
    context.close()


def enter(page: Page, place: Place, password: str | None = None) -> None:
    page.goto("/sign-in")
    page.get_by_label("Name").fill("nora")
    page.get_by_label("Password").fill(password or place.password)
    page.get_by_role("button", name="Sign in").click()


def problems(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{entry['id']}: {entry['nodes'][0]['html'][:200]}" for entry in found]


def test_a_person_signs_in_reads_the_summary_and_leaves(page: Page, place: Place) -> None:
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text))
    enter(page, place)
    page.wait_for_url("**/summary")
    assert page.get_by_role("heading", level=1).inner_text() == f"Summary of {MONTH}"
    page.get_by_text("Table: Indicators by kind").first.click()
    assert page.get_by_role("rowheader", name="wallet").first.is_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all counts").click()
    assert download.value.suggested_filename == f"summary-{MONTH}.csv"
    page.get_by_role("link", name="Logs").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Logs"
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    assert page.goto("/summary").status == 401
    assert errors == [
        "Failed to load resource: the server responded with a status of 401 (UNAUTHORIZED)"
    ]


def test_everything_works_without_script(browser: Browser, place: Place) -> None:
    context = browser.new_context(base_url=place.base, java_script_enabled=False)
    page = context.new_page()
    enter(page, place)
    page.wait_for_url("**/summary")
    assert page.locator("h1").inner_text() == f"Summary of {MONTH}"
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing(browser: Browser, place: Place, scheme: str, width: int) -> None:
    context = browser.new_context(
        base_url=place.base, color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    page = context.new_page()
    page.goto("/sign-in")
    assert problems(page) == []
    enter(page, place, "wrong")
    assert page.get_by_role("alert").is_visible()
    assert problems(page) == []
    enter(page, place)
    page.wait_for_url("**/summary")
    for path in PATHS:
        page.goto(path)
        for summary in page.locator("details > summary").all():
            summary.click()
        assert problems(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
    context.close()


def test_the_keyboard_reaches_the_content_first(page: Page, place: Place) -> None:
    enter(page, place)
    page.wait_for_url("**/summary")
    page.goto("/summary")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
