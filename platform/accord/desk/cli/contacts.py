"""``accord contacts``: the accountable duty contact of each organisation, from the directory."""

from typing import Any

import click

from accord.desk.cli.opened import opened_desk
from accord.desk.exchange.routing import Contact, contacts
from accord.kernel.errors import Malformed, Unavailable
from accord.kernel.indicators.countries import COUNTRIES
from accord.kernel.markings import OrgKind
from accord.terminal import Terminal, common_options


@click.command("contacts")
@click.option("--kind", type=click.Choice([str(kind) for kind in OrgKind]))
@click.option("--country", help="ISO 3166-1 alpha-2, for example NL.")
@common_options
def list_contacts(terminal: Terminal, *, kind: str | None, country: str | None) -> None:
    """List whom to call, by kind and country, as the registrars vouch for it."""
    if country is not None and country not in COUNTRIES:
        raise Malformed(
            "country_unknown",
            "A country is written as ISO 3166-1 alpha-2, for example NL.",
            observed=country[:20],
        )
    with opened_desk(terminal) as desk:
        try:
            state = desk.mirror.refresh()
        except Unavailable as error:
            state = desk.mirror.state
            terminal.say(f"{error.message} These are the contacts of the last check.")
        found = contacts(state, kind=OrgKind(kind) if kind else None, country=country)
    lines = [
        f"{one.org}  {one.name}, {one.kind}, {one.country}  {one.contact}"
        + ("" if one.status == "active" else f"  ({one.status})")
        for one in found
    ]
    terminal.result(
        {"contacts": [_data(one) for one in found]},
        "\n".join(lines) or "Nobody of this kind and country is enrolled.",
    )


def _data(one: Contact) -> dict[str, Any]:
    return {
        "org": one.org,
        "name": one.name,
        "kind": one.kind.value,
        "country": one.country,
        "contact": one.contact,
        "capabilities": list(one.capabilities),
        "status": one.status.value,
    }
