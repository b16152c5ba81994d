"""The page of recalls: who has applied ours and who is late; who took what others recall."""

from flask import Blueprint, render_template

from accord.desk.exchange.confirmations import Standing
from accord.desk.exchange.recalls import recalls, recalls_here
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
        vault, org = services.vault, services.org
        return render_template(
            "desk/recalls.html",
            here=RECALLS,
            org=org,
            recalls=recalls(vault, org, now=services.clock(), limit=SHOWN) if org else [],
            arrived=recalls_here(vault, org, limit=SHOWN) if org else [],
            standing=Standing,
        )

    return routes
