"""Routes of signed statements: acknowledgements and tallies."""

from flask import request

from accord.hub.services import Services
from accord.hub.web.signed import caller
from accord.protocol import paths
from accord.protocol.schemas.acknowledgements import AcknowledgementPage, AcknowledgementsStored
from accord.protocol.schemas.feed import PageQuery
from accord.protocol.schemas.tallies import TallyStored
from accord.webbase.api import ApiRoutes
from accord.webbase.routes import Who, declare


def statement_routes(services: Services) -> ApiRoutes:
    """Return the routes over ``services``."""
    routes = ApiRoutes("statements", __name__, description="Signed statements.")

    @routes.serves(paths.ACKNOWLEDGEMENTS, method="POST")
    @routes.takes_bytes(paths.STATEMENT_TYPE, description="A signed acknowledgement.")
    @routes.answers(202, AcknowledgementsStored)
    @declare("acknowledgement:write", who=Who.SIGNED)
    def post_acknowledgement() -> dict[str, int]:
        """Take a recipient's signed acknowledgement."""
        taken = services.acknowledgements.take(caller(), request.get_data(), now=services.clock())
        return {"stored": taken.count, "index": taken.index}

    @routes.serves(paths.ACKNOWLEDGEMENTS, method="GET")
    @routes.answers(200, AcknowledgementPage)
    @routes.takes_query(PageQuery)
    @declare("acknowledgement:read", who=Who.SIGNED)
    def get_acknowledgements(query: dict[str, int]) -> dict[str, object]:
        """Return acknowledgements of the caller's own bundles."""
        page = services.acknowledgements.page(caller(), after=query["after"], limit=query["limit"])
        items = [
            {"seq": item.seq, "org": item.recipient, "statement": item.statement}
            for item in page.items
        ]
        last = page.items[-1].seq if page.items else query["after"]
        return {"items": items, "next": last, "more": page.more}

    @routes.serves(paths.TALLY, method="PUT")
    @routes.takes_bytes(paths.STATEMENT_TYPE, description="A signed tally.")
    @routes.answers(202, TallyStored)
    @declare("tally:write", who=Who.SIGNED)
    def put_tally(month: str) -> dict[str, object]:
        """Take an organisation's signed tally of a closed month."""
        name = paths.parse_month(month)
        index = services.summaries.take(caller(), name, request.get_data(), now=services.clock())
        return {"month": name, "state": "stored", "index": index}

    return routes
