"""What a reader can work out from a release, exactly, and what must be hidden besides.

The reader knows every mark, every shown value and its rounding, and that all tables count the
same records. The counts that fit are the integer flows in the network of ``cube`` within
``disclosure.bounds``; its matrix is totally unimodular, so the smallest and largest flow through
an edge are exactly what linear programming would give, and are integers. They are found from the
true flow by augmenting paths.

A release is safe when
(1) each ``<10`` may still be anything from 0 to 9, and
(2) each count that was hidden for its organisations' sake may still be 15 % larger or smaller, and
    has at least ten possible values.
Where that fails, a shown count that gives it away is hidden too, and the question is asked anew.
Each round hides one more, so this ends; when nothing is left to hide, nothing is released.
"""

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from itertools import pairwise

from accord.hub.summaries.cube import Edge, Place
from accord.hub.summaries.disclosure import MIN_RECORDS, Audience, Mark, bounds, mark_of
from accord.kernel.errors import Refused

PROTECTION_PERCENT = 15
"""How much larger or smaller a hidden count must still be possible to be."""

MIN_WIDTH = 10
"""Fewest possible values of a hidden count."""

_UNBOUNDED = 10**18

Marks = Mapping[Place, Mark]


class Reader:
    """Someone who has read a release and solves for what it hides.

    Args:
        edges: the network with its true counts.
        marks: what the release says of each place.
    """

    def __init__(self, edges: Sequence[Edge], marks: Marks) -> None:
        """Lay out the residual network of the true flow."""
        self._edges = {edge.place: edge for edge in edges}
        self._marks = marks
        self._residual: defaultdict[str, defaultdict[str, int]] = defaultdict(
            lambda: defaultdict(int)
        )
        for edge in edges:
            down, up = self._slack(edge.place)
            self._residual[edge.start][edge.end] += up
            self._residual[edge.end][edge.start] += down

    def possible(self, place: Place) -> tuple[int, int]:
        """Return the smallest and largest count that ``place`` may have."""
        down, up = self._slack(place)
        return self.at_least(place, down), self.at_most(place, up)

    def at_most(self, place: Place, wanted: int) -> int:
        """Return how large the count may be, looking no further than ``wanted`` above the truth."""
        edge, (down, up) = self._edges[place], self._slack(place)
        more = self._reach(edge.end, edge.start, min(up, wanted), without=down)
        return edge.count.records + more

    def at_least(self, place: Place, wanted: int) -> int:
        """Return how small the count may be, looking no further than ``wanted`` below the truth."""
        edge, (down, up) = self._edges[place], self._slack(place)
        less = self._reach(edge.start, edge.end, min(down, wanted), without=up)
        return edge.count.records - less

    def _slack(self, place: Place) -> tuple[int, int]:
        records = self._edges[place].count.records
        low, high = bounds(self._marks[place], records)
        return records - low, _UNBOUNDED if high is None else high - records

    def _reach(self, start: str, end: str, wanted: int, *, without: int) -> int:
        """Return how much can flow from ``start`` to ``end``, up to ``wanted``.

        ``without`` is the judged edge's own residual in this direction, which does not count.
        """
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


def exposed(edges: Sequence[Edge], marks: Marks, owed: frozenset[Place]) -> list[Place]:
    """Return the places about which a reader learns too much.

    Args:
        edges: the network with its true counts.
        marks: what the release would say.
        owed: places that are hidden for their organisations' sake and need rule (2).
    """
    reader = Reader(edges, marks)
    found = []
    judged: dict[tuple[str, str, int, bool], bool] = {}
    for edge in edges:
        if marks[edge.place] is Mark.SHOWN or (
            marks[edge.place] is Mark.HIDDEN and edge.place not in owed
        ):
            continue
        small = marks[edge.place] is Mark.SMALL
        # Parallel edges with the same bounds and flow have the same range.
        key = (edge.start, edge.end, edge.count.records, small)
        if key not in judged:
            judged[key] = _too_narrow(reader, edge, small=small)
        if judged[key]:
            found.append(edge.place)
    return found


def _too_narrow(reader: Reader, edge: Edge, *, small: bool) -> bool:
    records = edge.count.records
    low, high = _owed_range(records, small=small)
    return (
        reader.at_most(edge.place, high - records) < high
        or reader.at_least(edge.place, records - low) > low
    )


def _owed_range(records: int, *, small: bool) -> tuple[int, int]:
    if small:
        return 0, MIN_RECORDS - 1
    margin = -(-records * PROTECTION_PERCENT // 100)
    low = max(MIN_RECORDS, records - margin)
    return low, max(records + margin, low + MIN_WIDTH - 1)


def safe_marks(edges: Sequence[Edge], audience: Audience) -> dict[Place, Mark]:
    """Return what ``audience`` may see of each place, so that the whole release is safe.

    Raises:
        Refused: ``summary_unsafe`` when even hiding every count would tell too much.
    """
    marks = {edge.place: mark_of(edge.count, audience) for edge in edges}
    owed = frozenset(place for place, mark in marks.items() if mark is Mark.HIDDEN)
    by_place = {edge.place: edge for edge in edges}
    while found := exposed(edges, marks, owed):
        shown = [edge for edge in edges if marks[edge.place] is Mark.SHOWN]
        if not shown:
            raise Refused(
                "summary_unsafe",
                "No table of this period can be shown without telling too much.",
                next_step="Wait for a period with more tallies.",
            )
        accomplice = _accomplice(shown, by_place[found[0]], small=found[0] not in owed)
        marks[accomplice.place] = Mark.HIDDEN
    return marks


def _accomplice(shown: Sequence[Edge], victim: Edge, *, small: bool) -> Edge:
    """Return the shown count to hide next.

    Those of the victim's own table and sums come first; then those that are large enough to cover
    for it by themselves; then the smallest, so that the least is lost.
    """
    low, high = _owed_range(victim.count.records, small=small)
    need = MIN_RECORDS + max(high - victim.count.records, victim.count.records - low)
    nodes = {victim.start, victim.end}

    def cost(edge: Edge) -> tuple[bool, bool, bool, int, Place]:
        large_enough = edge.count.records >= need
        return (
            edge.place.table is not victim.place.table,
            not nodes & {edge.start, edge.end},
            not large_enough,
            edge.count.records if large_enough else -edge.count.records,
            edge.place,
        )

    return min(shown, key=cost)
