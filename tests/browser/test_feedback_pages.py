"""What came of what was sent, and whom to call back: in a real browser, without script."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page
from tests.browser.conftest import Visit, examine
from tests.browser.desk_place import EVM, POLICE, RETRACTED, DeskPlace, desk_place, fill, head
from tests.desk.conftest import BANK, NOW, bundle_id, described, put, records_of

from accord.desk.export.registry import FORMATS
from accord.desk.export.selection import Selection
from accord.desk.export.service import export
from accord.desk.storage import Mark, MarkState, Vault, Way
from accord.desk.storage.acknowledgements import Said, add_said
from accord.desk.storage.bundles import add_mark, find_bundle
from accord.desk.storage.exports import who_took
from accord.desk.storage.outbox import add_outbox, mark_receipted
from accord.desk.storage.requests import SightingRow, add_sightings

HOTLINE = "hotline@hub.example"
LIST = 40


def fill_feedback(vault: Vault) -> None:
    """Put in a list of our own of which something came, and a recall of what we exported."""
    sent = bundle_id(LIST)
    put(
        vault,
        described(
            LIST, org=POLICE, way=Way.SENT, kind="list", title="November list", head=head("x")
        ),
        records_of([EVM, "market.evil-example.org"]),
    )
    with vault.transaction() as connection:
        add_outbox(connection, id_=sent, sealed=b"x", recipients=[BANK, HOTLINE], now=NOW - 90)
    mark_receipted(vault, sent, b"receipt", now=NOW - 80)
    add_said(
        vault,
        [
            Said(id=sent, org=BANK, state="opened", code=None, at=NOW - 70, dsse=b"x"),
            Said(id=sent, org=HOTLINE, state="refused", code="key_unknown", at=2**60, dsse=b"x"),
        ],
    )
    seen = SightingRow(
        org=POLICE,
        bundle=sent,
        record=0,
        by_org=BANK,
        by_id=bundle_id(41),
        saw="seen",
        count="2-9",
        period="month",
        at=NOW - 60,
    )
    wrong = Mark(
        record=1,
        state=MarkState.DISPUTED,
        by_org=BANK,
        by_id=bundle_id(42),
        code="false-positive",
        at=NOW - 50,
    )
    with vault.transaction() as connection:
        add_sightings(connection, [seen])
        add_mark(connection, POLICE, sent, wrong)


def fill_recall(vault: Vault, folder: Path) -> None:
    """Export, then hear that a record of it is taken back."""
    export(
        vault,
        FORMATS["csv"],
        folder / "for-the-prosecutor.csv",
        Selection(),
        org=POLICE,
        person="ana",
        purpose="investigation",
        reason="case 114",
        now=NOW - 40,
    )
    back = Mark(
        record=0,
        state=MarkState.RETRACTED,
        by_org=BANK,
        by_id=bundle_id(43),
        code="error",
        at=NOW - 30,
        note="Wrong column.",
        deadline=NOW + 3600,
    )
    with vault.transaction() as connection:
        add_mark(connection, BANK, bundle_id(1), back)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskPlace]:
    folder = tmp_path_factory.mktemp("desk")

    def recall(vault: Vault) -> None:
        fill_recall(vault, folder)

    with desk_place(folder, fill, fill_feedback, recall) as made:
        yield made


def picture(page: Page, name: str) -> None:
    """Keep a picture where somebody wants to look at the pages."""
    folder = os.environ.get("ACCORD_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_the_sent_page_says_what_came_of_each_and_who_acts_next(
    visit: Visit, place: DeskPlace
) -> None:
    page = visit(place.base, java_script_enabled=False)
    place.enter(page)
    page.get_by_role("link", name="Sent", exact=True).click()
    row = page.get_by_role("row", name="November list")
    assert "Opened by 1 of 2. Could not be opened by 1. Match at 1." in row.inner_text()
    assert "take it back or say why it stands" in row.inner_text()
    page.get_by_role("link", name="November list").click()
    items = page.get_by_role("list", name="What became of it").get_by_role("listitem")
    texts = items.all_inner_texts()
    assert len(texts) == 6
    assert "Sealed and signed at this desk." in texts[0]
    assert f"Opened by {BANK} (signed by them)" in texts[2]
    assert "seen, record 0, count 2-9, period month" in texts[3]
    assert f"Disputed by {BANK}: false positive, record 1" in texts[4]
    assert str(2**60) in texts[5], "a time that no calendar has is shown as it was signed"
    assert items.locator("time").count() == 5
    stamps = [one.get_attribute("datetime") or "" for one in items.locator("time").all()]
    assert stamps == sorted(stamps)
    assert "Next:" in page.locator("main").inner_text()


def test_a_recall_lists_who_took_the_record_from_here(visit: Visit, place: DeskPlace) -> None:
    page = visit(place.base, java_script_enabled=False)
    place.enter(page)
    page.goto("/recalls")
    said = page.locator("main").inner_text()
    assert "ana took it as csv, for your own organisation." in said
    assert "Reason: case 114." in said
    assert "call back whoever has a file" in said
    page.goto(f"/inbox/{BANK}/{bundle_id(1)}")
    assert "Who has it from you" in page.locator("main").inner_text()
    vault = place.vault
    taken = who_took(vault, find_bundle(vault, bundle_id(RETRACTED), BANK).no)
    assert taken == [], "what was taken back before stays out of an export"


def test_the_pages_of_feedback_are_axe_clean_and_fit_a_phone(
    visit: Visit, place: DeskPlace
) -> None:
    page = visit(place.base)
    place.enter(page)
    for path in ("/sent", f"/inbox/{POLICE}/{bundle_id(LIST)}", "/recalls"):
        page.goto(path)
        examine(page, path)
        picture(page, path.strip("/").split("/")[0])
    page.goto("/sent?before=1")
    assert "nothing older" in page.locator("main").inner_text()
    for wrong in ("0", "x"):
        answer = page.goto(f"/sent?before={wrong}")
        assert answer is not None
        assert answer.status == 400
