"""``accord desk serve`` up to its pages."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.hub_home import write_passphrase

from accord.cli.main import main
from accord.desk.cli.serving import serve
from accord.desk.config import KEYS_FILE, RECOVERY_FILE
from accord.desk.keyring import KeyFile, create_keyring, unlock_keyring
from accord.terminal import Terminal

PROGRAM = """
import sys
from accord.cli.main import main
try:
    main(["desk", "serve", "--json", "--home", sys.argv[1]])
finally:
    print([name for name in ("flask", "sqlalchemy", "waitress") if name in sys.modules])
"""
"""Serves, and says which heavy parts were loaded when that ended."""


def test_the_keys_are_unlocked_before_anything_heavy_is_loaded(
    tmp_path: Path, project: Path
) -> None:
    home = tmp_path / "desk"
    home.mkdir()
    (home / "desk.toml").write_text('hub = "http://localhost:1"\n')
    create_keyring(home / KEYS_FILE, tmp_path / RECOVERY_FILE, b"another passphrase")
    said = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(home)],
        env={
            "PYTHONPATH": str(project / "platform"),
            "ACCORD_PASSPHRASE_FILE": str(write_passphrase(tmp_path)),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert said.returncode == 4, said.stderr
    told, loaded = said.stdout.splitlines()
    assert json.loads(told)["error"]["code"] == "passphrase_wrong"
    assert loaded == "[]"


def test_keys_that_change_while_the_pages_are_loaded_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = write_passphrase(tmp_path)
    monkeypatch.setenv("ACCORD_PASSPHRASE_FILE", str(secret))
    home = tmp_path / "desk"
    made = CliRunner().invoke(
        main, ["desk", "init", "--hub", "http://localhost:1", "--home", str(home), "--json"]
    )
    assert made.exit_code == 0, made.output
    passphrase = secret.read_bytes().strip()
    keyring = unlock_keyring(home / KEYS_FILE, passphrase)
    KeyFile(path=home / KEYS_FILE, passphrase=passphrase).prepare()
    said: list[str] = []
    noticed, stop = threading.Event(), threading.Event()

    def say(_terminal: Terminal, text: str) -> None:
        said.append(text)
        if "were changed" in text:
            noticed.set()

    monkeypatch.setattr(Terminal, "say", say)
    terminal = Terminal(json=True, quiet=True, home=home, yes=False, dry_run=False)
    serving = threading.Thread(target=serve, args=(terminal, keyring, passphrase, stop, 0))
    serving.start()
    try:
        assert noticed.wait(30), said
    finally:
        stop.set()
        serving.join(30)
    assert not serving.is_alive()
    assert sum("were changed" in text for text in said) == 1, "noticed once, then the new keys"
