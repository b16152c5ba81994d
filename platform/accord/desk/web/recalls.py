"""The page of recalls that were sent from here: who has applied each, who has not, who is late."""

from flask import Blueprint, render_template

from accord.desk.exchange.confirmations import Standing
from accord.desk.exchange.recalls import recalls
from accord.desk.web import words
from accord.desk.web.pages import PageServices
from accord.webbase.routes import Who, declare

RECALLS = "/recalls"
SHOWN = 200


def recall_routes(services: PageServices) -> Blueprint:
    """Return the page over ``services``."""
    routes = Blueprint("recalls", __name__)
    routes.context_processor(lambda: {"words": words, "checked": services.checked()})

    @routes.get(RECALLS)
    @declare("recall:list", who=Who.PERSON)
    def recall_page() -> str:
        """List the recalls, the latest first."""
        found = (
            []
            if services.org is None
            else recalls(services.vault, services.org, now=services.clock(), limit=SHOWN)
        )
        return render_template(
            "desk/recalls.html", here=RECALLS, org=services.org, recalls=found, standing=Standing
        )

    return routes
