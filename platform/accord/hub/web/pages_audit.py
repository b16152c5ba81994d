"""The auditor's page: what happened, who saw what; each row with its proof, all of it as a file."""

import datetime as dt
from collections.abc import Mapping

from flask import Blueprint, Response, render_template, request

from accord.hub.audit import EventClass
from accord.hub.services import Services
from accord.hub.trail import Trail, parse_wanted
from accord.hub.trail.filters import NAMES, Wanted
from accord.hub.web.pages import hub_actor
from accord.kernel.errors import Malformed
from accord.kernel.tlog.trailfile import MEDIA_TYPES, Form
from accord.protocol import paths
from accord.webbase.routes import Who, declare

PAGE_ROWS = 50
MAX_DIGITS = 18
_SUFFIX = {Form.CSV: "csv", Form.JSONL: "jsonl", Form.OCSF: "ocsf.jsonl"}


def audit_page_routes(services: Services) -> Blueprint:
    """Return the pages over ``services``."""
    routes = Blueprint("audit", __name__)
    routes.add_app_template_filter(_moment, "moment")
    trail: Trail = services.trail

    @routes.get(paths.AUDIT_PAGE)
    @declare("audit:view", who=Who.PERSON)
    def show_audit() -> str:
        """Show the events that fit the filter, newest first."""
        asked = _asked("after")
        wanted = parse_wanted({name: asked[name] for name in asked if name != "after"})
        page = trail.search(
            hub_actor(services),
            wanted,
            after=asked.get("after", ""),
            limit=PAGE_ROWS,
            now=services.clock(),
        )
        return render_template("hub/audit.html", here=paths.AUDIT_PAGE, **_shown(wanted, page=page))

    @routes.get(paths.AUDIT_FILE)
    @declare("audit:export", who=Who.PERSON)
    def download_audit() -> Response:
        """Give all events that fit the filter as a file that can be checked."""
        asked = _asked("form", "reason")
        form = _form(asked.pop("form", ""))
        reason = asked.pop("reason", "")
        _, pieces = trail.export(
            hub_actor(services), parse_wanted(asked), form, reason=reason, now=services.clock()
        )
        answer = Response(pieces, content_type=MEDIA_TYPES[form])
        answer.headers["Content-Disposition"] = f'attachment; filename="audit.{_SUFFIX[form]}"'
        return answer

    @routes.get(paths.AUDIT_PROOF)
    @declare("audit:view", who=Who.PERSON)
    def download_proof(number: str) -> Response:
        """Give the proof of one event."""
        proof = trail.proof(hub_actor(services), _number(number), now=services.clock())
        answer = Response(proof, content_type=paths.PROOF_TYPE)
        answer.headers["Content-Disposition"] = f'attachment; filename="event-{number}.tlog-proof"'
        return answer

    return routes


def _moment(seconds: str) -> str:
    """Return a time field as people read it."""
    moment = dt.datetime.fromtimestamp(int(seconds), tz=dt.UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _shown(wanted: Wanted, *, page: object) -> dict[str, object]:
    given = {name: getattr(wanted, name) for name in NAMES}
    return {
        "wanted": wanted,
        "page": page,
        "events": sorted(one.value for one in EventClass),
        "forms": list(Form),
        "given": {name: value for name, value in given.items() if value},
    }


def _asked(*others: str) -> dict[str, str]:
    """Return the parts of the query; each name once, empty ones left out."""
    known = {*NAMES, *others}
    found: Mapping[str, list[str]] = request.args.to_dict(flat=False)
    for name, values in found.items():
        if name not in known or len(values) != 1:
            raise Malformed(
                "audit_filter_invalid",
                "The filter has a name that is unknown or stands twice.",
                observed=name[:40],
            )
    return {name: values[0] for name, values in found.items() if values[0].strip()}


def _form(text: str) -> Form:
    if text not in set(Form):
        raise Malformed(
            "audit_filter_invalid",
            "An export has one of the forms csv, jsonl, ocsf.",
            observed=text[:40],
        )
    return Form(text)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > MAX_DIGITS:
        raise Malformed(
            "audit_filter_invalid", "An event has a number in decimal digits.", observed=text[:40]
        )
    return int(text)
