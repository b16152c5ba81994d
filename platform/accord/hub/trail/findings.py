"""What a self-audit found: where, and what was seen there, up to a bound for each place."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

MAX_EACH = 20
"""Findings that are told of one check; the others are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that does not fit: ``check`` is a stable code, ``observed`` names the row."""

    check: str
    observed: str


class Findings:
    """Collects findings; ``looked`` counts what was compared."""

    def __init__(self) -> None:
        """Begin with none."""
        self._found: list[Finding] = []
        self._counts: Counter[str] = Counter()
        self.looked: Counter[str] = Counter()

    def add(self, check: str, observed: str) -> None:
        """Note that ``check`` failed."""
        self._counts[check] += 1
        if self._counts[check] <= MAX_EACH:
            self._found.append(Finding(check=check, observed=observed))

    def unless(self, holds: bool, check: str, observed: str) -> None:  # noqa: FBT001 - reads as said
        """Note that ``check`` failed unless it holds."""
        if not holds:
            self.add(check, observed)

    @property
    def all(self) -> Sequence[Finding]:
        """Return the findings, at most ``MAX_EACH`` of each check."""
        return tuple(self._found)

    @property
    def count(self) -> int:
        """Return how many there were."""
        return self._counts.total()

    def words(self) -> str:
        """Return the checks that failed with their counts, for an event."""
        return " ".join(f"{check}={count}" for check, count in sorted(self._counts.items()))
