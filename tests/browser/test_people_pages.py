"""The hub's pages of people in a real browser: passkeys by a virtual authenticator, codes, roles."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page
from tests.browser.conftest import (
    FITS,
    MAX_WEIGHT,
    Visit,
    enter,
    examine,
    problems,
    served,
    sign_in,
    tab_stops,
    weight,
)
from tests.support.hub_people import PASSWORD, Someone, make_person
from tests.support.hub_world import World

from accord.hub.access import Role
from accord.hub.app import make_hub
from accord.kernel.identifiers import OrgId
from accord.kernel.markings import OrgKind

Look = Callable[[Page, str], None]

NARROW = {"width": 360, "height": 800}


@dataclass
class Place:
    """A hub, where its pages are, and one of its organisations."""

    world: World
    base: str
    org: OrgId

    def person(self, login: str, role: Role = Role.VIEWER) -> Someone:
        return make_person(self.world, login, self.org, role)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    world = World(tmp_path_factory.mktemp("people"))
    police = world.enrol("police", OrgKind.LAW_ENFORCEMENT)
    late = _Late()
    with served(late) as base:
        # Passkeys are bound to a name, so the pages are opened as localhost, with the real port.
        port = int(base.rpartition(":")[2])
        config = replace(world.services.config, public_url=f"http://localhost:{port}")
        late.app = make_hub(replace(world.services, config=config), secret_key=bytes(32), port=port)
        yield Place(world, f"http://localhost:{port}", police.org)
    world.close()


class _Late:
    """Stands for the application until its port is known."""

    app: Any = None

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.app(environ, start_response)


def virtual(page: Page, **changes: Any) -> tuple[CDPSession, str]:
    """Give the page's browser a passkey device; return its remote control and name."""
    remote = page.context.new_cdp_session(page)
    remote.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    } | changes
    added = remote.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return remote, str(added["authenticatorId"])


def confirm(page: Page, person: Someone) -> None:
    """Prove again who one is, with the app."""
    page.get_by_label("Code of your authenticator app").fill(person.code())
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_load_state()


def words(page: Page) -> str:
    return page.locator("main").inner_text()


def examine_wide_and_narrow(page: Page, what: str) -> None:
    """Check a page at 1280 and 360 px."""
    page.set_viewport_size({"width": 1280, "height": 800})
    examine(page, what)
    page.set_viewport_size(NARROW)
    assert problems(page) == [], f"{what} at 360 px"
    assert page.evaluate(FITS), f"{what} is wider than 360 px"
    page.set_viewport_size({"width": 1280, "height": 800})


def make_passkey(page: Page, label: str = "this computer") -> None:
    page.goto("/account/passkeys")
    page.get_by_label("What is it on?").fill(label)
    page.get_by_role("button", name="Make a passkey").click()
    page.wait_for_url("**/account**")


def leave(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")


def test_a_passkey_is_made_and_signs_in_without_a_name_or_password(
    visit: Visit, place: Place
) -> None:
    page = visit(place.base)
    virtual(page)
    sign_in(page, place.person("pia").login, PASSWORD)
    make_passkey(page)
    assert "this computer" in words(page)
    leave(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/summary")
    assert "pia" in page.locator("header").inner_text()


def test_the_password_then_asks_for_the_passkey(visit: Visit, place: Place) -> None:
    page = visit(place.base)
    virtual(page)
    sign_in(page, place.person("petra").login, PASSWORD)
    make_passkey(page)
    leave(page)
    sign_in(page, "petra", PASSWORD)
    assert "/sign-in/second" in page.url
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/summary")


def test_a_device_that_verifies_nobody_is_not_enough(visit: Visit, place: Place) -> None:
    page = visit(place.base)
    virtual(page, isUserVerified=False)
    sign_in(page, place.person("paul").login, PASSWORD)
    page.goto("/account/passkeys")
    page.get_by_label("What is it on?").fill("key")
    page.get_by_role("button", name="Make a passkey").click()
    page.get_by_text("The browser did not give a passkey.").wait_for()
    assert "/account/passkeys" in page.url


def test_a_copied_passkey_is_stopped(visit: Visit, place: Place) -> None:
    page = visit(place.base)
    remote, device = virtual(page)
    sign_in(page, place.person("pola").login, PASSWORD)
    make_passkey(page)
    (copied,) = remote.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]
    leave(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/summary")
    leave(page)
    thief = visit(place.base)
    other, stolen = virtual(thief)
    copied["signCount"] = 0
    other.send("WebAuthn.addCredential", {"authenticatorId": stolen, "credential": copied})
    thief.goto("/sign-in")
    thief.get_by_role("button", name="Sign in with a passkey").click()
    thief.get_by_text("This passkey was not accepted.").wait_for()
    page.goto("/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_text("This passkey was not accepted.").wait_for()


def test_a_passkey_of_another_name_is_led_to_the_right_one(visit: Visit, place: Place) -> None:
    page = visit(place.base.replace("localhost", "127.0.0.1"))
    page.goto("/sign-in")
    assert page.get_by_role("button", name="Sign in with a passkey").count() == 0
    assert page.get_by_role("link", name=place.base).is_visible()
    examine(page, "sign-in under another name")


@pytest.mark.parametrize("script", [True, False])
def test_an_invited_administrator_sets_up_an_app_and_invites_others(
    visit: Visit, place: Place, *, script: bool
) -> None:
    """The whole way, without script too: code, password, app, recovery codes, invite, notice."""
    page = visit(place.base, java_script_enabled=script)
    look = examine_wide_and_narrow if script else (lambda _page, _what: None)
    login = "ada" if script else "bea"
    joins(page, place, login, look)
    person, codes = sets_up(page, place, login, look)
    invites(page, look)
    leave(page)
    recovers(page, login, codes[0], look)
    page.goto("/account")
    look(page, "account")
    place.world.clock.now += 601
    page.goto("/people")
    assert page.get_by_role("button", name="Make a code").count() == 0
    page.get_by_role("link", name="confirm that it is you").click()
    look(page, "confirm")
    confirm(page, person)
    assert page.url.endswith("/people")


def joins(page: Page, place: Place, login: str, look: Look) -> None:
    """Use the operator's code, after one that is refused."""
    people, now = place.world.services.people, place.world.clock
    code = people.operator.add(
        login, org=place.org, role=Role.ADMINISTRATOR, reason="the first one is away", now=now()
    )
    page.goto("/sign-in")
    look(page, "sign-in")
    page.get_by_role("link", name="I have a code").click()
    look(page, "join")
    for typed in ("wrong", code):
        page.get_by_label("Code").fill(typed)
        page.get_by_label("Name to sign in with").fill(login)
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_role("button", name="Go on").click()
        page.wait_for_load_state()
        if typed == "wrong":
            assert "This code is not known" in words(page)
            look(page, "join, refused")
    page.wait_for_url("**/account/set-up**")
    look(page, "set up")


def sets_up(page: Page, place: Place, login: str, look: Look) -> tuple[Someone, list[str]]:
    """Set up an app and make recovery codes."""
    page.get_by_role("link", name="Set up an app").click()
    look(page, "authenticator, before")
    page.get_by_role("button", name="Begin").click()
    page.wait_for_load_state()
    page.locator("img.square").wait_for()
    assert page.locator("img.square").evaluate("at => at.naturalWidth") > 100
    look(page, "authenticator")
    person = Someone(place.world, login, place.org, Role.ADMINISTRATOR)
    person.secret = re.sub(r"\s", "", page.locator("code.command").inner_text())
    page.get_by_label("Code that the app shows").fill(person.code())
    page.get_by_role("button", name="Add the app").click()
    page.wait_for_url("**/account/recovery-codes")
    look(page, "recovery codes, before")
    page.get_by_role("button", name="Make ten new codes").click()
    page.get_by_role("link", name="I have kept them").wait_for()
    codes = page.locator("ul.codes li").all_inner_texts()
    assert len(codes) == 10
    look(page, "recovery codes")
    return person, codes


def invites(page: Page, look: Look) -> None:
    """Make a code for an analyst."""
    page.goto("/people")
    look(page, "people")
    page.locator("select#role").select_option("analyst")
    page.get_by_role("button", name="Make a code").click()
    page.get_by_role("heading", name="A code was made").wait_for()
    look(page, "code")


def recovers(page: Page, login: str, code: str, look: Look) -> None:
    """Sign in with a recovery code and read what it told."""
    sign_in(page, login, PASSWORD)
    look(page, "second factor")
    page.goto(page.url)
    page.get_by_text("Use a recovery code").click()
    page.get_by_label("Recovery code").fill(code)
    page.get_by_label("What happened").fill("the phone is in repair")
    page.get_by_role("button", name="Sign in with a recovery code").click()
    page.wait_for_url("**/notices**")
    assert f"{login} signed in with a recovery code" in words(page)
    look(page, "notices")
    while page.get_by_role("button", name="I have read this").count():
        page.get_by_role("button", name="I have read this").first.click()
        page.wait_for_load_state()
    look(page, "no notices")


def test_an_administrator_changes_a_role_by_keyboard_alone(visit: Visit, place: Place) -> None:
    carl, dora = place.person("carl", Role.ADMINISTRATOR), place.person("dora")
    page = visit(place.base)
    enter(page, carl)
    page.goto("/people")
    stops = tab_stops(page)
    assert "Change dora" in stops
    assert "Make a code" in stops
    page.get_by_text("Change dora").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("analyst")
    page.keyboard.press("Tab")
    with (
        page.expect_navigation()
    ):  # a key, unlike a click, is not waited for, and the address stays
        page.keyboard.press("Enter")
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="dora"))
    assert row.get_by_role("cell").first.inner_text() == "analyst"
    assert dora.begin_waits() == ""


def test_an_auditor_reads_the_people_and_finds_no_button(visit: Visit, place: Place) -> None:
    page = visit(place.base)
    enter(page, place.person("olga", Role.AUDITOR))
    page.get_by_role("link", name="People").click()
    assert page.get_by_role("main").get_by_role("button").count() == 0
    assert "olga" in words(page)
    examine_wide_and_narrow(page, "people for an auditor")


def test_one_session_ends_another(visit: Visit, place: Place) -> None:
    person = place.person("ella")
    one, two = visit(place.base), visit(place.base)
    for page in (one, two):
        sign_in(page, person.login, PASSWORD)
    one.goto("/account")
    one.get_by_role("button", name=re.compile("End the session")).first.click()
    one.wait_for_load_state()
    answer = two.goto("/summary")
    assert answer is not None
    assert answer.status == 401


def test_no_page_of_people_weighs_more_than_60_kb(visit: Visit, place: Place) -> None:
    page = visit(place.base)
    enter(page, place.person("finn", Role.ADMINISTRATOR))
    for path in ("/account", "/people", "/account/passkeys", "/confirm", "/join"):
        assert weight(page, path) <= MAX_WEIGHT, path
