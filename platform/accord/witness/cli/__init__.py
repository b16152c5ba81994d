"""``accord witness``: make a witness, tell it which logs to follow, serve."""

import click

from accord.witness.cli.identity import init
from accord.witness.cli.logs import log
from accord.witness.cli.serving import serve

__all__ = ["witness"]


@click.group()
def witness() -> None:
    """Cosign a hub's logs, so that it cannot show two histories."""


witness.add_command(init)
witness.add_command(log)
witness.add_command(serve)
