"""``accord doctor``: each thing that can be wrong with an installation is found and named."""

import json
import os
import socket
import sqlite3
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from tests.support.hub_world import NOW, World
from tests.support.light_keys import save_light_keys

from accord.cli.main import main
from accord.findings import FULL_BYTES, Finding, examine_clock, examine_disk_speed, sync_millis
from accord.hub.cli import doctor as hub_doctor
from accord.kernel.markings import OrgKind

PASSPHRASE = b"a passphrase for the doctor"
SCHEMA = json.loads(
    (Path(__file__).resolve().parents[2] / "schemas" / "cli" / "doctor.v1.json").read_text("utf-8")
)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A hub with its files as `hub init` and `hub root install` leave them."""
    world = World(tmp_path)
    world.enrol("first-bank", OrgKind.FINANCIAL)
    keys = {}
    for name, pair in world.log_keys.items():
        keys |= {f"{name}.ed25519": pair.ed25519_seed, f"{name}.mldsa44": pair.mldsa44_seed}
    save_light_keys(world.config.keys, keys, PASSPHRASE)
    world.config.root.write_bytes(world.root_bytes)
    passphrase = tmp_path / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_bytes(PASSPHRASE)
    monkeypatch.setenv("ACCORD_PASSPHRASE_FILE", str(passphrase))
    yield world
    world.close()


def examine(world: World, transport: httpx2.BaseTransport | None = None) -> list[Finding]:
    return hub_doctor.examine_hub(
        world.config,
        clock=world.clock,
        transport=transport or httpx2.WSGITransport(app=world.witness_app),
    )


def codes(findings: list[Finding]) -> set[str]:
    return {one.problem.code for one in findings if one.problem is not None}


def test_a_sound_hub_has_nothing_wrong(installed: World) -> None:
    findings = examine(installed)
    assert codes(findings) <= {"disk_low", "disk_slow"}
    told = {one.check: one.observed for one in findings}
    assert told["log keys"] == "opened; the root file names them"
    assert "commits/s" in told["speed of the disk"]
    assert "post-quantum" in told["cryptography"]
    assert told["witness ngo.test/witness, log audit"].startswith("knows ")


def test_files_that_others_may_read_are_named_with_the_command_that_mends_it(
    installed: World,
) -> None:
    installed.config.database_file.chmod(0o644)
    installed.config.home.chmod(0o755)
    found = [one for one in examine(installed) if one.problem and one.problem.code == "mode_open"]
    assert [one.problem.next_step for one in found if one.problem] == [
        f"chmod 700 {installed.config.home}",
        f"chmod 600 {installed.config.database_file}",
    ]


def test_an_unreadable_passphrase_file_is_told(
    installed: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ACCORD_PASSPHRASE_FILE", str(tmp_path / "none"))
    assert "passphrase_file_bad" in codes(examine(installed))
    (tmp_path / "none").touch(mode=0o644)
    assert "passphrase_file_open" in codes(examine(installed))


def test_a_wrong_passphrase_and_another_hubs_keys_are_told(
    installed: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.touch(mode=0o600)
    other.write_text("not this one")
    monkeypatch.setenv("ACCORD_PASSPHRASE_FILE", str(other))
    assert "passphrase_wrong" in codes(examine(installed))
    strange = World(tmp_path / "strange") if (tmp_path / "strange").mkdir() is None else None
    assert strange is not None
    installed.config.root.write_bytes(strange.root_bytes)
    strange.close()
    monkeypatch.setenv("ACCORD_PASSPHRASE_FILE", str(tmp_path / "passphrase"))
    assert {"root_other_keys", "note_unsigned"} & codes(examine(installed))


def test_a_damaged_database_is_found_and_not_touched(installed: World) -> None:
    installed.services.close()
    path = installed.config.database_file
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    data = bytearray(path.read_bytes())
    for at in range(4096, len(data), 4096):
        data[at : at + 64] = os.urandom(64)
    path.write_bytes(data)
    found = examine(installed)
    assert "database_damaged" in codes(found)
    assert path.read_bytes() == bytes(data)


def test_a_missing_and_a_newer_database_are_told(installed: World) -> None:
    installed.services.close()
    with sqlite3.connect(installed.config.database_file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert "database_newer" in codes(examine(installed))
    for path in installed.config.home.glob("hub.db*"):
        path.unlink()
    assert "database_missing" in codes(examine(installed))
    assert not installed.config.database_file.exists()


def test_a_silent_and_an_advanced_witness_are_told(installed: World) -> None:
    def refuse(_request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    assert "witness_unreachable" in codes(examine(installed, httpx2.MockTransport(refuse)))
    unknown = httpx2.MockTransport(lambda _request: httpx2.Response(404))
    assert "witness_follows_not" in codes(examine(installed, unknown))
    installed.services.close()
    older = installed.config.database_file.read_bytes()
    installed.services = installed.open_services()
    installed.services.enrolments.invite("late", OrgKind.NGO, now=NOW)
    installed.witness_round()
    installed.services.close()
    for path in installed.config.home.glob("hub.db*"):
        path.unlink()
    installed.config.database_file.write_bytes(older)
    assert "behind_witness" in codes(examine(installed))


def test_a_port_of_another_program_is_told(installed: World) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        text = (installed.config.home / "hub.toml").read_text()
        port = taken.getsockname()[1]
        (installed.config.home / "hub.toml").write_text(text.replace("8600", str(port)))
        done = CliRunner().invoke(main, ["doctor", "--json", "--home", str(installed.config.home)])
    data = json.loads(done.stdout)
    Draft202012Validator(SCHEMA).validate(data)
    assert data["program"] == "hub"
    (port_finding,) = [one for one in data["findings"] if one["check"] == "port"]
    assert port_finding["code"] == "port_taken"
    assert done.exit_code == 6, "only things to wait for are wrong: port and witness"
    assert PASSPHRASE.decode() not in done.output


def test_leftovers_of_an_act_that_was_cut_off_are_named(installed: World) -> None:
    (installed.config.bodies / "ab").mkdir()
    (installed.config.bodies / "ab" / f"{'ab' * 32}.0123.draft").touch()
    found = [one for one in examine(installed) if one.check == "leftovers"]
    assert [one.state for one in found] == ["warning"]


@pytest.mark.parametrize(("skew", "state"), [(0, "ok"), (31, "warning"), (-86_400, "wrong")])
def test_clocks_are_compared(skew: int, state: str) -> None:
    date = formatdate(NOW - skew, usegmt=True)
    assert examine_clock("clock", date, now=NOW).state == state


def test_a_slow_disk_is_told_with_its_ceiling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter(range(1000))
    assert sync_millis(tmp_path, timer=lambda: next(ticks) / 20) == pytest.approx(50)
    monkeypatch.setattr("accord.findings.SLOW_SYNC_MILLIS", 0.0)
    assert examine_disk_speed(tmp_path).state == "warning"
    assert FULL_BYTES > 0


def doctored(home: Path) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(main, ["doctor", "--json", "--home", str(home)])
    data = json.loads(done.stdout)
    if "error" not in data:
        Draft202012Validator(SCHEMA).validate(data)
    return done.exit_code, data


def test_a_desk_a_witness_and_an_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_bytes(PASSPHRASE)
    monkeypatch.setenv("ACCORD_PASSPHRASE_FILE", str(passphrase))
    desk, witness = tmp_path / "desk", tmp_path / "witness"
    for words in (
        ["desk", "init", "--hub", "http://127.0.0.1:9", "--port", "0", "--home", str(desk)],
        ["witness", "init", "--name", "ngo.test/w", "--home", str(witness)],
    ):
        assert CliRunner().invoke(main, words).exit_code == 0
    code, data = doctored(desk)
    found = {one["check"]: one.get("code", one["state"]) for one in data["findings"]}
    assert (code, data["program"]) == (4, "desk"), "not enrolled yet"
    assert found["keys and vault"] == "ok"
    assert found["recovery key"] == "recovery_key_here"
    assert (found["membership"], found["hub"]) == ("not_enrolled", "hub_unreachable")
    code, data = doctored(witness)
    assert (code, data["ok"], data["program"]) == (0, True, "witness")
    (witness / "witness.sqlite").unlink()
    code, data = doctored(witness)
    assert (code, data["ok"]) == (1, False)
    code, data = doctored(tmp_path / "nothing")
    assert (code, data["error"]["code"]) == (1, "home_unknown")
    (desk / "desk.toml").write_text("nonsense = 1")
    code, data = doctored(desk)
    assert (code, data["findings"][0]["code"]) == (1, "config_invalid")
