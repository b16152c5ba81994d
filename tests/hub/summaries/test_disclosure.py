"""Disclosure control: what may be shown, and that a reader who solves for the rest learns nothing."""

import itertools
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accord.hub.summaries.audit import (
    PROTECTION_PERCENT,
    Problem,
    Reader,
    exposed,
    marked_slack,
    owed_to_members,
    owed_to_outsiders,
    rest_of,
    safe_marks,
)
from accord.hub.summaries.cube import (
    COUNTRY_ROWS,
    KIND_ROWS,
    NETWORK_ROWS,
    ROLE_ROWS,
    TOTAL,
    Edge,
    Place,
    Table,
    count_tallies,
    places,
)
from accord.hub.summaries.disclosure import (
    Audience,
    Count,
    Mark,
    bounds,
    dominated,
    mark_of,
    rounded,
)
from accord.kernel.errors import Refused
from accord.kernel.identifiers import OrgId
from accord.kernel.indicators.kinds import Kind, Network
from accord.kernel.indicators.records import Role
from accord.kernel.statements.tally import Cell, Tally

EVEN = [f"org{number}@hub.test" for number in range(6)]
MORE = [*EVEN, *(f"org{number}@hub.test" for number in range(6, 20))]


def even(records: int, organisations: int = 6) -> Count:
    share, rest = divmod(records, organisations)
    return Count.of({org: share + (at < rest) for at, org in enumerate(EVEN[:organisations])})


@pytest.mark.parametrize(
    ("count", "members", "public"),
    [
        (even(0), Mark.SMALL, Mark.SMALL),
        (even(9), Mark.SMALL, Mark.SMALL),
        (even(10, 5), Mark.SHOWN, Mark.SHOWN),
        (even(1000), Mark.SHOWN, Mark.SHOWN),
        (even(1000, 4), Mark.SHOWN, Mark.HIDDEN),
        (even(1000, 3), Mark.SHOWN, Mark.HIDDEN),
        (even(1000, 2), Mark.HIDDEN, Mark.HIDDEN),
        (even(1000, 1), Mark.HIDDEN, Mark.HIDDEN),
        (Count.of({"a": 70, "b": 10, "c": 10, "d": 5, "e": 5}), Mark.SHOWN, Mark.SHOWN),
        (Count.of({"a": 71, "b": 10, "c": 9, "d": 5, "e": 5}), Mark.HIDDEN, Mark.HIDDEN),
        (Count.of({"a": 45, "b": 40, "c": 5, "d": 5, "e": 5}), Mark.SHOWN, Mark.SHOWN),
        (Count.of({"a": 46, "b": 40, "c": 5, "d": 5, "e": 4}), Mark.HIDDEN, Mark.HIDDEN),
        (Count.of({"a": 5, "b": 5, "c": 0, "d": 0}), Mark.HIDDEN, Mark.HIDDEN),
    ],
)
def test_a_count_is_shown_by_size_organisations_and_dominance(
    count: Count, members: Mark, public: Mark
) -> None:
    assert mark_of(count, Audience.MEMBERS) is members
    assert mark_of(count, Audience.PUBLIC) is public


@given(st.dictionaries(st.sampled_from(EVEN), st.integers(0, 60)))
def test_what_the_public_sees_members_see_too(given_by: dict[str, int]) -> None:
    count = Count.of(given_by)
    if mark_of(count, Audience.PUBLIC) is Mark.SHOWN:
        assert mark_of(count, Audience.MEMBERS) is Mark.SHOWN
        assert count.records >= 10
        assert len([n for n in given_by.values() if n]) >= 5
        assert not dominated(count)


@given(st.integers(0, 10**9))
def test_rounding_goes_to_the_next_multiple_of_five(records: int) -> None:
    assert rounded(records) % 5 == 0
    assert abs(rounded(records) - records) <= 2


@given(st.integers(0, 2000), st.sampled_from(Mark))
def test_a_readers_bounds_hold_the_truth(records: int, mark: Mark) -> None:
    if (mark is Mark.SMALL) != (records < 10):
        return
    low, high = bounds(mark, records)
    assert low <= records
    assert high is None or records <= high


def test_rows_are_fixed_before_any_data_is_seen() -> None:
    empty, full = count_tallies([]), count_tallies(sample(7))
    assert [edge.place for edge in empty] == [edge.place for edge in full]
    assert [place for place, _, _ in places()] == [edge.place for edge in full]
    assert len({edge.place for edge in full}) == len(full)
    assert len(full) == (
        1
        + len(COUNTRY_ROWS)
        + len(ROLE_ROWS)
        + len(KIND_ROWS)
        + len(ROLE_ROWS) * len(KIND_ROWS)
        + len(NETWORK_ROWS)
    )


def sample(seed: int, organisations: int = 6, scale: int = 40) -> list[Tally]:
    """Tallies of organisations that see much of a few things and little of many."""
    tallies = []
    for org in MORE[:organisations]:
        cells = []
        for kind, network, role, country in itertools.product(
            Kind, (Network.BTC, Network.EVM, Network.XMR), list(Role)[:5], ("NL", "DE", "FR", None)
        ):
            if kind not in {Kind.WALLET, Kind.TRANSACTION} and network is not Network.BTC:
                continue
            seed = seed * 6364136223846793005 + 1442695040888963407 & 0xFFFFFFFF
            records = (seed >> 16) % scale // (1 + (seed >> 8) % 19)
            if records:
                has_network = kind in {Kind.WALLET, Kind.TRANSACTION}
                cells.append(
                    Cell(
                        kind=kind,
                        network=network if has_network else None,
                        role=role,
                        country=country,
                        records=records,
                    )
                )
        tallies.append(
            Tally(
                org=OrgId(org),
                month="2026-03",
                created=0,
                cells=tuple(sorted(cells, key=lambda cell: cell.place)),
            )
        )
    return tallies


@pytest.mark.parametrize("seed", range(4))
def test_every_total_is_the_sum_of_its_counts(seed: int) -> None:
    edges = count_tallies(sample(seed))
    balance: dict[str, int] = {}
    for edge in edges:
        balance[edge.start] = balance.get(edge.start, 0) - edge.count.records
        balance[edge.end] = balance.get(edge.end, 0) + edge.count.records
    assert set(balance.values()) == {0}


def reader_of(edges: list[Edge], marks: dict[Place, Mark], *, third: str | None = None) -> Reader:
    slack = {edge.place: marked_slack(edge, marks[edge.place]) for edge in edges}
    return Reader(edges, slack, third=third)


def narrowed(edges: list[Edge], marks: dict[Place, Mark], owed: set[Place]) -> list[Place]:
    """The places about which an outsider learns too much from ``marks``."""
    promises = {
        edge.place: marked_slack(edge, Mark.SMALL)
        if marks[edge.place] is Mark.SMALL
        else owed_to_outsiders(edge.count)
        for edge in edges
        if marks[edge.place] is Mark.SMALL or edge.place in owed
    }
    slack = {edge.place: marked_slack(edge, marks[edge.place]) for edge in edges}
    problem = Problem(edges=edges, shown={}, unshown=slack, owed=promises, owed_to_members={})
    return exposed(problem, frozenset())


@dataclass
class Small:
    """A network small enough to try every table."""

    edges: list[Edge]
    marks: dict[Place, Mark]


def small(counts: list[int], hidden: set[int]) -> Small:
    """Two by two counts, their margins and the total: the smallest table with an inside."""
    a, b, c, d = counts
    shape = [
        (Place(Table.TOTAL, "all"), "sink", "source", a + b + c + d),
        (Place(Table.ROLE, "r1"), "source", "r1", a + b),
        (Place(Table.ROLE, "r2"), "source", "r2", c + d),
        (Place(Table.KIND_ROLE, "k1/r1"), "r1", "k1", a),
        (Place(Table.KIND_ROLE, "k2/r1"), "r1", "k2", b),
        (Place(Table.KIND_ROLE, "k1/r2"), "r2", "k1", c),
        (Place(Table.KIND_ROLE, "k2/r2"), "r2", "k2", d),
        (Place(Table.KIND, "k1"), "k1", "sink", a + c),
        (Place(Table.KIND, "k2"), "k2", "sink", b + d),
    ]
    edges = [
        Edge(place=place, start=start, end=end, count=even(records))
        for place, start, end, records in shape
    ]
    marks = {edge.place: mark_of(edge.count, Audience.MEMBERS) for edge in edges}
    for at in hidden:
        if marks[edges[at].place] is Mark.SHOWN:
            marks[edges[at].place] = Mark.HIDDEN
    return Small(edges=edges, marks=marks)


CAP = 45


def every_table(world: Small) -> list[dict[Place, int]]:
    """Every table that fits what is published, by trying all inner counts up to ``CAP``."""
    limits = {
        edge.place: bounds(world.marks[edge.place], edge.count.records) for edge in world.edges
    }

    def span(place: Place) -> range:
        low, high = limits[place]
        return range(low, (CAP if high is None else min(high, CAP)) + 1)

    inner = [edge.place for edge in world.edges[3:7]]
    fitting = []
    for a, b, c, d in itertools.product(*(span(place) for place in inner)):
        sums = (a + b + c + d, a + b, c + d, a, b, c, d, a + c, b + d)
        table = {edge.place: value for edge, value in zip(world.edges, sums, strict=True)}
        if all(
            limits[place][0] <= value and (limits[place][1] is None or value <= limits[place][1])
            for place, value in table.items()
        ):
            fitting.append(table)
    return fitting


@settings(max_examples=40)
@given(
    st.lists(st.integers(0, 24), min_size=4, max_size=4),
    st.sets(st.integers(0, 8), max_size=2),
)
def test_the_audit_finds_exactly_what_trying_every_table_finds(
    counts: list[int], hidden: set[int]
) -> None:
    world = small(counts, hidden)
    fitting = every_table(world)
    reader = reader_of(world.edges, world.marks)
    for edge in world.edges:
        low, high = reader.possible(edge.place)
        values = [table[edge.place] for table in fitting]
        assert low == min(values)
        capped = any(value >= CAP for table in fitting for value in table.values())
        if not capped:
            assert high == max(values)
        else:
            assert high >= max(values)


def test_a_hidden_count_that_its_total_gives_away_is_found() -> None:
    world = small([500, 20, 20, 20], hidden=set())
    place = Place(Table.KIND_ROLE, "k1/r1")
    world.marks[place] = Mark.HIDDEN
    low, high = reader_of(world.edges, world.marks).possible(place)
    assert 490 <= low <= 500 <= high <= 510
    assert narrowed(world.edges, world.marks, {place}) == [place]


def test_a_zero_that_its_total_gives_away_is_found_and_covered() -> None:
    world = small([0, 40, 40, 40], hidden=set())
    place = Place(Table.KIND_ROLE, "k1/r1")
    assert reader_of(world.edges, world.marks).possible(place)[1] < 9
    assert place in narrowed(world.edges, world.marks, set())
    assert narrowed(world.edges, safe_marks(world.edges, Audience.MEMBERS), set()) == []


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("audience", list(Audience))
def test_no_reader_narrows_down_what_a_release_hides(seed: int, audience: Audience) -> None:
    edges = count_tallies(sample(seed, scale=(20, 60, 200, 2000)[seed % 4]))
    marks = safe_marks(edges, audience)
    reader = reader_of(edges, marks)
    members = {org: reader_of(edges, marks, third=org) for org in EVEN}
    owed = {edge.place for edge in edges if mark_of(edge.count, audience) is Mark.HIDDEN}
    shown = 0
    for edge in edges:
        by_itself, mark = mark_of(edge.count, audience), marks[edge.place]
        assert mark is by_itself or (by_itself, mark) == (Mark.SHOWN, Mark.HIDDEN)
        low, high = reader.possible(edge.place)
        assert low <= edge.count.records <= high
        if mark is Mark.SMALL:
            assert (low, high) == (0, 9)
        elif edge.place in owed:
            margin = edge.count.records * PROTECTION_PERCENT / 100
            assert high - low >= 9
            assert high >= edge.count.records + margin
            assert low <= max(10, edge.count.records - margin)
            for org, (down, up) in owed_to_members(edge.count).items():
                assert members[org].room_below(edge.place, down) == down
                assert members[org].room_above(edge.place, up) == up
        shown += mark is Mark.SHOWN
    assert shown > 0


def test_two_members_are_owed_what_the_others_do_not_cover() -> None:
    three = Count.of({"a": 900, "b": 60, "c": 40})
    assert rest_of(three) == 40
    assert rest_of(three, third="a") == 900
    # Any two know the third's part.
    assert owed_to_members(three) == {"a": (135, 135), "b": (9, 9), "c": (6, 6)}
    four = Count.of({"a": 900, "b": 60, "c": 40, "d": 100})
    assert owed_to_members(four) == {"a": (95, 95)}
    assert owed_to_members(even(600)) == {}
    assert owed_to_members(Count.of({})) == {}


def test_a_dominant_organisation_stays_hidden_through_all_tables() -> None:
    tallies = sample(3, scale=200)
    big = Cell(kind=Kind.DOMAIN, role=Role.STOREFRONT, country="US", records=90_000)
    first = tallies[0]
    tallies[0] = Tally(org=first.org, month=first.month, created=0, cells=(*first.cells, big))
    edges = count_tallies(tallies)
    reader = reader_of(edges, marks := safe_marks(edges, Audience.MEMBERS))
    for place in (Place(Table.COUNTRY, "US"), Place(Table.KIND, "domain"), TOTAL):
        assert marks[place] is Mark.HIDDEN
        low, high = reader.possible(place)
        assert high - low > 20_000


def test_nothing_sent_is_nothing_told() -> None:
    marks = safe_marks(count_tallies([]), Audience.MEMBERS)
    assert set(marks.values()) == {Mark.SMALL}


def test_a_release_that_cannot_be_made_safe_is_refused() -> None:
    edges = [
        Edge(place=Place(Table.TOTAL, "all"), start="sink", end="source", count=even(99, 1)),
        *(
            Edge(place=Place(Table.ROLE, str(at)), start="source", end="sink", count=even(9, 1))
            for at in range(11)
        ),
    ]
    with pytest.raises(Refused, match="summary_unsafe"):
        safe_marks(edges, Audience.MEMBERS)
