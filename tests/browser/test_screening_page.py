"""Screening in a real browser: refused, run, read and handed over; axe clean in every state."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.browser.conftest import Visit, examine, tab_stops
from tests.browser.desk_place import EVM, LONG, DeskPlace, desk_place, fill


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskPlace]:
    with desk_place(tmp_path_factory.mktemp("screening"), fill) as made:
        yield made


def test_a_file_is_screened_by_keyboard_and_its_report_is_handed_over(
    visit: Visit, place: DeskPlace, tmp_path: Path
) -> None:
    own = tmp_path / "payments-of-october.csv"
    own.write_text(f"date,wallet\n2026-10-01,{EVM}\n2026-10-02,pay.{LONG}\n2026-10-03,0x12\n")
    page = visit(place.base)
    place.enter(page)
    page.goto("/screening")
    stops = tab_stops(page)
    here = stops.index("Sign out") + 1
    assert stops[here : here + 3] == ["File", "Reason", "Compare with"]
    examine(page, "no screening")
    page.locator("form[enctype]").evaluate("form => { form.noValidate = true; }")
    page.get_by_role("button", name="Screen", exact=True).click()
    page.wait_for_load_state()
    examine(page, "a form without a file")
    page.get_by_label("File").set_input_files(own)
    page.get_by_label("Reason").fill("monthly check")
    page.get_by_role("button", name="Screen", exact=True).click()
    page.wait_for_url("**/screening/*")
    page.get_by_role("link", name="Download the report").wait_for()
    assert "2 of 3 rows match" in page.locator("main").inner_text()
    examine(page, "a result")
    with page.expect_download() as handed:
        page.get_by_role("link", name="Download the report").click()
    assert handed.value.suggested_filename.startswith("screening-")
    assert EVM in handed.value.path().read_text(encoding="utf-8-sig").lower()
    page.goto("/screening")
    assert "ana: monthly check" in page.locator("main").inner_text()
    examine(page, "a past screening")


def test_a_run_tells_how_far_it_is_follows_itself_only_as_asked_and_is_stopped(
    visit: Visit, place: DeskPlace, tmp_path: Path
) -> None:
    own = tmp_path / "own.csv"
    own.write_text(f"wallet\n{EVM}\n")
    page = visit(place.base)
    place.enter(page)
    page.goto("/screening")
    page.get_by_label("File").set_input_files(own)
    page.get_by_label("Reason").fill("monthly check")
    with place.vault.transaction():  # the run waits until it can write itself down
        page.get_by_role("button", name="Screen", exact=True).click()
        page.wait_for_url("**/screening/*?follow=yes")
        page.get_by_role("link", name="Do not look again by itself").click()
        page.get_by_role("link", name="Look again", exact=True).wait_for()
        examine(page, "a run under way")
        page.get_by_role("button", name="Stop the screening").click()
        page.wait_for_load_state()
    page.goto(f"{page.url}?follow=yes")  # looks again until it has ended
    page.get_by_text("screening_stopped").wait_for()
    examine(page, "a run that was stopped")
