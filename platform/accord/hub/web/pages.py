"""Pages of people: sign in, sign out, and where to go from there."""

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from accord.hub.access import Actor as HubActor
from accord.hub.people import Person
from accord.hub.services import Services
from accord.kernel.directory.organisation import Status
from accord.kernel.errors import AccordError
from accord.protocol import paths
from accord.protocol.problems import problem_of
from accord.webbase.actor import Actor, current_actor, optional_actor, sign_in, sign_out
from accord.webbase.routes import Who, declare
from accord.webbase.throttle import SignInThrottle


def load_person(services: Services, account: str) -> Actor | None:
    """Return the signed-in actor of an account's id, or ``None`` when it is closed."""
    person = services.people.find(int(account)) if account.isdecimal() else None
    return None if person is None else _actor(person)


def _actor(person: Person) -> Actor:
    return Actor(
        id=str(person.number),
        name=person.login,
        org=person.org,
        roles=frozenset({person.role.value}),
    )


def hub_actor(services: Services) -> HubActor | None:
    """Return the signed-in person as the access room knows actors; ``None`` when out of force."""
    person = services.people.find(int(current_actor().id))
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


def page_routes(services: Services) -> Blueprint:
    """Return the pages over ``services``."""
    routes = Blueprint("pages", __name__)
    throttle = SignInThrottle()

    @routes.get(paths.HOME)
    @declare("home:read", who=Who.ANYONE)
    def home() -> AnyResponse:
        """Lead to the summary, or to the sign-in."""
        return redirect(paths.SUMMARY if optional_actor() else paths.SIGN_IN)

    @routes.get(paths.SIGN_IN)
    @declare("session:begin", who=Who.ANYONE)
    def show_sign_in() -> str:
        """Show the form."""
        return render_template("sign_in.html", error=None, login="")

    @routes.post(paths.SIGN_IN)
    @declare("session:begin", who=Who.ANYONE)
    def do_sign_in() -> AnyResponse:
        """Sign in with name and password."""
        login = request.form.get("login", "").strip().lower()
        now = services.clock()
        try:
            throttle.attempt(account=login, source=request.remote_addr or "", now=now)
            person = services.people.sign_in(login, request.form.get("password", ""), now=now)
        except AccordError as error:
            page = render_template("sign_in.html", error=error, login=login)
            return Response(page, status=problem_of(error).status)
        throttle.succeeded(account=login)
        sign_in(_actor(person), now=now)
        return redirect(paths.SUMMARY, code=303)

    @routes.post(paths.SIGN_OUT)
    @declare("session:end", who=Who.PERSON)
    def do_sign_out() -> AnyResponse:
        """End the session."""
        sign_out()
        return redirect(paths.SIGN_IN, code=303)

    return routes
