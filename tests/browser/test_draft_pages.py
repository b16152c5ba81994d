"""Drafts and the form for evidence in a real browser: axe clean, on a phone too, by keyboard."""

import os
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from playwright.sync_api import Page
from tests.browser.conftest import FITS, Visit, dark_problems, problems, served, sign_in, tab_stops
from tests.desk.conftest import records_of
from tests.desk.wire import DeskAt, plan
from tests.support.hub_world import World

from accord.desk.app.pages import make_pages
from accord.desk.keyring.people import People
from accord.kernel.indicators import encode_line
from accord.kernel.markings import OrgKind
from accord.kernel.policy.default_charter import DEFAULT_CHARTER

ASKING = DEFAULT_CHARTER.replace("approval = false", "approval = true", 1)
LONG = f"{'a' * 60}.example-fraud.org"
WIDTHS = (1280, 360)


@dataclass(frozen=True)
class Place:
    """A bank's desk with drafts, and a police's with a bundle; ``ana`` works at both."""

    bank: str
    police: str
    passwords: tuple[str, str]
    own: str
    again: str
    fresh: str
    bundle: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    world = World(tmp_path_factory.mktemp("hub"), charter=ASKING)
    homes = tmp_path_factory.mktemp("desks")
    bank = DeskAt(world, homes / "bank", "first-bank", OrgKind.FINANCIAL, "NL")
    police = DeskAt(world, homes / "police", "police", OrgKind.LAW_ENFORCEMENT, "DE")
    wanted = replace(plan(world, police.org), name="a long name of an export of october 2026.csv")
    lines = [encode_line(one) for one in records_of([LONG, "shop.example-fraud.org"])]
    other = [encode_line(one) for one in records_of(["fresh.example-fraud.org"])]
    with ExitStack() as stack:
        desk = stack.enter_context(bank.open())
        own = desk.drafts.make(wanted, other, maker="ana")
        fresh = desk.drafts.make(wanted, other, maker="bo")
        first = desk.drafts.make(wanted, lines, maker="bo")
        again = desk.drafts.make(wanted, lines, maker="bo")
        sent = desk.drafts.approve(first.no, person="cy").bundles[0].id
        theirs = stack.enter_context(police.open())
        theirs.rounds.once()
        bases, passwords = [], []
        for number, one in enumerate((desk, theirs)):
            instance = f"0a0b0c0{number}"
            app = make_pages(one, secret_key=bytes(32), instance=instance, port=0)
            passwords.append(People(one.vault).set_password("ana", by="root", now=0))
            bases.append(stack.enter_context(served(app)))
        yield Place(
            bank=bases[0],
            police=bases[1],
            passwords=(passwords[0], passwords[1]),
            own=f"/drafts/{own.no}",
            again=f"/drafts/{again.no}",
            fresh=f"/drafts/{fresh.no}",
            bundle=f"/inbox/{bank.org}/{sent}",
        )
    world.close()


def picture(page: Page, name: str) -> None:
    """Keep pictures where somebody wants to look at the pages."""
    folder = os.environ.get("ACCORD_PICTURES")
    for width in WIDTHS if folder else ():
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=Path(folder or "") / f"{name}-{width}.png", full_page=True)


def look(page: Page, name: str) -> None:
    """Examine a page at both widths."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert problems(page) == [], f"{name} at {width} px"
        assert page.evaluate(FITS), f"{name} at {width} px"
    picture(page, name)
    page.set_viewport_size({"width": 1280, "height": 900})


def test_drafts_are_read_and_decided_by_keyboard(visit: Visit, place: Place) -> None:
    page = visit(place.bank)
    sign_in(page, "ana", place.passwords[0])
    page.goto("/drafts")
    look(page, "drafts")
    page.goto(place.own)
    look(page, "draft-own")
    assert "Approve and send" not in page.inner_text("main"), "nobody approves their own"
    page.goto(place.fresh)
    stops = tab_stops(page)
    assert stops[-3:] == [
        "Approve and send this record",
        "Reason to refuse",
        "Refuse; the records are deleted",
    ]
    page.goto(place.again)
    assert page.evaluate(FITS)
    page.get_by_role("button", name="Approve and send").press("Enter")
    alert = page.get_by_role("alert")
    assert "have been sent to these recipients already" in alert.inner_text()
    assert "--again" not in page.inner_text("main")
    look(page, "draft-again")
    assert dark_problems(page) == []
    box = page.get_by_label("They have got these values already")
    box.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("their disk broke")
    page.keyboard.press("Enter")
    page.get_by_text("approved and sent, ana").wait_for()
    assert "their disk broke" in page.inner_text("main")
    picture(page, "draft-sent")
    page.goto(place.fresh)
    page.get_by_label("Reason to refuse").fill("wrong file")
    page.keyboard.press("Enter")
    page.get_by_text("refused, ana").wait_for()
    look(page, "draft-refused")


def test_evidence_is_made_from_a_bundles_page_by_keyboard(
    visit: Visit, place: Place, tmp_path: Path
) -> None:
    page = visit(place.police)
    sign_in(page, "ana", place.passwords[1])
    page.goto(place.bundle)
    look(page, "bundle-with-evidence")
    page.goto(place.bundle)
    stops = tab_stops(page)
    here = stops.index("Number of the record")
    assert stops[here : here + 3] == ["Number of the record", "Reason", "Make the file"]
    page.get_by_label("Number of the record").fill("9")
    page.get_by_label("Reason").fill("case 114")
    page.get_by_role("button", name="Make the file").press("Enter")
    page.get_by_text("The bundle has no such record here.").wait_for()
    look(page, "evidence-refused")
    page.goto(place.bundle)
    page.get_by_label("Number of the record").fill("1")
    page.get_by_label("Reason").fill("case 114")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    kept = tmp_path / "evidence.zip"
    download.value.save_as(kept)
    with zipfile.ZipFile(kept) as found:
        assert "verify.py" in {Path(name).name for name in found.namelist()}
