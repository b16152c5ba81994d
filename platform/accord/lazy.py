"""Groups of commands that are imported when they run, so that the others start quickly."""

import importlib
from collections.abc import Mapping

import click

Places = Mapping[str, tuple[str, str, str]]
"""Name of a command -> module, attribute, one line of help."""


def lazy_group(places: Places) -> type[click.Group]:
    """Return a class of group whose commands are those of ``places``, in that order."""

    class LazyGroup(click.Group):
        """Imports a command only when it is asked for."""

        def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
            return list(places)

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
            if cmd_name not in places:
                return None
            module, attribute, _ = places[cmd_name]
            command: click.Command = getattr(importlib.import_module(module), attribute)
            return command

        def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
            with formatter.section("Commands"):
                formatter.write_dl([(name, place[2]) for name, place in places.items()])

    return LazyGroup
