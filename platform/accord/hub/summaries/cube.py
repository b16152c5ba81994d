"""The pre-declared tables, as one network of sums.

Every table of a release counts the same records: by country, by role, by kind, by kind and role,
and wallets by network. Seen as water that flows from country to role to kind to network, each count
is an edge, each total the sum of the edges that it feeds. This form makes the reader's knowledge
exact: what he can work out about one count is the range of flows through its edge (``audit``).

Rows are fixed before any data is seen, so that a row's presence tells nothing.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from accord.hub.summaries.disclosure import Count
from accord.kernel.indicators.countries import COUNTRIES
from accord.kernel.indicators.kinds import Kind, Network
from accord.kernel.indicators.records import Role
from accord.kernel.statements.tally import Tally

UNKNOWN_COUNTRY = "unknown"


class Table(StrEnum):
    """The tables of a release."""

    TOTAL = "total"
    COUNTRY = "country"
    ROLE = "role"
    KIND = "kind"
    KIND_ROLE = "kind-role"
    NETWORK = "network"
    """Wallets only."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a count stands: table and row; ``row`` is ``kind/role`` in the two-way table."""

    table: Table
    row: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A count as an edge of the network of sums, from node ``start`` to node ``end``."""

    place: Place
    start: str
    end: str
    count: Count


COUNTRY_ROWS: tuple[str, ...] = (*sorted(COUNTRIES), UNKNOWN_COUNTRY)
ROLE_ROWS: tuple[str, ...] = tuple(role.value for role in Role)
KIND_ROWS: tuple[str, ...] = tuple(kind.value for kind in Kind)
NETWORK_ROWS: tuple[str, ...] = tuple(network.value for network in Network)

_SOURCE, _MIDDLE, _SINK = "source", "middle", "sink"

TOTAL = Place(Table.TOTAL, "all")


def places() -> list[tuple[Place, str, str]]:
    """Return every place with the two nodes of its edge; the same for every period."""
    found = [(TOTAL, _SINK, _SOURCE)]
    found += [(Place(Table.COUNTRY, row), _SOURCE, _MIDDLE) for row in COUNTRY_ROWS]
    found += [(Place(Table.ROLE, role), _MIDDLE, f"role {role}") for role in ROLE_ROWS]
    found += [
        (Place(Table.KIND_ROLE, f"{kind}/{role}"), f"role {role}", f"kind {kind}")
        for kind in KIND_ROWS
        for role in ROLE_ROWS
    ]
    for kind in KIND_ROWS:
        end = "wallets" if kind == Kind.WALLET.value else _SINK
        found.append((Place(Table.KIND, kind), f"kind {kind}", end))
    found += [(Place(Table.NETWORK, row), "wallets", _SINK) for row in NETWORK_ROWS]
    return found


def count_tallies(tallies: Iterable[Tally]) -> list[Edge]:
    """Return the true counts of all places over ``tallies``, one tally an organisation a month."""
    given: defaultdict[Place, dict[str, int]] = defaultdict(dict)
    for tally in tallies:
        for place, records in _sums(tally).items():
            given[place][tally.org] = given[place].get(tally.org, 0) + records
    return [
        Edge(place=place, start=start, end=end, count=Count.of(given.get(place, {})))
        for place, start, end in places()
    ]


def _sums(tally: Tally) -> dict[Place, int]:
    """Return one organisation's count at each place that it has; a million cells pass here."""
    countries: defaultdict[str | None, int] = defaultdict(int)
    pairs: defaultdict[tuple[Kind, Role], int] = defaultdict(int)
    networks: defaultdict[Network, int] = defaultdict(int)
    for cell in tally.cells:
        countries[cell.country] += cell.records
        pairs[cell.kind, cell.role] += cell.records
        if cell.kind is Kind.WALLET and cell.network is not None:
            networks[cell.network] += cell.records
    found: defaultdict[Place, int] = defaultdict(int)
    for country, records in countries.items():
        found[Place(Table.COUNTRY, country or UNKNOWN_COUNTRY)] += records
    for (kind, role), records in pairs.items():
        found[TOTAL] += records
        found[Place(Table.ROLE, role.value)] += records
        found[Place(Table.KIND, kind.value)] += records
        found[Place(Table.KIND_ROLE, f"{kind.value}/{role.value}")] += records
    for network, records in networks.items():
        found[Place(Table.NETWORK, network.value)] += records
    return found
