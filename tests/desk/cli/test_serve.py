"""``accord desk serve`` up to its pages."""

import json
import subprocess
import sys
from pathlib import Path

from tests.support.hub_home import write_passphrase

from accord.desk.config import KEYS_FILE, RECOVERY_FILE
from accord.desk.keyring import create_keyring

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
