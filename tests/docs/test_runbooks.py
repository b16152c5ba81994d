"""Every command of three runbooks runs as it stands there, over real processes."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.bench.load import make_home
from tests.docs.pages import ROOT, words_of

from accord.demo.parties import Party
from accord.demo.processes import Processes
from accord.demo.scene import Scene
from accord.kernel.markings import OrgKind

RUNBOOKS = ROOT / "docs" / "operate" / "runbooks"
# Blocks may stand inside a numbered list.
_FENCE = re.compile(r"^ *```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)

pytestmark = [pytest.mark.timeout(300), pytest.mark.enable_socket]


def lines_of(name: str) -> list[str]:
    """Return the commands of a runbook in order."""
    text = (RUNBOOKS / name).read_text(encoding="utf-8")
    return [line.strip() for body in _FENCE.findall(text) for line in body.splitlines()]


class Place:
    """A hub, its witness and root file in a folder; runs lines of a runbook there."""

    def __init__(self, processes: Processes) -> None:
        """Make the hub; it does not serve yet."""
        self.processes = processes
        self.root = make_home(processes, processes.folder)
        self.url = ""

    def run(self, line: str, *, allowed: tuple[int, ...] = (0,)) -> Any:
        """Run one line; names of homes and files are those of the page."""
        words = words_of(line)
        home = words[words.index("--home") + 1] if "--home" in words else "hub"
        if "--home" in words:
            at = words.index("--home")
            del words[at : at + 2]
        folder = self.processes.folder
        names = {"hub-1.backup", "root.json", "checkpoint"}
        words = [str(folder / word) if word in names else word for word in words]
        words = [word.replace("http://127.0.0.1:8600", self.url) for word in words]
        if words[:2] == ["hub", "serve"]:
            self.url = str(self.processes.serve(home, *words)["url"])
            return None
        return self.processes.run(home, *words, allowed=allowed).data


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    secret = tmp_path / "passphrase"
    secret.touch(mode=0o600)
    secret.write_text("words for the runbooks alone")
    with Processes(folder=tmp_path, passphrase_file=secret) as processes:
        yield Place(processes)


def test_the_runbook_on_restoring_runs_as_written(place: Place) -> None:
    lines = lines_of("restore.md")
    assert [words_of(line)[:2] for line in lines] == [
        *(["hub", "backup"], ["hub", "restore"], ["hub", "restore"]),
        *(["doctor", "--home"], ["hub", "check"], ["hub", "serve"]),
    ]
    for line in lines:
        data = place.run(line)
        if "--check" in line:
            assert (data["whole"], data["servable"], data["restored"]) == (True, True, False)
            assert (data["rpo_entries"], data["rto_seconds"] >= 0) == (0, True)
        elif "restore hub-1" in line:
            assert data["restored"]
        elif " doctor " in line or " check " in line:
            assert data["ok"], data
    assert place.url.startswith("http://")


def test_the_runbook_on_disagreement_runs_as_written(place: Place) -> None:
    """An older copy is named by the doctor, refused by serve and restore, and left as it is."""
    folder = place.processes.folder
    place.run("accord hub backup hub-1.backup --home hub")
    older = folder / "older"
    shutil.copytree(folder / "hub", older)
    place.run("accord hub org invite late --kind ngo --home hub")
    place.run("accord hub org invite later --kind ngo --home hub")
    lines = lines_of("log-disagreement.md")
    serving = False
    for line in lines:
        if "log verify" in line and not serving:
            place.run("accord hub serve --home hub")
            serving = True
        data = place.run(line)
        if line.startswith(("accord doctor", "accord hub check", "accord log verify")):
            assert data["ok"], data
        if "witness log list" in line:
            assert [one["forks"] for one in data["logs"]] == [0, 0]
    found = place.run("accord doctor --home older", allowed=(1,))
    assert "behind_witness" in {one.get("code") for one in found["findings"]}
    refused = place.processes.run(
        "older", "hub", "org", "invite", "x", "--kind", "ngo", allowed=(1,)
    )
    assert refused.data["error"]["code"] == "behind_witness"
    restored = place.run("accord hub restore hub-1.backup --home new", allowed=(1,))
    # The two invites, and what a hub that serves may log by itself.
    assert not restored["restored"]
    assert restored["rpo_entries"] >= 2
    assert not (folder / "new").exists()
    rehearsed = place.run("accord hub restore hub-1.backup --check --home new")
    assert (rehearsed["whole"], rehearsed["servable"]) == (True, False)
    assert json.dumps(rehearsed)


def test_the_runbook_on_a_wrongful_entry_runs_as_written(tmp_path: Path) -> None:
    secret = tmp_path / "passphrase"
    secret.touch(mode=0o600)
    secret.write_text("words for the runbooks alone")
    bank = Party(slug="bank", name="Bank", kind=OrgKind.FINANCIAL, country="NL")
    police = Party(slug="police", name="Police", kind=OrgKind.LAW_ENFORCEMENT, country="NL")
    values = [f"0x{number:040x}" for number in range(10**40, 10**40 + 2)]
    export = tmp_path / "export.csv"
    export.write_text("wallet,network\n" + "".join(f"{value},evm\n" for value in values))
    with Processes(folder=tmp_path, passphrase_file=secret) as processes:
        scene = Scene(processes)
        scene.set_up()
        scene.enrol([bank, police])
        send = ("submit", str(export), "--to", "police", "--tlp", "amber")
        sent = processes.run("bank", *send, "--purpose", "suspicion-report").data
        name = sent["bundles"][0]["id"]
        processes.run("police", "pull")
        done = []
        for line in lines_of("wrongful-entry.md"):
            words = [name if word == "ID" else word for word in words_of(line)]
            at = words.index("--home")
            data = processes.run(words[at + 1], *words[:at], *words[at + 2 :]).data
            done.append(words[0])
            if words[0] == "retract":
                assert [one["standing"] for one in data["recipients"]] == ["pending"]
            elif words[0] == "show":
                (ledger,) = data["recalls"]
                assert [one["standing"] for one in ledger["recipients"]] == ["confirmed"]
            elif words[0] == "hub":
                assert data["ok"]
        assert done == ["retract", "pull", "pull", "show", "hub"]
        look = processes.run("police", "search", *values, "--reason", "case 1").data["results"]
        states = sorted(str(one["hits"][0]["states"]) for one in look)
        assert states == ["['active']", "['retracted']"]
