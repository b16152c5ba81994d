"""Drafts of letters in a real browser: what a second person reads before it goes."""

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page
from tests.browser.conftest import FITS, Visit, dark_problems, problems, served, sign_in
from tests.desk.conftest import records_of
from tests.desk.test_letter_drafts import ASKING, DONE, aside, asked, wish
from tests.desk.wire import DeskAt, plan
from tests.support.hub_world import BTC, World

from accord.desk.app.pages import make_pages
from accord.desk.keyring.people import People
from accord.desk.storage.bundles import find_bundle
from accord.desk.storage.requests import find_request
from accord.kernel.correspondence.notice import Notice
from accord.kernel.correspondence.request import AboutRecords, Ask, Close, Closing, Request
from accord.kernel.correspondence.sighting import Count, Period, Saw, Sighting
from accord.kernel.indicators import encode_line
from accord.kernel.markings import OrgKind

LONG = f"{'a' * 60}.example-fraud.org"


@dataclass(frozen=True)
class Place:
    """Two desks with a draft of each letter; ``ana`` works at both and made none of them."""

    bases: dict[str, str]
    passwords: dict[str, str]
    pages: dict[str, tuple[str, str]]
    bundle: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    world = World(tmp_path_factory.mktemp("hub"), charter=ASKING)
    homes = tmp_path_factory.mktemp("desks")
    bank = DeskAt(world, homes / "bank", "first-bank", OrgKind.FINANCIAL, "NL")
    police = DeskAt(world, homes / "police", "police", OrgKind.LAW_ENFORCEMENT, "DE")
    row = asked(police, bank)
    pages: dict[str, tuple[str, str]] = {}
    with ExitStack() as stack:
        ours, theirs = stack.enter_context(bank.open()), stack.enter_context(police.open())
        lines = [encode_line(one) for one in records_of([LONG, "shop.example-fraud.org"])]
        draft = ours.drafts.make(plan(world, police.org), lines, maker="cy")
        sent = ours.drafts.approve(draft.no, person="bo").bundles[0].id
        theirs.pull.pull(retention_days=30)
        letters, bundle = theirs.correspondence, find_bundle(theirs.vault, sent, bank.org)
        seen = [
            Sighting(record=0, saw=Saw.SEEN, count=Count.FEW, period=Period.MONTH),
            Sighting(record=1, saw=Saw.FALSE_POSITIVE, count=Count.NONE, period=Period.MONTH),
        ]
        said = Notice(
            subject="Away on Sunday", text="No duty desk.\nCall the other one.", contact="1"
        )
        notice = letters.plan_notice(said, [bank.org], letters.policy())
        about = AboutRecords(org=bank.org, bundle=sent, records=(0, 1))
        more = Request(
            ask=Ask.INFORMATION,
            about=(about,),
            basis="Order 13 of the court at Utrecht",
            deadline=world.clock() + 86_400,
            contact="duty desk, +31 20 000 0001",
            text="Which accounts?",
        )
        asking = letters.plan_request(more, [bank.org], letters.policy())
        own = find_request(theirs.vault, row.id, police.org)
        made = {
            "request": ("police", wish(letters, police, bank)),
            "request-bundle": ("police", letters.request_letter(more, asking)),
            "closing": ("police", letters.closing_letter(own, Closing(close=Close.SETTLED))),
            "sighting": ("police", letters.sighting_letter(bundle, seen)),
            "notice": ("police", letters.notice_letter(said, notice)),
            "answer": (
                "bank",
                ours.correspondence.answer_letter(row, DONE, records_of([LONG])),
            ),
        }
        for name, (desk, letter) in made.items():
            draft = aside(ours if desk == "bank" else theirs, letter, maker="bo")
            pages[name] = desk, f"/drafts/{draft.no}"
        bases, passwords = {}, {}
        for number, (name, one) in enumerate({"bank": ours, "police": theirs}.items()):
            instance = f"0a0b0c0{number}"
            app = make_pages(one, secret_key=bytes(32), instance=instance, port=0)
            passwords[name] = People(one.vault).set_password("ana", by="root", now=0)
            bases[name] = stack.enter_context(served(app))
        yield Place(
            bases=bases, passwords=passwords, pages=pages, bundle=f"/inbox/{bank.org}/{sent}"
        )
    world.close()


def look(page: Page, name: str) -> None:
    folder = os.environ.get("ACCORD_PICTURES")
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert problems(page) == [], f"{name} at {width} px"
        assert page.evaluate(FITS), f"{name} at {width} px"
        if folder:
            page.screenshot(path=Path(folder) / f"letter-{name}-{width}.png", full_page=True)
    assert dark_problems(page) == []
    page.set_viewport_size({"width": 1280, "height": 900})


SAYS = {
    "request": ("Asks for Preserve", "Legal basis Order 12", f"value {BTC}"),
    "request-bundle": ("Asks for More information", "of first-bank@hub.test, records 0, 1"),
    "closing": ("Closed because settled",),
    "sighting": ("Record 0", "What was seen seen", "What was seen says that it is wrong"),
    "notice": ("Subject Away on Sunday", "In words No duty desk. Call the other one."),
    "answer": ("Kind answer", "Outcome done", "In words Kept <safe> and sound.", f"value {LONG}"),
}


def test_each_letter_is_read_in_words_before_it_goes(visit: Visit, place: Place) -> None:
    for desk in ("police", "bank"):
        page = visit(place.bases[desk])
        sign_in(page, "ana", place.passwords[desk])
        for name, (at, path) in place.pages.items():
            if at != desk:
                continue
            page.goto(path)
            text = " ".join(page.inner_text("main").split())
            assert [words for words in SAYS[name] if words not in text] == [], text
            assert re.search(r"\b1[0-9]{9}\b|[{}]", text) is None, "no raw time, no JSON"
            assert text.index("What it says") < text.index("Approve and send it")
            look(page, name)
