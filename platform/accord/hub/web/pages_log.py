"""The page of the logs: how far each has grown, how far witnesses have confirmed it."""

from flask import Blueprint, render_template, request

from accord.hub.access import Action, require
from accord.hub.directory import require_grant
from accord.hub.services import Services
from accord.hub.transparency import LogName
from accord.hub.web.pages import hub_actor
from accord.kernel.policy.charter import Action as CharterAction
from accord.protocol import paths
from accord.webbase.routes import Who, declare


def log_page_routes(services: Services) -> Blueprint:
    """Return the page of the logs over ``services``."""
    routes = Blueprint("logs_page", __name__)

    @routes.get(paths.LOG_PAGE)
    @declare("log:view", who=Who.PERSON)
    def show_log() -> str:
        """Show how far each log has grown and how far witnesses have confirmed it."""
        actor = require(hub_actor(services), Action.LOG_VIEW)
        require_grant(actor, CharterAction.LOG_VIEW, services.directory)
        return render_template(
            "hub/log.html",
            here=paths.LOG_PAGE,
            logs=[_log_facts(services, name) for name in LogName],
            witnesses=[witness.name for witness in services.root.witnesses],
            quorum=services.root.quorum,
            base=request.host_url.rstrip("/"),
            restarts=services.journals.restarts(actor),
        )

    return routes


def _log_facts(services: Services, name: LogName) -> dict[str, object]:
    head, cosigned = services.reader.head(name), services.reader.cosigned(name)
    return {
        "name": name.value,
        "origin": services.root.log_origin(name),
        "size": head.size if head else 0,
        "witnessed": cosigned.size if cosigned else None,
        "note": cosigned.note.decode("utf-8") if cosigned else None,
        "path": f"/log/{name.value}",
    }
