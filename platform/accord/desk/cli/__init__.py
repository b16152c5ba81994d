"""The commands of a desk. They are loaded when they run, so that the others start quickly."""

import click

from accord.lazy import Places, lazy_group

COMMANDS: Places = {
    "init": ("accord.desk.cli.setup", "init", "Make a desk: keys, vault, first account."),
    "enrol": ("accord.desk.cli.setup", "enrol", "Join the hub, or see where joining stands."),
    "serve": ("accord.desk.cli.serve", "serve", "The pages, and the regular work beside them."),
    "leave": ("accord.desk.cli.leave", "leave", "Leave the hub, for good."),
    "preset": ("accord.desk.cli.presets", "preset", "Recipients and marking under a name."),
    "guards": ("accord.desk.cli.guards", "guards", "Lists of services that hold a row."),
    "person": ("accord.desk.cli.setup", "person", "An account of the pages, or a new password."),
}


@click.group(cls=lazy_group(COMMANDS))
def desk() -> None:
    """Run an organisation's own node: the only place with its private keys and plaintext."""
