"""Inbox, one bundle, and search. A search is a form that is posted: no value stands in a URL."""

import datetime as dt
import itertools
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from accord.clock import Clock
from accord.desk.indicators import SearchReport, search
from accord.desk.indicators.search import MAX_VALUES, SignatureState, end_states
from accord.desk.storage import StoredBundle, Vault, Way
from accord.desk.storage.bundles import (
    WHOLE,
    find_bundle,
    lines_of,
    list_bundles,
    marks_of,
    quarantined_of,
)
from accord.desk.storage.deliveries import refused_deliveries
from accord.desk.storage.journal import record_act
from accord.kernel.envelope.payload import parse_head
from accord.kernel.errors import AccordError
from accord.kernel.identifiers import parse_bundle_id, parse_org_id
from accord.protocol.paths import HOME
from accord.protocol.problems import problem_of
from accord.webbase.actor import current_actor
from accord.webbase.routes import Who, declare

INBOX = "/inbox"
SEARCH = "/search"
PAGE = 50
RECORDS = 100
MAX_LINE = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class PageServices:
    """What the pages work with. ``checked`` tells when the hub was last asked, or ``None``."""

    vault: Vault
    clock: Clock
    signature_state: SignatureState
    checked: Callable[[], int | None]


def page_routes(services: PageServices) -> Blueprint:
    """Return the pages over ``services``."""
    routes = Blueprint("pages", __name__)
    routes.add_app_template_filter(moment, "moment")

    @routes.get(HOME)
    @declare("home:read", who=Who.ANYONE)
    def home() -> Response:
        """Lead to the inbox."""
        return redirect(INBOX)

    @routes.get(INBOX)
    @declare("bundle:list", who=Who.PERSON)
    def inbox() -> str:
        """List what was received, and what could not be opened."""
        bundles = list_bundles(services.vault, way=Way.RECEIVED, limit=PAGE)
        return render_template(
            "desk/inbox.html",
            here=INBOX,
            bundles=[(bundle, _states(services, bundle)) for bundle in bundles],
            refused=refused_deliveries(services.vault, limit=PAGE),
            checked=services.checked(),
        )

    @routes.get(f"{INBOX}/<org>/<bundle_id>")
    @declare("bundle:view", who=Who.PERSON)
    def bundle_page(org: str, bundle_id: str) -> str:
        """Show one bundle."""
        return _bundle(services, parse_org_id(org), parse_bundle_id(bundle_id))

    @routes.get(SEARCH)
    @declare("indicator:search", who=Who.PERSON)
    def search_form() -> str:
        """Show the form."""
        return _search_page(services, None)

    @routes.post(SEARCH)
    @declare("indicator:search", who=Who.PERSON)
    def do_search() -> Response:
        """Search the vault; the answer is never kept by the browser."""
        try:
            report = search(
                services.vault,
                _values(request.form.get("values", "")),
                person=current_actor().name,
                reason=request.form.get("reason", ""),
                now=services.clock(),
                signature_state=services.signature_state,
            )
            page, status = _search_page(services, report), 200
        except AccordError as error:
            page, status = _search_page(services, None, error), problem_of(error).status
        answer = Response(page, status, content_type="text/html; charset=utf-8")
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return routes


def moment(seconds: int | None) -> str:
    """Return unix seconds as a UTC time for people."""
    if seconds is None:
        return "–"
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC).strftime("%Y-%m-%d %H:%M UTC")


def _bundle(services: PageServices, org: str, bundle_id: str) -> str:
    vault, now = services.vault, services.clock()
    bundle = find_bundle(vault, bundle_id, org)
    record_act(
        vault,
        person=current_actor().name,
        act="bundle:view",
        subject=bundle.id,
        reason="",
        now=now,
    )
    lines = itertools.islice(lines_of(vault, bundle), RECORDS)
    marks = marks_of(vault, bundle.org, bundle.id)
    return render_template(
        "desk/bundle.html",
        here=INBOX,
        bundle=bundle,
        head=parse_head(bundle.head)[1] if bundle.head is not None else None,
        states=_states(services, bundle),
        signature=services.signature_state(bundle),
        lines=[
            (number, line.decode("utf-8"), end_states(bundle, number, marks, now=now))
            for number, line in enumerate(lines)
        ],
        quarantined=quarantined_of(vault, bundle),
        marks=marks,
    )


def _states(services: PageServices, bundle: StoredBundle) -> tuple[str, ...]:
    marks = marks_of(services.vault, bundle.org, bundle.id)
    return tuple(state.value for state in end_states(bundle, WHOLE, marks, now=services.clock()))


def _search_page(
    services: PageServices, report: SearchReport | None, error: AccordError | None = None
) -> str:
    return render_template(
        "desk/search.html",
        here=SEARCH,
        report=report,
        error=error,
        values=request.form.get("values", ""),
        reason=request.form.get("reason", ""),
        most=MAX_VALUES,
        checked=services.checked(),
    )


def _values(text: str) -> list[str]:
    return [line.strip()[:MAX_LINE] for line in text.splitlines() if line.strip()][: MAX_VALUES + 1]
