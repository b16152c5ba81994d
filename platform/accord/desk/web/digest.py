"""The digest as a page: the same counts as ``accord digest``, and the mail that they make.

Like the command it writes nothing down: it tells how many there are, never of what.
"""

import shlex
from pathlib import Path

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from accord.desk.exchange.digest import Digest, digest
from accord.desk.exchange.digest_text import USUAL, digest_lines, digest_text, since_of
from accord.desk.web.pages import PageServices
from accord.kernel.errors import AccordError
from accord.protocol.problems import problem_of
from accord.webbase.routes import Who, declare
from accord.webbase.texts import gettext

DIGEST = "/digest"
SPANS = (
    (USUAL, gettext("Last 24 hours")),
    ("7d", gettext("Last 7 days")),
    ("30d", gettext("Last 30 days")),
)
"""Periods that are offered, with their names."""


def digest_routes(services: PageServices, home: Path) -> Blueprint:
    """Return the page over ``services``; ``home`` is named in the command that it shows."""
    routes = Blueprint("digest", __name__)
    routes.context_processor(lambda: {"checked": services.checked()})
    command = f"accord digest --since 24h --home {shlex.quote(str(home))}"

    @routes.get(DIGEST)
    @declare("digest:view", who=Who.PERSON)
    def digest_page() -> Response:
        """Show the counts from ``?since=`` on."""
        found, error = None, None
        try:
            found = _counted(services)
        except AccordError as wrong:
            error = wrong
        page = render_template(
            "desk/digest.html",
            here=DIGEST,
            org=services.org,
            spans=SPANS,
            since=_since(),
            found=found,
            lines=() if found is None else digest_lines(found),
            text=None if found is None else digest_text(found),
            command=command,
            error=error,
        )
        status = 200 if error is None else problem_of(error).status
        return Response(page, status, content_type="text/html; charset=utf-8")

    return routes


def _since() -> str:
    return request.args.get("since", "").strip() or USUAL


def _counted(services: PageServices) -> Digest | None:
    """Count; before enrolment there is nothing to.

    Raises:
        Malformed: ``since_unreadable``.
    """
    if services.org is None:
        return None
    now = services.clock()
    since = since_of(_since(), now=now)
    return digest(services.vault, services.org, since=since, now=now)
