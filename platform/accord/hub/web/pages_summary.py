"""Pages of summaries: months for members, quarters for anybody, with the same figures as files."""

from collections.abc import Sequence

from flask import Blueprint, Response, render_template, request

from accord.hub.services import Services
from accord.hub.summaries import Activity, Release, check_quarter, months_of
from accord.hub.web.pages import hub_actor
from accord.hub.web.summary_files import FORMS
from accord.hub.web.summary_sheet import sheet_of
from accord.kernel.errors import NotFound
from accord.protocol import paths
from accord.webbase.charts import Bar, bar_chart
from accord.webbase.routes import Who, declare
from accord.webbase.texts import gettext


def summary_routes(services: Services) -> Blueprint:
    """Return the pages over ``services``."""
    routes = Blueprint("summaries", __name__)

    @routes.get(paths.SUMMARY)
    @declare("summary:view", who=Who.PERSON)
    def show_summary() -> str:
        """Show the newest month, or the one that the query names."""
        actor, now = hub_actor(services), services.clock()
        months = services.releases.periods(actor)
        month = _period("month", months)
        release = services.releases.view(actor, month, form="page", now=now) if month else None
        activity = services.summaries.activity(actor, now=now)
        return render_template(
            "hub/summary.html", here=paths.SUMMARY, **_live(activity), **_shown(release, months)
        )

    @routes.get(paths.SUMMARY_FILE)
    @declare("summary:view", who=Who.PERSON)
    def download_summary(form: str) -> Response:
        """Give the same figures as a file."""
        actor = hub_actor(services)
        month = _period("month", services.releases.periods(actor)) or ""
        _known(form)
        return _file(services.releases.view(actor, month, form=form, now=services.clock()), form)

    @routes.get(paths.PUBLIC_SUMMARY)
    @declare("public-summary:read", who=Who.ANYONE)
    def show_public_summary() -> str:
        """Show the newest quarter to anybody, or the one that the query names."""
        quarters = services.releases.public_periods()
        quarter = _period("quarter", quarters)
        release = services.releases.public(quarter) if quarter else None
        return render_template(
            "hub/public.html", here=paths.PUBLIC_SUMMARY, **_shown(release, quarters)
        )

    @routes.get(paths.PUBLIC_FILE)
    @declare("public-summary:read", who=Who.ANYONE)
    def download_public_summary(form: str) -> Response:
        """Give a quarter's figures as a file to anybody."""
        _known(form)
        quarter = _period("quarter", services.releases.public_periods()) or ""
        return _file(services.releases.public(quarter), form)

    return routes


def _known(form: str) -> None:
    if form not in FORMS:
        raise NotFound("not_found", "There is no such page.")


def _file(release: Release, form: str) -> Response:
    media_type, make = FORMS[form]
    answer = Response(make(release), content_type=media_type)
    name = f"summary-{release.period}.{form}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _period(name: str, known: Sequence[str]) -> str | None:
    asked = request.args.get(name)
    if asked is None:
        return known[0] if known else None
    if name == "quarter":
        check_quarter(asked)
    else:
        months_of(asked)
    return asked


def _shown(release: Release | None, periods: Sequence[str]) -> dict[str, object]:
    return {
        "release": release,
        "periods": periods,
        "sheet": None if release is None else sheet_of(release),
        "forms": tuple(FORMS),
    }


def _live(activity: Activity) -> dict[str, object]:
    kinds = [
        Bar(label=kind.replace("_", " "), value=count, shown=str(count))
        for kind, count in activity.members
    ]
    return {
        "activity": activity,
        "members": bar_chart(gettext("Members by kind"), kinds, unit=gettext("Organisations")),
    }
