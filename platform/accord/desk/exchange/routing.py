"""Who is meant: short names, ids, and ``kind:law_enforcement@NL``, by the verified directory.

A pattern becomes the organisations that are enrolled and active now; nobody is added later. An
empty answer is refused with what comes near, never taken for "nobody".
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from accord.kernel.directory.organisation import Organisation, Status
from accord.kernel.directory.state import DirectoryState
from accord.kernel.errors import Malformed, NotFound
from accord.kernel.identifiers import OrgId, make_org_id, org_name, parse_org_id
from accord.kernel.indicators.countries import COUNTRIES
from accord.kernel.markings import OrgKind, parse_code

PATTERN = "kind:"
_NEAR = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """An organisation's accountable duty contact, as the registrars vouch for it."""

    org: OrgId
    name: str
    kind: OrgKind
    country: str
    contact: str
    capabilities: tuple[str, ...]
    status: Status


def contacts(
    state: DirectoryState, *, kind: OrgKind | None = None, country: str | None = None
) -> list[Contact]:
    """Return the contacts of all organisations, of a kind or country where it is told."""
    return [
        Contact(
            org=one.org,
            name=one.profile.name,
            kind=one.profile.kind,
            country=one.profile.country,
            contact=one.profile.contact,
            capabilities=one.roles,
            status=one.status,
        )
        for one in state.organisations()
        if kind in (None, one.profile.kind) and country in (None, one.profile.country)
    ]


def is_pattern(name: str) -> bool:
    """Tell whether a name stands for more than one organisation."""
    return name.startswith(PATTERN)


def named_orgs(names: Sequence[str], hub: str) -> list[OrgId]:
    """Return the ids of the names that are no patterns."""
    return [
        parse_org_id(name) if "@" in name else make_org_id(name, hub)
        for name in names
        if not is_pattern(name)
    ]


def resolve(
    state: DirectoryState, names: Sequence[str], *, own: OrgId, hub: str
) -> tuple[OrgId, ...]:
    """Return the organisations that ``names`` stand for, each once, in order.

    Raises:
        Malformed: ``org_kind_unknown``, ``country_unknown``, ``org_id_invalid``.
        NotFound: ``org_unknown``, ``recipient_none``; the next step names what comes near.
    """
    found: list[OrgId] = []
    for name in names:
        found += _fitting(state, name, own) if is_pattern(name) else [_known(state, name, hub)]
    return tuple(dict.fromkeys(found))


def _fitting(state: DirectoryState, pattern: str, own: OrgId) -> list[OrgId]:
    text, sign, country = pattern.removeprefix(PATTERN).partition("@")
    kind = parse_code(OrgKind, text, code="org_kind_unknown")
    if sign and country not in COUNTRIES:
        raise Malformed(
            "country_unknown",
            "A country is written as ISO 3166-1 alpha-2, for example NL.",
            observed=country[:20],
        )
    active = [
        one for one in state.organisations() if one.status is Status.ACTIVE and one.org != own
    ]
    fitting = [
        one.org
        for one in active
        if one.profile.kind is kind and (not sign or one.profile.country == country)
    ]
    if not fitting:
        near = [one for one in active if one.profile.kind is kind]
        near += [one for one in active if one.profile.country == country and one not in near]
        raise NotFound(
            "recipient_none",
            "No organisation that is enrolled and active fits.",
            observed=pattern[:80],
            next_step=_near(near),
        )
    return fitting


def _known(state: DirectoryState, name: str, hub: str) -> OrgId:
    (org,) = named_orgs([name], hub)
    if state.find_organisation(org) is None:
        short = {org_name(one.org): one for one in state.organisations()}
        close = difflib.get_close_matches(org_name(org), short, n=_NEAR, cutoff=0.5)
        raise NotFound(
            "org_unknown",
            "The directory has no such organisation.",
            observed=org,
            next_step=_near([short[one] for one in close]),
        )
    return org


def _near(organisations: Sequence[Organisation]) -> str:
    if not organisations:
        return "accord contacts lists who is enrolled."
    names = ", ".join(
        f"{one.org} ({one.profile.kind}, {one.profile.country})" for one in organisations[:_NEAR]
    )
    return f"Near: {names}. accord contacts lists all."
