"""``accord hub init``: settings, log keys, and the root file's draft for the registrars."""

import json
from pathlib import Path

import click

from accord.clock import system_clock
from accord.hub.config import HubConfig, new_config
from accord.kernel.directory.registrars import parse_registrar
from accord.kernel.directory.rootfile import LogName, RootFile, Witness
from accord.kernel.errors import Malformed
from accord.kernel.identifiers import parse_origin
from accord.kernel.keys import require_post_quantum
from accord.kernel.tlog.notes import LogKeyPair, parse_vkey
from accord.keyfile import load_keys, save_keys
from accord.terminal import Terminal, common_options

MAX_FILE = 256 * 1024

_PARTS = ("ed25519", "mldsa44")

HubKeys = dict[LogName, LogKeyPair]
"""The keys of both logs."""


@click.command()
@click.option("--origin", required=True, help="The hub's name in ids and logs: hub.example.")
@click.option(
    "--registrar",
    "registrars",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A registrar's public key file; repeat for each.",
)
@click.option("--threshold", type=int, default=None, help="Registrars needed. Default: all.")
@click.option(
    "--witness",
    "witnesses",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A witness's file {name, vkeys, url}; repeat for each.",
)
@click.option("--quorum", type=int, default=None, help="Witnesses that must cosign. Default: all.")
@click.option("--listen", default="127.0.0.1:8600", show_default=True, help="ADDRESS:PORT; 0: any.")
@common_options
def init(
    terminal: Terminal,
    *,
    origin: str,
    registrars: tuple[Path, ...],
    threshold: int | None,
    witnesses: tuple[Path, ...],
    quorum: int | None,
    listen: str,
) -> None:
    """Make a hub. The registrars then sign the root file's draft on their own machine."""
    require_post_quantum()
    host, port = _parse_listen(listen)
    keys = {name: LogKeyPair.generate(f"{parse_origin(origin)}/{name}") for name in LogName}
    known = tuple(parse_registrar(_read(path)) for path in registrars)
    seen = tuple(_parse_witness(path) for path in witnesses)
    root = RootFile(
        hub=parse_origin(origin),
        version=1,
        created=system_clock(),
        directory_log=keys[LogName.DIRECTORY].vkeys,
        audit_log=keys[LogName.AUDIT].vkeys,
        registrars=known,
        threshold=len(known) if threshold is None else threshold,
        witnesses=seen,
        quorum=len(seen) if quorum is None else quorum,
    )
    draft = root.payload
    if terminal.dry_run:
        terminal.result({"made": False, "origin": origin}, f"Would make the hub {origin}.")
        return
    passphrase = terminal.passphrase("Passphrase for the hub's log keys", twice=True)
    config = new_config(terminal.home, origin=origin, host=host, port=port)
    save_keys(config.keys, _as_mapping(keys), passphrase)
    config.root_draft.write_bytes(draft)
    terminal.result(
        {"made": True, "origin": origin, "home": str(config.home), "draft": str(config.root_draft)},
        f"Made the hub {origin} in {config.home}.\n"
        f"Next, each registrar: accord registrar sign {config.root_draft} -o root.json\n"
        "Then here: accord hub root install root.json",
    )


def load_hub_keys(config: HubConfig, passphrase: bytes) -> HubKeys:
    """Return the log keys that ``init`` made.

    Raises:
        AccordError: a code of ``keyfile.load_keys``.
        Malformed: ``keyfile_content`` for a key file of another kind of program.
    """
    found = load_keys(config.keys, passphrase)
    if not {f"{name}.{part}" for name in LogName for part in _PARTS} <= found.keys():
        raise Malformed(
            "keyfile_content", "This is not a hub's key file.", observed=str(config.keys)
        )
    return {
        name: LogKeyPair(
            f"{config.origin}/{name}", found[f"{name}.ed25519"], found[f"{name}.mldsa44"]
        )
        for name in LogName
    }


def _as_mapping(keys: HubKeys) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name, pair in keys.items():
        found[f"{name}.ed25519"] = pair.ed25519_seed
        found[f"{name}.mldsa44"] = pair.mldsa44_seed
    return found


def _parse_listen(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:  # noqa: PLR2004 - TCP's own limit
        raise Malformed(
            "listen_invalid", "Give ADDRESS:PORT, for example 127.0.0.1:8600.", observed=text
        )
    return host, int(port)


def _read(path: Path) -> bytes:
    data = path.read_bytes()[: MAX_FILE + 1]
    if len(data) > MAX_FILE:
        raise Malformed("too_long", f"{path.name} is longer than {MAX_FILE} bytes.")
    return data


def _parse_witness(path: Path) -> Witness:
    wrong = Malformed(
        "witness_file_invalid",
        "A witness's file is JSON with name, vkeys (two) and url.",
        observed=path.name,
        next_step="Take the output of: accord witness init --json, and add its url.",
    )
    try:
        found = json.loads(_read(path))
        first, second = found["vkeys"]
        name, url = found["name"], found["url"]
        names = {parse_vkey(first).name, parse_vkey(second).name}
    except (ValueError, KeyError, TypeError) as error:
        raise wrong from error
    if names != {name} or not isinstance(url, str):
        raise wrong
    return Witness(name=name, vkeys=(first, second), url=url)
