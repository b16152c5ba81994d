"""The public's quarter: a function of the three months that members were shown, and no more.

Whoever has the months learns no count from the quarter, whatever he solves. A count is shown where
each month shows it and the quarter as a whole meets the public's thresholds, then as the sum of the
months' figures. The public alone sees fewer tables and fewer counts; what it could work out from
them is audited like a month.

Tables: total, country, role, kind, network. The two-way table is the members'.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from accord.hub.summaries.audit import (
    UNBOUNDED,
    Problem,
    Slack,
    owed_to_members,
    owed_to_outsiders,
    protect,
    small_owed_to_members,
)
from accord.hub.summaries.cube import Edge, Place, Table, count_tallies
from accord.hub.summaries.disclosure import HALF, MIN_RECORDS, Audience, Count, Mark, mark_of
from accord.hub.summaries.release import Figure, Release
from accord.kernel.errors import Refused
from accord.kernel.statements.tally import Tally

PUBLIC_TABLES = (Table.TOTAL, Table.COUNTRY, Table.ROLE, Table.KIND, Table.NETWORK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A released month: what was shown, and the tallies behind its first and newest version."""

    release: Release
    first: tuple[Tally, ...]
    newest: tuple[Tally, ...]


def make_quarter(period: str, months: Sequence[Month], *, now: int) -> Release:
    """Return the public release of a quarter from its three months.

    Raises:
        Refused: ``summary_unsafe``.
    """
    newest = _added([count_tallies(month.newest) for month in months])
    first = _added([count_tallies(month.first) for month in months])
    figures = {
        edge.place: [month.release.figures[edge.place] for month in months] for edge in first
    }
    small = {
        place for place, three in figures.items() if all(one.mark is Mark.SMALL for one in three)
    }
    wanted = frozenset(
        edge.place
        for edge, older in zip(newest, first, strict=True)
        if edge.place.table in PUBLIC_TABLES
        and all(one.mark is Mark.SHOWN for one in figures[edge.place])
        and mark_of(edge.count, Audience.PUBLIC) is Mark.SHOWN
        and mark_of(older.count, Audience.PUBLIC) is Mark.SHOWN
    )
    shown = protect([_problem(newest, wanted, small, len(months))], wanted)
    if not shown:
        raise Refused(
            "summary_unsafe",
            "No table of this quarter can be shown without telling too much.",
            observed=period,
            next_step="Nothing is published for it; the months stay with the members.",
        )
    return Release(
        period=period,
        audience=Audience.PUBLIC,
        version=1,
        made=now,
        organisations=len({tally.org for month in months for tally in month.newest}),
        figures={
            edge.place: _figure(edge.place, figures[edge.place], shown=shown, small=small)
            for edge in newest
            if edge.place.table in PUBLIC_TABLES
        },
    )


def _figure(
    place: Place, months: Sequence[Figure], *, shown: frozenset[Place], small: set[Place]
) -> Figure:
    if place in shown:
        return Figure(mark=Mark.SHOWN, value=sum(month.value or 0 for month in months))
    return Figure(mark=Mark.SMALL if place in small else Mark.HIDDEN, value=None)


def _added(months: Sequence[Sequence[Edge]]) -> list[Edge]:
    """Return the network of the months' sums."""
    found = []
    for edges in zip(*months, strict=True):
        parts: dict[str, int] = {}
        for edge in edges:
            for org, records in edge.count.by_organisation.items():
                parts[org] = parts.get(org, 0) + records
        found.append(replace(edges[0], count=Count.of(parts)))
    return found


def _problem(
    edges: Sequence[Edge], wanted: frozenset[Place], small: set[Place], months: int
) -> Problem:
    """Return what the public may see into; a month's figure lies up to 2 from its count.

    For counts that a correction left as first released the truth lies further away than this says;
    a reader who knows less is not told more.
    """
    most = months * (MIN_RECORDS - 1)
    owed: dict[Place, Slack] = {}
    to_members: dict[Place, Mapping[str, Slack]] = {}
    unshown: dict[Place, Slack] = {}
    for edge in edges:
        records = edge.count.records
        if edge.place in small and records <= most:
            unshown[edge.place] = owed[edge.place] = (records, most - records)
            to_members[edge.place] = small_owed_to_members(edge.count, owed[edge.place])
            continue
        unshown[edge.place] = (records, UNBOUNDED)
        if mark_of(edge.count, Audience.PUBLIC) is Mark.HIDDEN:
            owed[edge.place] = owed_to_outsiders(edge.count)
            to_members[edge.place] = owed_to_members(edge.count)
    return Problem(
        edges=edges,
        shown=dict.fromkeys(wanted, (months * HALF, months * HALF)),
        unshown=unshown,
        owed=owed,
        owed_to_members=to_members,
    )
