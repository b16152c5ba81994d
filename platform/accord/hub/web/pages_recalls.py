"""The page of recalls: how many recipients have applied each. No content, no names of them."""

from flask import Blueprint, render_template

from accord.hub.services import Services
from accord.hub.web.pages import hub_actor
from accord.protocol import paths
from accord.webbase.routes import Who, declare


def recall_routes(services: Services) -> Blueprint:
    """Return the page over ``services``."""
    routes = Blueprint("recalls", __name__)

    @routes.get(paths.RECALLS)
    @declare("recalls:view", who=Who.PERSON)
    def show_recalls() -> str:
        """Show how far the latest recalls are."""
        found = services.recalls.view(hub_actor(services), now=services.clock())
        return render_template("hub/recalls.html", here=paths.RECALLS, recalls=found)

    return routes
