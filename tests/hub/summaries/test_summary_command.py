"""``accord hub summary``: the operator sees who is missing, and releases a month once."""

import json
from collections.abc import Callable
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
from accord.kernel.statements.tally import month_end, sign_tally

MONTH = "2020-01"
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, project: Path) -> Run:
    """A hub made by commands; gives a function that runs ``accord hub summary``."""
    monkeypatch.setenv("ACCORD_PASSPHRASE_FILE", str(write_passphrase(tmp_path)))
    home = make_hub_home(tmp_path)
    schema = json.loads((project / "schemas/cli/hub-summary-release.v1.json").read_text("utf-8"))

    def summary(*words: object, code: int = 0) -> dict[str, Any]:
        found = run("hub", "summary", *words, "--home", home, code=code)
        if words[0] == "release" and code == 0:
            Draft202012Validator(schema).validate(found)
        return found

    return summary


def put_tallies(home: Path) -> None:
    database = open_database(load_config(home).place)
    key = SigningKeyPair.generate()
    with database.writing.begin() as connection:
        for tally in sample(1):
            closed = replace(tally, month=MONTH, created=month_end(MONTH))
            connection.execute(
                insert(TallyRow).values(
                    month=MONTH,
                    org=tally.org,
                    created=closed.created,
                    number=0,
                    statement=sign_tally(closed, key),
                )
            )
    database.close()


def test_the_operator_releases_a_month_once(hub: Run, tmp_path: Path) -> None:
    hub("release", MONTH, code=1)
    hub("release", "2020-1", code=1)
    put_tallies(tmp_path / "hub")
    dry = hub("release", MONTH, "--dry-run")
    assert dry == {"month": MONTH, "released": False, "organisations": 6}
    made = hub("release", MONTH)
    assert made["released"]
    assert made["shown"] > 20
    assert made["hidden"] > 200
    assert hub("release", MONTH) == made
    assert len(hub("status", MONTH)["sent"]) == 6
