"""A member may sign and seal any bytes as a line: pages and commands show them, and stay whole."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.desk.conftest import BANK, NOW, bundle_id, described

from accord.cli.main import main
from accord.desk.app import Desk, open_desk
from accord.desk.storage.bundles import add_bundle, find_bundle
from accord.desk.web.records import shown_records

PASSPHRASE = b"a passphrase for hostile lines"
ESCAPE = b'{"value":"\\u001b]0;owned\\u0007","kind":"wallet","confidence":1,"basis":"x"}'
LINES = [b"\xff\xfe", b"not json", b"[1]", b'{"value":"x"}', ESCAPE, b"[" * 5000, b"\x1b[2J"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    secret = tmp_path / "passphrase"
    secret.write_bytes(PASSPHRASE)
    secret.chmod(0o600)
    monkeypatch.setenv("ACCORD_PASSPHRASE_FILE", str(secret))
    made = tmp_path / "desk"
    words = ["desk", "init", "--hub", "http://127.0.0.1:9", "--home", str(made)]
    assert CliRunner().invoke(main, words).exit_code == 0
    return made


@pytest.fixture(params=["indicators", "notice"])
def desk(home: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    kind = request.param
    bad = [(at, "json_invalid") for at in range(len(LINES))] if kind == "indicators" else []
    with open_desk(home, PASSPHRASE, clock=lambda: NOW) as opened:
        with opened.vault.transaction() as connection:
            add_bundle(
                connection,
                opened.vault.term_key,
                described(1, kind=kind, head=None),
                lines=LINES,
                records=[None] * len(LINES) if bad else [],
                quarantined=bad,
            )
        yield opened


def show(desk: Desk, *words: str) -> Result:
    where = ["--home", str(desk.config.home)]
    return CliRunner().invoke(main, ["show", bundle_id(1), *where, *words])


def test_the_command_shows_them_without_control_characters(desk: Desk) -> None:
    done = show(desk)
    assert done.exit_code == 0, done.exception
    assert "owned" in done.stdout
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout


def test_the_command_gives_them_as_data(desk: Desk) -> None:
    done = show(desk, "--json")
    assert done.exit_code == 0, done.exception
    lines = json.loads(done.stdout)["lines"]
    assert [line["record"] for line in lines] == list(range(len(LINES)))
    assert lines[1]["content"] == {"unreadable": "not json"}


def test_the_page_shows_them(desk: Desk) -> None:
    vault = desk.vault
    records = shown_records(
        vault,
        find_bundle(vault, bundle_id(1), BANK),
        marks=[],
        invalid=frozenset(range(len(LINES))),
        limit=100,
        now=NOW,
    )
    assert [record.line for record in records][:2] == ["\\xff\\xfe", "not json"]
