"""``accord witness init``: keys and an empty state, made together and never again."""

from collections.abc import Mapping
from pathlib import Path

import click

from accord.kernel.errors import Conflict, Malformed
from accord.kernel.identifiers import parse_origin
from accord.kernel.keys import require_post_quantum
from accord.kernel.tlog.notes import WitnessKeyPair
from accord.keyfile import load_keys, save_keys
from accord.terminal import Terminal, common_options
from accord.witness.config import WitnessConfig
from accord.witness.storage import Identity, WitnessDatabase

_NAME = "name"
_ED25519 = "ed25519"
_MLDSA44 = "mldsa44"


@click.command()
@click.option(
    "--name",
    required=True,
    help="The witness's key name, for example ngo.example/witness. It never changes.",
)
@common_options
def init(terminal: Terminal, name: str) -> None:
    """Make a witness: its keys and its empty state. Prints the public keys."""
    require_post_quantum()
    config = WitnessConfig(home=terminal.home)
    keys = WitnessKeyPair.generate(parse_origin(name))
    if config.keys.exists() or config.database.exists():
        raise Conflict(
            "witness_exists",
            "There is a witness already; its keys are never replaced.",
            observed=str(terminal.home),
            next_step="Choose another --home.",
        )
    if not terminal.dry_run:
        passphrase = terminal.passphrase("Passphrase for the witness's keys", twice=True)
        terminal.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        save_keys(
            config.keys,
            {_NAME: name.encode(), _ED25519: keys.seeds[0], _MLDSA44: keys.seeds[1]},
            passphrase,
        )
        identity = Identity(name=keys.name, vkeys=keys.vkeys)
        WitnessDatabase.create(config.database, identity).close()
    terminal.result(
        {"name": keys.name, "vkeys": list(keys.vkeys), "made": not terminal.dry_run},
        f"Witness {keys.name}\n" + "\n".join(keys.vkeys),
    )


def load_witness_keys(path: Path, passphrase: bytes) -> WitnessKeyPair:
    """Return the keys that ``init`` made.

    Raises:
        AccordError: a code of ``keyfile.load_keys``; ``witness_keys_invalid``.
    """
    held: Mapping[str, bytes] = load_keys(path, passphrase)
    if set(held) != {_NAME, _ED25519, _MLDSA44}:
        raise Malformed("witness_keys_invalid", "This key file is not that of a witness.")
    return WitnessKeyPair(held[_NAME].decode("utf-8"), (held[_ED25519], held[_MLDSA44]))
