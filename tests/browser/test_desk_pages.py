"""The desk's pages in a real browser: by keyboard, without script, at 320 px, dark, axe clean."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page
from tests.browser.conftest import (
    FITS,
    MAX_WEIGHT,
    Visit,
    dark_problems,
    examine,
    problems,
    sign_in,
    tab_stops,
    weight,
)
from tests.browser.desk_place import (
    BIG,
    BROKEN,
    EVM,
    EXPIRED,
    HOTLINE,
    LONG,
    MORE,
    OCTOBER,
    POLICE,
    RECALL,
    RETRACTED,
    SENT,
    DeskPlace,
    desk_place,
    fill,
    fill_more,
    fill_recall,
    values,
)
from tests.desk.conftest import BANK, bundle_id

from accord.desk.indicators.search import MAX_VALUES


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskPlace]:
    with desk_place(tmp_path_factory.mktemp("desk"), fill) as made:
        yield made


@pytest.fixture(scope="module")
def empty_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskPlace]:
    with desk_place(tmp_path_factory.mktemp("empty")) as made:
        yield made


@pytest.fixture(scope="module")
def full_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskPlace]:
    with desk_place(tmp_path_factory.mktemp("full"), fill, fill_more) as made:
        yield made


@pytest.fixture(scope="module")
def recalled_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskPlace]:
    with desk_place(tmp_path_factory.mktemp("recalled"), fill, fill_recall) as made:
        yield made


def bundle_path(number: int, org: str = BANK) -> str:
    return f"/inbox/{org}/{bundle_id(number)}"


def look_up(page: Page, *sought: str, reason: str = "case 114") -> None:
    page.goto("/search")
    # Set at once, as a paste does it: typing 5,000 lines would take the browser half a minute.
    page.get_by_label("Wallets, transactions").evaluate(
        "(at, text) => { at.value = text; }", "\n".join(sought)
    )
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name="Search").click()
    page.wait_for_load_state()


def words(page: Page) -> str:
    return page.locator("main").inner_text()


@pytest.mark.parametrize("script", [True, False])
def test_an_investigator_reads_searches_and_leaves(
    visit: Visit, place: DeskPlace, *, script: bool
) -> None:
    page = visit(place.base, java_script_enabled=script)
    place.enter(page)
    page.wait_for_url("**/inbox")
    page.get_by_role("link", name="October wallets").click()
    assert page.get_by_role("heading", level=1).inner_text() == "October wallets"
    assert page.get_by_role("rowheader", name=EVM).is_visible()
    look_up(page, EVM, "absent.example.net")
    assert page.get_by_role("heading", name="1 of 2 found").is_visible()
    assert page.get_by_role("cell", name="4 records, 2 independent origins").is_visible()
    assert EVM not in page.url
    page.get_by_role("link", name="your own bundle").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Our list"
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    answer = page.goto("/inbox")
    assert answer is not None
    assert answer.status == 401


def test_every_page_is_axe_clean_in_both_schemes_and_fits_a_phone(
    visit: Visit, place: DeskPlace
) -> None:
    page = visit(place.base)
    page.goto("/sign-in")
    examine(page, "sign in")
    sign_in(page, "ana", "wrong")
    assert page.get_by_role("alert").is_visible()
    page.goto("/inbox")
    examine(page, "a stranger")
    place.enter(page)
    numbers = (OCTOBER, RETRACTED, EXPIRED, RECALL, BROKEN)
    paths = [*map(bundle_path, numbers), bundle_path(SENT, POLICE)]
    for path in ("/inbox", *paths, bundle_path(99)):
        page.goto(path)
        examine(page, path)


def test_the_recalls_are_axe_clean_and_fit(visit: Visit, recalled_place: DeskPlace) -> None:
    page = visit(recalled_place.base)
    recalled_place.enter(page)
    page.goto("/recalls")
    examine(page, "/recalls")
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert problems(page) == [], f"{width} px"
        assert page.evaluate(FITS), f"{width} px"
    said = words(page)
    assert "1 of 2" in said
    assert f"{HOTLINE}: overdue" in said, "who is late is named, with what to do"
    assert BANK not in page.locator("table").inner_text(), "who has applied it need not be called"
    assert weight(page, "/recalls") <= MAX_WEIGHT


def test_search_is_axe_clean_before_after_and_when_it_fails(visit: Visit, place: DeskPlace) -> None:
    page = visit(place.base)
    place.enter(page)
    for sought, reason in (((EVM, LONG, "???"), "case 114"), ((EVM,), ""), ((), "case 114")):
        look_up(page, *sought, reason=reason)
        examine(page, f"{len(sought)} values, reason {reason!r}")


def test_an_empty_desk_says_who_acts_next(visit: Visit, empty_place: DeskPlace) -> None:
    page = visit(empty_place.base)
    empty_place.enter(page)
    examine(page, "empty inbox")
    said = words(page)
    assert "This desk is not enrolled yet" in said
    assert "the registrar acts next" in said
    assert "Nothing has arrived yet" in said
    assert "has not asked its hub yet" in page.locator("footer").inner_text()
    look_up(page, EVM)
    assert "0 of 1 found" in words(page)
    assert "nobody has shared it with your organisation" in words(page)


def test_a_bundle_says_who_can_open_it_and_what_may_be_done(visit: Visit, place: DeskPlace) -> None:
    page = visit(place.base)
    place.enter(page)
    page.goto(bundle_path(OCTOBER))
    assert f"Who can open it: hotline@hub.example, {POLICE}. The hub cannot." in words(page)
    assert "Do not pass it on to another organisation." in words(page)
    assert "only the sender can take it back" in words(page)
    page.goto(bundle_path(RETRACTED))
    assert "Do not act on it, remove it from your lists" in words(page)
    assert "Wrong file." in words(page)
    page.goto(bundle_path(EXPIRED))
    assert "Ask the sender before you act on it." in words(page)
    page.goto(bundle_path(SENT, POLICE))
    assert f"{BANK}: confirmed" in words(page)
    assert "hotline@hub.example: not confirmed yet: their desk acts next" in words(page)
    page.goto(bundle_path(BROKEN))
    assert "Tell the sender: record 0 record_invalid" in words(page)
    page.goto("/inbox")
    assert "delivery 9" not in page.locator("table").inner_text()
    assert "sender not known · delivery 9 · bundle_magic" in words(page)


def test_the_inbox_turns_its_pages(visit: Visit, full_place: DeskPlace) -> None:
    page = visit(full_place.base)
    full_place.enter(page)
    page.goto("/inbox")
    newest = page.locator("tbody tr").count()
    page.get_by_role("link", name="Older").click()
    # One of the bundles was sent from here: it is not in the inbox.
    assert newest + page.locator("tbody tr").count() == MORE + 6
    page.get_by_role("link", name="Latest").click()
    assert page.locator("tbody tr").count() == newest
    for wrong in ("0", "-1", "x", "1" * 19):
        answer = page.goto(f"/inbox?before={wrong}")
        assert answer is not None
        assert answer.status == 400


def test_all_can_be_done_by_keyboard_alone(visit: Visit, place: DeskPlace) -> None:
    page = visit(place.base)
    page.goto("/sign-in")
    assert tab_stops(page) == ["Skip to the content", "Accord desk", "Name", "Password", "Sign in"]
    page.goto("/sign-in")
    for text in ("", "", "ana", place.password):
        page.keyboard.press("Tab")
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.wait_for_url("**/inbox")
    page.goto("/search")
    stops = tab_stops(page)
    assert stops[:5] == ["Skip to the content", "Accord desk", "Inbox", "Sent", "Search"]
    assert stops[5:10] == ["Watches", "Screening", "Recalls", "Requests", "Drafts"]
    assert stops[10:15] == ["Contacts", "Digest", "Tools", "Keys", "Sign out"]
    assert stops[15:] == [
        "Wallets, transactions, domains, onion services or links",
        "Reason",
        "How to look",
        "Search",
    ]
    page.goto("/search")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search#main")
    for text in (EVM, "case 114"):
        page.keyboard.press("Tab")
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search#results")
    page.keyboard.press("Tab")
    assert BANK in page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    page.wait_for_url("**/inbox/**")


def test_every_stop_of_a_bundle_and_of_the_inbox_shows_its_focus_also_in_the_dark(
    visit: Visit, place: DeskPlace
) -> None:
    page = visit(place.base, color_scheme="dark")
    place.enter(page)
    page.goto(bundle_path(OCTOBER))
    assert tab_stops(page)[-2:] == ["Make the file", "Id and records as signed"]
    page.goto("/inbox")
    assert tab_stops(page)[-1] == "October wallets"


def test_a_failed_search_leads_to_the_field_at_fault(visit: Visit, place: DeskPlace) -> None:
    page = visit(place.base)
    place.enter(page)
    look_up(page, EVM, reason="")
    alert = page.get_by_role("alert")
    assert "--reason" not in alert.inner_text()
    alert.get_by_role("link").click()
    page.keyboard.type("case 7")
    field = page.get_by_label("Reason")
    assert field.input_value() == "case 7"
    assert field.get_attribute("aria-invalid") == "true"
    assert page.get_by_label("Wallets, transactions").input_value() == EVM
    assert dark_problems(page) == []


def test_no_page_weighs_more_than_60_kb(visit: Visit, full_place: DeskPlace) -> None:
    page = visit(full_place.base)
    full_place.enter(page)
    for path in ("/inbox", bundle_path(BIG), "/search", "/sign-in"):
        assert weight(page, path) <= MAX_WEIGHT, path


def test_a_search_takes_as_many_values_as_it_says(visit: Visit, place: DeskPlace) -> None:
    page = visit(place.base)
    place.enter(page)
    look_up(page, *values(MAX_VALUES))
    assert page.get_by_role("heading", name=f"120 of {MAX_VALUES} found").is_visible()
    look_up(page, *values(MAX_VALUES + 1))
    assert page.get_by_role("link", name="Split the list and search twice.").is_visible()
