"""Commands side by side: each gives its own exit code and its own output."""

import importlib.util
from pathlib import Path

from accord.demo.processes import PRELOADED, Processes

BTC = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"


def test_commands_side_by_side_keep_their_exit_codes(tmp_path: Path) -> None:
    secret = tmp_path / "passphrase"
    secret.write_text("not used here")
    secret.chmod(0o600)
    with Processes(folder=tmp_path, passphrase_file=secret) as processes:
        jobs = [("home", ("check", BTC, "--quiet"))] * 60
        for outcome in processes.run_all(jobs):
            assert outcome.code == 0
            assert outcome.data["value"] == BTC
        refused = processes.run("home", "check", "nonsense", allowed=(1,))
        assert (refused.code, refused.data["ok"]) == (1, False)


def test_what_is_loaded_beforehand_is_there() -> None:
    # A fork server passes over what it cannot load.
    assert [name for name in PRELOADED if importlib.util.find_spec(name) is None] == []
