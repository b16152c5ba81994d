"""``accord hub summary``: the operator sees who is missing, and releases a month once."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import insert
from tests.hub.summaries.test_disclosure import sample
from tests.support.hub_home import make_hub_home, run, write_passphrase

from accord.hub.config import load_config
from accord.hub.storage import open_database
from accord.hub.summaries.tables import TallyRow
from accord.kernel.keys import SigningKeyPair
from accord.kernel.statements.tally import Tally, month_end, sign_tally

MONTH = "2020-01"
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, project: Path) -> Run:
    """A hub made by commands; gives a function that runs ``accord hub summary``."""
    monkeypatch.setenv("ACCORD_PASSPHRASE_FILE", str(write_passphrase(tmp_path)))
    home = make_hub_home(tmp_path)

    def summary(*words: object, code: int = 0) -> dict[str, Any]:
        found = run("hub", "summary", *words, "--home", home, code=code)
        if code == 0:
            name = f"schemas/cli/hub-summary-{words[0]}.v1.json"
            Draft202012Validator(json.loads((project / name).read_text("utf-8"))).validate(found)
        return found

    return summary


def put_tallies(
    home: Path, month: str, tallies: Sequence[Tally], *, number: int = 0, later: int = 0
) -> None:
    """Store tallies as if they had come as event ``number``."""
    database = open_database(load_config(home).place)
    key = SigningKeyPair.generate()
    with database.writing.begin() as connection:
        for tally in tallies:
            closed = replace(tally, month=month, created=month_end(month) + later)
            connection.execute(
                insert(TallyRow).values(
                    month=month,
                    org=tally.org,
                    number=number,
                    created=closed.created,
                    statement=sign_tally(closed, key),
                )
            )
    database.close()


def test_the_operator_releases_a_month_once(hub: Run, tmp_path: Path) -> None:
    hub("release", MONTH, code=1)
    hub("release", "2020-1", code=1)
    before = hub("status", MONTH)
    assert (before["sent"], before["version"], before["final"]) == ([], 0, False)
    put_tallies(tmp_path / "hub", MONTH, sample(1))
    dry = hub("release", MONTH, "--dry-run")
    assert not dry["released"]
    assert hub("status", MONTH)["version"] == 0
    made = hub("release", MONTH)
    assert made == dry | {"released": True}
    assert made["shown"] > 20
    assert made["hidden"] > 200
    assert sum(marks["shown"] for marks in made["tables"].values()) == made["shown"]
    assert hub("release", MONTH) == made
    after = hub("status", MONTH)
    assert (len(after["sent"]), after["version"], after["late"]) == (6, 1, [])


def test_the_operator_corrects_a_month_once_and_publishes_the_quarter(
    hub: Run, tmp_path: Path
) -> None:
    home = tmp_path / "hub"
    hub("amend", MONTH, code=1)
    for at, month in enumerate(("2020-01", "2020-02", "2020-03")):
        put_tallies(home, month, sample(at + 1, scale=200))
        hub("release", month)
    assert hub("status", "2020-Q1")["next_step"].startswith("The operator publishes it")
    hub("amend", MONTH, code=1)
    put_tallies(home, MONTH, sample(9, scale=200), number=999, later=1)
    assert len(hub("status", MONTH)["late"]) == 6
    dry = hub("amend", MONTH, "--dry-run")
    assert (dry["released"], dry["version"]) == (False, 2)
    assert hub("amend", MONTH) == dry | {"released": True}
    assert hub("status", MONTH)["final"]
    hub("amend", MONTH, code=1)
    quarter = hub("release", "2020-Q1")
    assert (quarter["audience"], quarter["version"]) == ("public", 1)
    assert quarter["shown"] > 5
    assert "kind-role" not in quarter["tables"]
    put_tallies(home, "2020-02", sample(8, scale=200), number=999, later=1)
    hub("amend", "2020-02", code=1)
    hub("release", "2020-Q2", code=1)
