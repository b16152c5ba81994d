"""``accord hub``: make a hub, install its root file, publish the charter, enrol, serve."""

import click

from accord.hub.cli.audit import audit
from accord.hub.cli.backups import backup, restore
from accord.hub.cli.charters import charter
from accord.hub.cli.checks import check
from accord.hub.cli.making import init
from accord.hub.cli.orgs import org
from accord.hub.cli.people import user
from accord.hub.cli.quarantine import quarantine
from accord.hub.cli.roots import root
from accord.hub.cli.serving import serve
from accord.hub.cli.settings import check_config
from accord.hub.cli.sheets import sheet
from accord.hub.cli.summaries import summary

__all__ = ["hub"]


@click.group()
def hub() -> None:
    """Run the shared server, which stores sealed bundles and cannot open them."""


for command in (
    init,
    sheet,
    audit,
    root,
    charter,
    org,
    user,
    quarantine,
    summary,
    check,
    check_config,
    backup,
    restore,
    serve,
):
    hub.add_command(command)
