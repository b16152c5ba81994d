"""The witness's commands, and a real process that is stopped and started again."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator
from tests.conftest import ROOT as PROJECT
from tests.support.directory_people import AUDIT_LOG, DIRECTORY_LOG, ROOT, SIGNED_ROOT
from tests.support.logs import LOG_KEYS, ORIGIN, MadeLog, numbered
from tests.support.served_files import served

from accord.cli.main import main
from accord.demo.processes import Processes
from accord.kernel.tlog.checkpoint import add_cosignatures, verify_cosigned
from accord.kernel.tlog.policy import make_policy
from accord.kernel.tlog.submission import SIZE_MEDIA_TYPE, format_submission, parse_size

NAME = "ngo.example/witness"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    secret = tmp_path / "passphrase"
    secret.write_text("a long passphrase\n", encoding="utf-8")
    secret.chmod(0o600)
    monkeypatch.setenv("ACCORD_PASSPHRASE_FILE", str(secret))
    return tmp_path / "witness"


def run(home: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["witness", *words, "--home", str(home), "--json"])


def data(done: Result, schema: str) -> Any:
    assert done.exit_code == 0, done.output
    value = json.loads(done.stdout)
    validate(value, schema)
    return value


def validate(value: object, schema: str) -> None:
    text = (PROJECT / f"schemas/cli/{schema}.v1.json").read_text("utf-8")
    Draft202012Validator(json.loads(text)).validate(value)


def add_words() -> list[str]:
    return ["log", "add", ORIGIN, "--vkey", LOG_KEYS.vkeys[0], "--vkey", LOG_KEYS.vkeys[1]]


def test_a_witness_is_made_once(home: Path) -> None:
    assert data(run(home, "init", "--name", NAME, "--dry-run"), "witness-init")["made"] is False
    assert not home.exists()
    made = data(run(home, "init", "--name", NAME), "witness-init")
    assert (made["name"], made["made"]) == (NAME, True)
    again = run(home, "init", "--name", NAME)
    assert (again.exit_code, json.loads(again.stdout)["error"]["code"]) == (1, "witness_exists")
    assert run(home, "init", "--name", "Two Words").exit_code == 1
    assert {path.name for path in home.iterdir()} >= {"witness-keys.json", "witness.sqlite"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in home.iterdir())


def test_logs_are_added_and_listed(home: Path, tmp_path: Path) -> None:
    run(home, "init", "--name", NAME)
    log = MadeLog().append(numbered(3))
    pin = tmp_path / "pin"
    pin.write_bytes(log.sign())
    assert data(run(home, "log", "list"), "witness-log-list") == {"logs": []}
    tried = data(run(home, *add_words(), "--dry-run"), "witness-log-add")
    assert tried == {"logs": [{"origin": ORIGIN, "added": False}]}
    added = data(run(home, *add_words(), "--checkpoint", str(pin)), "witness-log-add")
    assert added == {"logs": [{"origin": ORIGIN, "added": True}]}
    (row,) = data(run(home, "log", "list"), "witness-log-list")["logs"]
    assert (row["origin"], row["size"], row["forks"]) == (ORIGIN, 3, 0)
    words = CliRunner().invoke(main, ["witness", "log", "list", "--home", str(home)])
    assert words.stdout == f"{ORIGIN}: size 3, 0 forks\n"


def test_a_root_file_names_both_logs_from_a_file_or_a_hub(home: Path, tmp_path: Path) -> None:
    run(home, "init", "--name", NAME)
    root_file = tmp_path / "root.json"
    root_file.write_bytes(SIGNED_ROOT)
    right = ROOT.sha256.hex()
    wrong = run(home, "log", "add", "--root", str(root_file), "--sha256", "0" * 64)
    assert (wrong.exit_code, json.loads(wrong.stdout)["error"]["code"]) == (3, "root_other")
    added = data(
        run(home, "log", "add", "--root", str(root_file), "--sha256", right), "witness-log-add"
    )
    assert [row["added"] for row in added["logs"]] == [True, True]
    assert {row["origin"] for row in added["logs"]} == {AUDIT_LOG.name, DIRECTORY_LOG.name}
    with served({"v1/root": SIGNED_ROOT}) as url:
        again = data(run(home, "log", "add", "--hub", f"{url}/"), "witness-log-add")
    assert [row["added"] for row in again["logs"]] == [False, False]


def test_a_hub_that_gives_no_root_file_is_unavailable(home: Path) -> None:
    run(home, "init", "--name", NAME)
    with served({}) as url, served({"v1/root": bytes(600_000)}) as endless:
        for place in (url, "http://127.0.0.1:1", "http://[", "nowhere"):
            done = run(home, "log", "add", "--hub", place)
            assert (done.exit_code, json.loads(done.stdout)["error"]["code"]) == (
                6,
                "hub_unreachable",
            )
        assert run(home, "log", "add", "--hub", endless).exit_code == 1


@pytest.mark.parametrize(
    "words",
    [
        ["log", "add"],
        ["log", "add", ORIGIN],
        ["log", "add", "--hub", "http://127.0.0.1:1", "--vkey", "x"],
        ["log", "add", ORIGIN, "--vkey", "x", "--hub", "http://127.0.0.1:1"],
        ["serve", "--port", "65536"],
        ["init"],
    ],
)
def test_words_that_make_no_sense_are_a_usage_error(home: Path, words: list[str]) -> None:
    assert run(home, *words).exit_code == 2


def test_without_its_state_a_witness_does_not_start(home: Path, tmp_path: Path) -> None:
    run(home, "init", "--name", NAME)
    (home / "witness.sqlite").rename(tmp_path / "elsewhere")
    for words in (["serve"], ["log", "list"], add_words()):
        done = run(home, *words)
        assert json.loads(done.stdout)["error"]["code"] == "witness_state_missing"
    data(run(tmp_path / "other", "init", "--name", "other.example"), "witness-init")
    (tmp_path / "other" / "witness.sqlite").rename(home / "witness.sqlite")
    done = run(home, "serve")
    assert json.loads(done.stdout)["error"]["code"] == "witness_state_other"


@pytest.fixture
def processes(home: Path) -> Iterator[Processes]:
    folder = home.parent
    with Processes(folder=folder, passphrase_file=folder / "passphrase") as running:
        yield running
    for server in running.servers:
        if server.stdout is not None:
            server.stdout.close()


def test_a_real_witness_remembers_over_a_restart(processes: Processes, home: Path) -> None:
    made = data(run(home, "init", "--name", NAME), "witness-init")
    data(run(home, *add_words()), "witness-log-add")
    policy = make_policy(LOG_KEYS.vkeys, [made["vkeys"]], quorum=1)
    log = MadeLog().append(numbered(300))

    ready = processes.serve("witness", "witness", "serve", "--port", "0")
    validate(ready, "witness-serve")
    assert (ready["name"], ready["vkeys"], ready["logs"]) == (NAME, made["vkeys"], [ORIGIN])
    note = log.sign()
    answer = httpx2.post(f"{ready['url']}/add-checkpoint", content=format_submission(0, [], note))
    assert answer.status_code == 200
    assert verify_cosigned(add_cosignatures(note, answer.content), policy) == log.checkpoint
    processes.servers[0].send_signal(signal.SIGTERM)
    assert processes.servers[0].wait(10) == 0

    again = processes.serve("witness", "witness", "serve", "--port", "0")
    fork = MadeLog().append(numbered(301, start=1)).sign()
    stale = httpx2.post(f"{again['url']}/add-checkpoint", content=format_submission(0, [], fork))
    assert (stale.status_code, stale.headers["content-type"]) == (409, SIZE_MEDIA_TYPE)
    assert parse_size(stale.content) == 300
    log.append(numbered(1, start=300))
    body = format_submission(300, log.consistency(300), log.sign())
    with httpx2.Client() as client:
        assert client.post(f"{again['url']}/add-checkpoint", content=body).status_code == 200


def test_a_killed_witness_has_kept_what_it_signed(processes: Processes, home: Path) -> None:
    run(home, "init", "--name", NAME)
    run(home, *add_words())
    log = MadeLog()
    for round_ in range(3):
        ready = processes.serve("witness", "witness", "serve", "--port", "0")
        old = log.edge.size
        log.append(numbered(10, start=old))
        body = format_submission(old, log.consistency(old), log.sign())
        answer = httpx2.post(f"{ready['url']}/add-checkpoint", content=body)
        assert answer.status_code == 200, (round_, answer.content)
        processes.servers[-1].kill()
        processes.servers[-1].wait()
    (row,) = data(run(home, "log", "list"), "witness-log-list")["logs"]
    assert row["size"] == 30
