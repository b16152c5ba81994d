"""Routes of bundles: put, get, receipt."""

from typing import Any

from flask import Response, request

from accord.hub.services import Services
from accord.hub.transparency import LogName
from accord.hub.web.signed import caller
from accord.kernel.errors import Malformed
from accord.kernel.identifiers import parse_bundle_id, parse_org_id
from accord.protocol import paths
from accord.protocol.schemas.bundles import DeliveryQuery, ErasureQuery, ReceiptQuery, StoredBundle
from accord.webbase.api import ApiRoutes
from accord.webbase.routes import Who, declare


def bundle_routes(services: Services) -> ApiRoutes:
    """Return the routes over ``services``."""
    routes = ApiRoutes("bundles", __name__, description="Sealed bundles.")

    @routes.serves(paths.BUNDLE, method="PUT")
    @routes.takes_bytes(paths.BUNDLE_TYPE, description="The sealed bundle.")
    @routes.answers(202, StoredBundle, description="Durable and in the log; not yet a receipt.")
    @declare("bundle:submit", who=Who.SIGNED)
    def put_bundle(bundle_id: str) -> dict[str, object]:
        """Store a sealed bundle; the same bytes again get the same answer."""
        if request.mimetype != paths.BUNDLE_TYPE:
            raise Malformed(
                "media_type_unknown", "A sealed bundle is expected.", observed=request.mimetype
            )
        name = parse_bundle_id(bundle_id)
        stored = services.bundles.accept(caller(), name, request.get_data(), now=services.clock())
        note = services.logs.newest(LogName.AUDIT, covering=stored.index)
        if note is None:
            head = services.reader.head(LogName.AUDIT)
            note = head.note if head else b""
        answer: dict[str, object] = {
            "id": name,
            "state": "stored",
            "index": stored.index,
            "checkpoint": note.decode("utf-8"),
        }
        return answer if stored.held is None else answer | {"held": stored.held}

    @routes.serves(paths.BUNDLE, method="GET")
    @routes.answers(200, description="The trimmed bundle of the caller.")
    @routes.takes_query(DeliveryQuery)
    @declare("bundle:read", who=Who.SIGNED)
    def get_bundle(query: dict[str, str], bundle_id: str) -> Response:
        """Return what of the bundle is addressed to the caller."""
        sender = parse_org_id(query["sender"]) if "sender" in query else None
        trimmed = services.deliveries.one(
            caller(), parse_bundle_id(bundle_id), sender, now=services.clock()
        )
        return Response(trimmed, mimetype=paths.TRIMMED_TYPE)

    @routes.serves(paths.RECEIPT, method="GET")
    @routes.answers(200, description="A tlog-proof from a checkpoint with its quorum.")
    @routes.takes_query(ReceiptQuery)
    @declare("receipt:read", who=Who.SIGNED)
    def get_receipt(query: dict[str, int], bundle_id: str) -> Response:
        """Return the receipt of the caller's own bundle, waiting for the witnesses."""
        proof = services.receipts.receipt(
            caller(), parse_bundle_id(bundle_id), wait=float(query["wait"])
        )
        return Response(proof, mimetype=paths.PROOF_TYPE)

    @routes.serves(paths.ERASURE, method="GET")
    @routes.answers(200, description="A tlog-proof of the deletion, with the caller's openings.")
    @routes.takes_query(ErasureQuery)
    @declare("receipt:read", who=Who.SIGNED)
    def get_erasure(query: dict[str, Any], bundle_id: str) -> Response:
        """Return the proof that a bundle's sealed bytes were deleted, to sender and recipients."""
        sender = parse_org_id(query["sender"]) if "sender" in query else None
        proof = services.receipts.erasure(
            caller(), parse_bundle_id(bundle_id), sender, wait=float(query["wait"])
        )
        return Response(proof, mimetype=paths.PROOF_TYPE)

    return routes
