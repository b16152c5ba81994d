"""Ctrl-C reaches every process of a screening: one ends them all, in one line."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.desk.conftest import described, put, records_of
from tests.support.hub_home import write_passphrase
from tests.support.light_keys import lighten

from accord.clock import system_clock
from accord.desk.config import DeskConfig, write_config
from accord.desk.keyring import create_keyring
from accord.desk.storage import create_vault

EVM = "0x52908400098527886e0f7030069857d2e4169ee7"
PASSPHRASE = b"correct horse"
ROWS = 700_000


def home_with_a_list(folder: Path) -> Path:
    config = DeskConfig(home=folder / "desk", hub="http://127.0.0.1:9")
    write_config(config)
    keyring = create_keyring(config.keys_file, config.recovery_file, PASSPHRASE)
    lighten(config.keys_file, PASSPHRASE)
    vault = create_vault(config.vault_file, keyring.vault)
    now = system_clock()
    put(vault, described(1, kind="list", created=now, expires=now + 9999), records_of([EVM]))
    vault.close()
    return config.home


def children(process: int) -> list[int]:
    text = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    return [int(one) for one in text.split()]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks for workers as Linux does")
@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_ends_the_workers_and_says_one_line(
    tmp_path: Path, project: Path, *, as_json: bool
) -> None:
    home, report = home_with_a_list(tmp_path), tmp_path / "report.csv"
    own = tmp_path / "own.csv"
    own.write_text("wallet\n" + f"{EVM}\n" * ROWS)
    process = subprocess.Popen(
        [
            sys.executable, "-m", "accord", "screen", str(own), "--reason", "monthly check",
            "--jobs", "2", "-o", str(report), "--home", str(home), *["--json"][:as_json],
        ],
        env={
            "PYTHONPATH": str(project / "platform"),
            "ACCORD_PASSPHRASE_FILE": str(write_passphrase(tmp_path)),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )  # fmt: skip
    pause, workers = threading.Event(), []
    while len(workers) < 2 and process.poll() is None:
        workers = children(process.pid)
        pause.wait(0.01)
    os.killpg(process.pid, signal.SIGINT)  # as the terminal does
    stdout, stderr = process.communicate(timeout=20)
    (line,) = stderr.splitlines()
    assert (
        line
        == "Error: The screening was stopped; no report was written. Run it again. [screening_stopped]"
    )
    assert process.returncode == 6
    code = json.loads(stdout)["error"]["code"] if as_json else stdout
    assert code == ("screening_stopped" if as_json else "")
    assert not report.exists()
    assert not list(tmp_path.glob(".*report*"))
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
