"""People at the hub: accounts, sessions, second factors, invitations, roles."""

import re

import httpx2
import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update
from tests.support.hub_people import PASSWORD, VISIT, Browser, Someone, make_person
from tests.support.hub_world import HOST, Desk, World

from accord.hub.access import Role
from accord.hub.app import make_hub
from accord.hub.audit.tables import AuditEvent
from accord.hub.people.passwords import _NOBODY, Passwords, check_password
from accord.hub.people.sessions import IDLE_SECONDS, SESSION_SECONDS, WAITING_SECONDS
from accord.hub.people.tables import AttemptRow, PersonRow, SessionRow
from accord.kernel.errors import (
    AccordError,
    AuthenticationNeeded,
    Conflict,
    Malformed,
    NotFound,
    Refused,
    Unavailable,
)
from accord.kernel.tlog.leaf import parse_record


def events(world: World, what: str) -> list[dict[str, str]]:
    """Return the opened fields of all events of a class."""
    query = select(AuditEvent.opened).where(AuditEvent.what == what).order_by(AuditEvent.number)
    with world.services.database.reading.connect() as connection:
        return [dict(parse_record(raw).opened()) for raw in connection.scalars(query)]


@pytest.fixture
def anna(world: World, police: Desk) -> Someone:
    """The first administrator of an organisation."""
    return make_person(world, "anna", police.org, Role.ADMINISTRATOR)


@pytest.fixture
def vera(world: World, police: Desk) -> Someone:
    """A viewer, who needs no more than a password."""
    return make_person(world, "vera", police.org)


def test_no_account_is_there_by_itself(world: World) -> None:
    assert world.services.people.operator.people() == []
    for name in ("admin", "administrator", "root", "accord", ""):
        with pytest.raises(AuthenticationNeeded, match="sign_in_wrong"):
            world.services.people.sign_in.password(name, name, VISIT, now=world.clock())


def test_an_administrator_sees_nothing_before_a_factor_is_set_up(
    world: World, police: Desk
) -> None:
    people = world.services.people
    code = people.operator.add("anna", org=police.org, role=Role.ADMINISTRATOR, now=world.clock())
    browser = Browser(world)
    fields = {"code": code, "login": "anna", "password": PASSWORD}
    answer = browser.fill("/join", page="/join", **fields)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account/set-up?next=%2F")
    for path in ("/summary", "/log", "/people", "/account", "/confirm", "/audit"):
        assert browser.get(path).status_code == 401, path
    answer = browser.fill("/account/authenticator/begin", page="/account/authenticator")
    assert answer.status_code == 303
    page = browser.get("/account/authenticator").text
    assert browser.get("/account/authenticator.svg").headers["Content-Type"] == "image/svg+xml"
    secret = re.sub(r"\s", "", re.findall(r'class="command">([A-Z2-7 ]+)<', page)[0])
    wrong = browser.fill("/account/authenticator", page="/account/authenticator", code="000000")
    assert wrong.status_code == 400
    before = browser.cookies.get(world.app.config["SESSION_COOKIE_NAME"])
    right = pyotp.TOTP(secret).at(world.clock())
    answer = browser.fill("/account/authenticator", page="/account/authenticator", code=right)
    assert answer.headers["Location"] == "/account/recovery-codes"
    assert browser.cookies.get(world.app.config["SESSION_COOKIE_NAME"]) != before
    assert browser.get("/people").status_code == 200
    assert browser.get("/account/authenticator.svg").status_code == 404
    codes = re.findall(
        r"<li><code>([a-z2-7-]{19})</code>",
        browser.fill("/account/recovery-codes", page="/account/recovery-codes").text,
    )
    assert len(set(codes)) == 10


def test_a_code_works_once_for_a_day_and_for_its_role_alone(world: World, police: Desk) -> None:
    people = world.services.people
    codes = [
        people.operator.add(name, org=police.org, role=Role.VIEWER, now=world.clock())
        for name in ("ben", "cem")
    ]
    join = people.invitations.join
    begun = join(codes[0], "somebody-else", PASSWORD, VISIT, now=world.clock())
    assert (begun.person.login, begun.person.role) == ("ben", Role.VIEWER)
    world.clock.now += 24 * 3600
    for code in (*codes, "", "x" * 500):
        with pytest.raises(Refused, match="code_refused"):
            join(code, "dora", PASSWORD, VISIT, now=world.clock())


def test_the_organisation_invites_its_own_people(world: World, anna: Someone) -> None:
    people, actor = world.services.people, anna.actor()
    code = people.invitations.invite(actor, Role.ANALYST, now=world.clock())
    withdrawn = people.invitations.invite(actor, Role.AUDITOR, now=world.clock())
    first, second = people.invitations.waiting(actor, now=world.clock())
    assert [first.role, second.role] == [Role.ANALYST, Role.AUDITOR]
    people.invitations.withdraw(actor, second.number, now=world.clock())
    with pytest.raises(Refused, match="code_refused"):
        people.invitations.join(withdrawn, "eve", PASSWORD, VISIT, now=world.clock())
    with pytest.raises(Conflict, match="login_taken"):
        people.invitations.join(code, "Anna", PASSWORD, VISIT, now=world.clock())
    begun = people.invitations.join(code, "Rosa ", PASSWORD, VISIT, now=world.clock())
    assert (begun.person.login, begun.person.org) == ("rosa", anna.org)
    assert [one.login for one in people.administration.people(actor)] == ["anna", "rosa"]
    assert [event["detail"] for event in events(world, "person.invited")][1:] == [
        "analyst",
        "auditor",
    ]


def test_an_administrator_reaches_nobody_of_another_organisation(
    world: World, bank: Desk, anna: Someone
) -> None:
    ben = make_person(world, "ben", bank.org)
    (known,) = [one for one in world.services.people.operator.people() if one.login == "ben"]
    people, actor, now = world.services.people, anna.actor(), world.clock()
    acts = (
        lambda: people.administration.change_role(actor, known.handle, Role.AUDITOR, now=now),
        lambda: people.administration.remove(actor, known.handle, now=now),
        lambda: people.administration.sign_out(actor, known.handle, now=now),
        lambda: people.invitations.reset(actor, known.handle, now=now),
    )
    for act in acts:
        with pytest.raises(NotFound, match="person_missing"):
            act()
    assert ben.begin().person.role is Role.VIEWER


def test_a_changed_role_ends_the_sessions_and_is_recorded(
    world: World, anna: Someone, vera: Someone
) -> None:
    people, browser = world.services.people, vera.browser()
    (person,) = [one for one in people.administration.people(anna.actor()) if one.login == "vera"]
    people.administration.change_role(
        anna.actor(), person.handle, Role.ADMINISTRATOR, now=world.clock()
    )
    assert browser.get("/log").status_code == 401
    assert vera.begin().waits_for == "enrol", "more rights need a second factor"
    (event,) = events(world, "role.changed")
    assert (event["person"], event["about"], event["detail"]) == (
        "anna",
        "vera",
        "viewer to administrator",
    )
    assert event["subject"] == person.handle


@pytest.mark.parametrize("way", ["another role", "removed", "set up anew"])
def test_codes_of_who_is_no_administrator_any_more_are_worth_nothing(
    world: World, anna: Someone, way: str
) -> None:
    rosa = make_person(world, "rosa", anna.org, Role.ADMINISTRATOR)
    people, now = world.services.people, world.clock()
    code = people.invitations.invite(rosa.actor(), Role.ADMINISTRATOR, now=now)
    known = {one.login: one.handle for one in people.administration.people(anna.actor())}
    acts = {
        "another role": lambda: people.administration.change_role(
            anna.actor(), known["rosa"], Role.VIEWER, now=now
        ),
        "removed": lambda: people.administration.remove(anna.actor(), known["rosa"], now=now),
        "set up anew": lambda: people.invitations.reset(anna.actor(), known["rosa"], now=now),
    }
    acts[way]()
    with pytest.raises(Refused, match="code_refused"):
        people.invitations.join(code, "eve", PASSWORD, VISIT, now=now)


def test_the_last_administrator_stays(world: World, anna: Someone, vera: Someone) -> None:
    administration, actor = world.services.people.administration, anna.actor()
    people = {one.login: one for one in administration.people(actor)}
    with pytest.raises(Refused, match="last_administrator"):
        administration.remove(actor, people["anna"].handle, now=world.clock())
    with pytest.raises(Refused, match="last_administrator"):
        administration.change_role(actor, people["anna"].handle, Role.VIEWER, now=world.clock())
    administration.change_role(actor, people["vera"].handle, Role.ADMINISTRATOR, now=world.clock())
    administration.remove(actor, people["anna"].handle, now=world.clock())
    with pytest.raises(AuthenticationNeeded, match="sign_in_wrong"):
        anna.begin()
    assert vera.login == "vera"


def test_a_new_password_ends_every_session_of_that_person_alone(
    world: World, police: Desk, vera: Someone
) -> None:
    ben = make_person(world, "ben", police.org)
    one, two, other = vera.browser(), vera.browser(), ben.browser()
    answer = one.fill("/account/password", page="/account", password="quiet orange bicycles")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    assert [browser.get("/log").status_code for browser in (one, two, other)] == [401, 401, 200]
    with pytest.raises(AuthenticationNeeded, match="sign_in_wrong"):
        vera.begin()
    vera.password = "quiet orange bicycles"
    assert vera.browser().get("/log").status_code == 200


def test_a_hash_of_another_cost_is_made_anew_at_the_next_sign_in(
    world: World, vera: Someone
) -> None:
    older = PasswordHasher().hash(PASSWORD)
    query = update(PersonRow).where(PersonRow.login == "vera").values(password=older)
    with world.services.database.writing.begin() as connection:
        connection.execute(query)
    for _ in range(2):
        assert vera.begin().waits_for == ""
    with world.services.database.reading.connect() as connection:
        kept = connection.scalar(select(PersonRow.password).where(PersonRow.login == "vera"))
    assert str(kept).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "password_short"),
        ("x" * 257, "password_long"),
        ("aaaaaaaaaaaaaaaa", "password_common"),
        ("123456789012345", "password_common"),
        ("Password-2026!!", "password_common"),
        ("vera.vera-2026!", "password_common"),
        ("abcdefghijklmnop", "password_common"),
        ("qwertyuiopasdf", "password_common"),
        ("Welcome123456!", "password_common"),
    ],
)
def test_a_password_that_is_guessed_first_is_refused(password: str, code: str) -> None:
    with pytest.raises(Malformed, match=code):
        check_password(password, login="vera")
    assert check_password(PASSWORD, login="vera") == PASSWORD


def test_a_session_is_over_when_idle_when_old_and_when_the_clock_went_back(
    world: World, vera: Someone
) -> None:
    browser = vera.browser()
    for _ in range(3):
        world.clock.now += IDLE_SECONDS
        assert browser.get("/log").status_code == 200
    world.clock.now += IDLE_SECONDS + 1
    assert browser.get("/log").status_code == 401
    browser = vera.browser()
    for _ in range(SESSION_SECONDS // IDLE_SECONDS):
        world.clock.now += IDLE_SECONDS
        assert browser.get("/log").status_code == 200
    world.clock.now += 1
    assert browser.get("/log").status_code == 401
    browser = vera.browser()
    world.clock.now -= 1
    assert browser.get("/log").status_code == 401


def test_a_session_holds_over_processes_and_restarts_and_leaves_no_token_in_the_database(
    world: World, vera: Someone
) -> None:
    key = world.services.people.keys.cookie_key
    browsers = []
    for _ in range(2):  # the second is another process with the same key file
        app = make_hub(world.services, secret_key=key, port=8600)
        transport = httpx2.WSGITransport(app=app)
        browsers.append(httpx2.Client(transport=transport, base_url=f"http://{HOST}"))
    first, second = browsers
    form = re.search(r'name="csrf_token" value="([^"]+)"', first.get("/sign-in").text)
    assert form is not None
    fields = {"csrf_token": form[1], "login": "vera", "password": PASSWORD}
    assert first.post("/sign-in", data=fields).status_code == 303
    second.cookies.update(first.cookies)
    assert second.get("/log").status_code == 200
    again = world.open_services()
    assert again.people.keys.cookie_key == key
    again.close()
    token = vera.begin().token.encode()
    assert all(token not in content for content in world.files().values())


def test_own_sessions_are_listed_and_ended_one_by_one(world: World, vera: Someone) -> None:
    one, two = vera.browser(), vera.browser()
    signing_out = world.services.people.signing_out
    newest, oldest, *_ = signing_out.own(vera.actor())
    assert "this one" in two.get("/account").text
    answer = two.fill(f"/account/sessions/{oldest.number}/end", page="/account")
    assert answer.status_code == 303
    assert (one.get("/log").status_code, two.get("/log").status_code) == (401, 200)
    with pytest.raises(NotFound, match="session_missing"):
        signing_out.end_own(vera.actor(), oldest.number)
    assert newest.number > oldest.number


def test_nobody_ends_the_session_of_somebody_else(
    world: World, anna: Someone, vera: Someone
) -> None:
    browser = vera.browser()
    with world.services.database.reading.connect() as connection:
        numbers = connection.scalars(select(SessionRow.number)).all()
    mine = {one.number for one in world.services.people.signing_out.own(anna.actor())}
    for number in set(numbers) - mine:
        with pytest.raises(NotFound, match="session_missing"):
            world.services.people.signing_out.end_own(anna.actor(), number)
    assert browser.get("/log").status_code == 200


def test_a_session_that_waits_opens_nothing_and_does_not_wait_long(
    world: World, anna: Someone
) -> None:
    browser = Browser(world)
    answer = browser.fill("/sign-in", page="/sign-in", login=anna.login, password=PASSWORD)
    assert answer.headers["Location"].startswith("/sign-in/second")
    paths = ("/people", "/account", "/account/passkeys", "/account/authenticator", "/confirm")
    assert [browser.get(path).status_code for path in paths] == [401] * len(paths)
    assert browser.get("/account/set-up").status_code == 401
    world.clock.now += WAITING_SECONDS + 1
    assert browser.get("/sign-in/second").status_code == 401


def test_a_code_of_the_app_counts_once_and_not_long(world: World, anna: Someone) -> None:
    people = world.services.people
    assert anna.secret is not None
    app = pyotp.TOTP(anna.secret)
    world.clock.now += 60
    code = app.at(world.clock())
    begun = people.sign_in.password("anna", PASSWORD, VISIT, now=world.clock())
    people.sign_in.totp(begun.token, code, VISIT, now=world.clock())
    late = app.at(world.clock() - 90)
    for wrong in (
        code,
        late,
        "",
        "12345",
        "\uff11\uff12\uff13\uff14\uff15\uff16",
        app.at(world.clock() + 90),
    ):
        begun = people.sign_in.password("anna", PASSWORD, VISIT, now=world.clock())
        with pytest.raises((AuthenticationNeeded, Unavailable)):
            people.sign_in.totp(begun.token, wrong, VISIT, now=world.clock())


def test_second_factors_are_not_guessed_in_a_row(world: World, anna: Someone) -> None:
    people = world.services.people
    begun = people.sign_in.password("anna", PASSWORD, VISIT, now=world.clock())
    for _ in range(6):
        with pytest.raises(AuthenticationNeeded, match="factor_wrong"):
            people.sign_in.totp(begun.token, "000000", VISIT, now=world.clock())
    with pytest.raises(Unavailable, match="too_many_attempts"):
        people.sign_in.totp(begun.token, anna.code(), VISIT, now=world.clock())


def test_a_recovery_code_is_an_emergency_way_that_others_are_told_of(
    world: World, police: Desk, anna: Someone
) -> None:
    olga = make_person(world, "olga", police.org, Role.AUDITOR)
    people = world.services.people
    codes = people.account.make_recovery_codes(anna.actor(), now=world.clock())
    begun = people.sign_in.password("anna", PASSWORD, VISIT, now=world.clock())
    with pytest.raises(Malformed, match="reason_invalid"):
        people.sign_in.recovery(begun.token, codes[0], "lost", VISIT, now=world.clock())
    typed = f" {codes[0].upper().replace('-', ' ')} "
    whole = people.sign_in.recovery(
        begun.token, typed, "the phone was lost on a train", VISIT, now=world.clock()
    )
    assert whole.waits_for == ""
    begun = people.sign_in.password("anna", PASSWORD, VISIT, now=world.clock())
    with pytest.raises(AuthenticationNeeded, match="factor_wrong"):
        people.sign_in.recovery(begun.token, codes[0], "once more please", VISIT, now=world.clock())
    (notice,) = people.notices.unread(olga.actor())
    assert (notice.about, notice.reason) == ("anna", "the phone was lost on a train")
    browser = Browser(world)
    browser.sign_in(olga)
    assert "anna signed in with a recovery code" in browser.get("/notices").text
    browser.fill("/notices", page="/notices", number=str(notice.number))
    assert people.notices.unread(olga.actor()) == []
    assert len(people.notices.unread(anna.actor())) == 1, "each reads for themselves"
    (event,) = events(world, "credential.removed")
    assert event["basis"] == "the phone was lost on a train"
    assert event["detail"] == "recovery code used, 9 left"


def test_what_changes_whom_the_hub_obeys_needs_a_fresh_proof(world: World, anna: Someone) -> None:
    browser = anna.browser()
    world.clock.now += 11 * 60
    assert "Make a code" not in browser.get("/people").text
    answer = browser.fill("/people/invites", page="/account", role="viewer")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/confirm?next=%2Fpeople")
    before = browser.cookies.get(world.app.config["SESSION_COOKIE_NAME"])
    answer = browser.fill("/confirm?next=/people", page="/confirm", code=anna.code())
    assert answer.headers["Location"] == "/people"
    assert browser.cookies.get(world.app.config["SESSION_COOKIE_NAME"]) != before
    answer = browser.fill("/people/invites", page="/people", role="viewer")
    assert "A code was made" in answer.text


def test_the_last_factor_of_who_must_have_one_is_not_removed(world: World, anna: Someone) -> None:
    with pytest.raises(Refused, match="last_factor"):
        world.services.people.account.remove_totp(anna.actor(), now=world.clock())
    assert anna.begin().waits_for == ""


def test_the_operator_states_a_reason_where_an_organisation_has_an_administrator(
    world: World, anna: Someone
) -> None:
    operator, people = world.services.people.operator, world.services.people
    now = world.clock()
    with pytest.raises(Refused, match="reason_needed"):
        operator.add("eve", org=anna.org, role=Role.ADMINISTRATOR, now=now)
    reason = "anna cannot be reached since Monday"
    operator.add("eve", org=anna.org, role=Role.ADMINISTRATOR, reason=reason, now=now)
    code = operator.reset("anna", reason=reason, now=now)
    told = people.notices.unread(anna.actor())
    assert [one.what.value for one in told] == [
        "reset-by-operator",
        "administrator-added-by-operator",
    ]
    assert [event["basis"] for event in events(world, "break-glass.opened")] == [reason, reason]
    with pytest.raises(AuthenticationNeeded):
        anna.begin()
    begun = people.invitations.join(code, "", "quiet orange bicycles", VISIT, now=now)
    assert (begun.person.login, begun.waits_for) == ("anna", "enrol")
    operator.remove("anna", reason=reason, now=now)
    assert operator.people() == []


def test_attempts_count_over_processes_and_restarts_and_alike_for_unknown_names(
    world: World, vera: Someone
) -> None:
    again = world.open_services()
    answers: dict[str, list[str]] = {}
    for name in ("vera", "nobody"):
        for services in (world.services, again) * 6:
            try:
                services.people.passwords.attempt(account=name, source="::1", now=world.clock())
                answers.setdefault(name, []).append("counted")
            except Unavailable as error:
                answers.setdefault(name, []).append(f"{error.code} {error.retry_after}")
    assert answers["vera"] == answers["nobody"]
    assert answers["vera"][9:] == ["counted", *["too_many_attempts 900"] * 2]
    again.close()
    world.clock.now += 900
    world.services.people.passwords.attempt(account="vera", source="::1", now=world.clock())
    with world.services.database.reading.connect() as connection:
        keys = connection.scalars(select(AttemptRow.key)).all()
    assert len(keys) == 2, "counters whose window is over are swept away"
    assert vera.login.encode() not in b"".join(keys)


def test_a_copy_of_the_database_says_no_secret_of_an_authenticator_app(
    world: World, anna: Someone
) -> None:
    assert anna.secret is not None
    codes = world.services.people.account.make_recovery_codes(anna.actor(), now=world.clock())
    for content in world.files().values():
        for secret in (anna.secret, *codes, *(code.replace("-", "") for code in codes), PASSWORD):
            assert secret.encode() not in content


def test_names_stand_in_the_people_tables_and_the_erasable_fields_alone(
    world: World, anna: Someone, vera: Someone
) -> None:
    people = world.services.people
    vera.browser()
    (known,) = [one for one in people.administration.people(anna.actor()) if one.login == "vera"]
    people.administration.change_role(anna.actor(), known.handle, Role.AUDITOR, now=world.clock())
    people.invitations.reset(anna.actor(), known.handle, now=world.clock())
    with world.services.database.reading.connect() as connection:
        raws = connection.scalars(select(AuditEvent.opened)).all()
        assert connection.scalar(select(PersonRow.handle).where(PersonRow.login == "vera"))
    for raw in raws:
        for name, value in parse_record(raw).opened().items():
            assert name in {"person", "about"} or "vera" not in value, (name, value)


def test_a_hub_of_passkeys_alone_takes_no_password(world: World, vera: Someone) -> None:
    text = (world.config.home / "hub.toml").read_text("utf-8") + "passwords = false\n"
    (world.config.home / "hub.toml").write_text(text, "utf-8")
    again = world.open_services(
        world.config.__class__(
            **{
                **{name: getattr(world.config, name) for name in world.config.__dataclass_fields__},
                "passwords": False,
            }
        )
    )
    people = again.people
    with pytest.raises(AuthenticationNeeded, match="sign_in_wrong"):
        people.sign_in.password("vera", PASSWORD, VISIT, now=world.clock())
    for act in (
        lambda: people.account.begin_totp(vera.actor(), now=world.clock()),
        lambda: people.account.change_password(vera.actor(), "x" * 20, now=world.clock()),
    ):
        with pytest.raises(AccordError, match="passwords_off"):
            act()
    code = people.operator.add("ben", org=vera.org, role=Role.VIEWER, now=world.clock())
    assert people.invitations.join(code, "ben", "", VISIT, now=world.clock()).waits_for == "enrol"
    again.close()


def test_an_unknown_name_is_compared_at_the_same_cost_as_a_known_one() -> None:
    passwords = Passwords()
    assert not passwords.is_older(_NOBODY)
    assert not passwords.fits(None, PASSWORD)
    assert not passwords.fits(None, "")
