"""Connecting a tool: what the page shows is enough for real clients, and the test tells the truth."""

from collections.abc import Iterator

import httpx2
import pytest
import taxii2client.v21 as taxii2client
from playwright.sync_api import Page
from tests.browser.conftest import FITS, Visit, examine, problems
from tests.browser.desk_place import DeskPlace, desk_place, fill
from tests.browser.test_feedback_pages import picture

from accord.desk.keyring.tools import Tools

WRONG = "no-such-token"


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskPlace]:
    with desk_place(tmp_path_factory.mktemp("tools"), fill) as made:
        yield made


def add(page: Page, place: DeskPlace, name: str, password: str | None = None) -> None:
    page.goto("/tools")
    page.get_by_label("Name of the tool").fill(name)
    page.get_by_label("Your password").fill(place.password if password is None else password)
    page.get_by_role("button", name="Add it").click()
    page.wait_for_load_state()


def settings(page: Page, client: str) -> dict[str, str]:
    """Read the settings of one client off the page, as a person would copy them."""
    rows = page.locator(f'dl[data-client="{client}"] > div')
    return {row.locator("dt").inner_text(): row.locator("dd").inner_text() for row in rows.all()}


def look_again(page: Page) -> None:
    page.get_by_role("button", name="Look again").click()
    page.wait_for_load_state()


def words(page: Page) -> str:
    return page.locator("main").inner_text()


def objects(url: str, collection: str, user: str, password: str) -> list[dict[str, object]]:
    found = taxii2client.Collection(
        f"{url}collections/{collection}/", user=user, password=password
    ).get_objects()
    return list(found["objects"])


def test_a_real_client_connects_with_what_the_page_shows(visit: Visit, place: DeskPlace) -> None:
    page = visit(place.base, java_script_enabled=False)
    place.enter(page)
    add(page, place, "opencti")
    token = page.locator("#token").inner_text()
    shown = settings(page, "opencti")
    assert "No request of this tool has come since" in words(page)
    assert (shown["TAXII version"], shown["Password"]) == ("TAXII 2.1", token)
    found = objects(
        shown["TAXII server URL"],
        shown["TAXII Collection"],
        shown["Username"],
        shown["Password"],
    )
    assert {"indicator", "cryptocurrency-wallet"} <= {one["type"] for one in found}
    other = settings(page, "sentinel")
    mine = objects(
        other["API root URL"], other["Collection ID"], other["Username"], other["Password"]
    )
    assert "cryptocurrency-wallet" not in {one["type"] for one in mine}
    generic = settings(page, "taxii")
    server = taxii2client.Server(
        generic["Discovery URL"], user=generic["Username"], password=generic["Password"]
    )
    ids = {one.id for one in server.default.collections}
    assert ids == {
        generic["Collection ID (indicators)"],
        generic["Collection ID (with observables)"],
    }
    misp = settings(page, "misp")
    name, _, value = misp[
        "Any headers to be passed with requests (for example: Authorization)"
    ].partition(": ")
    manifest = httpx2.get(f"{misp['URL']}/manifest.json", headers={name: value}, trust_env=False)
    assert manifest.status_code == 200
    assert manifest.json()
    splunk = settings(page, "splunk")["POST arguments"]
    assert f'taxii_password="{token}"' in splunk

    look_again(page)
    assert "A request has come since" in words(page)
    assert "GET /misp/manifest.json, status 200" in words(page)
    assert page.locator("#token").count() == 0, "a token is shown once"
    assert token not in page.content()
    acts = place.vault.connection.execute(
        "SELECT person, act, object, reason FROM acts WHERE object = 'tool opencti'"
    ).fetchall()
    assert acts == [("ana", "list:change", "tool opencti", "added")]
    page.goto("/tools")
    page.get_by_role("button", name="Remove opencti").click()
    page.wait_for_load_state()
    assert "No tool is connected" in words(page)
    gone = httpx2.get(f"{misp['URL']}/manifest.json", headers={name: value}, trust_env=False)
    assert gone.status_code == 401


def test_the_test_says_plainly_that_nothing_or_somebody_wrong_has_come(
    visit: Visit, place: DeskPlace
) -> None:
    token = Tools(place.vault).add("misp", person="ana", now=1)
    page = visit(place.base, java_script_enabled=False)
    place.enter(page)
    page.goto("/tools?tool=misp")
    assert "It has never asked." in words(page)
    url = f"{settings(page, 'misp')['URL']}/manifest.json"
    assert "the token of this tool" in settings(page, "misp").popitem()[1]
    httpx2.get(url, headers={"Authorization": WRONG, "User-Agent": "MISP <b>2.5"}, trust_env=False)
    look_again(page)
    assert "No request of this tool has come since" in words(page)
    assert "wrong name or token came at" in words(page)
    assert "MISP <b>2.5" in words(page)
    assert WRONG not in page.content()
    # Two requests in one second: the vault is told once, the page of both.
    for path in (url, url.replace("manifest", "nothing")):
        httpx2.get(path, headers={"Authorization": token}, trust_env=False)
    look_again(page)
    assert "A request has come since" in words(page)
    assert "GET /misp/nothing.json, status 404" in words(page)
    assert "the request was refused" in words(page)
    for wrong in ("/tools?tool=misp&since=x", "/tools?tool=misp&since=-1"):
        answer = page.goto(wrong)
        assert answer is not None
        assert answer.status == 400
    answer = page.goto("/tools?tool=nobody")
    assert answer is not None
    assert answer.status == 404


def test_a_session_alone_adds_no_tool(visit: Visit, place: DeskPlace) -> None:
    page = visit(place.base)
    stranger = page.goto("/tools")
    assert stranger is not None
    assert stranger.status == 401
    place.enter(page)
    add(page, place, "opencti", password="guessed")
    assert page.get_by_role("alert").is_visible()
    assert page.locator("#token").count() == 0
    examine(page, "a wrong password")
    add(page, place, "Not A Name")
    assert "tool_name_invalid" in words(page)
    assert Tools(place.vault).list() == []


def test_the_page_is_axe_clean_wide_and_narrow(visit: Visit, place: DeskPlace) -> None:
    page = visit(place.base)
    place.enter(page)
    page.goto("/tools")
    examine(page, "no tool")
    add(page, place, "opencti")
    examine(page, "a new tool")
    picture(page, "tool-added")
    page.goto("/tools")
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert problems(page) == [], f"{width} px"
        assert page.evaluate(FITS), f"{width} px"
        picture(page, f"tools-{width}")
