"""What was sent from here, each with its counts and who acts next; the latest first."""

from flask import Blueprint, render_template

from accord.desk.exchange.timeline import progress_of
from accord.desk.storage import Way
from accord.desk.storage.bundles import list_bundles
from accord.desk.web import words
from accord.desk.web.pages import SENT, PageServices, place_before, states_of
from accord.webbase.routes import Who, declare

PAGE = 50


def sent_routes(services: PageServices) -> Blueprint:
    """Return the page over ``services``."""
    routes = Blueprint("sent", __name__)
    routes.context_processor(lambda: {"words": words, "checked": services.checked()})

    @routes.get(SENT)
    @declare("bundle:list", who=Who.PERSON)
    def sent_page() -> str:
        """List what was sent, and how far each is."""
        before = place_before()
        found = list_bundles(services.vault, way=Way.SENT, before=before, limit=PAGE + 1)
        progress = progress_of(services.vault, found[:PAGE], now=services.clock())
        return render_template(
            "desk/sent.html",
            here=SENT,
            first=before is None,
            older=found[PAGE - 1].no if len(found) > PAGE else None,
            rows=[
                (one, states_of(services, one), progress[one.id])
                for one in found[:PAGE]
                if one.id in progress  # what is in no outbox was never sent
            ],
        )

    return routes
