"""Requests and contacts: what is asked of us and by us, with its clock; answers from templates."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as Answer

from accord.clock import Clock
from accord.desk.exchange.drafts import Drafts
from accord.desk.exchange.routing import Contact, contacts
from accord.desk.exchange.standing import RequestView, requests_now, view_of
from accord.desk.exchange.templates import TEMPLATES
from accord.desk.intake.notes import guard_note
from accord.desk.storage import Vault, Way
from accord.desk.storage.drafts import Draft
from accord.desk.storage.journal import Act, record_act
from accord.desk.storage.outbox import OutboxState
from accord.desk.storage.requests import RequestRow, answers_to, find_request
from accord.desk.web import words
from accord.desk.web.drafts import DRAFTS
from accord.kernel.correspondence.request import Close, Closing
from accord.kernel.correspondence.response import DeclineReason, Outcome, Response
from accord.kernel.correspondence.words import MAX_TEXT
from accord.kernel.directory.state import DirectoryState
from accord.kernel.errors import AccordError, Malformed, Refused
from accord.kernel.identifiers import OrgId, parse_bundle_id, parse_org_id
from accord.kernel.indicators.countries import COUNTRIES
from accord.kernel.markings import OrgKind, parse_code
from accord.protocol.problems import problem_of
from accord.webbase.actor import current_actor
from accord.webbase.routes import Who, declare
from accord.webbase.texts import gettext

REQUESTS = "/requests"
CONTACTS = "/contacts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letters:
    """What these pages work with.

    Attributes:
        verbs: send, or lay aside for a second person; only asked for once the desk is enrolled.
        directory: the verified mirror as it is here, without asking the hub.
    """

    vault: Vault
    org: OrgId | None
    clock: Clock
    verbs: Callable[[], AbstractContextManager[Drafts]]
    directory: Callable[[], DirectoryState]
    checked: Callable[[], int | None]


def request_routes(letters: Letters) -> Blueprint:
    """Return the pages over ``letters``."""
    routes = Blueprint("requests", __name__)
    routes.add_app_template_filter(left_of, "left")
    routes.context_processor(lambda: {"words": words, "checked": letters.checked()})

    @routes.get(REQUESTS)
    @declare("request:list", who=Who.PERSON)
    def all_requests() -> str:
        """List requests in and out, the most urgent first."""
        found = _all(letters)
        return render_template(
            "desk/requests.html",
            here=REQUESTS,
            org=letters.org,
            incoming=[view for view in found if view.row.way is Way.RECEIVED],
            outgoing=[view for view in found if view.row.way is Way.SENT],
        )

    @routes.get(f"{REQUESTS}/<org>/<request_id>")
    @declare("request:view", who=Who.PERSON)
    def one_request(org: str, request_id: str) -> str:
        """Show one request; ``?template=`` fills the answer in."""
        return _page(letters, _row(letters, org, request_id))

    @routes.post(f"{REQUESTS}/<org>/<request_id>")
    @declare("request:answer", who=Who.PERSON)
    def answer_request(org: str, request_id: str) -> Answer:
        """Answer it, or close it."""
        row = _row(letters, org, request_id)
        try:
            draft = _act(letters, row)
        except AccordError as error:
            return Answer(_page(letters, row, error), problem_of(error).status)
        return redirect(f"{DRAFTS}/{draft.no}" if draft else f"{REQUESTS}/{row.org}/{row.id}", 303)

    @routes.get(CONTACTS)
    @declare("contact:list", who=Who.PERSON)
    def all_contacts() -> str:
        """List whom to call."""
        kind, country = request.args.get("kind", ""), request.args.get("country", "").upper()
        return render_template(
            "desk/contacts.html",
            here=CONTACTS,
            kinds=list(OrgKind),
            kind=kind,
            country=country,
            contacts=_contacts(letters, kind, country),
        )

    return routes


def left_of(seconds: int) -> str:
    """Return the time to a deadline in words: ``2 d 3 h left``, ``5 h over``."""
    days, hours = divmod(abs(seconds) // 3600, 24)
    pattern = (
        gettext("{days} d {hours} h over") if seconds < 0 else gettext("{days} d {hours} h left")
    )
    return pattern.format(days=days, hours=hours)


def _all(letters: Letters) -> list[RequestView]:
    if letters.org is None:
        return []
    return requests_now(letters.vault, letters.org, now=letters.clock())


def _row(letters: Letters, org: str, request_id: str) -> RequestRow:
    return find_request(letters.vault, parse_bundle_id(request_id), parse_org_id(org))


def _page(letters: Letters, row: RequestRow, error: AccordError | None = None) -> str:
    chosen = TEMPLATES.get(request.args.get("template", ""))
    form = request.form
    return render_template(
        "desk/request.html",
        here=REQUESTS,
        view=view_of(letters.vault, row, letters.org or row.org, now=letters.clock()),
        answers=answers_to(letters.vault, row),
        templates=sorted(TEMPLATES.items()),
        template=request.args.get("template", ""),
        outcomes=list(Outcome),
        outcome=form.get("outcome") or (chosen.outcome if chosen else ""),
        reasons=list(DeclineReason),
        reason=form.get("reason") or (chosen.reason if chosen else ""),
        text=form.get("text") or (chosen.text if chosen else ""),
        reference=form.get("reference", ""),
        most=MAX_TEXT,
        error=error,
    )


def _act(letters: Letters, row: RequestRow) -> Draft | None:
    """Do what the form says; text goes through the note guard. Return what waits now, if it does.

    Raises:
        AccordError: what ``Drafts.submit`` raises, or the hub's refusal.
    """
    text, _taken = guard_note(_text(), limit=MAX_TEXT)
    close = request.form.get("close", "")
    with letters.verbs() as verbs:
        if close:
            why = parse_code(Close, close, code="close_unknown")
            letter = verbs.letters.closing_letter(row, Closing(close=why, text=text))
        else:
            letter = verbs.letters.answer_letter(row, _response(text))
        _journal(letters, row, f"closed: {close}" if close else request.form.get("outcome", ""))
        sent = verbs.submit(letter, maker=current_actor().name)
    if isinstance(sent, Draft):
        return sent
    if sent.state is OutboxState.REFUSED:
        raise Refused(sent.code or "hub_refused", sent.message or gettext("The hub refused it."))
    return None


def _text() -> str:
    return request.form.get("text", "").replace("\r\n", "\n")[: 4 * MAX_TEXT]


def _response(text: str | None) -> Response:
    outcome = parse_code(Outcome, request.form.get("outcome"), code="outcome_unknown")
    reason = request.form.get("reason", "") if outcome is Outcome.DECLINED else ""
    return Response(
        outcome=outcome,
        reason=parse_code(DeclineReason, reason, code="decline_reason_unknown") if reason else None,
        reference=request.form.get("reference", "").strip() or None,
        text=text,
    )


def _journal(letters: Letters, row: RequestRow, reason: str) -> None:
    record_act(
        letters.vault,
        person=current_actor().name,
        act=Act.REQUEST_SEND if row.way is Way.SENT else Act.REQUEST_ANSWER,
        subject=row.id,
        reason=reason[:80],
        now=letters.clock(),
    )


def _contacts(letters: Letters, kind: str, country: str) -> list[Contact]:
    if letters.org is None:
        return []
    if country and country not in COUNTRIES:
        raise Malformed(
            "country_unknown",
            gettext("A country has two letters, for example NL."),
            observed=country[:20],
        )
    told = parse_code(OrgKind, kind, code="org_kind_unknown") if kind else None
    return contacts(letters.directory(), kind=told, country=country or None)
