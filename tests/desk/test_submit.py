"""``accord submit`` from a file to verified receipts, over real HTTP."""

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner
from tests.desk.test_commands import Cli, Live, enrolled, live, passphrase, schemas
from tests.support.hub_world import BTC

from accord.cli.main import main
from accord.kernel.markings import OrgKind

__all__ = ["live", "passphrase", "schemas"]

EVM = "0x52908400098527886e0f7030069857d2e4169ee7"
EXPORT = f"address;network\n{BTC};Bitcoin\n{EVM};Ethereum\nnonsense;Bitcoin\n{BTC};Bitcoin\n;\n"
HOW = ("--tlp", "amber", "--purpose", "suspicion-report")


@pytest.fixture
def bank(live: Live, tmp_path: Path, schemas: Path) -> Cli:
    return enrolled(live, tmp_path / "bank", schemas, "first-bank", OrgKind.FINANCIAL)


@pytest.fixture
def police(live: Live, tmp_path: Path, schemas: Path) -> Cli:
    return enrolled(live, tmp_path / "police", schemas, "police", OrgKind.LAW_ENFORCEMENT)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "october.csv"
    path.write_text(EXPORT)
    return path


def test_good_rows_go_and_the_others_are_told(
    bank: Cli, police: Cli, export: Path, tmp_path: Path
) -> None:
    mend = tmp_path / "mend.csv"
    sent = bank.run("submit", str(export), "--to", "police", *HOW, "--refused", str(mend), code=5)
    totals = {name: count for name, count in sent["totals"].items() if count}
    assert totals == {"ready": 2, "refused": 1, "duplicate": 1, "blank": 1}
    assert sent["sent"]["complete"] is True
    [bundle] = sent["bundles"]
    assert (bundle["records"], bundle["state"]) == (2, "receipted")
    proof = bank.run("verify", bundle["receipt"])
    assert proof["fields"]["subject"] == bundle["id"]
    assert "nonsense" in mend.read_text()
    assert police.run("pull")["records"] == 2
    [found] = police.run("search", EVM, "--reason", "case 1")["results"]
    assert found["hits"][0]["bundle"] == bundle["id"]


def test_a_file_sent_again_is_all_duplicates_with_date_and_bundle(
    bank: Cli, police: Cli, export: Path
) -> None:
    first = bank.run("submit", str(export), "--to", "police", *HOW, code=5)
    again = bank.run("submit", str(export), "--to", "police", *HOW, code=1)
    assert again["bundles"] == []
    assert again["totals"]["duplicate"] == 3
    assert again["error"]["code"] == "nothing_new"
    assert again["error"]["observed"] == "3 duplicate, 1 refused, 1 blank"
    schema = json.loads((bank.schemas / "submit.v1.json").read_text())
    jsonschema.validate(again, schema)
    words = ["submit", str(export), "--to", "police", *HOW, "--home", str(bank.home)]
    told = CliRunner().invoke(main, words)
    assert told.exit_code == 1
    assert "Nothing new to send." in told.stdout
    assert "Error: These recipients have got every row" in told.stderr
    assert "[nothing_new]" in told.stderr
    repeated = [one for one in again["records"] if one["code"] == "already_sent"]
    assert all(first["bundles"][0]["id"] in one["message"] for one in repeated)
    assert len(repeated) == 2
    assert police.run("pull")["bundles"] == 1


def test_the_charter_says_no_before_anything_is_sealed(
    live: Live, bank: Cli, police: Cli, export: Path
) -> None:
    assert police.home != bank.home
    before = live.world.services.feed.newest()
    how = ("--tlp", "amber", "--purpose", "screening")
    refused = bank.run("submit", str(export), "--to", "police", *how, code=1)
    assert refused["error"]["code"] == "charter_purpose"
    assert live.world.services.feed.newest() == before
    unknown = bank.run("submit", str(export), "--to", "nobody", *HOW, code=1)
    assert unknown["error"]["code"] == "org_unknown"


def test_a_row_marked_more_strictly_than_the_bundle_stops_it(
    bank: Cli, police: Cli, tmp_path: Path
) -> None:
    assert police.home.is_dir()
    path = tmp_path / "marked.csv"
    path.write_text(f"address,network,tlp\n{BTC},Bitcoin,TLP:RED\n")
    refused = bank.run("submit", str(path), "--to", "police", *HOW, code=1)
    assert refused["error"]["code"] == "tlp_too_wide"


def test_without_a_desk_nothing_is_sent(tmp_path: Path, schemas: Path, export: Path) -> None:
    nobody = Cli(home=tmp_path / "none", schemas=schemas)
    answer = nobody.run("submit", str(export), "--to", "police", *HOW, code=4)
    assert answer["error"]["code"] == "not_enrolled"
    assert json.dumps(answer)


def test_a_held_row_goes_only_with_a_stated_reason_that_is_journalled(
    bank: Cli, police: Cli, export: Path, tmp_path: Path
) -> None:
    guards = tmp_path / "lists"
    guards.mkdir()
    (guards / "guard.csv").write_text(f"address\n{EVM}\n")
    words = ("submit", str(export), "--to", "police", *HOW, "--guards", str(guards))
    row = 2
    assert bank.run(*words, code=5)["totals"]["held"] == 1
    release = ("--release", str(row))
    assert bank.run(*words, *release, code=1)["error"]["code"] == "reason_missing"
    assert bank.run(*words, *release, "--reason", " ", code=1)["error"]["code"] == "reason_missing"
    sent = bank.run(*words, *release, "--reason", "our own suspect's wallet", code=5)
    assert (sent["totals"]["held"], sent["sent"]["records"]) == (0, 1)
    assert [one["code"] for one in sent["records"] if one["row"] == row] == ["released"]
    assert police.run("pull")["records"] == 2


def test_the_lists_of_the_desk_hold_without_being_named_and_a_changed_one_stops_it(
    bank: Cli, police: Cli, export: Path, tmp_path: Path
) -> None:
    lists, once = tmp_path / "lists", tmp_path / "once.csv"
    lists.mkdir()
    guard = lists / "guard.csv"
    guard.write_text(f"address\n{EVM}\n")
    once.write_text(f"address\n{BTC}\n")
    words = ("submit", str(export), "--to", "police", *HOW)
    assert bank.run("desk", "guards", "list")["lists"] == []
    (added,) = bank.run("desk", "guards", "add", str(lists))["changes"]
    assert (added["before"], added["after"]["entries"], added["added"]) == (None, 1, 1)
    dry = bank.run("submit", str(export), "--dry-run", code=5)
    assert (dry["held_by_code"], dry["guards"]) == ({"known_service": 1}, ["guard"])
    both = bank.run("submit", str(export), "--dry-run", "--guards", str(once), code=5)
    assert both["guards"] == ["guard", "once"]
    assert both["totals"]["held"] == 3
    guard.write_text("domain\nother-host.com\n")
    for run in (words, ("submit", str(export), "--dry-run")):
        error = bank.run(*run, code=1)["error"]
        assert error["code"] == "guard_list_changed"
        assert "guards update" in error["next_step"]
    assert bank.run("desk", "guards", "list")["lists"][0]["state"] == "changed"
    guard.unlink()
    assert bank.run(*words, code=1)["error"]["code"] == "guard_list_missing"
    guard.write_text(f"address\n{EVM}\n")
    (bank.home / "guards.json").unlink()
    sent = bank.run(*words, code=5)
    assert (sent["totals"]["held"], sent["sent"]["records"]) == (1, 1), "the vault decides"
    assert sent["guard_lists"] == [
        {name: added["after"][name] for name in ("name", "version", "sha256", "entries")}
    ]
    guard.write_text(f"address\n{BTC}\n")
    (changed,) = bank.run("desk", "guards", "update")["changes"]
    assert (changed["added"], changed["removed"]) == (1, 1)
    (gone,) = bank.run("desk", "guards", "remove", "guard")["changes"]
    assert gone["after"] is None
    assert bank.run("submit", str(export), "--dry-run", code=5)["guards"] == []
    assert (
        bank.run("desk", "guards", "remove", "x", code=1)["error"]["code"] == "guard_list_unknown"
    )
    assert police.run("pull")["records"] == 1
