"""What is on watch at this desk, and what came of it. A value is posted: none stands in a URL."""

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from accord.desk.indicators.watching import DAY, MAX_DAYS, USUAL_DAYS, alerts, end_watch, set_watch
from accord.desk.storage.watches import count_hits, mark_seen, watches
from accord.desk.web import words
from accord.desk.web.pages import PageServices
from accord.kernel.errors import AccordError, Malformed
from accord.kernel.indicators import Network
from accord.kernel.markings import parse_code
from accord.webbase.actor import current_actor
from accord.webbase.names import NETWORKS
from accord.webbase.routes import Who, declare
from accord.webbase.sign_in import refused
from accord.webbase.texts import gettext

WATCHES = "/watches"
SHOWN = 100
_MAX_VALUE = 8192


def watch_routes(services: PageServices) -> Blueprint:
    """Return the page over ``services``."""
    routes = Blueprint("watches", __name__)
    routes.context_processor(lambda: {"checked": services.checked()})

    @routes.get(WATCHES)
    @declare("watch:list", who=Who.PERSON)
    def watch_page() -> str:
        """List what is on watch, and the latest hits."""
        return _page(services, None)

    @routes.post(WATCHES)
    @declare("watch:set", who=Who.PERSON)
    def change_watch() -> Response:
        """Put a value on watch, take one off, or note that its hits were seen."""
        try:
            _change(services)
        except AccordError as error:
            page = _page(services, error)
            return refused(error, page)
        return redirect(WATCHES, 303)

    return routes


def _page(services: PageServices, error: AccordError | None) -> str:
    vault, now = services.vault, services.clock()
    at, step = words.watch_step(error) if error else (None, None)
    standing = watches(vault, now=now)
    return render_template(
        "desk/watches.html",
        here=WATCHES,
        watches=standing,
        counts=count_hits(vault),
        alerts=alerts(vault, now=now, limit=SHOWN, signature_state=services.signature_state),
        by_no={one.no: one for one in watches(vault, now=now, ended=True)},
        networks=NETWORKS,
        days=USUAL_DAYS,
        most=MAX_DAYS,
        form=request.form,
        error=error,
        wrong=at,
        step=step,
    )


def _change(services: PageServices) -> None:
    """Do what the form says.

    Raises:
        Malformed: ``watch_act_unknown``, or what ``set_watch`` raises.
        NotFound: ``watch_unknown``.
    """
    vault, now, person = services.vault, services.clock(), current_actor().name
    act, form = request.form.get("act", ""), request.form
    if act == "remove":
        reason = form.get("reason", "") or gettext("taken off on the page")
        end_watch(vault, _number(), person=person, reason=reason, now=now)
    elif act == "seen":
        mark_seen(vault, _number(), now=now)
    elif act == "add":
        network = form.get("network", "")
        set_watch(
            vault,
            form.get("value", "").strip()[:_MAX_VALUE],
            reason=form.get("reason", ""),
            person=person,
            now=now,
            expires=now + _days() * DAY,
            network=parse_code(Network, network, code="network_unknown").value if network else None,
            subdomains=form.get("subdomains") == "yes",
        )
    else:
        raise Malformed("watch_act_unknown", gettext("The form asks for nothing known."))


def _number() -> int:
    text = request.form.get("number", "")
    return int(text) if text.isdecimal() and len(text) < 10 else 0  # noqa: PLR2004 - no row has more


def _days() -> int:
    text = request.form.get("days", "")
    return int(text) if text.isdecimal() and len(text) < 5 else 0  # noqa: PLR2004 - far above MAX_DAYS
