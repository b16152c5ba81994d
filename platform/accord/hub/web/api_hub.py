"""Routes for anyone: the hub's description, root file, charter, enrolment, health, metrics."""

from typing import Any

from flask import Response, request
from prometheus_client import CONTENT_TYPE_LATEST

from accord import __version__
from accord.findings import examine_room
from accord.hub.directory import Enrolment, Taken
from accord.hub.services import Services
from accord.hub.transparency import LogName
from accord.hub.web.metrics import Metrics
from accord.kernel.bundle.manifest import MAX_BODY
from accord.kernel.bundle.model import SUITE
from accord.kernel.errors import NotFound, Unavailable
from accord.protocol import paths
from accord.protocol.schemas.enrolments import (
    EnrolmentChallenge,
    EnrolmentProof,
    EnrolmentRequest,
    EnrolmentState,
    StatementTaken,
)
from accord.protocol.schemas.hub import Hub
from accord.webbase.api import ApiRoutes
from accord.webbase.routes import Who, declare

LOOPBACK = frozenset({"127.0.0.1", "::1"})
"""Addresses from which the counts may be read."""


def hub_routes(services: Services) -> ApiRoutes:
    """Return the routes over ``services``."""
    routes = ApiRoutes("hub", __name__, description="The hub itself.")

    @routes.serves(paths.HUB, method="GET")
    @routes.answers(200, Hub)
    @declare("hub:read", who=Who.ANYONE)
    def get_hub() -> dict[str, object]:
        """Say what this hub is; nothing in it is trusted by a desk."""
        return {
            "origin": services.config.origin,
            "version": __version__,
            "protocol": ["accord/1"],
            "suites": [SUITE],
            "time": services.clock(),
            "directory": _log_head(services, LogName.DIRECTORY),
            "audit": _log_head(services, LogName.AUDIT),
            "feed_retention": services.feed.retention,
            "max_bundle": MAX_BODY,
        }

    @routes.serves(paths.ROOT, method="GET")
    @routes.answers(200, description="The root file as the registrars signed it.")
    @declare("root:read", who=Who.ANYONE)
    def get_root() -> Response:
        """Return the root file; a desk compares it, never trusts it from here."""
        return Response(services.root_bytes, mimetype=paths.STATEMENT_TYPE)

    @routes.serves(paths.CHARTER, method="GET")
    @routes.answers(200, description="The charter in force as the registrars signed it.")
    @declare("charter:read", who=Who.ANYONE)
    def get_charter() -> Response:
        """Return the charter in force."""
        charter = services.directory.charter()
        raw = services.directory.document("charter", charter.version)
        return Response(raw, mimetype=paths.STATEMENT_TYPE)

    return routes


def enrolment_routes(services: Services) -> ApiRoutes:
    """Return the routes of enrolment over ``services``."""
    routes = ApiRoutes("enrolments", __name__, description="Joining the hub.")

    @routes.serves(paths.ENROLMENTS, method="POST")
    @routes.takes_json(EnrolmentRequest)
    @routes.answers(201, EnrolmentChallenge)
    @declare("enrolment:begin", who=Who.PROGRAM)
    def post_enrolment(body: dict[str, Any]) -> dict[str, object]:
        """Take an invite and an enrolment; answer with a challenge to the new key."""
        enrolment_id, challenge = services.enrolments.begin(
            body["invite"], body["statement"], now=services.clock()
        )
        return {"id": enrolment_id, "challenge": challenge}

    @routes.serves(paths.ENROLMENT_PROOF, method="POST")
    @routes.takes_json(EnrolmentProof)
    @routes.answers(200, EnrolmentState)
    @declare("enrolment:prove", who=Who.PROGRAM)
    def post_proof(body: dict[str, bytes], enrolment_id: str) -> dict[str, object]:
        """Take the answer to the challenge."""
        enrolment = services.enrolments.prove(
            paths.parse_enrolment_id(enrolment_id), body["proof"], now=services.clock()
        )
        return _state(enrolment)

    @routes.serves(paths.STATEMENTS, method="POST")
    @routes.takes_bytes(paths.STATEMENT_TYPE, description="A signed directory statement.")
    @routes.answers(202, StatementTaken)
    @declare("statement:submit", who=Who.PROGRAM)
    def post_statement() -> dict[str, object]:
        """Take a statement on keys or standing; its own signatures are its only standing."""
        return _taken(services.statements.submit(request.get_data(), now=services.clock()))

    @routes.serves(paths.ENROLMENT, method="GET")
    @routes.answers(200, EnrolmentState)
    @declare("enrolment:read", who=Who.ANYONE)
    def get_enrolment(enrolment_id: str) -> dict[str, object]:
        """Say where an enrolment stands and who must act next; its id is the key to it."""
        enrolment = services.enrolments.find(paths.parse_enrolment_id(enrolment_id))
        return _state(enrolment)

    return routes


def operation_routes(metrics: Metrics, services: Services) -> ApiRoutes:
    """Return the routes of health and metrics over ``services``."""
    routes = ApiRoutes("operation", __name__, description="For the operator's tools.")

    @routes.serves(paths.HEALTH, method="GET")
    @routes.answers(200, description="The process answers.")
    @declare("health:read", who=Who.ANYONE)
    def get_health() -> Response:
        """Say that the process answers."""
        return Response("ok\n", mimetype="text/plain")

    @routes.serves(paths.READY, method="GET")
    @routes.answers(200, description="The database answers, there is room, no witness is ahead.")
    @declare("health:read", who=Who.ANYONE)
    def get_ready() -> Response:
        """Say whether the hub can accept bundles."""
        services.reader.head(LogName.AUDIT)
        if services.logs.stopped is not None:
            raise Unavailable("behind_witness", "A witness has seen more than this database.")
        if not services.writer.working:
            raise Unavailable("writer_closed", "The hub is shutting down.")
        room = examine_room(services.config.home)
        if room.problem is not None and not room.warning:
            raise room.problem
        last = services.self_audit.last()
        warning = "" if last is None or last.ok else "warning: self_audit_failed\n"
        return Response(f"ready\n{warning}", mimetype="text/plain")

    @routes.serves(paths.METRICS, method="GET")
    @routes.answers(200, description="Counts in Prometheus' text form.")
    @declare("metrics:read", who=Who.ANYONE)
    def get_metrics() -> Response:
        """Return counts to a tool on this machine; a proxy must not pass this path on."""
        if request.remote_addr not in LOOPBACK:
            raise NotFound("not_found", "There is no such page.")
        return Response(metrics.text(), content_type=CONTENT_TYPE_LATEST)

    return routes


def _log_head(services: Services, log: LogName) -> dict[str, object]:
    head = services.reader.head(log)
    return {"origin": services.root.log_origin(log), "size": head.size if head else 0}


def _state(enrolment: Enrolment) -> dict[str, object]:
    told = {
        "id": enrolment.enrolment_id,
        "state": enrolment.state,
        "org": enrolment.org,
        "next_actor": enrolment.next_actor,
        "op": enrolment.op.value,
        "expires": enrolment.expires,
        "reason": enrolment.reason,
    }
    return {name: value for name, value in told.items() if value is not None}


def _taken(taken: Taken) -> dict[str, object]:
    told = {
        "state": taken.state,
        "org": taken.org,
        "op": taken.op.value,
        "next_actor": taken.next_actor,
        "signatures": taken.signatures,
        "missing": taken.missing,
        "id": taken.enrolment_id,
        "challenge": taken.challenge,
        "index": taken.index,
    }
    return {name: value for name, value in told.items() if value is not None}
