"""``accord demo`` beside its story, which ``tests/cli/test_outputs.py`` tells and ``.ci/run`` runs whole."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from accord.cli.main import main
from accord.demo.command import lasting


def accord(*words: str, code: int = 0) -> Any:
    done = CliRunner().invoke(main, [*words, "--json"])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def test_no_receipt_is_named_that_goes_with_the_folder(tmp_path: Path) -> None:
    root, receipt, kept = (tmp_path / name for name in ("root.json", "one.tlog-proof", "kept"))
    root.write_text("root")
    receipt.write_text("receipt")
    kept.mkdir()
    assert lasting(str(receipt), root, None) == str(receipt), "while the demo runs"
    assert lasting(None, root, kept) is None, "nothing was sent"
    assert lasting(str(receipt), root, kept) == str(kept / receipt.name)
    assert [path.read_text() for path in sorted(kept.iterdir())] == ["receipt", "root"]


def test_nothing_is_kept_in_a_folder_that_holds_something(tmp_path: Path) -> None:
    own = tmp_path / "root.json"
    own.write_text("my own")
    refused = accord("demo", "--once", "--keep", str(tmp_path), code=1)
    assert refused["error"]["code"] == "keep_not_empty"
    assert own.read_text() == "my own"


def test_a_dry_run_makes_no_folder(tmp_path: Path) -> None:
    accord("demo", "--keep", str(tmp_path / "kept"), "--dry-run")
    assert not (tmp_path / "kept").exists()
