"""``accord hub charter``: check and explain without a hub, show, list and compare versions."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from tests.support.hub_home import make_hub_home, publish_charter, write_passphrase

from accord.cli.main import main
from accord.kernel.policy.default_charter import DEFAULT_CHARTER

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas" / "cli"
HOTLINE, BANK, POLICE = "kind:ngo+hotline@NL", "kind:financial@DE", "kind:law_enforcement@NL"


def run(*words: object, code: int = 0) -> tuple[Any, str]:
    """Run the command with ``--json``; check data and exit code; return data and spoken words."""
    done = CliRunner().invoke(main, ["hub", "charter", *map(str, words), "--json"])
    assert done.exit_code == code, done.output
    data = json.loads(done.stdout)
    if "error" not in data:
        schema = json.loads((SCHEMAS / f"hub-charter-{words[0]}.v1.json").read_text("utf-8"))
        Draft202012Validator(schema).validate(data)
    return data, done.stderr


@pytest.fixture
def text(tmp_path: Path) -> Path:
    file = tmp_path / "charter.toml"
    file.write_text(DEFAULT_CHARTER, "utf-8")
    return file


def test_a_refusal_names_the_rule_by_number_and_name(text: Path) -> None:
    data, _ = run("check", text, "--from", HOTLINE, "--to", BANK, "--tlp", "red", code=1)
    assert data["explanation"] == (
        "refused by rule 5 (hotline-to-financial): the marking is narrower than the rule allows"
    )
    assert (data["code"], data["by"][0]["number"]) == ("charter_tlp", 5)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--from", BANK, "--to", POLICE], 0, "allowed by rule 1 (financial-to-police): "),
        (["--from", BANK, "--to", BANK], 1, "refused: no rule lets it send this kind of bundle"),
        (["--from", BANK, "--to", POLICE, "--kind", "response", "--answers"], 0,
         "allowed by rule 2 (financial-answers): "),
        (["--from", BANK, "--to", POLICE, "--kind", "response"], 1,
         "refused by rule 2 (financial-answers): the rule is for answers"),
        (["--from", HOTLINE, "--to", POLICE, "--to", BANK], 0,
         "allowed by rules 4 (hotline-to-police) and 5 (hotline-to-financial): "),
        (["--from", HOTLINE, "--to", BANK, "--days", "731"], 1, "refused by rule 5 "),
        (["--from", "kind:oversight", "--to", POLICE], 1, "refused: no rule lets this kind"),
        (["--from", "kind:ngo", "--may", "summary:view"], 0, "allowed by grant 3 (ngo-summaries)"),
        (["--from", "kind:ngo", "--may", "audit:view"], 1, "refused: No grant lets"),
    ],
)  # fmt: skip
def test_any_decision_is_explained_in_words(
    text: Path, words: list[str], code: int, said: str
) -> None:
    data, _ = run("check", text, *words, code=code)
    assert data["explanation"].startswith(said)
    assert data["allowed"] == (code == 0)


def test_a_second_person_is_asked_for_where_the_rule_says_so(text: Path) -> None:
    text.write_text(DEFAULT_CHARTER.replace("approval = false", "approval = true", 1), "utf-8")
    asked = ("check", text, "--from", BANK, "--to", POLICE)
    assert run(*asked)[0]["approval"]
    assert run(*asked, "--approved")[0]["allowed"]
    refused, _ = run(*asked, "--not-approved", code=1)
    assert refused["code"] == "charter_approval"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--from", "kind:bank@NL", "--to", POLICE], "org_kind_unknown"),
        (["--from", "kind:ngo hotline", "--to", POLICE], "party_invalid"),
        (["--from", BANK], "question_incomplete"),
        (["--to", BANK], "question_incomplete"),
        (["--may", "log:view"], "question_incomplete"),
        (["--from", BANK, "--to", POLICE, "--may", "log:view"], "question_incomplete"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(text: Path, words: list[str], code: str) -> None:
    assert run("check", text, *words, code=1)[0]["error"]["code"] == code


def test_a_charter_is_read_and_what_it_says_in_vain_is_told(text: Path) -> None:
    text.write_text(DEFAULT_CHARTER.replace('to = ["law_enforcement"]', 'to = ["oversight"]', 1))
    data, said = run("check", text)
    assert len(data["rules"]) == 5
    assert data["rules"][4]["conditions"]["max_tlp"] == "amber+strict"
    assert data["remarks"][0]["remark"] == "rule_impossible"
    assert "Look again at rule 1 (financial-to-police)" in said


def test_a_malformed_charter_is_refused_with_line_and_reason(text: Path) -> None:
    text.write_text(DEFAULT_CHARTER.replace("amber+strict", "white"), "utf-8")
    data, _ = run("check", text, code=1)
    assert data["error"]["observed"] == "line 74: white"


def test_versions_at_a_hub_are_shown_listed_compared_and_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCORD_PASSPHRASE_FILE", str(write_passphrase(tmp_path)))
    home = ("--home", make_hub_home(tmp_path))
    second = DEFAULT_CHARTER.replace("version = 1", "version = 2").replace("730", "90")
    publish_charter(tmp_path, DEFAULT_CHARTER)
    publish_charter(tmp_path, second)
    assert run("show", *home)[0]["version"] == 2
    old, _ = run("show", 1, *home)
    assert old["rules"][4]["conditions"]["retention_days"] == "730"
    assert run("show", 3, *home, code=1)[0]["error"]["code"] == "charter_unknown"
    listed, _ = run("list", *home)
    assert [(one["version"], one["in_force"]) for one in listed["versions"]] == [
        (1, False), (2, True)
    ]  # fmt: skip
    (change,) = run("diff", "default", "in-force", *home)[0]["changes"]
    assert change["facts"] == {"retention_days": {"old": "730", "new": "90"}}
    assert run("diff", 2, tmp_path / "charter.signed.json", *home)[0]["changes"] == []
    assert run("check", "--from", HOTLINE, "--to", POLICE, *home)[0]["version"] == 2
    unknown, _ = run("check", "--from", "nobody", "--to", POLICE, *home, code=1)
    assert unknown["error"]["code"] == "org_unknown"
