"""The desk's pages on itself in a real browser: its digest; axe clean, narrow and dark, by keys."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page
from tests.browser.conftest import FITS, Visit, dark_problems, examine, problems, tab_stops
from tests.browser.desk_place import DeskPlace, desk_place, fill

WIDTHS = (1280, 360)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskPlace]:
    with desk_place(tmp_path_factory.mktemp("desk"), fill) as made:
        yield made


@pytest.fixture(scope="module")
def empty_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskPlace]:
    with desk_place(tmp_path_factory.mktemp("empty")) as made:
        yield made


def look(page: Page, name: str) -> None:
    """Examine a page at both widths and in the dark; keep pictures where somebody wants them."""
    folder = os.environ.get("ACCORD_PICTURES")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert problems(page) == [], f"{name} at {width} px"
        assert page.evaluate(FITS), f"{name} at {width} px"
        for scheme in ("light", "dark") if folder else ():
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            path = Path(folder or "") / f"{name}-{width}-{scheme}.png"
            page.screenshot(path=path, full_page=True)
        page.emulate_media(color_scheme="light")
    assert dark_problems(page) == []
    page.set_viewport_size({"width": 1280, "height": 900})


def test_the_digest_is_read_by_keyboard(visit: Visit, place: DeskPlace) -> None:
    page = visit(place.base)
    place.enter(page)
    page.goto("/digest")
    examine(page, "digest")
    look(page, "digest")
    page.goto("/digest")
    stops = tab_stops(page)
    here = stops.index("Last 24 hours")
    assert stops[here : here + 5] == [
        "Last 24 hours",
        "Last 7 days",
        "Last 30 days",
        "Since",
        "Count",
    ]
    page.get_by_label("Since").fill("tomorrow")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    look(page, "digest-wrong")
    page.get_by_role("link", name="Last 7 days").press("Enter")
    page.get_by_text("Arrived", exact=True).wait_for()
    page.get_by_text("The text of this mail").press("Enter")
    assert page.locator("#mail").inner_text().startswith("Accord desk, ")


def test_a_desk_that_is_not_enrolled_says_so(visit: Visit, empty_place: DeskPlace) -> None:
    page = visit(empty_place.base)
    empty_place.enter(page)
    page.goto("/digest")
    look(page, "digest-empty")
