"""``accord hub quarantine`` by command: list, release, drop; each answer fits its schema."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from sqlalchemy import select
from tests.hub.test_opened import PASSPHRASE, seeds
from tests.support import hub_world
from tests.support.hub_world import Desk, World
from tests.support.light_keys import save_light_keys

from accord.cli.main import main
from accord.clock import system_clock
from accord.hub.audit.tables import AuditEvent
from accord.kernel.markings import OrgKind


@dataclass
class Hub:
    """A hub's home, where one member's burst is held aside, and another's."""

    world: World
    schemas: Path
    bank: Desk
    other: Desk

    def run(self, *words: str, code: int = 0, given: str | None = None) -> dict[str, Any]:
        home = str(self.world.config.home)
        whole = ["hub", "quarantine", *words, "--json", "--home", home]
        done = CliRunner().invoke(main, whole, input=given)
        assert done.exit_code == code, done.output
        data: dict[str, Any] = json.loads(done.stdout)
        name = "error" if "error" in data else f"hub-quarantine-{words[0]}"
        schema = json.loads((self.schemas / f"{name}.v1.json").read_bytes())
        Draft202012Validator(schema).validate(data)
        return data

    def listed(self, *words: str) -> list[tuple[str, str]]:
        return [(one["org"], one["state"]) for one in self.run("list", *words)["held"]]


@pytest.fixture
def hub(tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    passphrase = tmp_path / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_bytes(PASSPHRASE)
    monkeypatch.setenv("ACCORD_PASSPHRASE_FILE", str(passphrase))
    monkeypatch.setattr(hub_world, "NOW", system_clock())
    monkeypatch.setattr(hub_world, "MovingClock", lambda: system_clock)
    world = World(tmp_path, witness_url="http://127.0.0.1:9")
    bank, other = (world.enrol(name, OrgKind.FINANCIAL) for name in ("bank", "other"))
    police = world.enrol("police", OrgKind.LAW_ENFORCEMENT)
    limits = replace(world.services.bundles._quotas.limits, bundles_per_minute=0)
    monkeypatch.setattr(world.services.bundles._quotas, "limits", limits)
    for sender, count in ((bank, 3), (other, 1)):
        for _ in range(count):
            name, sealed = sender.seal(police)
            assert sender.put_bundle(sealed, name).json()["held"] == "burst"
    world.services.close()
    save_light_keys(world.config.keys, seeds(world.log_keys), PASSPHRASE)
    world.config.root.write_bytes(world.root_bytes)
    yield Hub(world=world, schemas=project / "schemas" / "cli", bank=bank, other=other)
    world.client.close()
    world.witness_database.close()


def told(hub: Hub, what: str) -> list[str]:
    services = hub.world.open_services()
    try:
        with services.database.reading.connect() as connection:
            asked = select(AuditEvent.subject).where(AuditEvent.what == what)
            return list(connection.scalars(asked))
    finally:
        services.close()


def test_what_is_held_aside_is_listed_released_and_dropped_by_command(hub: Hub) -> None:
    bank, other = hub.bank.org, hub.other.org
    assert hub.listed() == [(bank, "held")] * 3 + [(other, "held")]
    assert hub.listed("--org", "other") == hub.listed("--org", other) == [(other, "held")]
    first, second, *_ = [one["id"] for one in hub.run("list")["held"]]

    assert hub.run("release", first, code=1)["error"]["code"] == "not_confirmed"
    tried = hub.run("release", first, "--dry-run")
    assert tried["bundles"] == [{"id": first, "org": bank}]
    assert len(hub.listed()) == 4, "nothing was changed"

    assert hub.run("release", first, "--yes")["bundles"] == [{"id": first, "org": bank}]
    assert hub.run("drop", second, "--yes")["state"] == "dropped"
    assert len(hub.run("release", "--org", "bank", "--yes")["bundles"]) == 1
    assert hub.listed() == [(other, "held")]
    assert sorted(hub.listed("--all")) == sorted(
        [(bank, "released"), (bank, "dropped"), (bank, "released"), (other, "held")]
    )
    again = hub.run("drop", first, "--yes", code=1)
    assert again["error"]["code"] == "held_unknown", "what was decided stays decided"
    assert first in told(hub, "bundle.released")
    assert second in told(hub, "bundle.refused")


def test_a_decision_names_what_it_is_about(hub: Hub) -> None:
    for words in (("release",), ("drop",)):
        done = CliRunner().invoke(
            main, ["hub", "quarantine", *words, "--home", str(hub.world.config.home)]
        )
        assert done.exit_code == 2, done.output
    assert hub.run("list", "--org", "no such name", code=1)["error"]["code"]
    assert hub.run("drop", "bundle", "--yes", code=1)["error"]["code"] == "bundle_id_invalid"
    assert len(hub.listed()) == 4
