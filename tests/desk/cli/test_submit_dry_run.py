"""``accord submit --dry-run`` as it is typed: output, files, exit codes, and no network."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from accord.cli.main import main

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "schemas/cli/submit-dry-run.v1.json").read_text("utf-8"))
DOCUMENT = Draft202012Validator(SCHEMA)
RECORD = Draft202012Validator({"$ref": "#/$defs/record", "$defs": SCHEMA["$defs"]})
BTC = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
EVM = "0x52908400098527886e0f7030069857d2e4169ee7"


def submit(home: Path, *arguments: object) -> Result:
    words = ["submit", *map(str, arguments), "--home", str(home)]
    return CliRunner().invoke(main, words)


def document(home: Path, *arguments: object) -> tuple[int, dict[str, Any]]:
    result = submit(home, *arguments, "--dry-run", "--json")
    data = json.loads(result.stdout)
    DOCUMENT.validate(data)
    return result.exit_code, data


def write(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "october.csv"
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("lines", "exit_code"),
    [
        (["wallet", BTC, EVM], 0),
        (["wallet", BTC, BTC, ""], 0),
        (["wallet", BTC, "1Bad"], 5),
        (["wallet", BTC, "0x" + "0" * 40], 5),
        (["wallet", "0x" + "0" * 40], 5),
        (["wallet", "1Bad", "2Bad"], 1),
        (["wallet,x", ",y"], 1),
    ],
)
def test_the_exit_code_says_whether_all_some_or_none_can_go(
    tmp_path: Path, lines: list[str], exit_code: int
) -> None:
    path = write(tmp_path, *lines)
    assert document(tmp_path / "home", path)[0] == exit_code
    assert submit(tmp_path / "home", path, "--dry-run").exit_code == exit_code


def test_the_document_lists_every_row(tmp_path: Path) -> None:
    path = write(
        tmp_path, "Wallet;Coin", f"{BTC};btc", f" {EVM.upper()};ETH", "1Bad;btc", f"{BTC};", ";"
    )
    _, data = document(tmp_path / "home", path)
    assert data["totals"] == {
        "ready": 1, "changed": 1, "refused": 1, "held": 0, "duplicate": 1, "blank": 1,
    }  # fmt: skip
    assert data["mapping"] == {"Wallet": "value", "Coin": "network"}
    assert [record["row"] for record in data["records"]] == [1, 2, 3, 4, 5]
    assert data["records"][0] == {
        "row": 1, "result": "ready", "kind": "wallet", "network": "btc", "value": BTC,
        "code": None, "message": None,
    }  # fmt: skip
    assert sum(data["refused_by_code"].values()) == 1
    assert data["guards"] == []


def test_a_dry_run_needs_no_desk_and_leaves_nothing_behind(tmp_path: Path) -> None:
    home = tmp_path / "home"
    path = write(tmp_path, "Wallet", BTC)
    assert submit(home, path, "--dry-run", "--map", "Wallet=value").exit_code == 0
    assert not home.exists()
    assert list(tmp_path.iterdir()) == [path]


def test_a_dry_run_opens_no_socket(tmp_path: Path) -> None:
    path = write(tmp_path, "Wallet", BTC)
    program = (
        "import socket, sys\n"
        "def none(*a, **k): raise SystemExit('a socket was opened')\n"
        "socket.socket.__init__ = none\n"
        "from accord.cli.main import main\n"
        "main()\n"
    )
    words = [sys.executable, "-c", program, "submit", str(path), "--dry-run", "--json"]
    done = subprocess.run([*words, "--home", str(tmp_path)], capture_output=True, check=False, timeout=60)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["totals"]["ready"] == 1
    assert hasattr(socket, "socket")


def test_the_report_for_people_is_short_and_says_what_matters(tmp_path: Path) -> None:
    path = write(tmp_path, "Wallet;Coin;Id", f"{BTC};btc;1", f"{BTC[:-1]}X;btc;2")
    result = submit(tmp_path / "home", path, "--dry-run")
    assert "Wallet -> value" in result.stdout
    assert "stays here: Id" in result.stdout
    assert "No guard lists loaded" in result.stdout
    assert "row 2: " in result.stdout
    assert "[checksum_wrong]" in result.stdout
    assert "Nothing has left this computer yet." in result.stdout
    assert len(result.stdout.splitlines()) < 20


def test_guard_lists_are_named(tmp_path: Path) -> None:
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "guard.csv").write_text(f"address\n{EVM}\n", encoding="utf-8")
    path = write(tmp_path, "Wallet", BTC, EVM)
    code, data = document(tmp_path / "home", path, "--guards", lists)
    assert code == 5
    assert data["guards"] == ["guard"]
    assert data["held_by_code"] == {"known_service": 1}
    assert "1 guard lists loaded" in submit(tmp_path, path, "--guards", lists, "--dry-run").stdout


def test_records_above_ten_thousand_go_to_a_file(tmp_path: Path) -> None:
    path = write(tmp_path, "domain", *(f"site-{number}.org" for number in range(10_001)))
    out = tmp_path / "records.ndjson"
    code, data = document(tmp_path / "home", path, "--records", out)
    assert code == 0
    assert data["records"] == []
    assert data["records_left_out"] == 10_001
    assert data["records_file"] == "records.ndjson"
    lines = out.read_text("utf-8").splitlines()
    assert len(lines) == 10_001
    RECORD.validate(json.loads(lines[0]))
    assert json.loads(lines[-1])["row"] == 10_001
    assert out.stat().st_mode & 0o077 == 0
    result = submit(tmp_path, path, "--dry-run", "--json")
    assert "--records FILE" in result.stderr


def test_exactly_ten_thousand_rows_are_listed(tmp_path: Path) -> None:
    path = write(tmp_path, "domain", *(f"site-{number}.org" for number in range(10_000)))
    _, data = document(tmp_path / "home", path)
    assert len(data["records"]) == 10_000


def test_refused_rows_are_written_out_for_mending(tmp_path: Path) -> None:
    path = write(tmp_path, "Id;Wallet", f"7;{BTC}", f"8;{BTC[:-1]}X")
    out = tmp_path / "mend.csv"
    assert submit(tmp_path / "home", path, "--dry-run", "--refused", out).exit_code == 5
    lines = out.read_text("utf-8-sig").splitlines()
    assert lines[0] == "Id;Wallet;accord row;accord code;accord reason"
    assert lines[1].startswith(f"8;{BTC[:-1]}X;2;checksum_wrong;")
    out.write_text(out.read_text("utf-8").replace(f"{BTC[:-1]}X", BTC), encoding="utf-8")
    code, data = document(tmp_path / "home", out)
    assert (code, data["totals"]["ready"]) == (0, 1)


def test_options_reach_the_intake(tmp_path: Path) -> None:
    path = write(tmp_path, "A|B", f"{EVM[2:]}|https://example-host.net/f")
    code, data = document(tmp_path, path, "--network", "ethereum", "--map", "A=value")
    assert (code, data["records"][0]["network"]) == (0, "evm")
    code, data = document(tmp_path, path, "--map", "B=value", "--keep-url", "--delimiter", "|")
    assert data["records"][0]["kind"] == "url"
    code, data = document(tmp_path, path, "--encoding", "cp1250", "--map", "B=value")
    assert (data["source"]["encoding"], data["records"][0]["code"]) == ("cp1250", "url_to_domain")


def test_a_mapping_is_remembered_by_the_home(tmp_path: Path) -> None:
    path = write(tmp_path, "A|B", f"{BTC}|{EVM}")
    document(tmp_path, path, "--map", "B=value")
    _, data = document(tmp_path, path)
    assert data["mapping_origin"] == "remembered"
    assert data["records"][0]["value"] == EVM


@pytest.mark.parametrize(
    ("arguments", "exit_code", "code"),
    [
        (["--map", "Wallet"], 2, None),
        (["--map", "=value"], 2, None),
        (["--tlp", "purple"], 2, None),
        (["--map", "Nothing=value"], 1, "column_unknown"),
        (["--map", "Wallet=password"], 1, "field_unknown"),
        (["--network", "klingon"], 1, "network_unknown"),
        (["--guards", "absent"], 1, "guards_missing"),
        (["--encoding", "klingon"], 1, "encoding_unknown"),
        (["--records", "absent/dir/x"], 1, "output_unwritable"),
        (["--records", "same", "--refused", "same"], 1, "output_taken"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_code(
    tmp_path: Path, arguments: list[str], exit_code: int, code: str | None
) -> None:
    result = submit(tmp_path, write(tmp_path, "Wallet", BTC), "--dry-run", "--json", *arguments)
    assert result.exit_code == exit_code
    if code is not None:
        assert json.loads(result.stdout)["error"]["code"] == code


def test_the_export_itself_is_never_written_over(tmp_path: Path) -> None:
    path = write(tmp_path, "Wallet", BTC)
    before = path.read_bytes()
    for option in ("--records", "--refused"):
        result = submit(tmp_path, path, "--dry-run", option, tmp_path / "." / path.name)
        assert result.exit_code == 1
    link = tmp_path / "link.csv"
    link.hardlink_to(path)
    assert submit(tmp_path, path, "--dry-run", "--records", link).exit_code == 1
    assert path.read_bytes() == before


@pytest.mark.parametrize("option", ["--records", "--refused"])
def test_an_output_that_was_there_before_is_its_owners_alone(tmp_path: Path, option: str) -> None:
    out = tmp_path / "out"
    out.write_text("old")
    out.chmod(0o644)
    submit(tmp_path, write(tmp_path, "Wallet", BTC, "nonsense"), "--dry-run", option, out)
    assert out.stat().st_mode & 0o777 == 0o600
    assert BTC in out.read_text() or "nonsense" in out.read_text()


def test_an_output_that_is_no_file_keeps_its_mode(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o640)
    mode = pipe.stat().st_mode
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        submit(tmp_path, write(tmp_path, "Wallet", BTC), "--dry-run", "--records", pipe)
        assert BTC.encode() in os.read(reader, 4096)
    finally:
        os.close(reader)
    assert pipe.stat().st_mode == mode


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    result = submit(tmp_path, tmp_path / "absent.csv", "--dry-run", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "file_missing"


@pytest.mark.parametrize("rows", [("nonsense",), (), ("", "x")])
def test_a_file_of_which_nothing_can_go_fails_with_a_code_beside_its_report(
    tmp_path: Path, rows: tuple[str, ...]
) -> None:
    path = write(tmp_path, "Wallet,Note", *(f"{row}," for row in rows))
    result = submit(tmp_path, path, "--dry-run", "--json")
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert report["error"]["code"] == "nothing_usable"
    assert sum(report["totals"].values()) == len(rows)
    DOCUMENT.validate(report)
    assert "[nothing_usable]" in result.stderr


def test_no_secret_is_ever_printed(tmp_path: Path) -> None:
    secret = "5KJvsngHeMpm884wtkJNzQGaCErckhHJBGFsvd3VyK5qMZXj3hS"
    path = write(tmp_path, "Wallet,Note", f"{secret},{secret}", f"{BTC},{secret}")
    out, mend = tmp_path / "out", tmp_path / "mend"
    result = submit(
        tmp_path, path, "--dry-run", "--json", "--records", out, "--refused", mend
    )  # fmt: skip
    assert result.exit_code == 5
    assert json.loads(result.stdout)["refused_by_code"] == {"private_key": 1}
    for text in (result.output, out.read_text("utf-8"), mend.read_text("utf-8")):
        assert secret not in text


def test_without_a_desk_nothing_can_be_sent(tmp_path: Path) -> None:
    path = write(tmp_path, "Wallet", BTC)
    result = submit(tmp_path / "home", path)
    assert result.exit_code == 2
    wishes = ["--to", "police@hub.example", "--tlp", "amber", "--purpose", "investigation"]
    result = submit(tmp_path / "home", path, *wishes, "--json")
    assert result.exit_code == 4
    assert json.loads(result.stdout)["error"]["code"] == "not_enrolled"


@pytest.mark.parametrize(
    ("name", "exit_code"),
    [
        ("ofac_addresses.csv", 5),
        ("ransomware_addresses.csv", 0),
        ("filehosting_domains.csv", 5),
        ("mixer_and_hack_addresses.csv", 5),
        ("usdt_frozen_evm.csv", 5),
        ("messy/bank_de_semicolon_bom.csv", 5),
        ("messy/police_utf16_tab.txt", 5),
    ],
)
def test_real_lists_give_a_valid_document(
    shared: Path, tmp_path: Path, name: str, exit_code: int
) -> None:
    code, data = document(tmp_path, shared / "data" / name)
    assert code == exit_code
    assert sum(data["totals"].values()) == len(data["records"])
