"""People at the hub's pages: who has signed in, and where to go from there."""

from flask import Blueprint, redirect
from werkzeug.wrappers import Response as AnyResponse

from accord.hub.access import Actor as HubActor
from accord.hub.people import Person
from accord.hub.services import Services
from accord.kernel.directory.organisation import Status
from accord.protocol import paths
from accord.webbase.actor import Actor, current_actor, optional_actor
from accord.webbase.routes import Who, declare


def load_person(services: Services, account: str) -> Actor | None:
    """Return the signed-in actor of an account's id, or ``None`` when it no longer holds."""
    person = services.people.find(account)
    return None if person is None else _actor(person)


def check_password(services: Services, login: str, password: str) -> Actor:
    """Return the actor whose name and password these are.

    Raises:
        AuthenticationNeeded: ``sign_in_wrong``, for every reason alike.
    """
    return _actor(services.people.sign_in(login, password, now=services.clock()))


def _actor(person: Person) -> Actor:
    return Actor(
        id=person.account,
        name=person.login,
        org=person.org,
        roles=frozenset({person.role.value}),
    )


def hub_actor(services: Services) -> HubActor | None:
    """Return the signed-in person as the access room knows actors; ``None`` when out of force."""
    person = services.people.find(current_actor().id)
    if person is None:
        return None
    organisation = services.directory.state().find_organisation(person.org)
    if organisation is None or organisation.status is not Status.ACTIVE:
        return None
    return HubActor(
        org=person.org,
        kind=organisation.profile.kind,
        role=person.role,
        person=person.login,
        capabilities=frozenset(organisation.roles),
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
