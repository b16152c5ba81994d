"""What a reader can work out from releases, exactly or at worst, and what must be hidden besides.

The reader knows every mark, every shown value and its rounding, and that all tables count the
same records. The counts that fit are the integer flows in the network of ``cube`` within what each
mark allows; its matrix is totally unimodular, so the smallest and largest flow through an edge are
exactly what linear programming would give, and are integers. They are found from the true flow by
augmenting paths.

Two sorts of reader are asked: an outsider, and any two members who put together what they sent and
want to know a third's part. The second are asked at worst: no count may fall below what the two
largest of its other organisations gave, whoever they are at each count.

A ``Problem`` says how far each count may move and how far it must be able to move; several problems
may share what is shown (a month and its correction). What is shown is taken back, one count at a
time, until every promise holds. Each round takes one away, so this ends; when nothing is left to
take, nothing is released.
"""

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from accord.hub.summaries.cube import Edge, Place
from accord.hub.summaries.disclosure import MIN_RECORDS, Audience, Count, Mark, bounds, mark_of
from accord.kernel.errors import Refused

PROTECTION_PERCENT = 15
"""How much larger or smaller a hidden count must still be possible to be."""

MIN_WIDTH = 10
"""Fewest possible values of a hidden count."""

UNBOUNDED = 10**18

EVERYBODY = ""
"""Stands for no third organisation in particular."""

Slack = tuple[int, int]
"""How far a count may lie below and above the truth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One network of sums, as far as a reader can see into it.

    Attributes:
        edges: the network with its true counts.
        shown: slack of each place that can be shown, while it is.
        unshown: slack of each place while it is not shown.
        owed: how far a count must be able to move for an outsider.
        owed_to_members: the same for two members together, by the third whom it protects;
            ``EVERYBODY`` where it must hold whoever the two are.
        grows: no part of a count is negative, so that what two members sent is a lower bound.
    """

    edges: Sequence[Edge]
    shown: Mapping[Place, Slack]
    unshown: Mapping[Place, Slack]
    owed: Mapping[Place, Slack]
    owed_to_members: Mapping[Place, Mapping[str, Slack]]
    grows: bool = True

    def slack(self, shown: frozenset[Place]) -> dict[Place, Slack]:
        """Return the slack of every place when ``shown`` are."""
        return {
            edge.place: (self.shown if edge.place in shown else self.unshown)[edge.place]
            for edge in self.edges
        }


class Reader:
    """Someone who has read releases and solves for what they hide.

    Args:
        edges: the network with its true counts.
        slack: how far each count may move as far as the marks tell.
        third: when two members put together what they sent, whose part they want to know.
    """

    def __init__(
        self, edges: Sequence[Edge], slack: Mapping[Place, Slack], *, third: str | None = None
    ) -> None:
        """Lay out the residual network of the true flow."""
        self._edges = {edge.place: edge for edge in edges}
        self._slack = slack
        self._moves: dict[Place, Slack] = {}
        self._residual: defaultdict[str, defaultdict[str, int]] = defaultdict(
            lambda: defaultdict(int)
        )
        for edge in edges:
            down, up = slack[edge.place]
            if third is not None:
                down = min(down, rest_of(edge.count, third=third))
            self._moves[edge.place] = (down, up)
            self._residual[edge.start][edge.end] += up
            self._residual[edge.end][edge.start] += down

    def possible(self, place: Place) -> tuple[int, int]:
        """Return the smallest and largest count that ``place`` may have."""
        down, up = self._slack[place]
        records = self._edges[place].count.records
        return records - self.room_below(place, down), records + self.room_above(place, up)

    def room_above(self, place: Place, wanted: int) -> int:
        """Return by how much the count may be larger, looking no further than ``wanted``."""
        edge = self._edges[place]
        limit = min(self._slack[place][1], wanted)
        return self._reach(edge.end, edge.start, limit, without=self._moves[place][0])

    def room_below(self, place: Place, wanted: int) -> int:
        """Return by how much the count may be smaller, looking no further than ``wanted``."""
        edge = self._edges[place]
        limit = min(self._slack[place][0], wanted)
        return self._reach(edge.start, edge.end, limit, without=self._moves[place][1])

    def key(self, place: Place) -> tuple[str, str, Slack, Slack]:
        """Return what parallel edges share whose room is the same."""
        edge = self._edges[place]
        return edge.start, edge.end, self._slack[place], self._moves[place]

    def _reach(self, start: str, end: str, wanted: int, *, without: int) -> int:
        """Return how much can flow from ``start`` to ``end``, up to ``wanted``.

        ``without`` is the judged edge's own residual in this direction, which does not count.
        """
        if wanted <= 0:
            return 0
        residual = {node: dict(others) for node, others in self._residual.items()}
        residual[start][end] -= without
        found = 0
        while found < wanted:
            path = _path(residual, start, end)
            if path is None:
                break
            steps = list(pairwise(path))
            amount = min(wanted - found, *(residual[a][b] for a, b in steps))
            for a, b in steps:
                residual[a][b] -= amount
                residual[b][a] = residual[b].get(a, 0) + amount
            found += amount
        return found


def _path(residual: Mapping[str, Mapping[str, int]], start: str, end: str) -> list[str] | None:
    before: dict[str, str] = {start: start}
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        for other, capacity in residual[node].items():
            if capacity > 0 and other not in before:
                before[other] = node
                if other == end:
                    path = [end]
                    while path[-1] != start:
                        path.append(before[path[-1]])
                    return path[::-1]
                waiting.append(other)
    return None


def rest_of(count: Count, *, third: str = EVERYBODY) -> int:
    """Return what all but the two largest organisations gave, ``third`` not counted as one."""
    others = sorted(part for org, part in count.by_organisation.items() if org != third)
    return count.records - sum(others[-2:])


def marked_slack(edge: Edge, mark: Mark) -> Slack:
    """Return how far a count may move when a reader sees ``mark`` of it."""
    records = edge.count.records
    low, high = bounds(mark, records)
    return records - low, UNBOUNDED if high is None else high - records


def owed_to_outsiders(count: Count) -> Slack:
    """Return how far a count that is hidden for its organisations' sake must be able to move."""
    margin = -(-count.records * PROTECTION_PERCENT // 100)
    low = max(MIN_RECORDS, count.records - margin)
    high = max(count.records + margin, low + MIN_WIDTH - 1)
    return count.records - low, high - count.records


def owed_to_members(count: Count) -> dict[str, Slack]:
    """Return how far it must move lest two members learn a third's part to within 15 %.

    What the others give covers for it by itself; only what that lacks is owed.
    """
    found = {}
    for org, part in count.by_organisation.items():
        others = rest_of(count, third=org) - part
        need = -(-part * PROTECTION_PERCENT // 100) - others
        if need > 0:
            found[org] = (need, need)
    return found


def small_owed_to_members(count: Count, owed: Slack) -> dict[str, Slack]:
    """Return the same for a count of few: each part may be nothing, the count as many as may be.

    Args:
        count: the few.
        owed: what is owed to outsiders.
    """
    parts = {org: (part, owed[1]) for org, part in count.by_organisation.items()}
    return parts or {EVERYBODY: owed}


def month_problem(edges: Sequence[Edge], audience: Audience) -> tuple[Problem, dict[Place, Mark]]:
    """Return the problem of one period by itself, and the marks of its counts by themselves."""
    marks = {edge.place: mark_of(edge.count, audience) for edge in edges}
    owed: dict[Place, Slack] = {}
    to_members: dict[Place, Mapping[str, Slack]] = {}
    for edge in edges:
        if marks[edge.place] is Mark.SMALL:
            owed[edge.place] = marked_slack(edge, Mark.SMALL)
            to_members[edge.place] = small_owed_to_members(edge.count, owed[edge.place])
        elif marks[edge.place] is Mark.HIDDEN:
            owed[edge.place] = owed_to_outsiders(edge.count)
            to_members[edge.place] = owed_to_members(edge.count)
    unshown = {
        edge.place: marked_slack(
            edge, Mark.SMALL if marks[edge.place] is Mark.SMALL else Mark.HIDDEN
        )
        for edge in edges
    }
    shown = {
        edge.place: marked_slack(edge, Mark.SHOWN)
        for edge in edges
        if marks[edge.place] is Mark.SHOWN
    }
    problem = Problem(
        edges=edges, shown=shown, unshown=unshown, owed=owed, owed_to_members=to_members
    )
    return problem, marks


def exposed(problem: Problem, shown: frozenset[Place]) -> list[Place]:
    """Return the places about which an outsider or two members learn too much."""
    slack = problem.slack(shown)
    found: dict[Place, None] = dict.fromkeys(_narrow(Reader(problem.edges, slack), problem.owed))
    thirds = {third for owed in problem.owed_to_members.values() for third in owed}
    for third in sorted(thirds):
        owed = {
            place: parts[third]
            for place, parts in problem.owed_to_members.items()
            if third in parts
        }
        reader = Reader(problem.edges, slack, third=third if problem.grows else None)
        found |= dict.fromkeys(_narrow(reader, owed))
    return list(found)


def _narrow(reader: Reader, owed: Mapping[Place, Slack]) -> list[Place]:
    """Return the places of ``owed`` that cannot move as far as they must."""
    found = []
    judged: dict[tuple[object, Slack], bool] = {}
    for place, (down, up) in owed.items():
        key = (reader.key(place), (down, up))
        if key not in judged:
            judged[key] = reader.room_above(place, up) < up or reader.room_below(place, down) < down
        if judged[key]:
            found.append(place)
    return found


def protect(problems: Sequence[Problem], shown: frozenset[Place]) -> frozenset[Place]:
    """Return which of ``shown`` may be shown, so that every promise of every problem holds.

    Raises:
        Refused: ``summary_unsafe`` when even showing nothing would tell too much.
    """
    waiting = list(problems)
    while waiting:
        problem = waiting[0]
        found = exposed(problem, shown)
        if not found:
            waiting.pop(0)
            continue
        candidates = [edge for edge in problem.edges if edge.place in shown]
        if not candidates:
            raise Refused(
                "summary_unsafe",
                "No table of this period can be shown without telling too much.",
                next_step="Wait for a period with more tallies.",
            )
        by_place = {edge.place: edge for edge in problem.edges}
        need = sum(problem.owed.get(found[0], (0, 0)))
        shown -= {_accomplice(candidates, by_place[found[0]], need).place}
        waiting = list(problems)
    return shown


def safe_marks(edges: Sequence[Edge], audience: Audience) -> dict[Place, Mark]:
    """Return what ``audience`` may see of each place, so that the whole release is safe.

    Raises:
        Refused: ``summary_unsafe``.
    """
    problem, marks = month_problem(edges, audience)
    shown = protect([problem], frozenset(problem.shown))
    return {
        place: Mark.HIDDEN if mark is Mark.SHOWN and place not in shown else mark
        for place, mark in marks.items()
    }


def _accomplice(shown: Sequence[Edge], victim: Edge, need: int) -> Edge:
    """Return the shown count to hide next.

    Those of the victim's own table and sums come first; then those that are large enough to cover
    for it by themselves; then the smallest, so that the least is lost.
    """
    nodes = {victim.start, victim.end}

    def cost(edge: Edge) -> tuple[bool, bool, bool, int, Place]:
        large_enough = rest_of(edge.count) >= MIN_RECORDS + need
        records = edge.count.records
        return (
            edge.place.table is not victim.place.table,
            not nodes & {edge.start, edge.end},
            not large_enough,
            records if large_enough else -records,
            edge.place,
        )

    return min(shown, key=cost)
