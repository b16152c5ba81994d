"""Pages of an organisation's people, for its administrators; auditors read them. And notices."""

from collections.abc import Callable

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from accord.hub.access import Action, Role, require
from accord.hub.access import Actor as HubActor
from accord.hub.people import parse_role
from accord.hub.web.pages import PeoplePages, hub_actor
from accord.kernel.errors import AccordError
from accord.protocol import paths
from accord.webbase.routes import Who, declare
from accord.webbase.sign_in import local_path, tried

ROLES = tuple(role for role in Role if role is not Role.DESK)


def people_routes(pages: PeoplePages) -> Blueprint:
    """Return the pages of people."""
    routes = Blueprint("people", __name__)
    services, people = pages.services, pages.services.people

    @routes.get(paths.PEOPLE)
    @declare(Action.PEOPLE_VIEW, who=Who.PERSON)
    def show_people() -> str:
        """Show the organisation's people and its open invites."""
        return _people_page(pages, None)

    @routes.post(paths.PEOPLE_INVITE)
    @declare(Action.PERSON_INVITE, who=Who.PERSON)
    def invite() -> AnyResponse:
        """Make an invite and show its code, once."""
        now = services.clock()

        def act(actor: HubActor) -> AnyResponse:
            role = parse_role(request.form.get("role", ""))
            code = people.invitations.invite(actor, role, now=now)
            return _code_page(code, role=role, login=None)

        return _tried(pages, act)

    @routes.post(paths.PEOPLE_WITHDRAW)
    @declare(Action.PERSON_INVITE, who=Who.PERSON)
    def withdraw(number: int) -> AnyResponse:
        """Take an invite back."""
        now = services.clock()
        return _changed(pages, lambda actor: people.invitations.withdraw(actor, number, now=now))

    @routes.post(paths.PERSON_ROLE)
    @declare(Action.PERSON_ROLE, who=Who.PERSON)
    def change_role(handle: str) -> AnyResponse:
        """Give a person another role."""
        now = services.clock()

        def act(actor: HubActor) -> None:
            role = parse_role(request.form.get("role", ""))
            people.administration.change_role(actor, handle, role, now=now)

        return _changed(pages, act)

    @routes.post(paths.PERSON_REMOVE)
    @declare(Action.PERSON_REMOVE, who=Who.PERSON)
    def remove(handle: str) -> AnyResponse:
        """Close a person's account."""
        now = services.clock()
        return _changed(pages, lambda actor: people.administration.remove(actor, handle, now=now))

    @routes.post(paths.PERSON_SIGN_OUT)
    @declare(Action.PERSON_SIGN_OUT, who=Who.PERSON)
    def sign_out(handle: str) -> AnyResponse:
        """End all sessions of a person."""
        now = services.clock()
        return _changed(pages, lambda actor: people.administration.sign_out(actor, handle, now=now))

    @routes.post(paths.PERSON_RESET)
    @declare(Action.PERSON_RESET, who=Who.PERSON)
    def reset(handle: str) -> AnyResponse:
        """Set a person up anew and show the code with which they begin."""
        now = services.clock()

        def act(actor: HubActor) -> AnyResponse:
            found = {one.handle: one for one in people.administration.people(actor)}
            code = people.invitations.reset(actor, handle, now=now)
            return _code_page(code, role=found[handle].role, login=found[handle].login)

        return _tried(pages, act)

    return routes


def notice_routes(pages: PeoplePages) -> Blueprint:
    """Return the page of what a person has to be told."""
    routes = Blueprint("notices", __name__)
    services, notices = pages.services, pages.services.people.notices

    @routes.get(paths.NOTICES)
    @declare(Action.ACCOUNT_VIEW, who=Who.PERSON)
    def show_notices() -> str:
        """Show what the person has to be told."""
        actor = require(hub_actor(services), Action.ACCOUNT_VIEW)
        wanted = local_path(request.args.get("next", ""))
        return render_template("hub/notices.html", notices=notices.unread(actor), wanted=wanted)

    @routes.post(paths.NOTICES)
    @declare(Action.ACCOUNT_VIEW, who=Who.PERSON)
    def read_notice() -> AnyResponse:
        """Note that one was read."""
        actor = require(hub_actor(services), Action.ACCOUNT_VIEW)
        number = request.form.get("number", "")
        notices.read(actor, int(number) if number.isascii() and number.isdigit() else 0)
        return redirect(paths.NOTICES, 303)

    return routes


def _people_page(pages: PeoplePages, error: AccordError | None) -> str:
    actor = require(hub_actor(pages.services), Action.PEOPLE_VIEW)
    people = pages.services.people
    return render_template(
        "hub/people.html",
        here=paths.PEOPLE,
        error=error,
        me=actor,
        may_change=actor.role is Role.ADMINISTRATOR,
        people=people.administration.people(actor),
        invites=people.invitations.waiting(actor, now=pages.services.clock()),
        roles=ROLES,
    )


def _code_page(code: str, *, role: Role, login: str | None) -> AnyResponse:
    place = request.host_url.rstrip("/") + paths.JOIN
    return Response(
        render_template("hub/code.html", code=code, role=role, login=login, place=place)
    )


def _tried(pages: PeoplePages, act: Callable[[HubActor], AnyResponse]) -> AnyResponse:
    return tried(
        lambda: act(require(hub_actor(pages.services), Action.PEOPLE_VIEW)),
        lambda error: _people_page(pages, error),
        here=paths.PEOPLE,
    )


def _changed(pages: PeoplePages, act: Callable[[HubActor], object]) -> AnyResponse:
    def change(actor: HubActor) -> AnyResponse:
        act(actor)
        return redirect(paths.PEOPLE, 303)

    return _tried(pages, change)
