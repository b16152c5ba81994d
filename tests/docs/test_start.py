"""Every command of the first hour runs, in the order of the page; servers are real processes."""

import json
import re
import selectors
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.docs.pages import ROOT, blocks, words_of

from accord.cli.main import main
from accord.clock import system_clock
from accord.desk.exchange.tally import last_closed_month

READY_SECONDS = 60
EXPORT = (
    "wallet;note\n"
    "0x52908400098527886E0F7030069857D2E4169EE7;paid for access\n"
    "1BoatSLRHtKNngkdXEeobR76b53LETtpyT;\n"
)
RUNBOOKS = ROOT / "docs" / "operate" / "runbooks"


class Hour:
    """The folders, servers and values of one run through the page."""

    def __init__(self, folder: Path) -> None:
        """Lay out what the page takes for granted: a passphrase, an export, a list of values."""
        self.folder = folder
        self.servers: list[subprocess.Popen[str]] = []
        self.values: dict[str, str] = {}
        self.invites: dict[str, str] = {}
        self.words: dict[str, list[str]] = {}
        passphrase = folder / "passphrase"
        passphrase.touch(mode=0o600)
        passphrase.write_text("words for this test alone", encoding="utf-8")
        (folder / "october.csv").write_text(EXPORT, encoding="utf-8")
        (folder / "values.txt").write_text(EXPORT.split(";")[1].split("\n")[1], encoding="utf-8")

    def line(self, line: str) -> Any:
        """Run one line of the page and return its data."""
        words = self._filled(words_of(line))
        target = re.search(r"> (\S+)$", line)
        source = re.search(r"< (\S+)$", line)
        if "serve" in words:
            return self._serve(words, tee=re.search(r"\| tee (\S+)$", line))
        as_json = [] if target else ["--json"]
        given = (self.folder / source[1]).read_text(encoding="utf-8") if source else None
        done = CliRunner().invoke(main, [*words, "--yes", *as_json], input=given)
        assert done.exit_code == 0, f"{line}\n{done.output}"
        if target:
            (self.folder / target[1]).write_text(done.stdout, encoding="utf-8")
            return None
        return json.loads(done.stdout)

    def fails(self, line: str) -> dict[str, str]:
        """Run a line that must fail and return its error."""
        done = CliRunner().invoke(main, [*self._filled(words_of(line)), "--yes", "--json"])
        assert done.exit_code != 0, line
        error: dict[str, str] = json.loads(done.stdout)["error"]
        return error

    def _filled(self, words: list[str]) -> list[str]:
        """Put this run's values where the page has placeholders and fixed addresses."""
        name = words[words.index("--name") + 1] if "--name" in words else ""
        places = {**self.values, "CODE": self.invites.get(name, "CODE")}
        return [
            re.sub("|".join(map(re.escape, places)), lambda found: places[found[0]], word)
            for word in words
        ]

    def _serve(self, words: list[str], *, tee: re.Match[str] | None) -> dict[str, Any]:
        port = [] if words[0] == "hub" else ["--port", "0"]
        with (self.folder / f"{words[0]}.log").open("ab") as log:
            server = subprocess.Popen(
                [sys.executable, "-m", "accord", *words, *port, "--json"],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
            )
        self.servers.append(server)
        assert server.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(server.stdout, selectors.EVENT_READ)
            assert selector.select(READY_SECONDS), f"{words} did not become ready"
        first = server.stdout.readline()
        if tee:
            (self.folder / tee[1]).write_text(first, encoding="utf-8")
        ready: dict[str, Any] = json.loads(first)
        return ready

    def stop(self) -> None:
        """End the servers."""
        for server in reversed(self.servers):
            server.terminate()
        for server in self.servers:
            server.wait(20)
            if server.stdout is not None:
                server.stdout.close()


@pytest.fixture
def hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hour]:
    made = Hour(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACCORD_PASSPHRASE_FILE", str(tmp_path / "passphrase"))
    yield made
    made.stop()


@pytest.mark.enable_socket
@pytest.mark.timeout(400)
def test_the_first_hour_runs_as_written(hour: Hour) -> None:
    text = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
    hour.values = {"127.0.0.1:8600": "127.0.0.1:0", "MONTH": last_closed_month(system_clock())}
    found: dict[str, Any] = {}
    for line in "".join(blocks(text, "sh")).splitlines():
        assert line.startswith("accord "), line
        data = hour.line(line)
        words = words_of(line)
        found[line] = data
        match words[:2]:
            case ["hub", "serve"]:
                hour.values["127.0.0.1:8600"] = data["url"].removeprefix("http://")
            case ["hub", "org"] if "invite" in words:
                hour.invites |= {one["org"].split("@")[0]: one["invite"] for one in data["invites"]}
            case ["desk", "enrol"] if "--invite" in words:
                hour.words[data["org"].split("@")[0]] = data["words"]
            case ["registrar", "sign"] if "waiting/" in line:
                name = words[2].split("/")[1].split(".")[0]
                assert data["six_words"] == hour.words[name]
            case ["submit", _] if "--dry-run" not in words:
                hour.values["ID"] = data["bundles"][0]["id"]
            case ["request", _]:
                hour.values["ASKED"] = data["id"]
            case ["search", _]:
                assert data["results"][0]["hits"], line
            case ["log", "verify"]:
                assert data["ok"], line
    sent = found["accord show ID --home bank"]["sent"]
    assert [one["standing"] for one in sent["recipients"]] == ["confirmed"]
    hour.values["http://127.0.0.1:8600"] = f"http://{hour.values['127.0.0.1:8600']}"
    _keys_are_compromised(hour)
    _a_member_leaves(hour)


def _keys_are_compromised(hour: Hour) -> None:
    """The runbook's commands do what it says, in its order."""
    seen: dict[str, Any] = {}
    for line in _sh_lines("key-compromise.md"):
        seen[line] = hour.line(line)
        if "hub org suspend bank.suspend.signed" in line:
            # The desk believes a witnessed directory only, and that comes a moment later.
            for _ in range(20):
                refused = hour.fails("accord pull --home bank")
                if refused["code"] != "signature_wrong":
                    break
            assert refused["code"] == "standing_lost"
        if "hub org recover bank.recover.signed" in line:
            # The registrars cannot shorten the 72 hours.
            refused = hour.fails("accord hub org resume bank -o early.json --home hub")
            assert refused["code"] == "hold_not_over"
    listed = seen["accord keys list --home bank"]
    assert (listed["status"], listed["next_actor"], listed["directory"]) == (
        "active",
        "nobody",
        "fresh",
    )
    begun = next(data for line, data in seen.items() if "keys recover --org" in line)
    assert (begun["state"], begun["next_actor"], len(begun["words"])) == (
        "approval-needed",
        "registrar",
        6,
    )
    signed = next(data for line, data in seen.items() if "sign bank.recover.json" in line)
    assert signed["six_words"] == begun["words"]
    after = seen["accord keys list --home spare"]
    assert (after["status"], after["next_actor"]) == ("suspended", "registrar")
    assert after["hold_until"] > system_clock()
    assert "other keys" in seen["accord keys list --home bank-again"]["next_step"]
    sheet = (hour.folder / "bank.sheet.txt").read_text(encoding="utf-8")
    assert "Part 2" in sheet
    assert (hour.folder / "bank.sheet.txt").stat().st_mode & 0o077 == 0


def _a_member_leaves(hour: Hour) -> None:
    for line in _sh_lines("member-leaves.md"):
        data = hour.line(line)
    members = hour.line("accord hub org list --home hub")["members"]
    assert {one["org"].split("@")[0]: one["status"] for one in members} == {
        "bank": "revoked",
        "police": "left",
    }
    assert data["revoked"]


def _sh_lines(name: str) -> list[str]:
    text = (RUNBOOKS / name).read_text(encoding="utf-8")
    plain = re.sub(r"(?m)^ {3}(?=accord |```)", "", text)
    lines = "".join(blocks(plain, "sh")).splitlines()
    assert all(line.startswith("accord ") for line in lines)
    return lines
