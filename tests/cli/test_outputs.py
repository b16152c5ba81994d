"""Every command has a published schema, and what the demo's commands really printed fits it.

One telling of the demo's story gives the outputs of the commands in it; the rest is run after it on
the same homes. Commands that other modules check (tests/desk, tests/witness) are not run again.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import httpx2
import pyotp
import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from accord.cli.main import main
from accord.clock import system_clock
from accord.demo.command import in_words, lasting
from accord.demo.newcomer import join
from accord.demo.processes import Outcome, Processes
from accord.demo.story import Story
from accord.kernel.identifiers import org_name

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas" / "cli"
BESIDE = {"error", "submit-dry-run"}
"""Schemas of no command of their own."""
DRAFTED = ("suspend", "revoke")
ROWS = 40

pytestmark = pytest.mark.timeout(300)


def leaves(group: click.Group, *words: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command that does something."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaves(command, *words, name)
        else:
            yield (*words, name)


COMMANDS = {"-".join(words): words for words in leaves(main)}


def schema(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((SCHEMAS / f"{name}.v1.json").read_text("utf-8")))


def name_of(words: tuple[str, ...]) -> str:
    """Return the command that ``words`` run."""
    size = max(size for size in (1, 2, 3) if "-".join(words[:size]) in COMMANDS)
    return "-".join(words[:size])


@dataclass(kw_only=True)
class Recorded(Processes):
    """Processes that keep what each command printed."""

    printed: list[tuple[str, Any]] = field(default_factory=list)

    def run(self, home: str, *words: str, **options: Any) -> Outcome:
        done = super().run(home, *words, **options)
        self.printed.append((name_of(words), done.data))
        return done

    def serve(self, home: str, *words: str) -> Mapping[str, Any]:
        ready = super().serve(home, *words)
        self.printed.append((name_of(words), ready))
        return ready


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Recorded, dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("told")
    passphrase = folder / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("a passphrase for outputs")
    with Recorded(folder=folder, passphrase_file=passphrase) as processes:
        report = Story(processes, say=lambda _text: None).tell(rows=ROWS, export=None)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ACCORD_PASSPHRASE_FILE", str(passphrase))
            yield processes, report


def test_each_command_has_its_schema_and_each_schema_its_command() -> None:
    found = {path.name.removesuffix(".v1.json") for path in SCHEMAS.glob("*.json")}
    assert found - BESIDE == set(COMMANDS)


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.name)
def test_a_schema_is_one_and_says_what_it_is(path: Path) -> None:
    document = json.loads(path.read_text("utf-8"))
    Draft202012Validator.check_schema(document)
    assert document["$id"] == f"urn:accord:schema:cli:{path.name.removesuffix('.json')}"
    assert document["title"]


def test_what_the_demos_commands_printed_fits(told: tuple[Recorded, dict[str, Any]]) -> None:
    processes, report = told
    assert report["ok"]
    schema("demo").validate(report)
    for name, data in processes.printed:
        schema(name).validate(data)
    assert {name for name, _ in processes.printed} >= {
        *("hub-init", "hub-root-install", "hub-charter-publish", "hub-org-invite", "hub-serve"),
        *("hub-org-export", "hub-org-approve", "hub-user-add", "hub-summary-release"),
        *("desk-init", "desk-enrol", "desk-serve", "submit", "verify", "pull", "search"),
        *("registrar-init", "registrar-sign", "witness-init", "witness-log-add", "log-verify"),
    }


def test_a_receipt_that_is_kept_can_be_checked_after_the_demo(
    told: tuple[Recorded, dict[str, Any]], tmp_path: Path
) -> None:
    processes, report = told
    assert report["receipt"]["verified"]
    root = processes.folder / "root.json"
    kept = lasting(report["receipt"]["file"], root, tmp_path)
    assert kept is not None
    assert {path.name for path in tmp_path.iterdir()} == {Path(kept).name, root.name}
    checked = CliRunner().invoke(
        main, ["verify", kept, "--root", str(tmp_path / root.name), "--json"]
    )
    assert checked.exit_code == 0, checked.output


def printed(
    processes: Recorded, home: str, *words: str, code: int = 0, typed: str | None = None
) -> Any:
    words = (*words, "--json", "--home", str(processes.home(home)))
    done = CliRunner().invoke(main, words, input=typed and f"{typed}\n")
    assert done.exit_code == code, done.output
    data = json.loads(done.stdout)
    schema("error" if "error" in data else name_of(words)).validate(data)
    return data


def test_the_hubs_other_commands_fit(told: tuple[Recorded, dict[str, Any]]) -> None:
    processes, report = told
    charter = str(processes.folder / "charter.toml")
    for words in (
        ("hub", "charter", "show"),
        ("hub", "charter", "show", "--default"),
        ("hub", "charter", "show", "1"),
        ("hub", "charter", "list"),
        ("hub", "charter", "diff", "default", charter),
        ("hub", "charter", "check", charter),
        ("hub", "charter", "check", "--from", "kind:ngo", "--may", "summary:view"),
        ("hub", "org", "list"),
        ("hub", "summary", "status", report["summary"]["month"]),
        ("hub", "check"),
        ("hub", "audit", "check"),
    ):
        printed(processes, "hub", *words)
    printed(processes, "hub", "hub", "org", "invite", "late", "--kind", "ngo")
    for words in (
        ("list",),
        ("reset", "ngo-analyst", "--reason", "the password was lost"),
        ("remove", "ngo-analyst", "--reason", "left the organisation"),
    ):
        printed(processes, "hub", "hub", "user", *words)


def auditor(url: str, code: str) -> tuple[str, pyotp.TOTP]:
    """Make the account of vera at the hub's pages; return password and authenticator app."""
    password = join(url, "vera", code)
    with httpx2.Client(base_url=url, trust_env=False) as browser:

        def fill(path: str, page: str, **fields: str) -> httpx2.Response:
            form = re.search(r'name="csrf_token" value="([A-Za-z0-9_-]+)"', browser.get(page).text)
            assert form is not None, page
            answer = browser.post(path, data={"csrf_token": form[1], **fields})
            assert answer.status_code in {200, 303}, answer.text
            return answer

        fill("/sign-in", "/sign-in", login="vera", password=password)
        fill("/account/authenticator/begin", "/account/authenticator")
        shown = re.search(r'"command">([A-Z2-7 ]+)<', browser.get("/account/authenticator").text)
        assert shown is not None
        app = pyotp.TOTP(shown[1].replace(" ", ""))
        # The code of the step before counts, too; so the present one is still to be used.
        code = app.at(system_clock() - app.interval)
        fill("/account/authenticator", "/account/authenticator", code=code)
    return password, app


def test_an_auditor_takes_events_out_at_the_hub_and_anybody_can_check_the_file(
    told: tuple[Recorded, dict[str, Any]],
) -> None:
    processes, report = told
    url = report["log"]["url"].partition("/log/")[0]
    adding = ("hub", "user", "add", "vera", "--org", "oosterbank", "--role", "auditor")
    password, app = auditor(url, printed(processes, "hub", *adding)["code"])
    secret = processes.folder / "vera"
    secret.touch(mode=0o600)
    secret.write_text(password)
    out = processes.folder / "events.jsonl"
    words = ("hub", "audit", "export", "--as", "vera", "--password-file", str(secret))
    words = (*words, "--reason", "yearly review", "-o", str(out))
    found = printed(processes, "hub", *words, typed=app.now())
    assert found["events"] > 0
    assert len(out.read_bytes().splitlines()) == found["events"] + 1, "events below one title"
    assert out.stat().st_mode & 0o077 == 0
    root = str(processes.folder / "root.json")
    checked = printed(processes, "hub", "verify", str(out), "--root", root)
    assert (checked["events"], checked["gaps"]) == (found["events"], 0)
    again = printed(processes, "hub", *words, code=1)
    assert again["error"]["code"] == "export_exists"
    secret.write_text("guessed")
    refused = printed(processes, "hub", *words[:-1], f"{out}.2", code=4)
    assert refused["error"]["code"] == "sign_in_wrong"
    assert not Path(f"{out}.2").exists()


def test_a_newcomer_finds_the_demos_desks_and_searches_there(
    told: tuple[Recorded, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, report = told
    homes = report["homes"]
    assert all(Path(path).exists() for path in homes.values())
    monkeypatch.setenv("ACCORD_PASSPHRASE_FILE", homes["passphrase_file"])
    words = ["search", "example.com", "--reason", "a first look", "--home", homes["police"]]
    done = CliRunner().invoke(main, [*words, "--json"])
    assert done.exit_code == 0, done.output
    text = in_words(report, stays=True)
    assert f"export ACCORD_PASSPHRASE_FILE={homes['passphrase_file']}" in text
    assert f"accord inbox --home {homes['police']}" in text
    assert homes["police"] not in in_words(report | {"homes": None}, stays=False)


def test_what_is_only_tried_fits_too(told: tuple[Recorded, dict[str, Any]]) -> None:
    processes, _ = told
    folder = processes.folder
    signed = next((folder / "waiting").glob("*.signed"))
    (member, *_) = printed(processes, "hub", "hub", "org", "list")["members"]
    for words in (
        ("hub", "org", "invite", "later", "--kind", "ngo"),
        ("hub", "org", "export", "-o", str(folder / "none")),
        ("hub", "org", "approve", str(signed)),
        *(("hub", "org", op, org_name(member["org"]), "-o", f"{op}.json") for op in DRAFTED),
        ("hub", "org", "refuse", "nobody", "--reason", "words-differ"),
        ("hub", "user", "add", "zoe", "--org", member["org"]),
        ("hub", "user", "reset", "zoe", "--reason", "the password was lost"),
        ("hub", "user", "remove", "zoe", "--reason", "left the organisation"),
        ("hub", "charter", "publish", str(folder / "charter.toml.json")),
        ("hub", "root", "install", str(folder / "root.json")),
        ("hub", "audit", "search", "--as", "zoe", "--outcome", "refused"),
        ("hub", "audit", "export", "--as", "zoe", "--reason", "review", "-o", str(folder / "no")),
        ("hub", "audit", "erase-person", "zoe", "--org", member["org"], "--reason", "on request"),
        ("demo",),
    ):
        printed(processes, "hub", *words, "--dry-run")
    (made,) = [data for name, data in processes.printed if name == "registrar-init"]
    registrar = made["public_file"]
    witness = str(folder / "witness.json")
    words = ("hub", "init", "--origin", "x.test", "--registrar", registrar, "--witness", witness)
    printed(processes, "other", *words, "--dry-run")


def test_the_desks_exports_and_tools_fit(told: tuple[Recorded, dict[str, Any]]) -> None:
    processes, report = told
    out = processes.folder / "out"
    stated = ("--purpose", "investigation", "--reason", "outputs")
    for form in ("csv", "stix"):
        printed(processes, "police", "export", form, "-o", f"{out}.{form}", *stated)
    printed(processes, "police", "export", "csv", "-o", f"{out}.csv", *stated, code=1)
    made = printed(processes, "police", "export", "list", "-o", f"{out}.1", *stated)
    again = ("export", "list", "-o", f"{out}.2", "--previous", f"{out}.1", *stated)
    assert printed(processes, "police", *again)["list"]["since"] == made["list"]["full"]["sha256"]
    own = processes.folder / "own.csv"
    own.write_text("wallet\nexample.com\n", "utf-8")
    report_file = ("-o", str(processes.folder / "screened.csv"))
    printed(processes, "police", "screen", str(own), "--reason", "outputs", *report_file)
    printed(processes, "police", "tool", "list")
    taxii = report["taxii"]
    answer = httpx2.get(
        f"{taxii['base']}collections/{taxii['collection']}/objects/",
        auth=(taxii["user"], taxii["password"]),
        trust_env=False,
    )
    assert sum(one["type"] == "indicator" for one in answer.json()["objects"]) > 0
    name, _, value = report["misp"]["header"].partition(": ")
    manifest = httpx2.get(
        f"{report['misp']['url']}manifest.json", headers={name: value}, trust_env=False
    )
    assert len(manifest.json()) == 1
    printed(processes, "police", "tool", "remove", "demo-tool")


def test_evidence_and_its_check_fit(told: tuple[Recorded, dict[str, Any]]) -> None:
    processes, _ = told
    out = str(processes.folder / "evidence.zip")
    (bundle, *_) = printed(processes, "police", "inbox")["items"]
    shown = printed(processes, "police", "show", bundle["id"])
    value = shown["lines"][0]["content"]["value"]
    words = ("--bundle", bundle["id"], "--record", "0", "--reason", "outputs")
    made = printed(processes, "police", "evidence", value, "-o", out, *words)
    assert (made["again"], made["record"]) == (False, 0)
    assert printed(processes, "police", "verify", out)["trusted"] is True
    again = printed(processes, "police", "evidence", value, "-o", f"{out}.2", *words)
    assert again == made | {"again": True, "file": f"{out}.2"}
    assert Path(out).read_bytes() == Path(f"{out}.2").read_bytes()
    printed(processes, "police", "evidence", value, "-o", out, *words, code=1)


def test_a_failure_fits(told: tuple[Recorded, dict[str, Any]]) -> None:
    processes, _ = told
    assert printed(processes, "nowhere", "hub", "check", code=1)["error"]["code"] == "hub_missing"
    printed(processes, "nowhere", "inbox", code=1)
