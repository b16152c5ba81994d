"""``accord demo --once``: the report names only files that are still there afterwards."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from accord.cli.main import main
from accord.demo.command import lasting

pytestmark = pytest.mark.timeout(120)


def accord(*words: str, code: int = 0) -> Any:
    done = CliRunner().invoke(main, [*words, "--json"])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def test_a_receipt_that_is_kept_can_be_checked_after_the_demo(
    project: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "new" / "kept"
    report = accord("demo", "--once", "--rows", "40", "--keep", str(kept))
    schema = json.loads((project / "schemas" / "cli" / "demo.v1.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(report)
    assert report["receipt"]["verified"]
    file = Path(report["receipt"]["file"])
    assert {path.name for path in kept.iterdir()} == {file.name, "root.json"}
    assert accord("verify", str(file), "--root", str(kept / "root.json"))["ok"]


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
