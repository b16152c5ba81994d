"""The desk's inbox and search in a real browser: by keyboard, without script, at 320 px, axe clean."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from tests.browser.conftest import served
from tests.desk.conftest import BANK, NOW, bundle_id, described, put, records_of

from accord.desk.app import Desk, make_pages
from accord.desk.config import DeskConfig
from accord.desk.exchange.client import HubClient
from accord.desk.keyring import Keyring
from accord.desk.keyring.people import People
from accord.desk.storage import Mark, MarkState, create_vault
from accord.desk.storage.bundles import WHOLE, add_mark
from accord.desk.storage.deliveries import DeliveryRow, DeliveryState, add_delivery
from accord.kernel.envelope.payload import PayloadHead, format_head
from accord.kernel.keys import KemKeyPair, RequestKeyPair, SigningKeyPair

EVM = "0x52908400098527886e0f7030069857d2e4169ee7"
LONG = "a" * 60 + ".evil-example.org"


class Place:
    """A desk with two bundles, one of them taken back, and one that could not be opened."""

    def __init__(self, folder: Path) -> None:
        """Fill the vault and make an account."""
        config = DeskConfig(home=folder, hub="http://127.0.0.1:9")
        keyring = Keyring(
            signing=SigningKeyPair.generate(),
            request=RequestKeyPair.generate(),
            kem=(KemKeyPair.generate(),),
            vault=bytes(32),
        )
        vault = create_vault(config.vault_file, keyring.vault)
        head = format_head(bytes(32), PayloadHead(title="October", narrative="Seen by us."))
        put(vault, described(1, title="October", head=head), records_of([EVM, LONG]))
        put(vault, described(2, title="Taken back", head=head), records_of([EVM]))
        mark = Mark(
            record=WHOLE, state=MarkState.RETRACTED, by_id=bundle_id(3), code="error", at=NOW
        )
        row = DeliveryRow(
            seq=9,
            org=None,
            id=None,
            manifest=None,
            state=DeliveryState.REFUSED,
            at=NOW,
            code="bundle_magic",
        )
        with vault.transaction() as connection:
            add_mark(connection, BANK, bundle_id(2), mark)
            add_delivery(connection, row, b"no bundle")
        self.password = People(vault).set_password("ana")
        self.desk = Desk(
            config=config,
            keyring=keyring,
            vault=vault,
            client=HubClient(config.hub, clock=lambda: NOW),
            clock=lambda: NOW,
        )
        self.app = make_pages(self.desk, secret_key=bytes(32), instance="0a0b0c0d", port=0)
        self.base = ""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("desk"))
    with served(made.app) as base:
        made.base = base
        yield made
    made.desk.close()


def enter(page: Page, place: Place) -> None:
    page.goto("/sign-in")
    page.get_by_label("Name").fill("ana")
    page.get_by_label("Password").fill(place.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/inbox")


def look_up(page: Page, *values: str, reason: str = "case 114") -> None:
    page.goto("/search")
    page.get_by_label("Wallets, transactions").fill("\n".join(values))
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name="Search").click()
    page.wait_for_load_state()


def problems(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{entry['id']}: {entry['nodes'][0]['html'][:200]}" for entry in found]


@pytest.mark.parametrize("script", [True, False])
def test_an_investigator_reads_searches_and_leaves(
    browser: Browser, place: Place, *, script: bool
) -> None:
    context = browser.new_context(base_url=place.base, java_script_enabled=script)
    page = context.new_page()
    enter(page, place)
    assert page.get_by_text("bundle_magic").is_visible()
    page.get_by_role("link", name="October").click()
    assert page.get_by_role("heading", level=1).inner_text() == "October"
    look_up(page, EVM, "absent.example.net")
    assert page.get_by_role("heading", name="1 of 2 found").is_visible()
    assert page.get_by_role("cell", name="2 records, 1 independent origin").is_visible()
    assert page.get_by_text("retracted").first.is_visible()
    assert EVM not in page.url
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    answer = page.goto("/inbox")
    assert answer is not None
    assert answer.status == 401
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_and_nothing_runs_over(
    browser: Browser, place: Place, scheme: str, width: int
) -> None:
    context = browser.new_context(
        base_url=place.base, color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    page = context.new_page()
    enter(page, place)
    fits = "document.documentElement.scrollWidth <= window.innerWidth"
    for path in ("/inbox", f"/inbox/{BANK}/{bundle_id(1)}", "/search"):
        page.goto(path)
        assert problems(page) == [], path
        assert page.evaluate(fits), path
    for reason in ("case 114", ""):
        look_up(page, EVM, LONG, "???", reason=reason)
        assert problems(page) == [], reason
        assert page.evaluate(fits), reason
    context.close()
