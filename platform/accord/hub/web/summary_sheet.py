"""A release as titled tables: the one source of page, PDF, SVG and PNG, which so say the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from accord.hub.summaries import Audience, Figure, Mark, Release, Table
from accord.webbase.charts import Bar, BarChart, bar_chart
from accord.webbase.names import NETWORKS
from accord.webbase.texts import gettext

CHARTS = (
    (Table.KIND, gettext("Indicators by kind")),
    (Table.NETWORK, gettext("Wallets by network")),
    (Table.ROLE, gettext("Indicators by role")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What every form of a release says.

    Attributes:
        title: with the period.
        lead: one sentence.
        facts: label and text of each headline number.
        charts: bar charts, each with all rows of its table.
        countries: rows that are not small.
        countries_left: the sentence about the others.
        kinds: columns of the two-way table; empty where there is none.
        cells: rows of the two-way table: role, then a text for each kind.
        notes: how to read it.
    """

    title: str
    lead: str
    facts: tuple[tuple[str, str], ...]
    charts: tuple[BarChart, ...]
    countries: tuple[tuple[str, str], ...]
    countries_left: str
    kinds: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def sheet_of(release: Release) -> Sheet:
    """Return the sheet of ``release``."""
    countries = release.rows(Table.COUNTRY)
    small = sum(figure.mark is Mark.SMALL for _, figure in countries)
    two_way = dict(release.rows(Table.KIND_ROLE))
    kinds = tuple(row for row, _ in release.rows(Table.KIND)) if two_way else ()
    roles = [row for row, _ in release.rows(Table.ROLE)]
    return Sheet(
        title=gettext("Summary of %(period)s", period=release.period),
        lead=gettext(
            "Counts from the signed tallies of %(count)s organisations. No count here tells about "
            "a single organisation, record or indicator.",
            count=release.organisations,
        ),
        facts=(
            (gettext("Indicators shared"), release.text(release.rows(Table.TOTAL)[0][1])),
            (gettext("Organisations that sent a tally"), str(release.organisations)),
            (gettext("Counts shown"), str(release.shown)),
            (gettext("Counts too small or protected"), str(release.hidden)),
        ),
        charts=tuple(_chart(release, title, release.rows(table)) for table, title in CHARTS),
        countries=tuple(
            (row, release.text(figure))
            for row, figure in countries
            if figure.mark is not Mark.SMALL
        ),
        countries_left=gettext(
            "%(count)s other countries are %(small)s each.", count=small, small=release.small_text
        ),
        kinds=kinds,
        cells=tuple(
            (role, *(release.text(two_way[f"{kind}/{role}"]) for kind in kinds)) for role in roles
        )
        if two_way
        else (),
        notes=_notes(release),
    )


def _chart(release: Release, title: str, rows: Sequence[tuple[str, Figure]]) -> BarChart:
    bars = [
        Bar(
            label=NETWORKS.get(row, row),
            value=figure.value,
            shown=release.text(figure),
            small=figure.mark is Mark.SMALL,
        )
        for row, figure in rows
    ]
    return bar_chart(title, bars, unit=gettext("Records"))


def _notes(release: Release) -> tuple[str, ...]:
    public = release.audience is Audience.PUBLIC
    notes = [
        gettext("“<30” is fewer than 10 in each of the three months; nothing and a few look alike.")
        if public
        else gettext("“<10” is any number from 0 to 9; nothing and a few look alike."),
        gettext(
            "“hidden” is 10 or more that would tell about single organisations, or that would give "
            "away another count."
        ),
        gettext(
            "A count is shown when at least %(count)s organisations stand behind it and none gives "
            "most of it.",
            count=release.audience.min_organisations,
        ),
        gettext("Counts are rounded to 5, totals by themselves; sums may therefore differ."),
    ]
    if public:
        notes.append(gettext("A quarter is the sum of its three months; it is published once."))
    elif release.version > 1:
        notes.append(
            gettext(
                "This is version %(version)s: %(count)s counts were corrected from late and "
                "corrected tallies. The others stand as first released, also where a correction "
                "would tell about single organisations.",
                version=release.version,
                count=release.corrected,
            )
        )
    else:
        notes.append(
            gettext(
                "A released month does not change in silence: it can be corrected once, as version "
                "2, which says what was corrected."
            )
        )
    return tuple(notes)
