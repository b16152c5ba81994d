"""The page of watches in a real browser: set, told, seen, taken off; axe clean in every state."""

from collections.abc import Iterator

import pytest
from tests.browser.conftest import Visit, dark_problems, examine
from tests.browser.desk_place import DeskPlace, desk_place, fill
from tests.desk.conftest import records_of
from tests.desk.test_watches import arrive

SITE = "evil-site.org"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskPlace]:
    with desk_place(tmp_path_factory.mktemp("watching"), fill) as made:
        yield made


def test_a_watch_is_set_told_seen_and_taken_off(visit: Visit, place: DeskPlace) -> None:
    page = visit(place.base)
    place.enter(page)
    page.goto("/watches")
    examine(page, "no watch")
    page.get_by_role("button", name="Put on watch").click()
    examine(page, "a watch without a value")
    page.get_by_label("Wallet, transaction").fill(SITE)
    page.get_by_label("Reason").fill("case 114")
    page.get_by_role("button", name="Put on watch").click()
    page.wait_for_load_state()
    arrive(place.vault, 500, records_of([f"pay.{SITE}"]), title="More sites")
    page.goto("/inbox")
    examine(page, "inbox with an alert")
    page.get_by_role("link", name="1 new record holds a value on watch.").click()
    page.wait_for_url("**/watches")
    assert f"pay.{SITE}" in page.locator("main").inner_text()
    examine(page, "a watch with a hit")
    assert dark_problems(page) == []
    page.get_by_role("button", name="Seen: hits of watch 1").click()
    page.wait_for_load_state()
    assert "new" not in page.locator("table").first.inner_text()
    page.get_by_role("button", name="Take off watch 1").click()
    page.wait_for_load_state()
    assert "Nothing is on watch" in page.locator("main").inner_text()
