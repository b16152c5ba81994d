"""``accord hub user``: people who sign in at the hub's pages."""

import click

from accord.hub.access import Role
from accord.hub.cli.opened import opened_hub
from accord.kernel.identifiers import make_org_id, parse_org_id
from accord.terminal import Terminal, common_options


@click.group()
def user() -> None:
    """People who sign in."""


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
@common_options
def add(terminal: Terminal, login: str, org: str, role: str) -> None:
    """Make an account and show its password, once."""
    with opened_hub(terminal, signs=True) as services:
        name = parse_org_id(org) if "@" in org else make_org_id(org, services.config.origin)
        services.directory.refresh().organisation(name)
        if terminal.dry_run:
            terminal.result({"made": False}, "Nothing was made (--dry-run).")
            return
        password = services.people.add(login, org=name, role=Role(role), now=services.clock())
    terminal.result(
        {"made": True, "login": login, "org": name, "role": role, "password": password},
        f"Account {login} of {name} ({role}). Password, shown this once: {password}",
    )
