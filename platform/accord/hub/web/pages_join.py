"""The page on which a one-off code is used, and the one that begins with a first factor."""

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from accord.hub.access import Action, require
from accord.hub.web.pages import PeoplePages, settling_actor, visit
from accord.kernel.errors import AccordError
from accord.protocol import paths
from accord.webbase.routes import Who, declare
from accord.webbase.sign_in import go_on, tried


def join_routes(pages: PeoplePages) -> Blueprint:
    """Return the pages."""
    routes = Blueprint("joining", __name__)
    people = pages.services.people

    def page(error: AccordError | None) -> str:
        return render_template(
            "hub/join.html",
            error=error,
            login=request.form.get("login", "")[:80],
            passwords=people.policy.passwords,
        )

    def take() -> Response:
        form, now = request.form, pages.services.clock()
        people.invites.attempt(account="", source=visit().source, now=now)
        begun = people.invitations.join(
            form.get("code", ""), form.get("login", ""), form.get("password", ""), visit(), now=now
        )
        return go_on(pages.entrance(begun))

    @routes.get(paths.JOIN)
    @declare("person:join", who=Who.ANYONE)
    def show_join() -> str:
        """Ask for the code."""
        return page(None)

    @routes.post(paths.JOIN)
    @declare("person:join", who=Who.ANYONE)
    def join() -> Response:
        """Use the code."""
        return tried(take, page, here=paths.JOIN)

    @routes.get(paths.SET_UP)
    @declare(Action.ACCOUNT_CHANGE, who=Who.ENTERING)
    def set_up() -> str:
        """Show how a first factor is set up."""
        require(settling_actor(pages.services), Action.ACCOUNT_CHANGE)
        return render_template("hub/set_up.html", passwords=people.policy.passwords)

    return routes
