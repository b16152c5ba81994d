"""People at the hub's pages: who has signed in, and where to go from there."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from accord.hub.access import Actor as HubActor
from accord.hub.access import Role
from accord.hub.people import ENROL, Answer, Begun, RelyingParty, Session, Visit
from accord.hub.services import Services
from accord.kernel.directory.organisation import Status
from accord.kernel.errors import AuthenticationNeeded
from accord.kernel.identifiers import OrgId
from accord.protocol import paths
from accord.webbase.actor import (
    Actor,
    current_actor,
    entering_actor,
    optional_actor,
    present_token,
)
from accord.webbase.csrf import csrf_token
from accord.webbase.routes import Who, declare
from accord.webbase.sign_in import Entrance


@dataclass(frozen=True, slots=True, kw_only=True)
class PeoplePages:
    """What the pages of people stand on: the rooms, and where passkeys count."""

    services: Services
    party: RelyingParty

    @property
    def passkeys_here(self) -> bool:
        """Whether the page was opened under the name to which passkeys are bound."""
        return request.host == urlsplit(self.party.origin).netloc

    def answer(self) -> Answer:
        """Return what the browser answered with the posted form."""
        return Answer(
            credential=request.form.get("answer", ""),
            challenge=request.form.get("challenge", ""),
            bound_to=csrf_token(),
            party=self.party,
        )

    def entrance(self, begun: Begun) -> Entrance:
        """Return where a session that was just begun goes on."""
        actor = Actor(
            id=begun.person.handle,
            name=begun.person.login,
            org=begun.person.org,
            roles=frozenset({begun.person.role.value}),
            waits_for=begun.waits_for,
            fresh=True,
        )
        return Entrance(token=begun.token, actor=actor, place=self._place(actor))

    def _place(self, actor: Actor) -> str | None:
        if actor.waits_for:
            return paths.SET_UP if actor.waits_for == ENROL else paths.SECOND
        known = _hub_actor(self.services, actor)
        notices = self.services.people.notices.unread(known) if known else []
        return paths.NOTICES if notices else None


def load_session(services: Services, token: str) -> Actor | None:
    """Return whose session a token is, or ``None`` when it is over."""
    session = services.people.sessions.find(token)
    return None if session is None else _actor(session)


def _actor(session: Session) -> Actor:
    return Actor(
        id=session.person.handle,
        name=session.person.login,
        org=session.person.org,
        roles=frozenset({session.person.role.value}),
        waits_for=session.waits_for,
        fresh=session.fresh,
    )


def visit() -> Visit:
    """Return who knocks with the present request."""
    return Visit(browser=request.user_agent.string, source=request.remote_addr or "-")


def held_token() -> str:
    """Return the token of the present session.

    Raises:
        AuthenticationNeeded: ``sign_in_needed``.
    """
    token = present_token()
    if token is None:
        raise AuthenticationNeeded("sign_in_needed", "Sign in first.")
    return token


def hub_actor(services: Services) -> HubActor | None:
    """Return the signed-in person as the access room knows actors; ``None`` when out of force."""
    return _hub_actor(services, current_actor())


def settling_actor(services: Services) -> HubActor | None:
    """Return the person also while the first factor is being set up, and at no other step."""
    actor = entering_actor()
    if actor.waits_for not in {"", ENROL}:
        return None
    return _hub_actor(services, actor)


def _hub_actor(services: Services, actor: Actor) -> HubActor | None:
    organisation = services.directory.state().find_organisation(OrgId(actor.org))
    if organisation is None or organisation.status is not Status.ACTIVE:
        return None
    (role,) = actor.roles
    return HubActor(
        org=OrgId(actor.org),
        kind=organisation.profile.kind,
        role=Role(role),
        person=actor.name,
        capabilities=frozenset(organisation.roles),
        fresh=actor.fresh,
    )


def home_routes() -> Blueprint:
    """Return the way in."""
    routes = Blueprint("pages", __name__)

    @routes.get(paths.HOME)
    @declare("home:read", who=Who.ANYONE)
    def home() -> AnyResponse:
        """Lead to the summary, or to the sign-in."""
        return redirect(paths.SUMMARY if optional_actor() else paths.SIGN_IN)

    return routes
