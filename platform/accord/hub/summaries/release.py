"""A release: what readers get of a closed month. Made once, kept as its own bytes, never changed.

A tally that comes or is replaced after the release changes nothing of it: two versions of one month
could be subtracted. The document holds marks and rounded values only: nothing else leaves by it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from accord.hub.summaries.audit import safe_marks
from accord.hub.summaries.cube import Edge, Place, Table, count_tallies
from accord.hub.summaries.disclosure import ROUNDING, Audience, Mark, rounded
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
from accord.kernel.statements.tally import Tally, month_end

MAX_RELEASE = 1024 * 1024
"""Largest release document in bytes."""

MAX_FIGURES = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One released count: its mark, and its rounded value when it is shown."""

    mark: Mark
    value: int | None

    @property
    def text(self) -> str:
        """What pages and files write: the value, ``<10`` or ``hidden``."""
        if self.mark is Mark.SMALL:
            return "<10"
        return str(self.value) if self.mark is Mark.SHOWN else "hidden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """All figures of one month for one audience.

    Attributes:
        month: ``YYYY-MM``, closed.
        audience: whose thresholds were applied.
        made: unix second of the release.
        organisations: how many organisations had sent a tally.
        figures: a figure for every place of the declared tables.
    """

    month: str
    audience: Audience
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
    if now < month_end(month):
        raise Malformed("month_open", "A month is released when it is over.", observed=month)
    if len({tally.org for tally in given}) != len(given) or {t.month for t in given} - {month}:
        raise Malformed("tally_misplaced", "One tally an organisation, all of one month.")
    edges = count_tallies(given)
    marks = safe_marks(edges, audience)
    return Release(
        month=month,
        audience=audience,
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
            "v": 1,
            "month": release.month,
            "audience": release.audience.value,
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
    return obj


def parse_release(data: bytes) -> Release:
    """Parse a document strictly: each place once, values only where shown.

    Rows that were declared when it was made may be others than today's.

    Raises:
        Malformed: ``json_*``, ``key_*``, ``value_invalid``, ``month_invalid``,
            ``audience_unknown``, ``table_unknown``, ``mark_unknown``, ``figure_invalid``.
    """
    obj = parse_object(data, limit=MAX_RELEASE)
    require_keys(obj, required=("v", "month", "audience", "made", "organisations", "figures"))
    require_int(obj, "v", minimum=1, maximum=1)
    month = require_str(obj, "month", limit=7)
    month_end(month)
    figures = dict(map(_parse_figure, require_list(obj, "figures", maximum=MAX_FIGURES)))
    if len(figures) != len(require_list(obj, "figures", maximum=MAX_FIGURES)):
        raise Malformed("figure_invalid", "A place stands twice.")
    return Release(
        month=month,
        audience=parse_code(Audience, obj["audience"], code="audience_unknown"),
        made=require_int(obj, "made"),
        organisations=require_int(obj, "organisations"),
        figures=figures,
    )


def _parse_figure(obj: JsonValue) -> tuple[Place, Figure]:
    if not isinstance(obj, dict):
        raise Malformed("value_invalid", "A figure must be an object.")
    require_keys(obj, required=("table", "row", "mark", "value"), optional=("value",))
    place = Place(
        parse_code(Table, obj["table"], code="table_unknown"), require_str(obj, "row", limit=80)
    )
    mark = parse_code(Mark, obj["mark"], code="mark_unknown")
    if ("value" in obj) != (mark is Mark.SHOWN):
        raise Malformed("figure_invalid", "A value stands exactly where it is shown.")
    value = require_int(obj, "value", minimum=1) if "value" in obj else None
    if value is not None and value % ROUNDING:
        raise Malformed("figure_invalid", f"A value is a multiple of {ROUNDING}.")
    return place, Figure(mark=mark, value=value)
