"""The hub's pages in a real browser: sign in, read, download; by keyboard, without script, dark."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from playwright.sync_api import Page
from tests.browser.conftest import (
    FITS,
    MAX_WEIGHT,
    Visit,
    examine,
    problems,
    served,
    sign_in,
    tab_stops,
    weight,
)
from tests.hub.summaries.test_disclosure import sample
from tests.support.hub_people import make_person
from tests.support.hub_world import NOW, ORIGIN, Desk, World

from accord.cli.main import main
from accord.hub.access import Actor, Role
from accord.kernel.directory.statements import Op, Statement, sign_statement
from accord.kernel.identifiers import make_org_id
from accord.kernel.markings import BundleKind, OrgKind
from accord.kernel.statements.tally import TALLY_TYPE, month_end, sign_tally
from accord.kernel.tlog.growing import GrownHead
from accord.kernel.tlog.journals import Cause, Restart
from accord.webbase.names import NETWORKS

MONTH = "2026-10"
BEFORE = "2026-09"


class Place:
    """A hub, its address, and a viewer of an NGO with a password."""

    def __init__(self, folder: Path) -> None:
        """Enrol the NGO and make its account."""
        self.world = World(folder)
        ngo = self.world.enrol("ngo", OrgKind.NGO)
        self.login = "nora"
        self.password = make_person(self.world, self.login, ngo.org).password
        self.base = ""

    def enter(self, page: Page) -> None:
        """Sign in."""
        sign_in(page, self.login, self.password)


@contextmanager
def hub_place(folder: Path) -> Iterator[Place]:
    place = Place(folder)
    with served(place.world.app) as base:
        place.base = base
        yield place
    place.world.close()


def release(place: Place, months: tuple[str, ...] = (BEFORE, MONTH)) -> None:
    """Enrol six banks, take their tallies, release months."""
    for tally in sample(1):
        desk = place.world.enrol(tally.org.split("@")[0], OrgKind.FINANCIAL)
        for month in months:
            said = replace(tally, org=desk.org, month=month, created=month_end(month))
            signed = sign_tally(said, desk.sig)
            assert desk.send("PUT", f"/v1/tallies/{month}", signed, TALLY_TYPE).status_code == 202
    for month in months:
        place.world.services.releases.release(month, now=NOW)
    place.world.witness_round()


def suspend(world: World, name: str) -> None:
    """Let the registrar suspend an organisation."""
    known = world.services.directory.state().organisation(make_org_id(name, ORIGIN))
    statement = Statement(
        org=known.org,
        seq=known.seq + 1,
        prev=known.digest,
        op=Op.SUSPEND,
        not_before=NOW,
    )
    signed = sign_statement(statement, [world.registrar])
    world.services.directory.append_statement(signed, now=NOW)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with hub_place(tmp_path_factory.mktemp("hub")) as made:
        release(made)
        yield made


@pytest.fixture(scope="module")
def agreed_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A hub with a published quarter, and a bank's recall that nobody has confirmed."""
    with hub_place(tmp_path_factory.mktemp("agreed")) as made:
        release(made, ("2026-07", "2026-08", "2026-09"))
        made.world.services.releases.release("2026-Q3", now=NOW)
        police = made.world.enrol("police", OrgKind.LAW_ENFORCEMENT)
        bank = made.world.enrol("sending-bank", OrgKind.FINANCIAL)
        made.login = "bert"
        made.password = make_person(made.world, made.login, bank.org).password
        name, sealed = bank.seal(police)
        assert bank.put_bundle(sealed, name).status_code == 202
        kind = BundleKind.RETRACTION
        name, sealed = bank.seal(police, kind=kind, refs=(name,), lines=[b"{}"])
        assert bank.put_bundle(sealed, name).status_code == 202
        restart_journal(made.world, bank)
        yield made


def restart_journal(world: World, desk: Desk) -> None:
    """Let the organisation say that a vault was put back."""
    actor = Actor(org=desk.org, kind=desk.kind, role=Role.DESK)
    head = GrownHead(size=9, root=b"\1" * 32)
    world.services.journals.anchor(actor, head, journal=b"\2" * 16, now=world.clock())
    told = Restart(journal=b"\3" * 16, head=head, kept=4, cause=Cause.RESTORED, ended=b"\2" * 16)
    world.services.journals.restart(actor, told, now=world.clock())


@pytest.fixture(scope="module")
def new_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with hub_place(tmp_path_factory.mktemp("new")) as made:
        yield made


def words(page: Page) -> str:
    return page.locator("main").inner_text()


@pytest.mark.parametrize("script", [True, False])
def test_a_person_signs_in_reads_the_summary_and_leaves(
    visit: Visit, place: Place, *, script: bool
) -> None:
    page = visit(place.base, java_script_enabled=script)
    place.enter(page)
    page.wait_for_url("**/summary")
    assert page.get_by_role("heading", level=1).inner_text() == f"Summary of {MONTH}"
    page.get_by_text("Table: Indicators by kind").first.click()
    assert page.get_by_role("rowheader", name="wallet").first.is_visible()
    page.get_by_role("link", name=BEFORE).click()
    assert page.get_by_role("heading", level=1).inner_text() == f"Summary of {BEFORE}"
    page.get_by_role("link", name="Logs").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Logs"
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    answer = page.goto("/summary")
    assert answer is not None
    assert answer.status == 401


def test_chart_table_and_file_give_the_same_counts(visit: Visit, place: Place) -> None:
    page = visit(place.base)
    place.enter(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all counts").click()
    assert download.value.suggested_filename == f"summary-{MONTH}.csv"
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))
    for number, table in enumerate(("kind", "network", "role"), start=1):
        figure = page.locator("figure").filter(has=page.locator(f"#chart{number}-title"))
        figure.locator("summary").click()
        filed = {
            NETWORKS.get(row["row"], row["row"]): row["records"]
            for row in rows
            if row["table"] == table
        }
        cells = figure.locator("tbody tr").all()
        shown = {one.locator("th").inner_text(): one.locator("td").inner_text() for one in cells}
        assert shown == filed
        drawn = zip(
            figure.locator("text.label").all_text_contents(),
            figure.locator("text.value").all_text_contents(),
            strict=True,
        )
        assert dict(drawn).items() <= filed.items()


def test_every_page_is_axe_clean_in_both_schemes_and_fits_a_phone(
    visit: Visit, place: Place
) -> None:
    page = visit(place.base)
    page.goto("/sign-in")
    examine(page, "sign in")
    sign_in(page, "nora", "wrong")
    assert page.get_by_role("alert").is_visible()
    examine(page, "wrong password")
    page.goto("/log")
    examine(page, "a stranger")
    place.enter(page)
    for path in ("/summary", "/log", "/nowhere", "/summary?month=x", "/summary?month=2026-01"):
        page.goto(path)
        examine(page, path)


def test_charter_recalls_and_the_public_page_are_axe_clean_and_fit(
    visit: Visit, agreed_place: Place
) -> None:
    place, page = agreed_place, visit(agreed_place.base)
    page.goto("/public")
    assert page.get_by_role("heading", level=1).is_visible(), "anybody reads it, without sign-in"
    examine(page, "the public page")
    place.enter(page)
    for path in ("/charter", "/recalls", "/log", "/public", "/public?quarter=x"):
        page.goto(path)
        examine(page, path)
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": 900})
            assert problems(page) == [], f"{path} at {width} px"
            assert page.evaluate(FITS), f"{path} at {width} px"
        page.set_viewport_size({"width": 1280, "height": 800})
    page.goto("/recalls")
    assert page.get_by_role("cell", name="0 of 1").is_visible()
    page.goto("/log")
    assert page.get_by_role("cell", name="an older vault was put back").is_visible()
    page.goto("/charter")
    assert tab_stops(page, most=200)
    for path in ("/charter", "/recalls", "/public"):
        assert weight(page, path) <= MAX_WEIGHT, path


def test_a_new_hub_says_what_is_awaited_and_who_acts(visit: Visit, new_place: Place) -> None:
    page = visit(new_place.base)
    new_place.enter(page)
    page.wait_for_url("**/summary")
    assert "No month has been released yet" in words(page)
    assert "The hub's operator then releases the tables." in words(page)
    examine(page, "empty summary")
    page.goto("/log")
    assert "The newest entries wait for the witnesses, who act next" in words(page)
    new_place.world.witness_round()
    page.goto("/log")
    assert "Everything in this log is confirmed." in words(page)
    examine(page, "log")


def test_a_suspended_organisation_is_told_so_and_not_sent_round_in_circles(
    visit: Visit, tmp_path: Path
) -> None:
    with hub_place(tmp_path) as left:
        page = visit(left.base)
        left.enter(page)
        suspend(left.world, "ngo")
        answer = page.goto("/log")
        assert answer is not None
        assert answer.status == 401
        assert "Your organisation is not active here" in words(page)
        examine(page, "suspended")
        page.context.close()


def test_the_check_that_the_page_names_can_be_run_as_it_stands(
    visit: Visit, place: Place, tmp_path: Path
) -> None:
    page = visit(place.base)
    place.enter(page)
    page.goto("/log")
    link = page.get_by_role("link", name="/v1/root").get_attribute("href")
    root = tmp_path / "root.json"
    root.write_bytes(page.request.get(str(link)).body())
    commands = page.locator("code.command").all_inner_texts()
    assert len(commands) == 2
    for command in commands:
        program, *arguments = command.replace("root.json", str(root)).split()
        assert program == "accord"
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 0, done.output


def test_all_can_be_reached_by_keyboard_alone(visit: Visit, place: Place) -> None:
    page = visit(place.base)
    page.goto("/sign-in")
    for text in ("", "", "nora", place.password):
        page.keyboard.press("Tab")
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.wait_for_url("**/summary")
    page.goto("/summary")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/summary#main")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert "CSV" in page.evaluate("document.activeElement.textContent")
    page.goto("/summary")
    stops = tab_stops(page)
    top = ["Skip to the content", "Accord hub", "Summary", "Charter", "Logs"]
    assert [one for one in stops if one in top] == top
    mine = stops.index("nora · ngo@hub.test")
    assert stops[mine + 1 : mine + 3] == ["Sign out", "Download all counts (CSV)"]
    assert "Table: Indicators by kind" in stops
    assert BEFORE in stops
    page.get_by_text("Table: Members by kind").focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("rowheader", name="financial").is_visible()


def test_every_stop_shows_its_focus_in_the_dark(visit: Visit, place: Place) -> None:
    page = visit(place.base, color_scheme="dark")
    place.enter(page)
    page.goto("/log")
    assert len(tab_stops(page)) > 5


def test_no_page_weighs_more_than_60_kb(visit: Visit, place: Place) -> None:
    page = visit(place.base)
    place.enter(page)
    for path in ("/summary", "/log", "/sign-in"):
        assert weight(page, path) <= MAX_WEIGHT, path
