"""A reader with a linear-programming solver: everything that was published, as equations.

He knows the network of sums, each mark with its rounding, both versions of a corrected month, the
public's quarter beside its months, that late tallies only add, and what up to two members sent
themselves. He asks of each count how small and how large it can be (HiGHS). Nothing of our audit
is used here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from accord.hub.summaries import Mark, Release
from accord.hub.summaries.cube import Edge, Place, count_tallies
from accord.kernel.statements.tally import Tally

Counts = Mapping[Place, int]


def own_counts(tallies: Iterable[Tally], members: Iterable[str]) -> Counts:
    """What ``members`` sent themselves, place by place."""
    wanted = set(members)
    return {
        edge.place: edge.count.records
        for edge in count_tallies(t for t in tallies if t.org in wanted)
    }


@dataclass
class Attacker:
    """Variables, equations and bounds; ``network`` adds a period, ``read`` what is told of it."""

    low: list[float] = field(default_factory=list)
    high: list[float | None] = field(default_factory=list)
    equal: list[dict[int, float]] = field(default_factory=list)
    at_most: list[tuple[dict[int, float], float]] = field(default_factory=list)
    built: dict[str, Any] = field(default_factory=dict)
    """The matrices, once all is read."""

    def network(self, edges: Sequence[Edge], own: Counts) -> dict[Place, int]:
        """Add a period's counts: none below what the attackers sent, and sums that hold."""
        places = {}
        sums: dict[str, dict[int, float]] = {}
        for edge in edges:
            variable = places[edge.place] = len(self.low)
            self.low.append(own.get(edge.place, 0))
            self.high.append(None)
            for node, sign in ((edge.start, -1.0), (edge.end, 1.0)):
                row = sums.setdefault(node, {})
                row[variable] = row.get(variable, 0.0) + sign
        self.equal += sums.values()
        return places

    def read(self, variable: int, low: float, high: float | None) -> None:
        """Learn that a count lies between ``low`` and ``high``."""
        self.low[variable] = max(self.low[variable], low)
        known = self.high[variable]
        if high is not None:
            self.high[variable] = high if known is None else min(known, high)

    def read_release(
        self, places: Mapping[Place, int], release: Release, *, since: int = 1
    ) -> None:
        """Learn what a version says of the counts ``places``; ``since`` picks corrected figures."""
        for place, figure in release.figures.items():
            if figure.since != since:
                continue
            if figure.mark is Mark.SMALL:
                self.read(places[place], 0, 9)
            elif figure.mark is Mark.HIDDEN:
                self.read(places[place], 10, None)
            else:
                assert figure.value is not None
                self.read(places[place], max(10, figure.value - 2), figure.value + 2)

    def grows(self, old: Mapping[Place, int], new: Mapping[Place, int], by: Counts) -> None:
        """Learn that the second version only adds, and at least what the attackers added."""
        for place, variable in old.items():
            self.at_most.append(({variable: 1.0, new[place]: -1.0}, -by.get(place, 0)))

    def read_sum(self, variables: Sequence[int], low: float, high: float) -> None:
        """Learn that a sum lies between ``low`` and ``high``."""
        self.at_most.append((dict.fromkeys(variables, 1.0), high))
        self.at_most.append((dict.fromkeys(variables, -1.0), -low))

    def span(self, terms: Mapping[int, float]) -> tuple[float, float]:
        """How small and how large the sum of ``terms`` can be."""
        cost = np.zeros(len(self.low))
        for variable, weight in terms.items():
            cost[variable] = weight
        if not self.built:
            self.built = {
                "A_eq": self._matrix(self.equal),
                "b_eq": np.zeros(len(self.equal)),
                "bounds": list(zip(self.low, self.high, strict=True)),
            }
            if self.at_most:
                self.built["A_ub"] = self._matrix([row for row, _ in self.at_most])
                self.built["b_ub"] = [limit for _, limit in self.at_most]
        ends = []
        for sign in (1.0, -1.0):
            found = linprog(sign * cost, method="highs", **self.built)
            assert found.status in {0, 3}, found.message  # 3: without bound
            ends.append(sign * found.fun if found.status == 0 else -sign * np.inf)
        return ends[0], ends[1]

    def _matrix(self, rows: Sequence[Mapping[int, float]]) -> csr_array:
        places = [
            (at, variable, weight)
            for at, row in enumerate(rows)
            for variable, weight in row.items()
        ]
        at, variable, weight = zip(*places, strict=True)
        return csr_array((weight, (at, variable)), shape=(len(rows), len(self.low)))
