"""Passkeys: what counts, what does not, and a copied one. A software authenticator answers."""

import copy
import hashlib
import json
from collections.abc import Callable, Iterator

import pytest
from tests.support.authenticator import PRESENT, Authenticator
from tests.support.hub_people import PASSWORD, VISIT, Someone, make_person
from tests.support.hub_world import ORIGIN, World

from accord.hub.access import Role
from accord.hub.people import Answer, Begun, RelyingParty
from accord.kernel.errors import AuthenticationNeeded, Conflict, Refused
from accord.kernel.identifiers import make_org_id
from accord.kernel.markings import OrgKind

PARTY = RelyingParty(origin="http://localhost:8600", name="Accord")
BOUND = "the token of this browser's forms"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[World]:
    assert engine
    made = World(tmp_path_factory.mktemp("passkeys"))
    made.enrol("police", OrgKind.LAW_ENFORCEMENT)
    yield made
    made.close()


@pytest.fixture
def anna(world: World, request: pytest.FixtureRequest) -> Someone:
    """A viewer of her own for each test."""
    name = "a" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]
    return make_person(world, name, make_org_id("police", ORIGIN))


def answered(form: dict[str, str], *, bound_to: str = BOUND) -> Answer:
    return Answer(
        credential=form["answer"], challenge=form["challenge"], bound_to=bound_to, party=PARTY
    )


def enrolled(anna: Someone, device: Authenticator) -> None:
    account, now = anna.world.services.people.account, anna.world.clock
    token = anna.begin().token
    options = account.passkey_options(anna.actor(), BOUND, PARTY, now=now())
    form = device.register(options)
    account.add_passkey(anna.actor(), answered(form), "phone", token=token, now=now())


def options_of(anna: Someone, token: str | None = None) -> str:
    sign_in, now = anna.world.services.people.sign_in, anna.world.clock
    return sign_in.passkey_options(BOUND, PARTY, token=token, now=now())


def entered(anna: Someone, form: dict[str, str], **more: str) -> Begun:
    sign_in, now = anna.world.services.people.sign_in, anna.world.clock
    token = more.pop("token", None)
    return sign_in.passkey(answered(form, **more), VISIT, token=token, now=now())


def test_a_passkey_alone_signs_in_and_is_two_factors(anna: Someone) -> None:
    device = Authenticator()
    enrolled(anna, device)
    begun = entered(anna, device.sign(options_of(anna)))
    assert (begun.person.login, begun.waits_for) == (anna.login, "")
    (kept,) = anna.world.services.people.account.means(anna.actor()).passkeys
    assert (kept.label, kept.used) == ("phone", anna.world.clock())


def test_the_password_alone_does_not_do_any_more(anna: Someone) -> None:
    device = Authenticator()
    enrolled(anna, device)
    sign_in, now = anna.world.services.people.sign_in, anna.world.clock
    waiting = sign_in.password(anna.login, PASSWORD, VISIT, now=now())
    assert waiting.waits_for == "factor"
    options = options_of(anna, waiting.token)
    assert len(json.loads(options)["allowCredentials"]) == 1
    assert entered(anna, device.sign(options), token=waiting.token).waits_for == ""
    assert anna.world.services.people.sessions.find(waiting.token) is None


def test_the_browser_is_asked_to_verify_the_user(anna: Someone) -> None:
    account, now = anna.world.services.people.account, anna.world.clock
    asked = json.loads(account.passkey_options(anna.actor(), BOUND, PARTY, now=now()))
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert asked["attestation"] == "none"
    assert asked["rp"]["id"] == "localhost"
    assert json.loads(options_of(anna))["userVerification"] == "required"


@pytest.mark.parametrize(
    ("what", "lie"),
    [
        ("another origin", {"origin": "https://hub.example.evil.test"}),
        ("another port", {"origin": "http://localhost:8601"}),
        ("another relying party", {"rp": "evil.test"}),
        ("nobody verified", {"flags": PRESENT}),
        ("nobody present", {"flags": 0x04}),
    ],
)
def test_an_answer_that_says_something_else_is_refused(
    anna: Someone, what: str, lie: dict[str, object]
) -> None:
    assert what
    device = Authenticator()
    for name, value in lie.items():
        setattr(device, name, value)
    with pytest.raises(AuthenticationNeeded, match="passkey_refused"):
        enrolled(anna, device)
    honest = Authenticator()
    enrolled(anna, honest)
    for name, value in lie.items():
        setattr(honest, name, value)
    with pytest.raises(AuthenticationNeeded, match="passkey_refused"):
        entered(anna, honest.sign(options_of(anna)))


def _other_key(device: Authenticator, options: str) -> dict[str, str]:
    return Authenticator(credential=device.credential).sign(options)


def _unknown(_device: Authenticator, options: str) -> dict[str, str]:
    return Authenticator().sign(options)


def _no_json(device: Authenticator, options: str) -> dict[str, str]:
    return device.sign(options) | {"answer": "{"}


def _long(device: Authenticator, options: str) -> dict[str, str]:
    form = device.sign(options)
    return form | {"answer": form["answer"] + " " * 20_000}


def _own_challenge(device: Authenticator, options: str) -> dict[str, str]:
    return device.sign(json.dumps({**json.loads(options), "challenge": "A" * 75}))


def _other_challenge(device: Authenticator, options: str) -> dict[str, str]:
    return device.sign(options) | {"challenge": "A" * 75}


@pytest.mark.parametrize(
    "forge", [_other_key, _unknown, _no_json, _long, _own_challenge, _other_challenge]
)
def test_a_forged_answer_is_refused(
    anna: Someone, forge: Callable[[Authenticator, str], dict[str, str]]
) -> None:
    device = Authenticator()
    enrolled(anna, device)
    with pytest.raises(AuthenticationNeeded, match="passkey_refused"):
        entered(anna, forge(device, options_of(anna)))


def test_an_answer_counts_once_soon_and_from_the_browser_that_was_asked(anna: Someone) -> None:
    device = Authenticator()
    enrolled(anna, device)
    form = device.sign(options_of(anna))
    with pytest.raises(AuthenticationNeeded, match="passkey_refused"):
        entered(anna, form, bound_to="the token of another browser")
    entered(anna, form)
    with pytest.raises(AuthenticationNeeded, match="passkey_refused"):
        entered(anna, form)
    late = device.sign(options_of(anna))
    anna.world.clock.now += 301
    with pytest.raises(AuthenticationNeeded, match="passkey_refused"):
        entered(anna, late)


def test_a_passkey_of_somebody_else_completes_no_session(world: World, anna: Someone) -> None:
    ben = make_person(world, f"b{anna.login}", anna.org)
    mine, his = Authenticator(), Authenticator()
    enrolled(anna, mine)
    enrolled(ben, his)
    sign_in = world.services.people.sign_in
    waiting = sign_in.password(anna.login, PASSWORD, VISIT, now=world.clock())
    with pytest.raises(AuthenticationNeeded, match="passkey_refused"):
        entered(anna, his.sign(options_of(anna, waiting.token)), token=waiting.token)


def test_a_passkey_belongs_to_one_account(world: World, anna: Someone) -> None:
    ben = make_person(world, f"b{anna.login}", anna.org)
    device = Authenticator()
    enrolled(anna, device)
    with pytest.raises(Conflict, match="passkey_known"):
        enrolled(ben, device)


@pytest.mark.parametrize("lag", [0, 3])
def test_a_copied_passkey_is_noticed_stopped_and_told(
    world: World, anna: Someone, lag: int
) -> None:
    olga = make_person(world, f"o{anna.login}", anna.org, Role.AUDITOR)
    device = Authenticator()
    enrolled(anna, device)
    thief = copy.copy(device)
    for _ in range(1 + lag):
        entered(anna, device.sign(options_of(anna)))
    with pytest.raises(AuthenticationNeeded, match="passkey_refused"):
        entered(anna, thief.sign(options_of(anna)))
    with pytest.raises(AuthenticationNeeded, match="passkey_refused"):
        entered(anna, device.sign(options_of(anna)))
    assert anna.begin_waits() == "factor", "the password alone does not do, though it is stopped"
    (notice,) = world.services.people.notices.unread(olga.actor())
    assert (notice.what.value, notice.about) == ("passkey-halted", anna.login)


def test_a_device_without_a_counter_is_not_taken_for_a_copy(anna: Someone) -> None:
    device = Authenticator()
    enrolled(anna, device)
    for _ in range(2):
        device.counter = -1
        assert entered(anna, device.sign(options_of(anna))).waits_for == ""


def test_a_removed_passkey_opens_nothing(anna: Someone) -> None:
    device = Authenticator()
    enrolled(anna, device)
    account, now = anna.world.services.people.account, anna.world.clock
    (kept,) = account.means(anna.actor()).passkeys
    account.remove_passkey(anna.actor(), kept.number, now=now())
    with pytest.raises(AuthenticationNeeded, match="passkey_refused"):
        entered(anna, device.sign(options_of(anna)))


def test_the_last_factor_of_an_auditor_stays(world: World, anna: Someone) -> None:
    olga = make_person(world, f"o{anna.login}", anna.org, Role.AUDITOR)
    device = Authenticator()
    enrolled(olga, device)
    account = world.services.people.account
    account.remove_totp(olga.actor(), now=world.clock())
    (kept,) = account.means(olga.actor()).passkeys
    with pytest.raises(Refused, match="last_factor"):
        account.remove_passkey(olga.actor(), kept.number, now=world.clock())
