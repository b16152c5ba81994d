"""The page of the sharing agreement: who may send what to whom, in words, for members."""

from flask import Blueprint, render_template

from accord.hub.access import Action, require
from accord.hub.directory import require_grant
from accord.hub.services import Services
from accord.hub.web.pages import hub_actor
from accord.kernel.encoding import b64encode
from accord.kernel.policy.charter import Action as CharterAction
from accord.kernel.policy.words import grant_facts, rule_facts
from accord.protocol import paths
from accord.webbase.routes import Who, declare
from accord.webbase.texts import gettext

LABELS = {
    "from": gettext("From"),
    "to": gettext("To"),
    "kinds": gettext("Kinds of bundle"),
    "max_tlp": gettext("Narrowest marking (TLP)"),
    "purposes": gettext("Purposes"),
    "jurisdictions": gettext("Countries of recipients"),
    "onward": gettext("Onward sharing"),
    "retention_days": gettext("Kept, days at most"),
    "reply_only": gettext("Only as an answer"),
    "approval": gettext("A second person approves"),
}


def charter_page_routes(services: Services) -> Blueprint:
    """Return the page of the charter over ``services``."""
    routes = Blueprint("charter_page", __name__)

    @routes.get(paths.CHARTER_PAGE)
    @declare("charter:view", who=Who.PERSON)
    def show_charter() -> str:
        """Show the charter in force."""
        actor = require(hub_actor(services), Action.CHARTER_VIEW)
        require_grant(actor, CharterAction.CHARTER_VIEW, services.directory)
        charter = services.directory.charter()
        return render_template(
            "hub/charter.html",
            here=paths.CHARTER_PAGE,
            charter=charter,
            sha256=b64encode(charter.sha256),
            placed=services.directory.charters(),
            rules=[(rule, rule_facts(rule)) for rule in charter.rules],
            grants=[(grant, grant_facts(grant)) for grant in charter.grants],
            labels=LABELS,
            actor_kind=actor.kind.value,
        )

    return routes
