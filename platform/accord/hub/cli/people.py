"""``accord hub user``: people who sign in at the hub's pages."""

import click

from accord.hub.access import Role
from accord.hub.cli.opened import opened_hub
from accord.hub.people import INVITE_SECONDS, Person
from accord.hub.services import Services
from accord.kernel.identifiers import OrgId, make_org_id, parse_org_id
from accord.protocol.paths import JOIN
from accord.terminal import Terminal, common_options

_REASON = "Why, in a sentence: the organisation's administrators and auditors are told."


@click.group()
def user() -> None:
    """People who sign in. An organisation's administrator invites the others on the page."""


@user.command()
@click.argument("login")
@click.option("--org", required=True, help="The person's organisation: name, or name@hub.")
@click.option(
    "--role",
    default=Role.VIEWER.value,
    show_default=True,
    type=click.Choice([role.value for role in Role if role is not Role.DESK]),
    help="What the person may do.",
)
@click.option("--reason", default="", help=_REASON)
@common_options
def add(terminal: Terminal, *, login: str, org: str, role: str, reason: str) -> None:
    """Make a one-off code with which LOGIN makes their account within 24 hours."""
    with opened_hub(terminal, signs=True) as services:
        name = _org(services, org)
        services.directory.refresh().organisation(name)
        if terminal.dry_run:
            terminal.result({"made": False}, "Nothing was made (--dry-run).")
            return
        now = services.clock()
        code = services.people.operator.add(
            login, org=name, role=Role(role), reason=reason, now=now
        )
        place = _place(services)
    terminal.result(
        {
            "made": True,
            "login": login,
            "org": name,
            "role": role,
            "code": code,
            "page": place,
            "expires": now + INVITE_SECONDS,
        },
        f"{login} of {name} ({role}) acts next, within 24 hours, at {place}\n"
        f"Code, shown this once: {code}",
    )


@user.command(name="list")
@click.option("--org", default=None, help="Only of this organisation.")
@common_options
def list_people(terminal: Terminal, *, org: str | None) -> None:
    """Show who has an account."""
    with opened_hub(terminal) as services:
        found = services.people.operator.people(_org(services, org) if org else None)
    terminal.result(
        {"people": [_described(person) for person in found]},
        "\n".join(_words(person) for person in found) or "Nobody has an account yet.",
    )


@user.command()
@click.argument("login")
@click.option("--reason", required=True, help=_REASON)
@common_options
def remove(terminal: Terminal, *, login: str, reason: str) -> None:
    """Close an account at once, for an emergency; its sessions end."""
    with opened_hub(terminal, signs=True) as services:
        if terminal.dry_run:
            terminal.result({"removed": False, "login": login}, "Nothing was done (--dry-run).")
            return
        services.people.operator.remove(login, reason=reason, now=services.clock())
    terminal.result(
        {"removed": True, "login": login},
        f"The account {login} is closed. Its organisation's administrators and auditors are told.",
    )


@user.command()
@click.argument("login")
@click.option("--reason", required=True, help=_REASON)
@common_options
def reset(terminal: Terminal, *, login: str, reason: str) -> None:
    """Set an account up anew, for who has lost everything and has no administrator to ask."""
    with opened_hub(terminal, signs=True) as services:
        if terminal.dry_run:
            terminal.result({"reset": False, "login": login}, "Nothing was done (--dry-run).")
            return
        now = services.clock()
        code = services.people.operator.reset(login, reason=reason, now=now)
        place = _place(services)
    terminal.result(
        {
            "reset": True,
            "login": login,
            "code": code,
            "page": place,
            "expires": now + INVITE_SECONDS,
        },
        f"{login} acts next, within 24 hours, at {place}\nCode, shown this once: {code}",
    )


def _org(services: Services, text: str) -> OrgId:
    return parse_org_id(text) if "@" in text else make_org_id(text, services.config.origin)


def _place(services: Services) -> str:
    config = services.config
    known = config.public_url or config.https or config.port
    return (config.pages_origin(config.port) if known else "") + JOIN


def _described(person: Person) -> dict[str, object]:
    return {
        "login": person.login,
        "org": person.org,
        "role": person.role.value,
        "created": person.created,
        "password": person.has_password,
        "second_factor": person.has_factor,
    }


def _words(person: Person) -> str:
    factor = "second factor" if person.has_factor else "no second factor"
    return f"{person.login:20} {person.org:30} {person.role.value:14} {factor}"
