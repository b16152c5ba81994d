"""``accord hub root``: install the root file that the registrars signed."""

from pathlib import Path

import click

from accord.clock import system_clock
from accord.hub.cli.identity import load_hub_keys
from accord.hub.cli.opened import check_keys
from accord.hub.config import load_config
from accord.hub.services import build_services
from accord.kernel.directory.rootfile import verify_root
from accord.kernel.encoding import b64encode
from accord.kernel.errors import Conflict
from accord.terminal import Terminal, common_options


@click.group()
def root() -> None:
    """The root file: log keys, registrars, witnesses."""


@root.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@common_options
def install(terminal: Terminal, file: Path) -> None:
    """Install FILE as this hub's root file and log its place."""
    config = load_config(terminal.home)
    data = file.read_bytes()
    found = verify_root(data)
    if found.hub != config.origin:
        raise Conflict("hub_wrong", f"The root file is that of {found.hub}.")
    if config.root.exists() and config.root.read_bytes() != data:
        raise Conflict(
            "root_installed",
            "Another root file is in force; a change of it comes with key rotation.",
            observed=str(config.root),
        )
    keys = load_hub_keys(config, terminal.passphrase("Passphrase of the hub's log keys"))
    check_keys(keys, found)
    if not terminal.dry_run:
        config.root.write_bytes(data)
        services = build_services(
            config, root=found, root_bytes=data, keys=keys, clock=system_clock
        )
        try:
            services.directory.install_root(data, now=system_clock())
        finally:
            services.close()
    terminal.result(
        {
            "hub": found.hub,
            "version": found.version,
            "sha256": b64encode(found.sha256),
            "installed": not terminal.dry_run,
        },
        f"Root file {found.version} of {found.hub} is in force.\n"
        "Next: accord hub charter publish, then accord hub serve.",
    )
