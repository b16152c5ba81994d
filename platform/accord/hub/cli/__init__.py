"""The commands of a hub. They are loaded when they run, so that asking for help is quick."""

import click

from accord.lazy import Places, lazy_group

COMMANDS: Places = {
    "init": ("accord.hub.cli.making", "init", "Make a hub."),
    "sheet": ("accord.hub.cli.sheets", "sheet", "Write the recovery sheet anew."),
    "audit": ("accord.hub.cli.audit", "audit", "Look into the audit trail, or take it out."),
    "root": ("accord.hub.cli.roots", "root", "Log keys, registrars and witnesses, in one file."),
    "charter": ("accord.hub.cli.charters", "charter", "The sharing agreement as data."),
    "org": ("accord.hub.cli.orgs", "org", "The organisations of this hub."),
    "user": ("accord.hub.cli.people", "user", "People who sign in."),
    "quarantine": ("accord.hub.cli.quarantine", "quarantine", "What is held aside, and why."),
    "summary": ("accord.hub.cli.summaries", "summary", "Tallies and the tables made of them."),
    "check": ("accord.hub.cli.checks", "check", "Is all in order: keys, database, bodies, logs?"),
    "check-config": ("accord.hub.cli.settings", "check_config", "Read the settings, show each."),
    "backup": ("accord.hub.cli.backups", "backup", "Write a backup to a new file."),
    "restore": ("accord.hub.cli.backups", "restore", "Put a backup into an empty home."),
    "serve": ("accord.hub.cli.serving", "serve", "Serve until stopped."),
}


@click.group(cls=lazy_group(COMMANDS))
def hub() -> None:
    """Run the shared server, which stores sealed bundles and cannot open them."""
