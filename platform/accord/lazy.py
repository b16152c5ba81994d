"""What is imported when it is wanted: commands, so that the others start quickly."""

import importlib
from collections.abc import Mapping
from typing import cast

import click

Places = Mapping[str, tuple[str, str, str]]
"""Name of a command -> module, attribute, one line of help."""


def loaded(module: str, attribute: str) -> object:
    """Import ``module`` now and return what it calls ``attribute``."""
    return getattr(importlib.import_module(module), attribute)


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
            return cast("click.Command", loaded(module, attribute))

        def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
            with formatter.section("Commands"):
                formatter.write_dl([(name, place[2]) for name, place in places.items()])

    return LazyGroup
