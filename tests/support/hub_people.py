"""People of a simulated hub: made and signed in as real ones are, second factor included."""

import re
from dataclasses import dataclass, field

import httpx2
import pyotp
from tests.support.hub_world import HOST, World

from accord.hub.access import Actor, Role
from accord.hub.people import Begun, Visit
from accord.hub.people.codes import STEP_SECONDS
from accord.kernel.identifiers import OrgId
from accord.kernel.markings import OrgKind

PASSWORD = "seven brass kettles"
VISIT = Visit(browser="a test's browser", source="127.0.0.1")

_TOKEN = re.compile(r'name="csrf_token" value="([A-Za-z0-9_-]{20,})"')


@dataclass
class Someone:
    """A person with an account, who knows their password and holds their phone."""

    world: World
    login: str
    org: OrgId
    role: Role
    password: str = PASSWORD
    secret: str | None = None
    codes: list[str] = field(default_factory=list)

    def actor(self, *, fresh: bool = True) -> Actor:
        """Return the person as the gate knows them."""
        known = self.world.services.directory.state().organisation(self.org)
        return Actor(
            org=self.org,
            kind=known.profile.kind,
            role=self.role,
            person=self.login,
            fresh=fresh,
        )

    def code(self) -> str:
        """Return the phone's next code; each counts once, so the clock goes on a step."""
        assert self.secret is not None
        self.world.clock.now += STEP_SECONDS
        return str(pyotp.TOTP(self.secret).at(self.world.clock.now))

    def begin(self) -> Begun:
        """Sign in with all that is needed, without a browser."""
        sign_in, now = self.world.services.people.sign_in, self.world.clock
        begun = sign_in.password(self.login, self.password, VISIT, now=now())
        if begun.waits_for == "factor":
            code = self.code()
            begun = sign_in.totp(begun.token, code, VISIT, now=now())
        return begun

    def begin_waits(self) -> str:
        """Say what a session waits for after the password."""
        sign_in, now = self.world.services.people.sign_in, self.world.clock
        return sign_in.password(self.login, self.password, VISIT, now=now()).waits_for

    def add_factor(self) -> None:
        """Set up an authenticator app."""
        account, now = self.world.services.people.account, self.world.clock
        begun = self.begin()
        account.begin_totp(self.actor(), now=now())
        self.secret = account.pending_totp(self.actor())
        code = self.code()
        account.confirm_totp(self.actor(), code, token=begun.token, now=now())

    def browser(self) -> "Browser":
        """Return a browser in which the person has signed in."""
        browser = Browser(self.world)
        browser.sign_in(self)
        return browser


class Browser(httpx2.Client):
    """A browser without script: it fills in forms with the token that the page gave."""

    def __init__(self, world: World) -> None:
        """Open a fresh one."""
        super().__init__(transport=httpx2.WSGITransport(app=world.app), base_url=f"http://{HOST}")
        self.world = world

    def token(self, page: str) -> str:
        """Return the token of a page's forms."""
        found = _TOKEN.search(self.get(page).text)
        assert found is not None, page
        return found[1]

    def fill(self, path: str, *, page: str, **fields: str) -> httpx2.Response:
        """Send a form of ``page`` to ``path``."""
        return self.post(path, data={"csrf_token": self.token(page), **fields})

    def sign_in(self, person: Someone) -> None:
        """Sign in by password, and by the phone's code where one is asked for."""
        answer = self.fill(
            "/sign-in", page="/sign-in", login=person.login, password=person.password
        )
        assert answer.status_code == 303, answer.text
        if answer.headers["Location"].startswith("/sign-in/second"):
            answer = self.fill("/sign-in/second/code", page="/sign-in/second", code=person.code())
            assert answer.status_code == 303, answer.text


def make_person(
    world: World, login: str, org: OrgId, role: Role = Role.VIEWER, *, factor: bool | None = None
) -> Someone:
    """Let the operator make a code and the person use it; set up a factor where one is needed.

    Args:
        world: the hub.
        login: the name.
        org: the person's organisation.
        role: what they may do.
        factor: set up an authenticator app; by default where the role needs one.
    """
    people, now = world.services.people, world.clock
    code = people.operator.add(
        login, org=org, role=role, reason="a test needs this person", now=now()
    )
    people.invitations.join(code, login, PASSWORD, VISIT, now=now())
    made = Someone(world, login, org, role)
    if factor if factor is not None else role in {Role.ADMINISTRATOR, Role.AUDITOR}:
        made.add_factor()
    return made


def stranger(org: OrgId, kind: OrgKind = OrgKind.NGO) -> Actor:
    """Return an administrator of another organisation."""
    return Actor(org=org, kind=kind, role=Role.ADMINISTRATOR, person="mallory", fresh=True)
