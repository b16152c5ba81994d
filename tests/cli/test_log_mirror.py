"""accord log mirror: a copy that is checked offline, grows, and is never overwritten by less."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from tests.conftest import ROOT as PROJECT
from tests.support.directory_people import AUDIT_LOG, SIGNED_ROOT, WITNESSES
from tests.support.logs import MadeLog, numbered
from tests.support.served_files import served

from accord.cli.main import main
from accord.clock import system_clock

SCHEMA = Draft202012Validator(
    json.loads((PROJECT / "schemas/cli/log-mirror.v1.json").read_text("utf-8"))
)


def grown(log: MadeLog, count: int) -> MadeLog:
    log.append(numbered(count, start=len(log.entries)))
    log.sign(witnesses=2, by=WITNESSES, now=system_clock())
    return log


def run(command: str, *words: object, code: int = 0) -> Any:
    done = CliRunner().invoke(main, ["log", command, *map(str, words), "--json"])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def copied(log: MadeLog, target: Path, *words: str, code: int = 0) -> Any:
    files = {f"log/audit/{path}": data for path, data in log.files.items()}
    with served(files) as url:
        told = run("mirror", f"{url}/log/audit", target, *words, code=code)
    if code == 0:
        SCHEMA.validate(told)
    return told


@pytest.fixture
def root_file(tmp_path: Path) -> Path:
    path = tmp_path / "root.json"
    path.write_bytes(SIGNED_ROOT)
    return path


def test_a_copy_is_checked_offline_and_goes_on_where_it_ended(
    tmp_path: Path, root_file: Path
) -> None:
    log, target = MadeLog(AUDIT_LOG), tmp_path / "copy"
    first = copied(grown(log, 300), target)
    assert first["size"] == 300
    assert run("verify", target, "--root", root_file)["ok"]
    second = copied(grown(log, 400), target)
    assert 0 < second["fetched"] < first["fetched"] + 8, "full tiles are not fetched again"
    assert run("verify", target, "--root", root_file)["size"] == 700


def test_a_copy_of_a_log_that_does_not_hold_is_found_by_the_check(
    tmp_path: Path, root_file: Path
) -> None:
    log = grown(MadeLog(AUDIT_LOG), 300)
    (place,) = [path for path in log.files if path.startswith("tile/entries/000")]
    data = bytearray(log.files[place])
    data[5] ^= 1
    log.files[place] = bytes(data)
    copied(log, tmp_path / "copy")
    told = run("verify", tmp_path / "copy", "--root", root_file, code=3)
    assert not told["ok"]


def test_a_shorter_log_than_the_copy_leaves_the_copy_alone(tmp_path: Path) -> None:
    target = tmp_path / "copy"
    copied(grown(MadeLog(AUDIT_LOG), 300), target)
    before = (target / "checkpoint").read_bytes()
    told = copied(grown(MadeLog(AUDIT_LOG), 200), target, code=1)
    assert told["error"]["code"] == "mirror_ahead"
    assert (target / "checkpoint").read_bytes() == before


def test_trying_writes_nothing(tmp_path: Path) -> None:
    assert copied(grown(MadeLog(AUDIT_LOG), 30), tmp_path / "copy", "--dry-run")["fetched"] == 0
    assert not (tmp_path / "copy").exists()
