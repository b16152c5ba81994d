"""The button below a bundle's records: evidence of one of them, as a file to keep."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, request
from werkzeug.wrappers import Response

from accord.desk.evidence.service import MadeEvidence, Wanted
from accord.desk.storage import Vault
from accord.desk.storage.bundles import find_bundle, lines_of
from accord.desk.web.records import value_of
from accord.kernel.errors import AccordError, Malformed, NotFound
from accord.kernel.identifiers import BundleId, OrgId, parse_bundle_id, parse_org_id
from accord.webbase.actor import current_actor
from accord.webbase.routes import Who, declare
from accord.webbase.sign_in import refused


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceMaking:
    """What the button works with; ``make`` is told what is wanted, by whom and why.

    ``page`` is the bundle's, with what was typed and why no file was made.
    """

    vault: Vault
    make: Callable[[Wanted, str, str], MadeEvidence]
    page: Callable[[OrgId, BundleId, AccordError], str]


def evidence_routes(making: EvidenceMaking) -> Blueprint:
    """Return the route over ``making``."""
    routes = Blueprint("evidence", __name__)

    @routes.post("/inbox/<org>/<bundle_id>/evidence")
    @declare("evidence:make", who=Who.PERSON)
    def make(org: str, bundle_id: str) -> Response:
        """Make evidence of one record and hand it over as a file."""
        found, sender = parse_bundle_id(bundle_id), parse_org_id(org)
        try:
            wanted = _wanted(making.vault, sender, found)
            made = making.make(wanted, current_actor().name, request.form.get("reason", ""))
        except AccordError as error:
            page = making.page(sender, found, error)
            return refused(error, page)
        answer = Response(made.data, content_type="application/zip")
        answer.headers["Content-Disposition"] = f"attachment; filename=evidence-{made.no}.zip"
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return routes


def _wanted(vault: Vault, org: OrgId, bundle_id: BundleId) -> Wanted:
    bundle = find_bundle(vault, bundle_id, org)
    text = request.form.get("record", "")
    if not text.isascii() or not text.isdigit() or len(text) > len(str(bundle.n)):
        raise Malformed("index_invalid", "Say which record, by its number.", observed=text[:20])
    number = int(text)
    for place, line in enumerate(lines_of(vault, bundle)):
        if place == number:
            red = request.form.get("red") == "yes"
            return Wanted(
                value=value_of(line), org=bundle.org, bundle=bundle.id, record=number, red=red
            )
    raise NotFound(
        "evidence_none",
        "The bundle has no such record here.",
        observed=text[:20],
        next_step=f"Give a number from 0 to {bundle.n - 1}, as the records above are numbered."
        if bundle.n
        else None,
    )
