"""``accord hub check-config``: are the settings of this home what the hub would take?"""

import click

from accord.hub.config import FILE_NAME, load_config
from accord.terminal import Terminal, common_options


@click.command("check-config")
@common_options
def check_config(terminal: Terminal) -> None:
    """Read the settings as a start would, and show each; open and change nothing."""
    config = load_config(terminal.home)
    settings = config.settings()
    terminal.result(
        {"file": str(config.home / FILE_NAME), "settings": settings},
        "\n".join(f"{name} = {value}" for name, value in settings.items())
        + f"\n{FILE_NAME} holds.",
    )
