"""The route of an organisation's own events: what a desk checks its numbers with."""

from accord.hub.services import Services
from accord.hub.web.signed import caller
from accord.protocol import paths
from accord.protocol.schemas.events import EventsPage, EventsQuery
from accord.webbase.api import ApiRoutes
from accord.webbase.routes import Who, declare


def event_routes(services: Services) -> ApiRoutes:
    """Return the route over ``services``."""
    routes = ApiRoutes("events", __name__, description="The caller's own events, with proofs.")

    @routes.serves(paths.EVENTS, method="GET")
    @routes.answers(200, EventsPage)
    @routes.takes_query(EventsQuery)
    @declare("events:read", who=Who.SIGNED)
    def get_events(query: dict[str, int]) -> dict[str, object]:
        """Return the caller's events after one of its own numbers."""
        page = services.own_events.page(caller(), after=query["after"], limit=query["limit"])
        items = [
            {"number": item.number, "record": item.record, "path": item.path} for item in page.items
        ]
        return {"checkpoint": page.checkpoint, "items": items, "more": page.more}

    return routes
