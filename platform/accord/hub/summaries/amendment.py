"""The one correction of a month, from late and corrected tallies.

What changed is a table of its own and obeys the same rules: a figure is corrected only where what
changed in it could be shown by itself, so that subtracting the first release from the second gives
nothing that a release could not have said. The others stay as first released, and say so.

Two networks are audited over the same set of corrected figures, each with the other's counts taken
as known to the reader, which is the worst that he could know: the month as it was first released,
with the second rounding as a further bound; and the change.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from accord.hub.summaries.audit import (
    UNBOUNDED,
    Problem,
    Slack,
    marked_slack,
    month_problem,
    owed_to_members,
    owed_to_outsiders,
    protect,
    small_owed_to_members,
)
from accord.hub.summaries.cube import Edge, Place, count_tallies
from accord.hub.summaries.disclosure import MIN_RECORDS, Count, Mark, mark_of, rounded
from accord.hub.summaries.release import Figure, Release
from accord.kernel.errors import Refused
from accord.kernel.statements.tally import Tally


def make_amendment(
    first: Release, *, before: Iterable[Tally], after: Iterable[Tally], now: int
) -> Release:
    """Return the second version of ``first``.

    Args:
        first: the month as it was released.
        before: the tallies that it was made of.
        after: the newest tallies.
        now: unix second of the amended release.

    Raises:
        Refused: ``amendment_too_few`` when no figure can be corrected without telling too much.
    """
    given = list(after)
    old, new = count_tallies(before), count_tallies(given)
    changes = [_change(one, other) for one, other in zip(old, new, strict=True)]
    by_place = {edge.place: edge for edge in new}
    wanted = frozenset(
        change.place
        for change in changes
        if first.figures[change.place].mark is Mark.SHOWN
        and mark_of(change.count, first.audience) is Mark.SHOWN
        and mark_of(by_place[change.place].count, first.audience) is Mark.SHOWN
    )
    grows = all(
        other.count.by_organisation.get(org, 0) >= part
        for one, other in zip(old, new, strict=True)
        for org, part in one.count.by_organisation.items()
    )
    problems = [
        _month(first, old, by_place, wanted),
        _change_problem(first, changes, by_place, wanted, grows=grows),
    ]
    corrected = protect(problems, wanted) if wanted else wanted
    if not corrected:
        raise Refused(
            "amendment_too_few",
            "What changed would tell about single organisations.",
            observed=first.period,
            next_step="Wait until more organisations have sent late or corrected tallies; the "
            "release stays as it is.",
        )
    figures = dict(first.figures)
    for place in corrected:
        value = rounded(by_place[place].count.records)
        figures[place] = Figure(mark=Mark.SHOWN, value=value, since=first.version + 1)
    return replace(
        first,
        version=first.version + 1,
        made=now,
        organisations=len(given),
        figures=figures,
    )


def _change(old: Edge, new: Edge) -> Edge:
    """Return by how much each organisation's part of a count changed, whichever way."""
    parts = {
        org: abs(new.count.by_organisation.get(org, 0) - old.count.by_organisation.get(org, 0))
        for org in {*old.count.by_organisation, *new.count.by_organisation}
    }
    return replace(new, count=Count.of(parts))


def _month(
    first: Release, old: list[Edge], new: Mapping[Place, Edge], wanted: frozenset[Place]
) -> Problem:
    """Return the first release's problem, narrower where the correction tells more."""
    problem, _ = month_problem(old, first.audience)
    known = {
        edge.place: marked_slack(edge, first.figures[edge.place].mark) for edge in problem.edges
    }
    return replace(
        problem,
        shown={
            place: _both(known[place], marked_slack(new[place], Mark.SHOWN)) for place in wanted
        },
        unshown=known,
    )


def _change_problem(
    first: Release,
    changes: list[Edge],
    new: Mapping[Place, Edge],
    wanted: frozenset[Place],
    *,
    grows: bool,
) -> Problem:
    """Return the problem of the change itself; of a kept figure nothing at all is told.

    When counts only grew, as late tallies make them, a reader may know that no change is below 0;
    else that no new count is.
    """
    owed: dict[Place, Slack] = {}
    to_members: dict[Place, Mapping[str, Slack]] = {}
    for change in changes:
        if change.count.records < MIN_RECORDS:
            owed[change.place] = marked_slack(change, Mark.SMALL)
            to_members[change.place] = small_owed_to_members(change.count, owed[change.place])
        elif mark_of(change.count, first.audience) is Mark.HIDDEN:
            owed[change.place] = owed_to_outsiders(change.count)
            to_members[change.place] = owed_to_members(change.count)
    return Problem(
        edges=changes,
        shown={place: marked_slack(new[place], Mark.SHOWN) for place in wanted},
        unshown={
            change.place: (
                change.count.records if grows else new[change.place].count.records,
                UNBOUNDED,
            )
            for change in changes
        },
        owed=owed,
        owed_to_members=to_members,
        grows=grows,
    )


def _both(one: Slack, other: Slack) -> Slack:
    return min(one[0], other[0]), min(one[1], other[1])
