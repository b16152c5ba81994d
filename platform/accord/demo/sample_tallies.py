"""What six invented organisations shared in a month: rows to count, without the values.

A summary may be shown only where five organisations stand behind a cell, so the demo needs more
submitters than it has desks. Kinds, networks and roles are those of ``samples``; a tally counts
nothing else, so no value is made here. Disclosure control is not this module's business.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from accord.demo.samples import BLOCK, ROLES, SITE_ROLES, SOURCES
from accord.kernel.indicators import Kind, Network, Role


class TallyRow(NamedTuple):
    """One record as a tally counts it."""

    kind: Kind
    network: Network | None
    role: Role
    country: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleOrganisation:
    """An invented submitter.

    Attributes:
        slug: name part of its organisation id.
        name: as shown to people.
        trade: ``bank``, ``exchange``, ``payments`` or ``hotline``.
        country: where it is, and where most of what it sees is.
    """

    slug: str
    name: str
    trade: str
    country: str


ORGANISATIONS: tuple[SampleOrganisation, ...] = (
    SampleOrganisation(slug="oosterbank", name="Oosterbank", trade="bank", country="NL"),
    SampleOrganisation(slug="hansekontor", name="Hansekontor", trade="bank", country="DE"),
    SampleOrganisation(slug="bancolevante", name="Banco Levante", trade="bank", country="ES"),
    SampleOrganisation(slug="coinharbour", name="Coinharbour", trade="exchange", country="IE"),
    SampleOrganisation(slug="swiftpurse", name="Swiftpurse", trade="payments", country="FR"),
    SampleOrganisation(slug="safeline", name="Safeline", trade="hotline", country="NL"),
)
"""Three banks, an exchange, a payment firm and a hotline."""

COUNTRIES: tuple[str | None, ...] = ("NL", "DE", "FR", "ES", "IE", "US", None)
_HOME_SHARE = 0.4

_SHARES: dict[str, tuple[float, float]] = {
    "bank": (0.3, 1.0),
    "exchange": (0.1, 2.0),
    "payments": (0.6, 0.5),
    "hotline": (6.0, 0.1),
}
"""Of each trade: how much more often than the samples it sees sites, and transactions."""


def organisation_rows(number: int, rows: int, *, seed: int = 1) -> Iterator[TallyRow]:
    """Yield ``rows`` rows of ``ORGANISATIONS[number]``; the same arguments give the same rows."""
    organisation = ORGANISATIONS[number]
    weights = _weights(organisation.trade)
    home = COUNTRIES.index(organisation.country)
    for start in range(0, rows, BLOCK):
        random = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, number, start))))
        count = min(BLOCK, rows - start)
        sources = random.choice(len(SOURCES), count, p=weights).tolist()
        roles = random.integers(0, len(ROLES) * len(SITE_ROLES), count).tolist()
        countries = random.integers(0, len(COUNTRIES), count)
        countries[random.random(count) < _HOME_SHARE] = home
        for source, role, country in zip(sources, roles, countries.tolist(), strict=True):
            kind, network = SOURCES[source].kind, SOURCES[source].network
            choice: Sequence[Role] = SITE_ROLES if network is None else ROLES
            yield TallyRow(kind, network, choice[role % len(choice)], COUNTRIES[country])


def _weights(trade: str) -> list[float]:
    sites, transactions = _SHARES[trade]
    factor = {Kind.WALLET: 1.0, Kind.TRANSACTION: transactions}
    weights = [source.weight * factor.get(source.kind, sites) for source in SOURCES]
    total = sum(weights)
    return [weight / total for weight in weights]
