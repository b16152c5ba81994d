"""T29: someone wants more than their account at the hub gives, or somebody else's account."""

import copy
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from tests.support.authenticator import Authenticator
from tests.support.hub_people import PASSWORD, VISIT, Browser, Someone, make_person
from tests.support.hub_world import Desk, World

from accord.hub.access import Role
from accord.hub.people import Answer, RelyingParty
from accord.kernel.errors import AuthenticationNeeded, Refused
from accord.kernel.markings import OrgKind
from accord.webbase.routes import Who, declaration_of

OWN_ACCOUNT = ("/account", "/confirm", "/notices", "/sign-in/second")
"""Where an auditor changes something: the means of their own sign-in."""

PARTY = RelyingParty(origin="http://localhost:8600", name="Accord")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("accounts"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def police(world: World) -> Desk:
    return world.enrol("police", OrgKind.LAW_ENFORCEMENT)


@pytest.fixture(scope="module")
def anna(world: World, police: Desk) -> Someone:
    return make_person(world, "anna", police.org, Role.ADMINISTRATOR)


@pytest.fixture(scope="module")
def olga(world: World, police: Desk) -> Someone:
    return make_person(world, "olga", police.org, Role.AUDITOR)


@pytest.fixture(scope="module")
def vera(world: World, police: Desk) -> Someone:
    return make_person(world, "vera", police.org)


def handle_of(world: World, login: str) -> str:
    (found,) = [one for one in world.services.people.operator.people() if one.login == login]
    return found.handle


def forms(app: Flask, *kinds: Who) -> list[str]:
    """Return the addresses that take forms from these sorts of callers."""
    found = []
    for rule in app.url_map.iter_rules():
        declared = declaration_of(app, rule.endpoint)
        if declared and declared.who in kinds and "POST" in (rule.methods or ()):
            filled = re.sub(r"<int:[a-z_]+>", "1", rule.rule)
            found.append(re.sub(r"<[a-z_:]+>", "0123456789abcdef", filled))
    return sorted(found)


def cookie(browser: Browser) -> str | None:
    return browser.cookies.get(browser.world.app.config["SESSION_COOKIE_NAME"])


def test_the_forms_of_people_are_found(world: World) -> None:
    found = forms(world.app, Who.PERSON, Who.ENTERING, Who.ANYONE)
    for path in ("/people/invites", "/confirm", "/account/password", "/join", "/sign-in"):
        assert path in found
    assert len(found) > 20


def test_no_form_is_taken_without_its_token_or_from_another_site(
    world: World, anna: Someone
) -> None:
    browser = anna.browser()
    token = browser.token("/account")
    for path in forms(world.app, Who.PERSON, Who.ENTERING, Who.ANYONE):
        for sent, headers in (
            ({}, {}),
            ({"csrf_token": "x" * 43}, {}),
            ({"csrf_token": token}, {"Sec-Fetch-Site": "cross-site"}),
            ({"csrf_token": token}, {"Sec-Fetch-Site": "same-site"}),
        ):
            answer = browser.post(path, data=sent, headers=headers)
            assert (answer.status_code, "csrf_wrong" in answer.text) == (403, True), path
    assert browser.get("/account").status_code == 200


def test_no_page_of_people_can_be_framed_or_kept(world: World, anna: Someone) -> None:
    browser = anna.browser()
    for path in ("/sign-in", "/join", "/account", "/people", "/confirm", "/notices"):
        headers = browser.get(path).headers
        assert headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
    assert world.client.get("/static/passkeys.js").headers["X-Content-Type-Options"] == "nosniff"


def test_a_planted_session_does_not_grow_with_its_victim(world: World, anna: Someone) -> None:
    """Fixation at each step at which a session may do more: password, factor, fresh proof."""
    browser = Browser(world)
    seen = [cookie(browser)]
    browser.fill("/sign-in", page="/sign-in", login="anna", password=PASSWORD)
    seen.append(cookie(browser))
    browser.fill("/sign-in/second/code", page="/sign-in/second", code=anna.code())
    seen.append(cookie(browser))
    browser.fill("/confirm", page="/confirm", code=anna.code())
    assert browser.get("/people").status_code == 200
    for planted in filter(None, seen):
        thief = Browser(world)
        thief.cookies.set(world.app.config["SESSION_COOKIE_NAME"], planted)
        for path in ("/people", "/account", "/sign-in/second"):
            assert thief.get(path).status_code == 401


def test_the_password_alone_opens_nothing_of_an_administrator(world: World, anna: Someone) -> None:
    """Every page and form of the hub is closed to a session that waits for its factor."""
    browser = Browser(world)
    browser.fill("/sign-in", page="/sign-in", login=anna.login, password=PASSWORD)
    token = browser.token("/sign-in/second")
    for rule in world.app.url_map.iter_rules():
        declared = declaration_of(world.app, rule.endpoint)
        if declared is None or declared.who not in {Who.PERSON, Who.ENTERING}:
            continue
        path = re.sub(r"<[a-z_:]+>", "1", rule.rule)
        if path.startswith("/sign-in/second"):
            continue
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            data = {"csrf_token": token} if method == "POST" else None
            answer = browser.request(method, path, data=data)
            refused = answer.status_code in {401, 404}
            assert refused, (method, path, answer.status_code)


def test_an_auditor_writes_nowhere(world: World, olga: Someone, vera: Someone) -> None:
    """Each form of the hub, with a fresh proof and real names in the address."""
    browser = olga.browser()
    token, handle = browser.token("/account"), handle_of(world, vera.login)
    before = world.services.people.operator.people()
    for path in forms(world.app, Who.PERSON, Who.ENTERING):
        if path.startswith(OWN_ACCOUNT):
            continue
        data = {"csrf_token": token, "role": "administrator", "reason": "because I want to"}
        answer = browser.post(path.replace("0123456789abcdef", handle), data=data)
        assert answer.status_code in {400, 403, 404}, (path, answer.status_code)
        if path.startswith("/people"):
            assert answer.status_code == 403
    assert world.services.people.operator.people() == before
    assert vera.begin_waits() == ""


def test_a_viewer_gains_no_role_by_fields_that_no_form_has(
    world: World, police: Desk, vera: Someone
) -> None:
    """Mass assignment: role and organisation beside what the form asks for."""
    code = world.services.people.operator.add(
        "mila", org=police.org, role=Role.VIEWER, now=world.clock()
    )
    browser = Browser(world)
    more = {"role": "administrator", "org": "first-bank@hub.test", "disabled": "0", "number": "1"}
    browser.fill("/join", page="/join", code=code, login="mila", password=PASSWORD, **more)
    (mila,) = [one for one in world.services.people.operator.people() if one.login == "mila"]
    assert (mila.role, mila.org) == (Role.VIEWER, police.org)
    browser = vera.browser()
    browser.fill("/account/password", page="/account", password="quiet orange boats", **more)
    vera.password = "quiet orange boats"
    assert vera.begin().person.role is Role.VIEWER
    for path in ("role", "remove", "reset", "sign-out"):
        answer = vera.browser().fill(
            f"/people/{handle_of(world, 'vera')}/{path}", page="/account", **more
        )
        assert answer.status_code == 403


@pytest.mark.parametrize("role", ["desk", "root", "", "administrator\0", "Administrator"])
def test_an_administrator_gives_no_role_that_persons_do_not_have(
    world: World, anna: Someone, role: str
) -> None:
    browser = anna.browser()
    handle = handle_of(world, "vera")
    for path in ("/people/invites", f"/people/{handle}/role"):
        answer = browser.fill(path, page="/people", role=role)
        assert answer.status_code == 400, path
        assert "role_invalid" not in answer.text or "desk" not in answer.text


def test_a_stolen_invite_is_worth_nothing_after_its_use_or_withdrawal(
    world: World, anna: Someone
) -> None:
    people, now = world.services.people, world.clock()
    code = people.invitations.invite(anna.actor(), Role.ADMINISTRATOR, now=now)
    people.invitations.join(code, "rosa", PASSWORD, VISIT, now=now)
    with pytest.raises(Refused, match="code_refused"):
        people.invitations.join(code, "thief", PASSWORD, VISIT, now=now)
    # A thief who is faster shows: the one who was invited is refused and asks; the code told no
    # more than a role, and the administrator sees a name that nobody knows.
    assert "rosa" in [one.login for one in people.administration.people(anna.actor())]
    assert people.invitations.waiting(anna.actor(), now=now) == []


def test_codes_of_invites_are_not_guessed_in_a_row(world: World) -> None:
    world.clock.now += 901
    browser = Browser(world)
    answers = [
        browser.fill("/join", page="/join", code="x" * 27, login="eve", password=PASSWORD)
        for _ in range(51)
    ]
    assert [answer.status_code for answer in answers] == [403] * 50 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    world.clock.now += 901


def test_a_code_seen_over_the_shoulder_is_refused_a_second_time(
    world: World, anna: Someone
) -> None:
    code = anna.code()
    for status in (303, 401):
        browser = Browser(world)
        browser.fill("/sign-in", page="/sign-in", login="anna", password=PASSWORD)
        answer = browser.fill("/sign-in/second/code", page="/sign-in/second", code=code)
        assert answer.status_code == status


def test_a_copied_passkey_stops_both_and_is_told(world: World, anna: Someone, police: Desk) -> None:
    ben = make_person(world, "ben", police.org)
    people, device = world.services.people, Authenticator()

    def answer(form: dict[str, str]) -> Answer:
        return Answer(
            credential=form["answer"], challenge=form["challenge"], bound_to="b", party=PARTY
        )

    def enter(one: Authenticator) -> None:
        options = people.sign_in.passkey_options("b", PARTY, token=None, now=world.clock())
        people.sign_in.passkey(answer(one.sign(options)), VISIT, token=None, now=world.clock())

    asked = people.account.passkey_options(ben.actor(), "b", PARTY, now=world.clock())
    token = ben.begin().token
    people.account.add_passkey(
        ben.actor(), answer(device.register(asked)), "phone", token=token, now=world.clock()
    )
    thief = copy.copy(device)
    enter(device)
    for one in (thief, device):
        with pytest.raises(AuthenticationNeeded, match="passkey_refused"):
            enter(one)
    assert "passkey-halted" in [one.what.value for one in people.notices.unread(anna.actor())]


def test_a_removed_person_is_out_at_once(world: World, anna: Someone, police: Desk) -> None:
    cem = make_person(world, "cem", police.org)
    browser = cem.browser()
    assert browser.get("/log").status_code == 200
    answer = anna.browser().fill(f"/people/{handle_of(world, 'cem')}/remove", page="/people")
    assert answer.status_code == 303
    assert browser.get("/log").status_code == 401
    assert (
        Browser(world).fill("/sign-in", page="/sign-in", login="cem", password=PASSWORD).status_code
        == 401
    )


def test_a_thief_of_the_database_cannot_go_on_as_anybody(world: World, anna: Someone) -> None:
    """What the rows hold is hashes, tags and boxes: none of it opens a session or a factor."""
    anna.browser()
    with world.services.database.reading.connect() as connection:
        rows = connection.exec_driver_sql("SELECT token FROM people_sessions").scalars().all()
    for token in rows:
        for form in (bytes(token).hex(), bytes(token).decode("latin-1")):
            assert world.services.people.sessions.find(form) is None
