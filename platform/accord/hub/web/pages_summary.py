"""Pages of summaries: released tables as page and CSV, with the same figures."""

import csv
import io
from collections.abc import Sequence

from flask import Blueprint, Response, render_template, request

from accord.hub.services import Services
from accord.hub.summaries import Activity, Figure, Mark, Release, Table
from accord.hub.web.pages import hub_actor
from accord.protocol import paths
from accord.webbase.charts import Bar, BarChart, bar_chart
from accord.webbase.names import NETWORKS
from accord.webbase.routes import Who, declare
from accord.webbase.texts import gettext

CHARTS = (
    (Table.KIND, gettext("Indicators by kind")),
    (Table.NETWORK, gettext("Wallets by network")),
    (Table.ROLE, gettext("Indicators by role")),
)


def summary_routes(services: Services) -> Blueprint:
    """Return the pages over ``services``."""
    routes = Blueprint("summaries", __name__)

    @routes.get(paths.SUMMARY)
    @declare("summary:view", who=Who.PERSON)
    def show_summary() -> str:
        """Show the newest month, or the one that the query names."""
        actor = hub_actor(services)
        months = services.releases.months(actor)
        month = _month(months)
        release = (
            services.releases.view(actor, month, form="page", now=services.clock())
            if month
            else None
        )
        activity = services.summaries.activity(actor, now=services.clock())
        return render_template(
            "hub/summary.html", here=paths.SUMMARY, **_live(activity), **_shown(release, months)
        )

    @routes.get(paths.SUMMARY_CSV)
    @declare("summary:view", who=Who.PERSON)
    def download_summary() -> Response:
        """Give the same figures as a file."""
        actor = hub_actor(services)
        month = _month(services.releases.months(actor)) or ""
        release = services.releases.view(actor, month, form="csv", now=services.clock())
        answer = Response(summary_csv(release), content_type="text/csv; charset=utf-8")
        answer.headers["Content-Disposition"] = f'attachment; filename="summary-{month}.csv"'
        return answer

    return routes


def summary_csv(release: Release) -> str:
    """Return all figures of ``release`` as RFC 4180 text; every cell is a closed code or number."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("month", "table", "row", "records"))
    for place, figure in release.figures.items():
        writer.writerow((release.month, place.table.value, place.row, figure.text))
    return text.getvalue()


def _month(months: Sequence[str]) -> str | None:
    asked = request.args.get("month")
    if asked is not None:
        return paths.parse_month(asked)
    return months[0] if months else None


def _shown(release: Release | None, months: Sequence[str]) -> dict[str, object]:
    if release is None:
        return {"release": None, "months": months}
    countries = release.rows(Table.COUNTRY)
    return {
        "release": release,
        "months": months,
        "total": release.rows(Table.TOTAL)[0][1],
        "charts": [_chart(title, release.rows(table)) for table, title in CHARTS],
        "countries": [(row, figure) for row, figure in countries if figure.mark is not Mark.SMALL],
        "small_countries": sum(figure.mark is Mark.SMALL for _, figure in countries),
        "kinds": [row for row, _ in release.rows(Table.KIND)],
        "roles": [row for row, _ in release.rows(Table.ROLE)],
        "cells": dict(release.rows(Table.KIND_ROLE)),
    }


def _live(activity: Activity) -> dict[str, object]:
    kinds = [
        Bar(label=kind.replace("_", " "), value=count, shown=str(count))
        for kind, count in activity.members
    ]
    return {
        "weeks": activity.weeks,
        "members": bar_chart(gettext("Members by kind"), kinds, unit=gettext("Organisations")),
    }


def _chart(title: str, rows: Sequence[tuple[str, Figure]]) -> BarChart:
    bars = [
        Bar(
            label=NETWORKS.get(row, row),
            value=figure.value,
            shown=figure.text,
            small=figure.mark is Mark.SMALL,
        )
        for row, figure in rows
    ]
    return bar_chart(title, bars, unit=gettext("Records"))
