"""A command opens a hub only with the keys that its root file names."""

import json
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.hub_world import ORIGIN, World

from accord.cli.main import main
from accord.hub.config import new_config
from accord.kernel.directory.rootfile import LogName
from accord.kernel.errors import Malformed
from accord.kernel.tlog.notes import LogKeyPair
from accord.keyfile import save_keys

PASSPHRASE = b"a passphrase of a hub"


@pytest.fixture(autouse=True)
def passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "passphrase"
    path.write_bytes(PASSPHRASE)
    path.chmod(0o600)
    monkeypatch.setenv("ACCORD_PASSPHRASE_FILE", str(path))


def seeds(keys: Mapping[LogName, LogKeyPair]) -> dict[str, bytes]:
    found = {}
    for name, pair in keys.items():
        found[f"{name}.ed25519"] = pair.ed25519_seed
        found[f"{name}.mldsa44"] = pair.mldsa44_seed
    return found


def check(world: World, content: Mapping[str, bytes]) -> tuple[int, str | None]:
    save_keys(world.config.keys, content, PASSPHRASE)
    world.config.root.write_bytes(world.root_bytes)
    words = ["hub", "check", "--json", "--home", str(world.config.home)]
    done = CliRunner().invoke(main, words)
    return done.exit_code, json.loads(done.stdout).get("error", {}).get("code")


def test_the_hubs_own_keys_open_it(world: World) -> None:
    assert check(world, seeds(world.log_keys)) == (0, None)


def test_other_keys_do_not(world: World) -> None:
    other = {name: LogKeyPair.generate(f"{ORIGIN}/{name}") for name in LogName}
    assert check(world, seeds(other)) == (1, "root_other_keys")


def test_the_key_file_of_another_program_does_not(world: World) -> None:
    assert check(world, {"signing": bytes(64)}) == (1, "keyfile_content")


@pytest.mark.enable_socket
@pytest.mark.timeout(90)
def test_a_port_that_is_taken_is_said(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = world.config.home / "hub.toml"
        settings.write_text(settings.read_text().replace("port = 8600", f"port = {port}"))
        save_keys(world.config.keys, seeds(world.log_keys), PASSPHRASE)
        world.config.root.write_bytes(world.root_bytes)
        words = ["hub", "serve", "--json", "--home", str(world.config.home)]
        done = subprocess.run(
            [sys.executable, "-m", "accord", *words], capture_output=True, timeout=60, check=False
        )
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (6, "port_taken")
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("host", ["localhost", "::1", "hub.example", "", "127.1"])
def test_a_hub_listens_on_one_address(tmp_path: Path, host: str) -> None:
    with pytest.raises(Malformed, match="setting_invalid"):
        new_config(tmp_path / "hub", origin=ORIGIN, host=host, port=0)
    assert not (tmp_path / "hub").exists()
