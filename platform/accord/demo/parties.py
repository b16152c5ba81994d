"""Who takes part in the demo: six submitting organisations, the police, and the pages' people."""

from dataclasses import dataclass

from accord.demo.sample_tallies import ORGANISATIONS
from accord.kernel.markings import OrgKind

ORIGIN = "hub.demo.accord.example"
WITNESS = "ngo.demo.accord.example/witness"
REGISTRAR = "registrar-anna"

_KINDS = {"hotline": OrgKind.NGO}


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """An organisation of the demo; ``slug`` is also the name of its desk's folder."""

    slug: str
    name: str
    kind: OrgKind
    country: str
    roles: tuple[str, ...] = ()


SUBMITTERS: tuple[Party, ...] = tuple(
    Party(
        slug=one.slug,
        name=one.name,
        kind=_KINDS.get(one.trade, OrgKind.FINANCIAL),
        country=one.country,
        roles=("hotline",) if one.trade == "hotline" else (),
    )
    for one in ORGANISATIONS
)
"""The six whose tallies make a summary that may be shown."""

BANK = SUBMITTERS[0]
NGO = SUBMITTERS[-1]
POLICE = Party(slug="police", name="Cyber Police", kind=OrgKind.LAW_ENFORCEMENT, country="NL")
EVERYBODY: tuple[Party, ...] = (*SUBMITTERS, POLICE)
