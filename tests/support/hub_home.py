"""A hub's home made by commands, as an operator and a registrar would make it."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from accord.cli.main import main
from accord.hub.config import load_config
from accord.kernel.tlog.notes import WitnessKeyPair


def run(*words: object, code: int = 0) -> dict[str, Any]:
    """Run a command with ``--json``; check its exit code; return what it printed."""
    done = CliRunner().invoke(main, [*map(str, words), "--json"])
    assert done.exit_code == code, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def make_hub_home(folder: Path) -> Path:
    """Make a hub in ``folder`` whose root file one registrar signed; return its home.

    ``ACCORD_PASSPHRASE_FILE`` is set to ``write_passphrase(folder)`` by the caller. The witness
    that it names does not answer.
    """
    witness = WitnessKeyPair.generate("ngo.example/w1")
    seen = folder / "witness.json"
    seen.write_text(
        json.dumps(
            {"name": witness.name, "vkeys": list(witness.vkeys), "url": "http://127.0.0.1:9"}
        )
    )
    registrar, home = folder / "registrar", folder / "hub"
    run("registrar", "init", "--name", "anna", "--home", registrar)
    run("hub", "init", "--origin", "hub.example", "--registrar", registrar / "anna.registrar.json",
        "--witness", seen, "--home", home)  # fmt: skip
    root = folder / "root.json"
    draft = load_config(home).root_draft
    run("registrar", "sign", draft, "-o", root, "--yes", "--home", registrar)
    run("hub", "root", "install", root, "--home", home)
    return home


def publish_charter(folder: Path, text: str) -> None:
    """Let the registrar sign a charter, and publish it at the hub of ``make_hub_home``."""
    plain, signed = folder / "charter.toml", folder / "charter.signed.json"
    signed.unlink(missing_ok=True)
    plain.write_text(text, "utf-8")
    run("registrar", "sign", plain, "-o", signed, "--yes", "--home", folder / "registrar")
    run("hub", "charter", "publish", signed, "--home", folder / "hub")


def write_passphrase(folder: Path) -> Path:
    """Write the passphrase of both and return its file."""
    secret = folder / "passphrase"
    secret.touch(mode=0o600)
    secret.write_bytes(b"correct horse")
    return secret
