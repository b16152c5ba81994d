"""The desk's pages on itself in a real browser: digest and keys; axe clean, narrow, dark, by keys."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page
from tests.browser.conftest import (
    FITS,
    Visit,
    dark_problems,
    examine,
    problems,
    served,
    sign_in,
    tab_stops,
)
from tests.browser.desk_place import DeskPlace, desk_place, fill
from tests.desk.wire import DeskAt
from tests.support.hub_world import World

from accord.desk.app.pages import make_pages
from accord.desk.keyring.people import People
from accord.kernel.directory.transition import ROTATION_PAUSE
from accord.kernel.markings import OrgKind

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
    page.goto("/keys")
    look(page, "keys-empty")


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Give the address of an enrolled bank's pages and the password of ``ana``."""
    world = World(tmp_path_factory.mktemp("hub"))
    home = tmp_path_factory.mktemp("desks") / "bank"
    bank = DeskAt(world, home, "first-bank", OrgKind.FINANCIAL, "NL")
    with bank.open() as desk:
        (home / "recovery.accord").touch()
        bank.changes(desk).rotate()  # so that there is an old key
        world.clock.now += ROTATION_PAUSE
        world.witness_round()
        app = make_pages(
            replace(desk, keyring=bank.key_file().unlock()),
            secret_key=bytes(32),
            instance="0a0b0c0d",
            port=0,
            key_file=bank.key_file(),
        )
        password = People(desk.vault).set_password("ana", by="root", now=0)
        with served(app) as base:
            yield base, password
    world.close()


def test_the_keys_are_changed_by_keyboard(visit: Visit, enrolled: tuple[str, str]) -> None:
    base, password = enrolled
    page = visit(base)
    sign_in(page, "ana", password)
    page.goto("/keys")
    look(page, "keys")
    assert tab_stops(page)[-2:] == ["Your password", "Make new keys and tell the directory"]
    page.get_by_label("Your password").fill("guessed")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    look(page, "keys-wrong")
    page.get_by_label("Your password").fill(password)
    page.keyboard.press("Enter")
    page.get_by_text("Your organisation has new keys").wait_for()
    look(page, "keys-done")
