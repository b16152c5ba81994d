"""Routes of an organisation's own events, and of its journals, which become some of them."""

from typing import Any

from accord.hub.services import Services
from accord.hub.web.signed import caller
from accord.kernel.tlog.growing import GrownHead
from accord.kernel.tlog.journals import Cause, Restart
from accord.protocol import paths
from accord.protocol.schemas.events import EventsPage, EventsQuery
from accord.protocol.schemas.journal import JournalAnchored, JournalHead, JournalRestart
from accord.webbase.api import ApiRoutes
from accord.webbase.routes import Who, declare


def event_routes(services: Services) -> ApiRoutes:
    """Return the routes over ``services``."""
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

    @routes.serves(paths.JOURNAL_HEAD, method="PUT")
    @routes.takes_json(JournalHead)
    @routes.answers(202, JournalAnchored)
    @declare("journal:anchor", who=Who.SIGNED)
    def put_journal_head(body: dict[str, Any]) -> dict[str, int]:
        """Take the head of the caller's journal."""
        head, journal = GrownHead(size=body["size"], root=body["root"]), body.get("journal")
        now = services.clock()
        return {"index": services.journals.anchor(caller(), head, journal=journal, now=now)}

    @routes.serves(paths.JOURNAL_RESTART, method="PUT")
    @routes.takes_json(JournalRestart)
    @routes.answers(202, JournalAnchored)
    @declare("journal:restart", who=Who.SIGNED)
    def put_journal_restart(body: dict[str, Any]) -> dict[str, int]:
        """Take the word that a journal of the caller begins anew or goes on after a restore."""
        restart = Restart(
            journal=body["journal"],
            head=GrownHead(size=body["size"], root=body["root"]),
            kept=body["kept"],
            cause=Cause(body["cause"]),
            ended=body.get("ended"),
        )
        return {"index": services.journals.restart(caller(), restart, now=services.clock())}

    return routes
