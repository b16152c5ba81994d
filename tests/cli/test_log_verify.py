"""``accord log verify``: a directory and an address, exit codes, one line a check."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator
from tests.conftest import ROOT as PROJECT
from tests.support.directory_people import AUDIT_LOG, DIRECTORY_LOG, SIGNED_ROOT, WITNESSES
from tests.support.logs import MadeLog, numbered, policy
from tests.support.served_files import served

from accord.cli.main import main
from accord.clock import system_clock
from accord.kernel.tlog.policy import format_policy

SCHEMA = Draft202012Validator(
    json.loads((PROJECT / "schemas/cli/log-verify.v1.json").read_text("utf-8"))
)
COUNT = 300


def made(keys: Any = AUDIT_LOG, *, witnesses: int = 2, now: int | None = None) -> MadeLog:
    log = MadeLog(keys).append(numbered(COUNT))
    log.sign(witnesses=witnesses, by=WITNESSES, now=system_clock() if now is None else now)
    return log


@pytest.fixture
def root_file(tmp_path: Path) -> Path:
    path = tmp_path / "root.json"
    path.write_bytes(SIGNED_ROOT)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return made().write(tmp_path / "log")


@pytest.fixture
def address() -> Iterator[str]:
    files = {f"log/audit/{path}": data for path, data in made().files.items()}
    with served(files) as url:
        yield f"{url}/log/audit"


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["log", "verify", *map(str, words)])


def report(done: Result) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(done.stdout)
    SCHEMA.validate(data)
    return data


def test_a_directory_holds(folder: Path, root_file: Path) -> None:
    done = run(folder, "--root", root_file, "--json")
    assert done.exit_code == 0, done.output
    data = report(done)
    assert (data["ok"], data["origin"], data["size"]) == (True, "hub.example/audit", COUNT)
    assert [check["name"] for check in data["checks"]] == ["checkpoint", "entries", "tiles", "root"]


@pytest.mark.parametrize("tail", ["", "/"])
def test_an_address_holds(address: str, root_file: Path, tail: str) -> None:
    done = run(address + tail, "--root", root_file, "--max-age", 3600, "--json")
    assert done.exit_code == 0, done.output
    assert report(done)["url"] == address + tail


def test_over_http_a_partial_file_may_have_given_way_and_a_lost_one_is_found(
    root_file: Path,
) -> None:
    log = made()
    note = log.files["checkpoint"]
    log.append(numbered(300, start=COUNT))
    log.files["checkpoint"] = note
    del log.files["tile/0/001.p/44"], log.files["tile/entries/001.p/44"]
    with served(log.files) as url:
        assert run(url, "--root", root_file).exit_code == 0
        del log.files["tile/entries/001"]
        done = run(url, "--root", root_file, "--json")
    assert done.exit_code == 3
    assert report(done)["checks"][-1]["observed"] == "log_file_missing: tile/entries/001"


def test_people_get_one_line_a_check(folder: Path, root_file: Path) -> None:
    done = run(folder, "--root", root_file)
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines[:4]] == [
        "ok     checkpoint", "ok     entries", "ok     tiles", "ok     root",
    ]  # fmt: skip
    assert lines[4].endswith("holds.")


def test_the_directory_log_has_keys_of_its_own(tmp_path: Path, root_file: Path) -> None:
    folder = made(DIRECTORY_LOG).write(tmp_path / "directory")
    assert report(run(folder, "--root", root_file, "--json"))["origin"] == "hub.example/directory"


def test_a_policy_file_is_trust_enough(tmp_path: Path) -> None:
    log = MadeLog().append(numbered(5))
    log.sign(witnesses=2, now=system_clock())
    trust = tmp_path / "policy"
    trust.write_text(format_policy(policy(2)), encoding="utf-8")
    assert run(log.write(tmp_path / "log"), "--policy", trust).exit_code == 0


def test_a_changed_entry_exits_3_and_is_shown(folder: Path, root_file: Path) -> None:
    bundle = folder / "tile/entries/000"
    bundle.write_bytes(bundle.read_bytes().replace(b"entry 7", b"entry X", 1))
    done = run(folder, "--root", root_file, "--json")
    assert done.exit_code == 3
    data = report(done)
    assert not data["ok"]
    assert data["checks"][-1] == {
        "name": "entries", "ok": False, "observed": "tile_wrong: tile/0/000",
    }  # fmt: skip
    words = run(folder, "--root", root_file)
    assert (words.exit_code, "FAILED entries" in words.stdout) == (3, True)


@pytest.mark.parametrize("harm", ["missing bundle", "no quorum", "other hub", "noise", "old"])
def test_each_harm_exits_3(tmp_path: Path, root_file: Path, harm: str) -> None:
    log = made(witnesses=0 if harm == "no quorum" else 2, now=1 if harm == "old" else None)
    if harm == "missing bundle":
        del log.files["tile/entries/001.p/44"]
    if harm == "other hub":
        log = MadeLog().append(numbered(3))
        log.sign(witnesses=2)
        log.files["checkpoint"] = log.files["checkpoint"].replace(b"hub.example", b"hum.example")
    if harm == "noise":
        log.files["checkpoint"] = b"noise"
    folder = log.write(tmp_path / "log")
    done = run(folder, "--root", root_file, "--json", *(["--max-age", 60] if harm == "old" else []))
    assert done.exit_code == 3, done.output
    assert not report(done)["ok"]


def test_a_saved_checkpoint_shows_a_second_history(tmp_path: Path, root_file: Path) -> None:
    log = made()
    kept = tmp_path / "kept"
    first = run(log.write(tmp_path / "one"), "--root", root_file, "--save", kept)
    assert (first.exit_code, kept.read_bytes()) == (0, log.files["checkpoint"])
    log.append(numbered(300, start=300)).sign(witnesses=2, by=WITNESSES, now=system_clock())
    grown = log.write(tmp_path / "two")
    done = run(grown, "--root", root_file, "--earlier", kept, "--json")
    assert [check["name"] for check in report(done)["checks"]][-1] == "consistency"
    fork = MadeLog(AUDIT_LOG).append(numbered(600, start=1))
    fork.sign(witnesses=2, by=WITNESSES, now=system_clock())
    forked = fork.write(tmp_path / "three")
    assert run(forked, "--root", root_file, "--earlier", kept).exit_code == 3


def test_what_cannot_be_reached_exits_6(tmp_path: Path, root_file: Path) -> None:
    (tmp_path / "empty").mkdir()
    with served({}) as url, served({"checkpoint": b"x"}, status=500) as broken:
        for place in (
            tmp_path / "none",
            tmp_path / "empty",
            url,
            broken,
            "http://127.0.0.1:1",
            "http://[",
            "http://",
        ):
            done = run(place, "--root", root_file, "--json")
            assert done.exit_code == 6, (place, done.output)
            assert json.loads(done.stdout)["error"]["code"] == "log_unreachable"


def test_files_that_never_end_are_not_read_to_the_end(root_file: Path) -> None:
    with served({"checkpoint": bytes(20_000_000)}) as url:
        done = run(url, "--root", root_file)
    assert done.exit_code == 1
    assert "too_long" in done.stderr


def test_trust_must_be_given_once(folder: Path, root_file: Path) -> None:
    assert run(folder).exit_code == 2
    assert run(folder, "--root", root_file, "--policy", root_file).exit_code == 2


def test_a_trust_file_that_is_none_is_refused(folder: Path, tmp_path: Path) -> None:
    noise = tmp_path / "noise"
    noise.write_bytes(b"\xff\xfe")
    for option in ("--root", "--policy"):
        assert run(folder, option, noise).exit_code == 1
