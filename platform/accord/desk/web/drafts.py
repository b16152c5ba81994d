"""Drafts as pages: what waits for a second person, read record by record and let go or refused."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from accord.desk.exchange.drafts import Drafts, parse_plan
from accord.desk.exchange.letters import LETTERS
from accord.desk.storage import Vault
from accord.desk.storage.drafts import DraftState, draft_lines, drafts, find_draft
from accord.desk.web import words
from accord.desk.web.letter_words import read_line
from accord.kernel.errors import AccordError, Malformed, NotFound
from accord.kernel.identifiers import OrgId
from accord.webbase.actor import current_actor
from accord.webbase.routes import Who, declare
from accord.webbase.sign_in import refused

DRAFTS = "/drafts"
SHOWN = 200
MAX_DIGITS = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What these pages work with; ``verbs`` are only asked for once the desk is enrolled."""

    vault: Vault
    org: OrgId | None
    verbs: Callable[[], AbstractContextManager[Drafts]]
    checked: Callable[[], int | None]


def draft_routes(waiting: Waiting) -> Blueprint:
    """Return the pages over ``waiting``."""
    routes = Blueprint("drafts", __name__)
    routes.context_processor(lambda: {"words": words, "checked": waiting.checked()})

    @routes.get(DRAFTS)
    @declare("draft:list", who=Who.PERSON)
    def all_drafts() -> str:
        """List the drafts, the latest first."""
        found = drafts(waiting.vault, waiting=False)
        shown = [(one, parse_plan(one.plan)) for one in found]
        return render_template("desk/drafts.html", here=DRAFTS, org=waiting.org, drafts=shown)

    @routes.get(f"{DRAFTS}/<number>")
    @declare("draft:view", who=Who.PERSON)
    def one_draft(number: str) -> str:
        """Show one draft in full."""
        return _page(waiting, _number(number))

    @routes.post(f"{DRAFTS}/<number>")
    @declare("draft:decide", who=Who.PERSON)
    def decide(number: str) -> Response:
        """Approve or refuse the draft that was read."""
        try:
            _decide(waiting, _number(number))
        except AccordError as error:
            page = _page(waiting, _number(number), error)
            return refused(error, page)
        return redirect(f"{DRAFTS}/{number}", code=303)

    return routes


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > MAX_DIGITS:
        raise NotFound("draft_unknown", "There is no such draft.", observed=text[:20])
    return int(text)


def _decide(waiting: Waiting, number: int) -> None:
    person = current_actor().name
    with waiting.verbs() as verbs:
        if request.form.get("act") == "refuse":
            verbs.refuse(number, person=person, reason=request.form.get("reason", ""))
            return
        try:
            digest = bytes.fromhex(request.form.get("digest", "-"))
        except ValueError as error:
            raise Malformed("draft_digest", "The form names no draft.") from error
        again = request.form.get("reason", "") if request.form.get("again") == "yes" else None
        verbs.approve(number, person=person, digest=digest, again=again)


def _page(waiting: Waiting, number: int, error: AccordError | None = None) -> str:
    draft = find_draft(waiting.vault, number)
    plan = parse_plan(draft.plan)
    lines = draft_lines(waiting.vault, number)
    letter = plan.kind in LETTERS
    with waiting.verbs() as verbs:
        waits = draft.state is DraftState.WAITING or draft.unsent
        opened_by = verbs.submissions.opened_by(plan) if waits else None
    return render_template(
        "desk/draft.html",
        here=DRAFTS,
        org=waiting.org,
        draft=draft,
        plan=plan,
        opened_by=opened_by,
        own=draft.maker == current_actor().name,
        letter=letter,
        said=[read_line(plan.kind, *one) for one in enumerate(lines)] if letter else [],
        lines=[] if letter else [one.decode("utf-8") for one in lines[:SHOWN]],
        error=error,
        repeats=error is not None and _asks_again(error),
    )


def _asks_again(error: AccordError) -> bool:
    """Tell whether the form is to offer sending once more what was sent."""
    return error.code == "draft_duplicate" or request.form.get("again") == "yes"
