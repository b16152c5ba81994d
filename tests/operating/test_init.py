"""``accord hub init``: three questions at a terminal, none elsewhere, nothing overwritten, a sheet."""

import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.docs.pages import ROOT

from accord.cli.main import main
from accord.hub.config import load_config

PASSPHRASE = "a passphrase for the log keys"


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the public files of a registrar and a witness."""
    folder = tmp_path_factory.mktemp("public")
    secret = folder / "passphrase"
    secret.touch(mode=0o600)
    secret.write_text(PASSPHRASE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACCORD_PASSPHRASE_FILE", str(secret))
        made = run("registrar", "init", "--name", "anna", "--home", str(folder / "registrar"))
        witness = run("witness", "init", "--name", "ngo.test/w", "--home", str(folder / "witness"))
    (folder / "anna.json").write_bytes(Path(json.loads(made.stdout)["public_file"]).read_bytes())
    found = json.loads(witness.stdout)
    (folder / "witness.json").write_text(
        json.dumps({"name": found["name"], "vkeys": found["vkeys"], "url": "https://w.test"})
    )
    return folder


def run(*words: str, code: int = 0) -> Result:
    done = CliRunner().invoke(main, [*words, "--json"])
    assert done.exit_code == code, done.output
    return done


def words(public: Path, home: Path, *more: str) -> list[str]:
    files = ["--registrar", str(public / "anna.json"), "--witness", str(public / "witness.json")]
    return ["hub", "init", "--origin", "hub.test", *files, *more, "--home", str(home)]


@pytest.fixture(autouse=True)
def secret(public: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCORD_PASSPHRASE_FILE", str(public / "passphrase"))


def test_options_make_a_hub_with_its_address_and_sheet(public: Path, tmp_path: Path) -> None:
    home = tmp_path / "hub"
    made = json.loads(run(*words(public, home, "--url", "https://Hub.example/")).stdout)
    config = load_config(home)
    assert (config.https, config.authorities) == (True, ("hub.example",))
    sheet = Path(made["sheet"])
    assert sheet.read_bytes().startswith(b"%PDF-")
    assert sheet.stat().st_mode & 0o777 == 0o600


def test_the_sheet_has_fingerprints_and_no_secret(public: Path, tmp_path: Path) -> None:
    home, sheet = tmp_path / "hub", tmp_path / "sheet.txt"
    run(*words(public, home, "--sheet", str(sheet)))
    text = sheet.read_text("utf-8")
    draft = json.loads((home / "root.draft.json").read_bytes())
    for name in ("keys.accord", "root.json", "erasures.jsonl", "accord hub restore", "By hand"):
        assert name in text
    assert "registrar anna" in text
    assert "witness ngo.test/w" in text
    keys = json.loads((home / "keys.accord").read_bytes())
    assert PASSPHRASE not in text
    assert keys["box"][:40] not in text
    assert draft["hub"] == "hub.test"


def test_without_a_terminal_it_never_asks(public: Path, tmp_path: Path) -> None:
    home = str(tmp_path / "hub")
    done = CliRunner().invoke(main, ["hub", "init", "--home", home], input="hub.test\n\n\n")
    assert done.exit_code == 2
    assert "--origin" in done.output
    done = CliRunner().invoke(main, ["hub", "init", "--origin", "hub.test", "--home", home])
    assert done.exit_code == 2
    assert not Path(home).exists()
    assert public.exists()


def test_it_refuses_to_overwrite(public: Path, tmp_path: Path) -> None:
    home = tmp_path / "hub"
    run(*words(public, home))
    before = {path.name: path.read_bytes() for path in home.iterdir()}
    done = run(*words(public, home), code=1)
    assert json.loads(done.stdout)["error"]["code"] == "hub_exists"
    assert {path.name: path.read_bytes() for path in home.iterdir()} == before


@pytest.mark.parametrize("url", ["hub.example", "ftp://hub.example", "https://hub.example/path"])
def test_an_address_is_a_host_and_nothing_else(public: Path, tmp_path: Path, url: str) -> None:
    done = run(*words(public, tmp_path / "hub", "--url", url), code=1)
    assert json.loads(done.stdout)["error"]["code"] == "hub_url_invalid"
    assert not (tmp_path / "hub").exists()


def test_a_terminal_is_asked_three_questions(public: Path, tmp_path: Path) -> None:
    home = tmp_path / "hub"
    answers = f"hub.test\nhttps://hub.example\n{public / 'anna.json'} {public / 'witness.json'}\n"
    outer, inner = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "accord", "hub", "init", "--home", str(home)],
        stdin=inner,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT / "platform")},
        text=True,
    ) as process:
        os.close(inner)
        for line in answers.splitlines(keepends=True):
            os.write(outer, line.encode())
            time.sleep(0.05)
        out, errors = process.communicate(timeout=60)
    os.close(outer)
    assert process.returncode == 0, errors
    assert errors.count("1. ") == errors.count("2. ") == errors.count("3. ") == 1
    assert "Made the hub hub.test" in out
    assert load_config(home).authorities == ("hub.example",)


def test_the_sheet_can_be_written_anew(public: Path, tmp_path: Path) -> None:
    home, root = tmp_path / "hub", tmp_path / "root.json"
    run(*words(public, home))
    missing = run("hub", "sheet", "-o", str(tmp_path / "s.txt"), "--home", str(home), code=1)
    assert json.loads(missing.stdout)["error"]["code"] == "root_missing"
    sign = ["registrar", "sign", str(home / "root.draft.json"), "-o", str(root), "--yes"]
    run(*sign, "--home", str(public / "registrar"))
    run("hub", "root", "install", str(root), "--home", str(home))
    run("hub", "sheet", "-o", str(tmp_path / "s.txt"), "--home", str(home))
    digest = "".join(
        line.split()[-1]
        for line in (tmp_path / "s.txt").read_text().splitlines()
        if "SHA-256" in line and line.startswith("root file")
    )
    assert len(digest) == 64
    again = run("hub", "sheet", "-o", str(tmp_path / "s.txt"), "--home", str(home), code=1)
    assert json.loads(again.stdout)["error"]["code"] == "sheet_exists"
