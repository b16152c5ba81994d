"""Commands talk in one way: data on stdout, words on stderr, honest exit codes."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from accord.cli.main import COMMANDS, main
from accord.kernel.errors import (
    AccordError,
    AuthenticationNeeded,
    Conflict,
    Malformed,
    NotFound,
    Refused,
    Unavailable,
    VerificationFailed,
)
from accord.terminal import Failed, Partly, Terminal, common_options, exit_code_of


@click.command()
@click.argument("outcome")
@common_options
def command(terminal: Terminal, outcome: str) -> None:
    """Do what the argument says."""
    if outcome == "partly":
        terminal.result({"done": 1}, "half")
        raise Partly
    if outcome == "failed":
        raise Failed(3)
    if outcome == "system":
        (terminal.home / "not" / "there").read_bytes()
    if outcome == "error":
        raise Refused("rule_says_no", "No.", observed="x", next_step="Ask.")
    terminal.say("working")
    terminal.result({"home": str(terminal.home), "yes": terminal.yes}, "fine")


def test_json_puts_data_alone_on_stdout() -> None:
    done = CliRunner().invoke(command, ["ok", "--json", "--yes", "--home", "/nowhere"])
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"home": "/nowhere", "yes": True})
    assert done.stderr == "working\n"


def test_quiet_says_nothing() -> None:
    done = CliRunner().invoke(command, ["ok", "--quiet"])
    assert (done.stdout, done.stderr) == ("fine\n", "")


@pytest.mark.parametrize(("outcome", "code"), [("partly", 5), ("failed", 3), ("error", 1)])
@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_the_exit_code_does_not_depend_on_json(outcome: str, code: int, flags: list[str]) -> None:
    assert CliRunner().invoke(command, [outcome, *flags]).exit_code == code


def test_an_error_names_cause_observed_value_and_next_step() -> None:
    done = CliRunner().invoke(command, ["error", "--json"])
    assert json.loads(done.stdout) == {
        "error": {
            "code": "rule_says_no",
            "message": "No.",
            "observed": "x",
            "next_step": "Ask.",
        }
    }
    assert done.stderr == "Error: No. (saw: x) Ask. [rule_says_no]\n"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Malformed, 1),
        (Refused, 1),
        (NotFound, 1),
        (Conflict, 1),
        (VerificationFailed, 3),
        (AuthenticationNeeded, 4),
        (Unavailable, 6),
    ],
)
def test_each_class_of_error_has_its_exit_code(error: type[AccordError], code: int) -> None:
    assert exit_code_of(error("some_code", "Words.")) == code


def test_the_home_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCORD_HOME", "/from/environment")
    done = CliRunner().invoke(command, ["ok", "--json"])
    assert json.loads(done.stdout)["home"] == "/from/environment"


def ask(terminal: Terminal) -> None:
    """Print the passphrase's length."""
    terminal.result([len(terminal.passphrase("Passphrase"))], "")


ASK = click.command()(common_options(ask))


def test_the_passphrase_comes_from_a_private_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "passphrase"
    path.write_bytes(b"correct horse\n")
    path.chmod(0o600)
    monkeypatch.setenv("ACCORD_PASSPHRASE_FILE", str(path))
    assert json.loads(CliRunner().invoke(ASK, ["--json"]).stdout) == [13]


@pytest.mark.parametrize(
    ("content", "mode", "code"),
    [
        (b"x", 0o644, "passphrase_file_open"),
        (b"\n", 0o600, "passphrase_file_bad"),
        (b"x" * 1025, 0o600, "passphrase_file_bad"),
        (None, 0o600, "passphrase_file_bad"),
    ],
)
def test_a_bad_passphrase_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, mode: int, code: str
) -> None:
    path = tmp_path / "passphrase"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    monkeypatch.setenv("ACCORD_PASSPHRASE_FILE", str(path))
    done = CliRunner().invoke(ASK, ["--json"])
    assert (done.exit_code, json.loads(done.stdout)["error"]["code"]) == (1, code)


def test_without_file_and_keyboard_a_passphrase_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ACCORD_PASSPHRASE_FILE", raising=False)
    done = CliRunner().invoke(ASK, ["--json"])
    assert (done.exit_code, json.loads(done.stdout)["error"]["code"]) == (4, "passphrase_missing")


def test_an_unknown_command_is_a_usage_error() -> None:
    assert CliRunner().invoke(main, ["nonsense"]).exit_code == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    done = CliRunner().invoke(main, [name, "--help"])
    assert done.exit_code == 0, done.output
    assert "Usage:" in done.stdout


def test_what_the_system_refuses_is_named_without_a_traceback(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["system", "--json", "--home", str(tmp_path)])
    error = json.loads(done.stdout)["error"]
    assert (done.exit_code, error["code"]) == (1, "system_refused")
    assert str(tmp_path / "not" / "there") in error["observed"]
    assert "Traceback" not in done.output


@click.command()
@common_options
def hostile(terminal: Terminal) -> None:  # noqa: ARG001 - a command gets it
    """Fail with what a forged file says."""
    raise Malformed("record_unknown", "No.", observed="a\x1b[8m\x9b2J\u202eb")


def test_what_was_observed_cannot_command_the_terminal() -> None:
    told = CliRunner().invoke(hostile, [])
    assert told.exit_code == 1
    assert "\\x1b[8m\\x9b2J\\u202eb" in told.stderr
    machine = CliRunner().invoke(hostile, ["--json"])
    assert machine.stdout.isascii()
    assert json.loads(machine.stdout)["error"]["observed"] == "a\x1b[8m\x9b2J\u202eb"
