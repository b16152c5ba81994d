"""A release: what readers get of a closed period. Kept as its own bytes, never changed.

A tally that comes or is replaced after the release changes nothing of it; a month can be corrected
once, by a second version that is audited together with the first (``amendment``). The document
holds marks and rounded values only: nothing else leaves by it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from accord.hub.summaries.audit import safe_marks
from accord.hub.summaries.cube import Edge, Place, Table, count_tallies
from accord.hub.summaries.disclosure import MIN_RECORDS, ROUNDING, Audience, Mark, rounded
from accord.hub.summaries.periods import months_of, require_closed
from accord.kernel.encoding import (
    JsonValue,
    dump_object,
    parse_object,
    require_int,
    require_keys,
    require_list,
    require_str,
)
from accord.kernel.errors import Malformed
from accord.kernel.markings import parse_code
from accord.kernel.statements.tally import Tally

MAX_RELEASE = 1024 * 1024
"""Largest release document in bytes."""

MAX_FIGURES = 5000

MAX_VERSION = 2
"""A month is corrected once at most."""

_FIGURE = ("table", "row", "mark", "value", "since")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One released count: its mark, its rounded value when it is shown, and since which version."""

    mark: Mark
    value: int | None
    since: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """All figures of one period for one audience.

    Attributes:
        period: ``YYYY-MM`` or ``YYYY-Qn``, closed.
        audience: whose thresholds were applied.
        version: 1, or 2 for a correction.
        made: unix second of the release.
        organisations: how many organisations had sent a tally.
        figures: a figure for every place of the declared tables.
    """

    period: str
    audience: Audience
    version: int
    made: int
    organisations: int
    figures: Mapping[Place, Figure]

    @property
    def shown(self) -> int:
        """How many figures are shown."""
        return sum(figure.mark is Mark.SHOWN for figure in self.figures.values())

    @property
    def hidden(self) -> int:
        """How many figures are not shown, ``<10`` included."""
        return len(self.figures) - self.shown

    @property
    def small_text(self) -> str:
        """What a count of fewer than 10 in each month is written as; zero looks alike."""
        return f"<{MIN_RECORDS * len(months_of(self.period))}"

    def text(self, figure: Figure) -> str:
        """Return what pages and files write: the value, ``<10`` (or ``<30``), or ``hidden``."""
        if figure.mark is Mark.SMALL:
            return self.small_text
        return str(figure.value) if figure.mark is Mark.SHOWN else "hidden"

    @property
    def corrected(self) -> int:
        """How many figures the correction changed."""
        return sum(figure.since > 1 for figure in self.figures.values())

    def rows(self, table: Table) -> list[tuple[str, Figure]]:
        """Return the rows of ``table`` in their declared order."""
        return [
            (place.row, figure) for place, figure in self.figures.items() if place.table is table
        ]


def make_release(tallies: Iterable[Tally], *, month: str, audience: Audience, now: int) -> Release:
    """Return the safe release of ``tallies``, one an organisation, all of ``month``.

    Raises:
        Malformed: ``month_open``; ``tally_misplaced`` for another month or a second tally.
        Refused: ``summary_unsafe``.
    """
    given = list(tallies)
    require_closed(month, now=now)
    if len({tally.org for tally in given}) != len(given) or {t.month for t in given} - {month}:
        raise Malformed("tally_misplaced", "One tally an organisation, all of one month.")
    edges = count_tallies(given)
    marks = safe_marks(edges, audience)
    return Release(
        period=month,
        audience=audience,
        version=1,
        made=now,
        organisations=len(given),
        figures={edge.place: _figure(edge, marks[edge.place]) for edge in edges},
    )


def _figure(edge: Edge, mark: Mark) -> Figure:
    return Figure(mark=mark, value=rounded(edge.count.records) if mark is Mark.SHOWN else None)


def format_release(release: Release) -> bytes:
    """Return the document: every place in the declared order."""
    return dump_object(
        {
            "v": 2,
            "period": release.period,
            "audience": release.audience.value,
            "version": release.version,
            "made": release.made,
            "organisations": release.organisations,
            "figures": [_figure_object(place, figure) for place, figure in release.figures.items()],
        }
    )


def _figure_object(place: Place, figure: Figure) -> dict[str, JsonValue]:
    obj: dict[str, JsonValue] = {
        "table": place.table.value,
        "row": place.row,
        "mark": figure.mark.value,
    }
    if figure.value is not None:
        obj["value"] = figure.value
    if figure.since > 1:
        obj["since"] = figure.since
    return obj


def parse_release(data: bytes) -> Release:
    """Parse a document of either form strictly: each place once, values only where shown.

    Rows that were declared when it was made may be others than today's.

    Raises:
        Malformed: ``json_*``, ``key_*``, ``value_invalid``, ``month_invalid``,
            ``audience_unknown``, ``table_unknown``, ``mark_unknown``, ``figure_invalid``.
    """
    obj = parse_object(data, limit=MAX_RELEASE)
    # Documents of the first form stand as they were stored; they have no correction.
    first_form = obj.get("v") == 1
    ours = ("month", "audience") if first_form else ("period", "audience", "version")
    require_keys(obj, required=("v", *ours, "made", "organisations", "figures"))
    require_int(obj, "v", minimum=1, maximum=2)
    period = require_str(obj, ours[0], limit=7)
    months_of(period)
    listed = require_list(obj, "figures", maximum=MAX_FIGURES)
    figures = dict(map(_parse_figure, listed))
    if len(figures) != len(listed):
        raise Malformed("figure_invalid", "A place stands twice.")
    return Release(
        period=period,
        audience=parse_code(Audience, obj["audience"], code="audience_unknown"),
        version=1 if first_form else require_int(obj, "version", minimum=1, maximum=MAX_VERSION),
        made=require_int(obj, "made"),
        organisations=require_int(obj, "organisations"),
        figures=figures,
    )


def _parse_figure(obj: JsonValue) -> tuple[Place, Figure]:
    if not isinstance(obj, dict):
        raise Malformed("value_invalid", "A figure must be an object.")
    require_keys(obj, required=_FIGURE, optional=("value", "since"))
    place = Place(
        parse_code(Table, obj["table"], code="table_unknown"), require_str(obj, "row", limit=80)
    )
    mark = parse_code(Mark, obj["mark"], code="mark_unknown")
    if ("value" in obj) != (mark is Mark.SHOWN):
        raise Malformed("figure_invalid", "A value stands exactly where it is shown.")
    value = require_int(obj, "value", minimum=1) if "value" in obj else None
    if value is not None and value % ROUNDING:
        raise Malformed("figure_invalid", f"A value is a multiple of {ROUNDING}.")
    since = require_int(obj, "since", minimum=2, maximum=MAX_VERSION) if "since" in obj else 1
    return place, Figure(mark=mark, value=value, since=since)
