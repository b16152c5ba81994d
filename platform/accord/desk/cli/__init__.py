"""The commands of a desk. They are loaded when they run, so that the others start quickly."""

import importlib
from collections.abc import Mapping

import click

COMMANDS: Mapping[str, tuple[str, str, str]] = {
    "init": ("accord.desk.cli.setup", "init", "Make a desk: keys, vault, first account."),
    "enrol": ("accord.desk.cli.setup", "enrol", "Join the hub, or see where joining stands."),
    "serve": ("accord.desk.cli.serve", "serve", "The pages, and the regular work beside them."),
    "person": ("accord.desk.cli.setup", "person", "An account of the pages, or a new password."),
}


class _Lazy(click.Group):
    """Imports a command only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, place[2]) for name, place in COMMANDS.items()])


@click.group(cls=_Lazy)
def desk() -> None:
    """Run an organisation's own node: the only place with its private keys and plaintext."""
