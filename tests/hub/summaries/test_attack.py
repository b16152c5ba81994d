"""Five months, a correction and a quarter, attacked at once with linear programming.

The attacker has everything that members and the public can read, and is an outsider or any two
members. What a release promises must hold against all of it together; and each weakness that we
plant is found, so the attack is one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pytest
from tests.hub.summaries.attacker import Attacker, own_counts
from tests.hub.summaries.test_disclosure import EVEN, sample

from accord.hub.summaries import Audience, Figure, Mark, Release
from accord.hub.summaries.amendment import make_amendment
from accord.hub.summaries.cube import Edge, Place, count_tallies
from accord.hub.summaries.disclosure import Count, mark_of, rounded
from accord.hub.summaries.quarter import Month, make_quarter
from accord.hub.summaries.release import make_release
from accord.kernel.errors import Refused
from accord.kernel.statements.tally import Tally

NOW = 1_900_000_000
MONTHS = ("2026-07", "2026-08", "2026-09", "2026-10", "2026-11")
CORRECTED = "2026-08"
LATE = 4
"""How many organisations send a month's tally after its release."""
SOME = 3
"""Counts of each sort that are attacked; each is two programmes for each coalition."""


@dataclass
class Story:
    """What was sent, what was released; ``first`` lacks what came late."""

    first: dict[str, list[Tally]]
    newest: dict[str, list[Tally]]
    releases: dict[str, Release]
    amended: Release
    quarter: Release


def tallies(month: str, seed: int) -> list[Tally]:
    return [replace(tally, month=month) for tally in sample(seed, organisations=10, scale=150)]


def told(
    *,
    marks: Callable[[Sequence[Tally], str], Release] | None = None,
    amend: Callable[..., Release] = make_amendment,
    late: int = LATE,
) -> Story:
    make = marks or (
        lambda given, month: make_release(given, month=month, audience=Audience.MEMBERS, now=NOW)
    )
    newest = {month: tallies(month, seed) for seed, month in enumerate(MONTHS, 1)}
    first = newest | {CORRECTED: newest[CORRECTED][late:]}
    releases = {month: make(first[month], month) for month in MONTHS}
    amended = releases[CORRECTED]
    if late:
        amended = amend(amended, before=first[CORRECTED], after=newest[CORRECTED], now=NOW)
    months = [
        Month(
            release=amended if month == CORRECTED else releases[month],
            first=tuple(first[month]),
            newest=tuple(newest[month]),
        )
        for month in MONTHS[:3]
    ]
    quarter = make_quarter("2026-Q3", months, now=NOW)
    return Story(first=first, newest=newest, releases=releases, amended=amended, quarter=quarter)


@pytest.fixture(scope="module")
def story() -> Story:
    return told()


@dataclass
class Read:
    """All that was published, read by ``members`` (none for an outsider)."""

    solver: Attacker
    months: dict[str, dict[Place, int]]
    later: dict[Place, int]


def read_all(story: Story, members: Sequence[str]) -> Read:
    solver = Attacker()
    months = {}
    for month in MONTHS:
        given = story.first[month]
        places = solver.network(count_tallies(given), own_counts(given, members))
        solver.read_release(places, story.releases[month])
        months[month] = places
    after = story.newest[CORRECTED]
    mine, mine_before = own_counts(after, members), own_counts(story.first[CORRECTED], members)
    later = solver.network(count_tallies(after), mine)
    solver.read_release(later, story.amended, since=2)
    added = {place: records - mine_before.get(place, 0) for place, records in mine.items()}
    solver.grows(months[CORRECTED], later, added)
    for place, figure in story.quarter.figures.items():
        if figure.value is not None:
            # A figure that the correction left lies 2 from the first count, the others from the new.
            second = story.amended.figures[place].since == 2
            variables = [
                (later if second and month == CORRECTED else months[month])[place]
                for month in MONTHS[:3]
            ]
            solver.read_sum(variables, figure.value - 6, figure.value + 6)
    return Read(solver=solver, months=months, later=later)


def largest(count: Count) -> list[str]:
    return sorted(count.by_organisation, key=lambda org: -count.by_organisation[org])


def changed(story: Story) -> list[Edge]:
    """By how much each count grew, and whose part of it."""
    old, new = count_tallies(story.first[CORRECTED]), count_tallies(story.newest[CORRECTED])
    return [
        replace(
            edge,
            count=Count.of(
                {
                    org: part - before.count.by_organisation.get(org, 0)
                    for org, part in edge.count.by_organisation.items()
                }
            ),
        )
        for before, edge in zip(old, new, strict=True)
    ]


def judged(edges: Sequence[Edge], hidden: Mapping[Place, bool]) -> Iterator[tuple[Edge, list[str]]]:
    """Some counts that are owed protection, each with the coalition that is worst for it."""
    owed = [
        e for e in edges if hidden[e.place] and mark_of(e.count, Audience.MEMBERS) is Mark.HIDDEN
    ]
    few = [e for e in edges if hidden[e.place] and 0 < e.count.records < 10]
    none = [e for e in edges if hidden[e.place] and e.count.records == 0]
    for edge in (*owed[:SOME], *few[:SOME], *none[:2]):
        # The second and third of a dominated count want the first's part.
        yield edge, largest(edge.count)[1:3]


def leaks(edge: Edge, low: float, high: float, *, members: Sequence[str], most: float) -> list[str]:
    """What one span of one count tells too much, in words."""
    count, records = edge.count, edge.count.records
    found = []
    if records < 10:
        mine = sum(count.by_organisation.get(org, 0) for org in members)
        if low > mine + 1e-6 or high < min(9, most) - 1e-6:
            found.append(f"{edge.place}: {low}..{high} of 0..9")
    elif not members:
        if low > max(10, 0.85 * records) + 1e-6 or high < 1.15 * records - 1e-6:
            found.append(f"{edge.place}: {low}..{high} around {records}")
    else:
        mine = sum(count.by_organisation.get(org, 0) for org in members)
        third = max(part for org, part in count.by_organisation.items() if org not in members)
        if high - mine < 1.15 * third - 1e-6:
            found.append(f"{edge.place}: at most {high - mine}, one gave {third}")
    return found


def attack(story: Story) -> Iterator[str]:
    """Yield what the attackers learn and should not."""
    readers: dict[tuple[str, ...], Read] = {}

    def reader(members: Sequence[str]) -> Read:
        key = tuple(sorted(members))
        if key not in readers:
            readers[key] = read_all(story, key)
        return readers[key]

    for month in MONTHS:
        figures = story.releases[month].figures
        hidden = {place: figure.mark is not Mark.SHOWN for place, figure in figures.items()}
        for edge, coalition in judged(count_tallies(story.first[month]), hidden):
            for members in ((), coalition) if coalition else ((),):
                read = reader(members)
                low, high = read.solver.span({read.months[month][edge.place]: 1.0})
                yield from leaks(edge, low, high, members=members, most=9)
    kept = {place: figure.since == 1 for place, figure in story.amended.figures.items()}
    for edge, coalition in judged(changed(story), kept):
        for members in ((), coalition) if coalition else ((),):
            read = reader(members)
            terms = {read.later[edge.place]: 1.0, read.months[CORRECTED][edge.place]: -1.0}
            low, high = read.solver.span(terms)
            yield from leaks(edge, low, high, members=members, most=9)


def test_nothing_that_is_hidden_comes_back_from_all_releases_together(story: Story) -> None:
    assert story.amended.corrected > 5
    assert story.quarter.shown > 5
    assert list(attack(story)) == []


def every_count_by_itself(given: Sequence[Tally], month: str) -> Release:
    """A planted weakness: thresholds and rounding, and nothing hidden besides."""
    figures = {}
    for edge in count_tallies(given):
        mark = mark_of(edge.count, Audience.MEMBERS)
        value = rounded(edge.count.records) if mark is Mark.SHOWN else None
        figures[edge.place] = Figure(mark=mark, value=value)
    return Release(
        period=month,
        audience=Audience.MEMBERS,
        version=1,
        made=NOW,
        organisations=len(given),
        figures=figures,
    )


def correct_everything(
    first: Release, *, before: Sequence[Tally], after: Sequence[Tally], now: int
) -> Release:
    """A planted weakness: the second version looks at itself alone, not at what changed."""
    del before
    second = make_release(after, month=first.period, audience=first.audience, now=now)
    figures = {
        place: replace(figure, since=2)
        if figure.mark is Mark.SHOWN and first.figures[place].mark is Mark.SHOWN
        else first.figures[place]
        for place, figure in second.figures.items()
    }
    return replace(first, version=2, figures=figures)


def test_rules_for_single_counts_alone_are_caught() -> None:
    assert next(attack(told(marks=every_count_by_itself, late=0)), None) is not None


def test_a_correction_that_ignores_what_changed_is_caught() -> None:
    assert next(attack(told(amend=correct_everything, late=1)), None) is not None


def test_a_quarter_of_true_counts_is_caught(story: Story) -> None:
    """A planted weakness: a count that one month hides is told as part of its quarter."""
    figures = dict(story.quarter.figures)
    true = dict.fromkeys(figures, 0)
    for month in MONTHS[:3]:
        for edge in count_tallies(story.first[month]):
            if edge.place in true:
                true[edge.place] += edge.count.records
    hidden = [
        place
        for place in figures
        if sum(story.releases[m].figures[place].mark is Mark.HIDDEN for m in MONTHS[:3]) == 1
        and story.amended.figures[place].since == 1
    ]
    for place in hidden:
        figures[place] = Figure(mark=Mark.SHOWN, value=rounded(true[place]))
    weak = replace(story, quarter=replace(story.quarter, figures=figures))
    read = read_all(weak, ())
    spans = []
    for place in hidden:
        (month,) = [m for m in MONTHS[:3] if story.releases[m].figures[place].mark is Mark.HIDDEN]
        low, high = read.solver.span({read.months[month][place]: 1.0})
        spans.append(high - low)
    assert hidden
    assert min(spans) <= 24


def test_one_late_tally_changes_no_figure() -> None:
    """Else the difference of two versions would be that organisation's tally."""
    month = MONTHS[0]
    given = tallies(month, 1)
    first = make_release(given[1:], month=month, audience=Audience.MEMBERS, now=NOW)
    with pytest.raises(Refused, match="amendment_too_few"):
        make_amendment(first, before=given[1:], after=given, now=NOW)
    two = make_release(given[2:], month=month, audience=Audience.MEMBERS, now=NOW)
    with pytest.raises(Refused, match="amendment_too_few"):
        make_amendment(two, before=given[2:], after=given, now=NOW)


def test_a_correction_says_what_it_changed_and_leaves_the_rest(story: Story) -> None:
    first, second = story.releases[CORRECTED], story.amended
    assert (second.version, second.period) == (2, first.period)
    true = {edge.place: edge.count.records for edge in count_tallies(story.newest[CORRECTED])}
    for place, figure in second.figures.items():
        if figure.since == 2:
            assert first.figures[place].mark is Mark.SHOWN
            assert figure.value == rounded(true[place])
        else:
            assert figure == first.figures[place]


def test_a_quarter_is_a_function_of_what_its_months_show(story: Story) -> None:
    months = [
        story.amended if month == CORRECTED else story.releases[month] for month in MONTHS[:3]
    ]
    for place, figure in story.quarter.figures.items():
        three = [month.figures[place] for month in months]
        if figure.mark is Mark.SHOWN:
            assert figure.value == sum(one.value or 0 for one in three)
            assert all(one.mark is Mark.SHOWN for one in three)
        assert (figure.mark is Mark.SMALL) == all(one.mark is Mark.SMALL for one in three)
    assert set(EVEN) <= {tally.org for tally in story.first[MONTHS[0]]}
