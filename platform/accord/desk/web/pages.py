"""Inbox, one bundle, and search. A search is a form that is posted: no value stands in a URL."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from accord.clock import LAST_MOMENT, Clock, moment
from accord.desk.exchange.confirmations import Confirmation, confirmations
from accord.desk.exchange.recalls import recalls, recalls_of
from accord.desk.exchange.standing import requests_now
from accord.desk.exchange.timeline import timeline_here
from accord.desk.indicators import How, Manner, SearchReport, search
from accord.desk.indicators.search import (
    MAX_VALUES,
    EndState,
    SignatureState,
    end_states,
    told_states,
)
from accord.desk.storage import StoredBundle, Vault, Way
from accord.desk.storage.bundles import (
    WHOLE,
    find_bundle,
    list_bundles,
    marks_of,
    quarantined_of,
)
from accord.desk.storage.deliveries import refused_deliveries
from accord.desk.storage.journal import Act, record_act
from accord.desk.storage.outbox import outbox_row
from accord.desk.storage.requests import sightings_of
from accord.desk.storage.watches import count_hits
from accord.desk.web import words
from accord.desk.web.records import shown_records
from accord.kernel.envelope.payload import parse_head
from accord.kernel.errors import AccordError, Malformed, NotFound
from accord.kernel.identifiers import OrgId, parse_bundle_id, parse_org_id
from accord.kernel.markings import parse_code
from accord.protocol.paths import HOME
from accord.protocol.problems import problem_of
from accord.webbase.actor import current_actor
from accord.webbase.names import NETWORKS
from accord.webbase.routes import Who, declare
from accord.webbase.texts import gettext

INBOX = "/inbox"
SENT = "/sent"
SEARCH = "/search"
PAGE = 50
RECORDS = 100
EVENTS = 100
"""The latest events of a timeline that a page shows."""

MAX_LINE = 8192
_PLACE = re.compile(r"[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageServices:
    """What the pages work with.

    Attributes:
        org: whose desk this is; ``None`` before enrolment.
        checked: tells when the hub was last asked, or ``None``.
    """

    vault: Vault
    org: OrgId | None
    clock: Clock
    signature_state: SignatureState
    checked: Callable[[], int | None]


def page_routes(services: PageServices) -> Blueprint:
    """Return the pages over ``services``."""
    routes = Blueprint("pages", __name__)
    routes.add_app_template_filter(moment, "moment")
    routes.add_app_template_filter(stamp, "stamp")
    routes.add_app_template_filter(words.spaced, "spaced")
    routes.context_processor(lambda: {"words": words, "checked": services.checked()})

    @routes.get(HOME)
    @declare("home:read", who=Who.ANYONE)
    def home() -> Response:
        """Lead to the inbox."""
        return redirect(INBOX)

    @routes.get(INBOX)
    @declare("bundle:list", who=Who.PERSON)
    def inbox() -> str:
        """List what was received, and what could not be opened."""
        before = place_before()
        found = list_bundles(services.vault, way=Way.RECEIVED, before=before, limit=PAGE + 1)
        return render_template(
            "desk/inbox.html",
            here=INBOX,
            org=services.org,
            first=before is None,
            bundles=[(bundle, states_of(services, bundle)) for bundle in found[:PAGE]],
            older=found[PAGE - 1].no if len(found) > PAGE else None,
            refused=refused_deliveries(services.vault, limit=PAGE) if before is None else [],
            urgent=_urgent(services) if before is None else 0,
            watched=_watched(services) if before is None else 0,
        )

    @routes.get(f"{INBOX}/<org>/<bundle_id>")
    @declare("bundle:view", who=Who.PERSON)
    def bundle_page(org: str, bundle_id: str) -> str:
        """Show one bundle."""
        return bundle_page_of(services, parse_org_id(org), parse_bundle_id(bundle_id))

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
                manner=_manner(),
                signature_state=services.signature_state,
            )
            page, status = _search_page(services, report), 200
        except AccordError as error:
            page, status = _search_page(services, None, error), problem_of(error).status
        answer = Response(page, status, content_type="text/html; charset=utf-8")
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return routes


def stamp(seconds: int) -> str | None:
    """Return unix seconds as the attribute of a ``time`` element; beyond the year 9999 nothing."""
    if not 0 <= seconds <= LAST_MOMENT:
        return None
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def bundle_page_of(
    services: PageServices, org: str, bundle_id: str, error: AccordError | None = None
) -> str:
    """Return the page of one bundle; with ``error`` it says why no evidence was made."""
    vault, now = services.vault, services.clock()
    bundle = _find(vault, org, bundle_id)
    record_act(
        vault,
        person=current_actor().name,
        act=Act.BUNDLE_VIEW,
        subject=bundle.subject,
        reason="",
        now=now,
    )
    marks = marks_of(vault, bundle.org, bundle.id)
    quarantined = quarantined_of(vault, bundle)
    return render_template(
        "desk/bundle.html",
        here=INBOX if bundle.way is Way.RECEIVED else SENT,
        bundle=bundle,
        head=parse_head(bundle.head)[1] if bundle.head is not None else None,
        states=states_of(services, bundle),
        signature=services.signature_state(bundle),
        records=shown_records(
            vault,
            bundle,
            marks=marks,
            invalid=frozenset(number for number, _ in quarantined),
            limit=RECORDS,
            now=now,
        ),
        quarantined=quarantined,
        marks=marks,
        sightings=sightings_of(vault, bundle.org, bundle.id),
        whole=WHOLE,
        sent=_sent(services, bundle),
        story=timeline_here(vault, bundle, now=now),
        most=EVENTS,
        taken_back=recalls_of(vault, services.org or OrgId(""), bundle),
        networks=NETWORKS,
        error=error,
        typed=request.form,
        words=words,  # evidence is asked for under another blueprint
        checked=services.checked(),
    )


def _urgent(services: PageServices) -> int:
    """Return how many requests to us are due within a day or overdue."""
    if services.org is None:
        return 0
    found = requests_now(
        services.vault, services.org, now=services.clock(), way=Way.RECEIVED, unclosed=True
    )
    return sum(one.due or one.overdue for one in found)


def _watched(services: PageServices) -> int:
    """Return how many records hold a value on watch and nobody has said that they saw it."""
    return sum(unseen for _, unseen in count_hits(services.vault).values())


def _find(vault: Vault, org: str, bundle_id: str) -> StoredBundle:
    try:
        return find_bundle(vault, bundle_id, org)
    except NotFound as error:
        raise NotFound(
            error.code,
            gettext("This desk has no such bundle."),
            observed=error.observed,
            next_step=gettext("Look in the inbox: it lists everything that has arrived."),
        ) from error


def _sent(services: PageServices, bundle: StoredBundle) -> tuple[str, list[Confirmation]] | None:
    """Return the state at the hub and the recipients' standing of a bundle sent from here."""
    row = outbox_row(services.vault, bundle.id) if bundle.way is Way.SENT else None
    if row is None:
        return None
    now = services.clock()
    own = recalls(services.vault, OrgId(bundle.org), now=now, retraction=bundle.id, limit=1)
    said = list(own[0].recipients) if own else confirmations(services.vault, bundle.id, now=now)
    return row.state.value, said


def place_before() -> int | None:
    """Return the row number before which bundles are listed.

    Raises:
        Malformed: ``page_unknown``.
    """
    asked = request.args.get("before")
    if asked is None:
        return None
    if not _PLACE.fullmatch(asked):
        raise Malformed(
            "page_unknown",
            gettext("There is no such page."),
            next_step=gettext("Go back to the first page."),
        )
    return int(asked)


def states_of(services: PageServices, bundle: StoredBundle) -> tuple[EndState, ...]:
    """Return what became of a bundle, as badges show it."""
    marks = marks_of(services.vault, bundle.org, bundle.id)
    told = told_states(services.vault, bundle)
    return end_states(bundle, WHOLE, marks, now=services.clock(), told=told)


def _search_page(
    services: PageServices, report: SearchReport | None, error: AccordError | None = None
) -> str:
    at, step = words.search_step(error) if error else (None, None)
    return render_template(
        "desk/search.html",
        here=SEARCH,
        org=services.org,
        report=report,
        error=error,
        wrong=at,
        step=step,
        values=request.form.get("values", ""),
        reason=request.form.get("reason", ""),
        how=request.form.get("how", How.VALUES.value),
        most=MAX_VALUES,
    )


def _manner() -> Manner:
    """Return how to look; a domain always finds what lies below it, too.

    Raises:
        Malformed: ``how_unknown``.
    """
    how = parse_code(How, request.form.get("how", How.VALUES.value), code="how_unknown")
    return Manner(how=how, subdomains=how is How.VALUES)


def _values(text: str) -> list[str]:
    return [line.strip()[:MAX_LINE] for line in text.splitlines() if line.strip()][: MAX_VALUES + 1]
