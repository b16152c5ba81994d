"""The commands over real HTTP: their output fits the published schemas, their exit codes the table."""

import functools
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
import jsonschema
import pytest
import structlog
from click.testing import CliRunner
from tests.desk import kill_submit
from tests.desk.conftest import records_of
from tests.desk.wire import plan
from tests.support import hub_world
from tests.support.hub_world import BTC, World
from tests.support.light_keys import lighten
from waitress.server import create_server

from accord.cli.main import main
from accord.clock import system_clock
from accord.desk.app import open_desk
from accord.desk.config import read_config, write_config
from accord.desk.exchange.confirmations import Confirmation, collect, confirmations
from accord.hub.app import make_hub
from accord.kernel.directory.statements import countersign
from accord.kernel.identifiers import OrgId, make_bundle_id
from accord.kernel.markings import OrgKind

EVM = "0x52908400098527886e0f7030069857d2e4169ee7"
PASSPHRASE = b"a passphrase for commands"


@dataclass
class Cli:
    """Runs commands in one home; checks stdout against the command's schema."""

    home: Path
    schemas: Path

    def run(self, *words: str, code: int = 0, given: str | None = None) -> dict[str, Any]:
        runner = CliRunner()
        done = runner.invoke(main, [*words, "--json", "--home", str(self.home)], input=given)
        assert done.exit_code == code, (words, done.exit_code, done.stdout, done.stderr)
        data: dict[str, Any] = json.loads(done.stdout)
        if "error" not in data:
            size = (
                3
                if words[1:2] in {("preset",), ("guards",)}
                else 2
                if words[0] in {"desk", "keys", "journal"}
                else 1
            )
            name = "-".join(words[:size])
            name += "-dry-run" if name == "submit" and "--dry-run" in words else ""
            schema = json.loads((self.schemas / f"{name}.v1.json").read_text())
            jsonschema.validate(data, schema)
        return data


@dataclass
class Live:
    """A hub that answers on loopback."""

    world: World
    url: str

    def approve(self) -> None:
        (waiting,) = self.world.services.enrolments.waiting()
        signed = countersign(waiting.statement, [self.world.registrar])
        self.world.services.statements.countersigned(signed, now=self.world.clock())
        self.world.witness_round()


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    folder = tmp_path / "hub-side"
    folder.mkdir()
    with (tmp_path / "hub.log").open("w") as log:
        # The hub is another process in life: its log must not stand in the commands' stdout.
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=log))
        with pytest.MonkeyPatch.context() as patch:
            # Commands read the machine's clock, so the hub of this test does too.
            patch.setattr(hub_world, "NOW", system_clock())
            patch.setattr(hub_world, "MovingClock", lambda: system_clock)
            yield from _serve(folder)
        structlog.reset_defaults()


def _serve(folder: Path) -> Iterator[Live]:
    world = World(folder)

    def not_ready(_environ: object, _start: object) -> list[bytes]:
        return [b""]

    server = create_server(not_ready, host="127.0.0.1", port=0, threads=8)
    port = int(server.effective_port)
    server.application = make_hub(world.services, secret_key=secrets.token_bytes(32), port=port)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    world.services.jobs.start()
    yield Live(world=world, url=f"http://127.0.0.1:{port}")
    server.close()
    thread.join(timeout=5)
    world.close()


@pytest.fixture
def schemas(project: Path) -> Path:
    return project / "schemas" / "cli"


@pytest.fixture(autouse=True)
def passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "passphrase"
    path.write_bytes(PASSPHRASE)
    path.chmod(0o600)
    monkeypatch.setenv("ACCORD_PASSPHRASE_FILE", str(path))


@functools.cache
def _made(schemas: Path, name: str, passphrase: bytes) -> dict[str, bytes]:
    """Return the files of a desk as ``desk init`` leaves them, made once for each name.

    ``passphrase`` is what the running test has in ``ACCORD_PASSPHRASE_FILE``.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / name
        made = Cli(home=home, schemas=schemas).run(
            "desk", "init", "--hub", "http://127.0.0.1:1", "--port", "0"
        )
        assert made["password"] not in (home / "desk.toml").read_text()
        for file in ("keys.accord", "recovery.accord"):
            lighten(home / file, passphrase)
        return {path.name: path.read_bytes() for path in home.iterdir()}


def enrolled(live: Live, home: Path, schemas: Path, name: str, kind: OrgKind) -> Cli:
    cli = Cli(home=home, schemas=schemas)
    home.mkdir(mode=0o700, parents=True)
    passphrase = Path(os.environ["ACCORD_PASSPHRASE_FILE"]).read_bytes()
    for file, content in _made(schemas, name, passphrase).items():
        (home / file).touch(mode=0o600)
        (home / file).write_bytes(content)
    write_config(replace(read_config(home), hub=live.url), replace=True)
    _, code = live.world.services.enrolments.invite(name, kind, now=live.world.clock())
    root = home.parent / "root-from-the-operator.json"
    root.write_bytes(live.world.root_bytes)
    begun = cli.run(
        "desk", "enrol", "--invite", code, "--name", name, "--kind", kind.value,
        "--country", "nl", "--contact", "Duty desk", "--root", str(root),
    )  # fmt: skip
    assert begun["state"] == "approval-needed"
    live.approve()
    active = cli.run("desk", "enrol")
    assert (active["state"], active["words"]) == ("active", begun["words"])
    return cli


def test_the_story_of_a_bank_and_the_police_by_command(
    live: Live, tmp_path: Path, schemas: Path
) -> None:
    bank = enrolled(live, tmp_path / "bank", schemas, "first-bank", OrgKind.FINANCIAL)
    police = enrolled(live, tmp_path / "police", schemas, "police", OrgKind.LAW_ENFORCEMENT)
    with open_desk(bank.home, PASSPHRASE, clock=system_clock) as desk:
        wanted = plan(live.world, OrgId("police@hub.test"))
        report = desk.submissions.send(wanted, records_of([BTC, EVM, "evil-example.org"]))
        assert report.complete
    sent = report.bundles[0].id

    pulled = police.run("pull")
    assert (pulled["bundles"], pulled["records"], pulled["refused"]) == (1, 3, [])
    (item,) = police.run("inbox")["items"]
    assert (item["id"], item["org"], item["states"]) == (sent, "first-bank@hub.test", ["active"])
    assert police.run("show", sent)["lines"][0]["content"]["value"] == BTC

    found = police.run("search", "absent.example.net", EVM, "--reason", "case 114")
    assert [len(result["hits"]) for result in found["results"]] == [0, 1]
    asked = police.run("search", "-", "--reason", "case 114", given=f"{BTC}\n\nnonsense!\n", code=5)
    assert [result["ok"] for result in asked["results"]] == [True, False]

    would = bank.run("retract", sent, "--reason", "error", "--dry-run")
    assert (would["state"], len(would["recipients"])) == ("not-sent", 1)
    assert (
        bank.run("retract", sent, "--reason", "error", code=1)["error"]["code"] == "not_confirmed"
    )
    recall = bank.run("retract", sent, "--record", "1", "--reason", "error", "--yes")
    assert (recall["state"], recall["records"]) == ("receipted", [1])
    assert police.run("pull")["recalls"] == 1
    (after,) = police.run("search", EVM, "--reason", "case 114")["results"]
    assert after["hits"][0]["states"] == ["retracted"]
    bank.run("pull")
    shown = bank.run("show", recall["retraction"])
    assert [one["standing"] for one in shown["sent"]["recipients"]] == ["confirmed"]
    items = bank.run("inbox", "--sent")["items"]
    assert [one["progress"]["next"]["step"] for one in items] == ["nothing", "compare"]
    story = bank.run("show", sent)["timeline"]
    assert [one["what"] for one in story if one["word"] == "signed"] == ["opened", "applied"]
    assert [one["done"] for one in bank.run("recalls")["sent"]] == [True]
    assert [one["records"] for one in police.run("recalls", "--in")["received"]] == [[1]]
    counts = police.run("digest", "--since", "1h")
    assert (counts["arrived"], counts["records"], counts["recalls"]) == (2, 3, 1)
    assert bank.run("digest")["opened"] == 1
    assert bank.run("digest", "--since", "soon", code=1)["error"]["code"] == "since_unreadable"
    assert bank.run("tally")["sent"] is True
    assert bank.run("tally", "--month", "2026-01", "--dry-run")["cells"] == []
    bank.run("desk", "person", "second")


def test_the_proof_that_the_hub_deleted_a_bundle_by_command(
    live: Live, tmp_path: Path, schemas: Path
) -> None:
    bank = enrolled(live, tmp_path / "bank", schemas, "first-bank", OrgKind.FINANCIAL)
    police = enrolled(live, tmp_path / "police", schemas, "police", OrgKind.LAW_ENFORCEMENT)
    with open_desk(bank.home, PASSPHRASE, clock=system_clock) as desk:
        (sent,) = desk.submissions.send(
            plan(live.world, OrgId(f"police@{hub_world.ORIGIN}")), records_of([BTC])
        ).bundles
    file = str(tmp_path / "proof")
    missing = bank.run("erasure", sent.id, "-o", file, code=1)
    assert missing["error"]["code"] == "erasure_missing"
    later = live.world.clock() + 3 * 365 * 86_400
    assert live.world.services.retention.expire(now=later) == 1
    assert live.world.services.retention.erase(now=later) == 1
    proved = bank.run("erasure", sent.id, "-o", file)
    assert (proved["id"], proved["erased"], proved["basis"]) == (sent.id, later, "retention")
    root = str(tmp_path / "root-from-the-operator.json")
    shown = bank.run("verify", file, "--root", root)
    assert (proved["sender"], proved["compared"]) == (f"first-bank@{hub_world.ORIGIN}", True)
    told = {"what": "erasure", "id": sent.id, "erased": later, "sha256": proved["sha256"]}
    told |= {"sender": proved["sender"]}
    assert shown.items() >= told.items()
    assert (
        police.run(
            "erasure", sent.id, "-o", f"{file}-2", "--from", f"first-bank@{hub_world.ORIGIN}"
        )["index"]
        == proved["index"]
    )
    before = Path(file).read_bytes()
    taken = bank.run("erasure", sent.id, "-o", file, code=1)
    assert taken["error"]["code"] == "export_exists"
    assert Path(file).stat().st_mode & 0o777 == 0o600
    unknown = str(make_bundle_id(1, bytes(10)))
    again = bank.run("erasure", unknown, "-o", file, code=1)
    assert again["error"]["code"] == "export_exists", "told before the hub is asked"
    assert Path(file).read_bytes() == before, "nothing is written over"


def test_requests_answers_sightings_and_notices_by_command(
    live: Live, tmp_path: Path, schemas: Path
) -> None:
    bank = enrolled(live, tmp_path / "bank", schemas, "first-bank", OrgKind.FINANCIAL)
    police = enrolled(live, tmp_path / "police", schemas, "police", OrgKind.LAW_ENFORCEMENT)
    with open_desk(bank.home, PASSPHRASE, clock=system_clock) as desk:
        wanted = plan(live.world, OrgId("police@hub.test"))
        sent = desk.submissions.send(wanted, records_of([BTC])).bundles[0].id
    police.run("pull")

    (contact,) = police.run("contacts", "--kind", "financial", "--country", "NL")["contacts"]
    assert (contact["org"], contact["contact"]) == ("first-bank@hub.test", "Duty desk")
    assert police.run("contacts", "--country", "xx", code=1)["error"]["code"] == "country_unknown"

    words = ["--kind", "freeze", "--deadline", "2h", "--basis", "order 12/2026"]
    assert police.run("request", BTC, *words, "--to", "nobody", code=1)["error"]["code"] == (
        "org_unknown"
    )
    pattern = ["--to", "kind:financial@NL"]
    unsure = police.run("request", BTC, *words, *pattern, code=1)
    assert unsure["error"]["code"] == "not_confirmed"
    would = police.run("request", sent, "--record", "0", *words, "--dry-run")
    assert (would["state"], would["recipients"]) == ("not-sent", ["first-bank@hub.test"])
    asked = police.run(
        "request", BTC, *words, *pattern, "--yes", "--text", "Owner: Jane Example, thank you."
    )
    assert (asked["state"], "Jane" in asked["text"]) == ("receipted", False)
    assert bank.run("request", BTC, *words, "--to", "police", code=1)["error"]["code"] == (
        "charter_kind"
    )

    bank.run("pull")
    assert bank.run("inbox")["requests"] == {"open": 1, "due": 1, "overdue": 0}
    (here,) = bank.run("requests", "--in")["items"]
    assert (here["id"], here["state"], here["next"]) == (asked["id"], "received", "you")
    assert here["about"] == [{"kind": "wallet", "value": BTC, "network": "btc"}]
    assert bank.run("respond", asked["id"], "--template", "frozen", "--dry-run")["id"] is None
    answered = bank.run("respond", asked["id"], "--template", "frozen", "--reference", "F-1")
    assert (answered["outcome"], answered["state"]) == ("done", "receipted")
    police.run("pull")
    (out,) = police.run("requests", "--out")["items"]
    assert (out["state"], out["next"], out["parties"][0]["outcome"]) == ("answered", "you", "done")
    assert police.run("respond", asked["id"], "--close", "settled")["state"] == "receipted"
    assert police.run("requests")["items"] == []
    assert police.run("requests", "--all")["items"][0]["state"] == "closed"

    told = police.run("sighting", sent, "--record", "0", "--seen", "--count", "2-9")
    assert (told["state"], told["recipients"]) == ("receipted", ["first-bank@hub.test"])
    notice = ["notice", "Maintenance", "--to", "first-bank", "--text", "Pull before Sunday."]
    assert police.run(*notice, "--dry-run")["state"] == "not-sent"
    assert police.run(*notice)["state"] == "receipted"
    bank.run("pull")
    (seen,) = bank.run("show", sent)["sightings"]
    assert (seen["org"], seen["record"], seen["saw"]) == ("police@hub.test", 0, "seen")
    assert "notice" in {item["kind"] for item in bank.run("inbox")["items"]}
    for wrong in (["48"], ["tomorrow"], ["2026-13-01"]):
        refused = police.run(
            "request", BTC, "--kind", "freeze", "--basis", "x", "--to", "first-bank",
            "--deadline", *wrong, code=1,
        )  # fmt: skip
        assert refused["error"]["code"] == "deadline_unreadable"


def test_a_vault_that_was_put_back_and_its_journals_restart_by_command(
    live: Live, tmp_path: Path, schemas: Path
) -> None:
    bank = enrolled(live, tmp_path / "bank", schemas, "first-bank", OrgKind.FINANCIAL)
    vault, older = bank.home / "vault.db", tmp_path / "older.db"
    bank.run("inbox")
    older.write_bytes(vault.read_bytes())

    def journal(code: int) -> list[dict[str, Any]]:
        live.world.witness_round()
        findings = bank.run("doctor", code=code)["findings"]
        return [one for one in findings if "journal" in one["check"]]

    bank.run("search", BTC, "--reason", "case 114")
    bank.run("pull")
    assert [one["state"] for one in journal(0)] == ["ok"]
    restored = ("journal", "restart", "--because", "restored", "--reason", "disk 7 broke")
    with open_desk(bank.home, PASSPHRASE, clock=system_clock) as desk:
        desk.vault.put_setting("journal_restart", b"no restart")
    for flag in ("--dry-run", "--yes"):
        assert [one.get("code") for one in journal(3)] == [None, "journal_restart_damaged"]
        assert bank.run(*restored, flag, code=1)["error"]["code"] == "journal_fits"
    assert [one["state"] for one in journal(0)] == ["ok"], "it is taken away, and not by a trial"
    for path in bank.home.glob("vault.db*"):
        path.unlink()
    vault.touch(mode=0o600)
    vault.write_bytes(older.read_bytes())
    (told,) = journal(3)
    assert (told["code"], "accord journal restart" in told["next_step"]) == ("journal_cut", True)
    bank.run("pull")
    first, second = journal(3)
    assert (first["code"], second["code"]) == ("journal_cut", "journal_head_refused")
    assert second["observed"].startswith("the hub said journal_head_older, 20")

    named = bank.run(*restored, "--ended", "ABC", code=1)
    assert named["error"]["code"] == "journal_name_invalid"
    blank = (*restored[:-1], " ", "--yes")
    assert bank.run(*blank, code=1)["error"]["code"] == "reason_missing"
    assert bank.run(*restored, code=1)["error"]["code"] == "not_confirmed"
    tried = bank.run(*restored, "--dry-run")
    assert (tried["journal"], tried["event"], tried["written"]) == (None, None, False)
    done = bank.run(*restored, "--yes")
    assert (done["ended"], done["written"]) == (tried["ended"], True)
    first, second = journal(0)
    assert (first["state"], second["state"]) == ("ok", "ok")
    assert f"event {done['event']}" in second["observed"]
    assert "said here by" in second["observed"]


def test_a_command_without_a_desk_or_passphrase_says_what_to_do(
    tmp_path: Path, schemas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli = Cli(home=tmp_path / "none", schemas=schemas)
    assert cli.run("inbox", code=1)["error"]["code"] == "desk_missing"
    cli.run("desk", "init", "--hub", "http://127.0.0.1:9")
    assert cli.run("pull", code=4)["error"]["code"] in {"not_enrolled", "root_missing"}
    assert cli.run("inbox")["items"] == []
    wrong = cli.run("desk", "init", "--hub", "http://127.0.0.1:9", code=1)
    assert "next_step" in wrong["error"]
    monkeypatch.delenv("ACCORD_PASSPHRASE_FILE")
    assert cli.run("inbox", code=4)["error"]["code"] == "passphrase_missing"


def test_a_hub_that_is_away_is_unavailable_not_an_error(
    live: Live, tmp_path: Path, schemas: Path
) -> None:
    bank = enrolled(live, tmp_path / "bank", schemas, "first-bank", OrgKind.FINANCIAL)
    text = (bank.home / "desk.toml").read_text().replace(live.url, "http://127.0.0.1:9")
    (bank.home / "desk.toml").write_text(text)
    assert bank.run("pull", code=6)["error"]["code"] == "hub_unreachable"


def test_an_init_that_is_only_tried_leaves_nothing(tmp_path: Path, schemas: Path) -> None:
    cli = Cli(home=tmp_path / "dry", schemas=schemas)
    assert cli.run("desk", "init", "--hub", "https://h.example", "--dry-run")["made"] is False
    assert not cli.home.exists()


def test_a_root_file_other_than_the_operators_is_not_taken(
    live: Live, tmp_path: Path, schemas: Path
) -> None:
    (tmp_path / "foreign").mkdir()
    foreign = World(tmp_path / "foreign")
    root = tmp_path / "root.json"
    root.write_bytes(foreign.root_bytes)
    foreign.close()
    cli = Cli(home=tmp_path / "bank", schemas=schemas)
    cli.run("desk", "init", "--hub", live.url)
    refused = cli.run(
        "desk", "enrol", "--invite", "x", "--name", "first-bank", "--kind", "financial",
        "--country", "NL", "--contact", "Duty", "--root", str(root), code=3,
    )  # fmt: skip
    assert refused["error"]["code"] == "root_other"
    assert httpx2.get(f"{live.url}/healthz").status_code == 200


def test_an_invite_is_read_from_standard_input(live: Live, tmp_path: Path, schemas: Path) -> None:
    cli = Cli(home=tmp_path / "bank", schemas=schemas)
    cli.run("desk", "init", "--hub", live.url)
    asked = (
        "desk", "enrol", "--invite", "-", "--name", "first-bank", "--kind", "financial",
        "--country", "NL", "--contact", "Duty",
    )  # fmt: skip
    for nothing in ("", "\n"):
        refused = cli.run(*asked, given=nothing, code=1)
        assert refused["error"]["code"] == "invite_missing"
    _, code = live.world.services.enrolments.invite(
        "first-bank", OrgKind.FINANCIAL, now=live.world.clock()
    )
    assert cli.run(*asked, given=f"{code}\n")["state"] == "approval-needed"


def test_a_second_enrolment_leaves_the_trusted_root_file_alone(
    live: Live, tmp_path: Path, schemas: Path
) -> None:
    (tmp_path / "foreign").mkdir()
    foreign = World(tmp_path / "foreign")
    foreign.close()
    cli = Cli(home=tmp_path / "bank", schemas=schemas)
    cli.run("desk", "init", "--hub", live.url)
    pinned = cli.home / "root.json"
    pinned.write_bytes(foreign.root_bytes)
    refused = cli.run(
        "desk", "enrol", "--invite", "x", "--name", "first-bank", "--kind", "financial",
        "--country", "NL", "--contact", "Duty", code=3,
    )  # fmt: skip
    assert refused["error"]["code"] == "root_other"
    assert pinned.read_bytes() == foreign.root_bytes


@pytest.mark.parametrize("place", ["between", "before-put"])
def test_a_submit_killed_by_the_system_resumes_without_doubling(
    live: Live, tmp_path: Path, schemas: Path, project: Path, place: str
) -> None:
    bank = enrolled(live, tmp_path / "bank", schemas, "first-bank", OrgKind.FINANCIAL)
    police = enrolled(live, tmp_path / "police", schemas, "police", OrgKind.LAW_ENFORCEMENT)
    done = subprocess.run(
        [
            sys.executable, "-m", "tests.desk.kill_submit",
            str(bank.home), PASSPHRASE.decode(), place,
        ],
        cwd=project,
        env={"PYTHONPATH": f"{project / 'platform'}:{project}"},
        capture_output=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    with open_desk(bank.home, PASSPHRASE, clock=system_clock) as desk:
        report = desk.submissions.send(
            kill_submit.plan_of(system_clock()), records_of(kill_submit.VALUES)
        )
        assert report.resumed
        assert report.records + report.repeated == len(kill_submit.VALUES)
        assert report.repeated > 0
    pulled = police.run("pull")
    assert pulled["records"] == len(kill_submit.VALUES)
    found = police.run("search", *kill_submit.VALUES, "--reason", "case 114")
    assert [result["total"] for result in found["results"]] == [1] * len(kill_submit.VALUES)


def opened_at_the_other_desk(bank: Cli, value: str) -> None:
    """Send a value and wait until the recipient's desk has said by itself that it opened it."""
    with open_desk(bank.home, PASSPHRASE, clock=system_clock) as desk:
        plan_ = replace(kill_submit.plan_of(system_clock()), source=value.encode()[:32].ljust(32))
        sent = desk.submissions.send(plan_, records_of([value])).bundles[0].id
        deadline = system_clock() + 120
        said: list[Confirmation] = []
        while not any(one.outcome == "opened" for one in said) and system_clock() < deadline:
            desk.pull.wait_for_news(1)
            collect(desk.vault, desk.client, desk.mirror)
            said = confirmations(desk.vault, sent, now=system_clock())
        assert [one.outcome for one in said] == ["opened"]


def noted_of_keys(at: Cli) -> list[tuple[str, str]]:
    with open_desk(at.home, PASSPHRASE, clock=system_clock) as desk:
        return desk.vault.connection.execute(
            "SELECT act, reason FROM acts WHERE act LIKE 'key:%' ORDER BY no"
        ).fetchall()


@pytest.mark.timeout(600)
def test_serve_says_where_fetches_by_itself_and_stops_when_told(
    live: Live, tmp_path: Path, schemas: Path, project: Path
) -> None:
    bank = enrolled(live, tmp_path / "bank", schemas, "first-bank", OrgKind.FINANCIAL)
    police = enrolled(live, tmp_path / "police", schemas, "police", OrgKind.LAW_ENFORCEMENT)
    process = subprocess.Popen(
        [
            sys.executable, "-m", "accord", "desk", "serve", "--port", "0", "--json",
            "--home", str(police.home),
        ],
        env={
            "PYTHONPATH": str(project / "platform"),
            "ACCORD_PASSPHRASE_FILE": str(tmp_path / "passphrase"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        jsonschema.validate(ready, json.loads((schemas / "desk-serve.v1.json").read_text()))
        page = httpx2.get(f"{ready['url']}/sign-in")
        assert page.status_code == 200
        opened_at_the_other_desk(bank, EVM)
        # Another command changes the keys: the desk that serves goes on with the new ones.
        assert police.run("keys", "rotate")["rotated"]
        opened_at_the_other_desk(bank, BTC)
        assert httpx2.get(f"{ready['url']}/sign-in").status_code == 200
        kept = str(tmp_path / "keys.backup")
        police.run("keys", "backup", "-o", kept)
        assert noted_of_keys(police) == [
            *(("key:rotate", "rotate"), ("key:rotate", "take over"), ("key:backup", "")),
        ]
        again = Cli(home=tmp_path / "again", schemas=schemas)
        again.run("keys", "restore", kept)
        assert noted_of_keys(again) == [("key:restore", "")]
    finally:
        process.terminate()
        rest, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert rest == "", "stdout carries data only"
