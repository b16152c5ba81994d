"""``accord hub org`` where two of three registrars decide: each answer says who acts next."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from tests.hub.test_opened import PASSPHRASE, seeds
from tests.support import hub_world
from tests.support.hub_world import World
from tests.support.light_keys import save_light_keys

from accord.cli.main import main
from accord.clock import system_clock
from accord.kernel.directory.countersigning import add_signature, read_document
from accord.kernel.markings import OrgKind


@dataclass
class Hub:
    """A hub's home, and its three registrars with their files."""

    home: Path
    folder: Path
    world: World
    schemas: Path

    def run(self, *words: str, code: int = 0) -> dict[str, Any]:
        done = CliRunner().invoke(main, ["hub", "org", *words, "--json", "--home", str(self.home)])
        assert done.exit_code == code, done.output
        data: dict[str, Any] = json.loads(done.stdout)
        name = "error" if "error" in data else f"hub-org-{words[0]}"
        schema = json.loads((self.schemas / f"{name}.v1.json").read_bytes())
        Draft202012Validator(schema).validate(data)
        return data

    def sign(self, file: Path, *numbers: int) -> str:
        document = read_document(file.read_bytes())
        for number in numbers:
            document = add_signature(document, self.world.registrars[number])
        signed = file.with_suffix(f".signed-{numbers}")
        signed.write_bytes(document.raw)
        return str(signed)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("orgs")
    passphrase = folder / "passphrase"
    passphrase.write_bytes(PASSPHRASE)
    passphrase.chmod(0o600)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hub_world, "NOW", system_clock())
        patch.setattr(hub_world, "MovingClock", lambda: system_clock)
        # Nobody listens there: a witness that is down stops no command.
        world = World(folder, registrars=3, threshold=2, witness_url="http://127.0.0.1:9")
        world.enrol("bank", OrgKind.FINANCIAL)
        world.services.enrolments.invite("late", OrgKind.NGO, now=world.clock())
        world.services.close()
        save_light_keys(world.config.keys, seeds(world.log_keys), PASSPHRASE)
        world.config.root.write_bytes(world.root_bytes)
        patch.setenv("ACCORD_PASSPHRASE_FILE", str(passphrase))
        yield Hub(
            home=world.config.home, folder=folder, world=world, schemas=project / "schemas" / "cli"
        )
        world.client.close()
        world.witness_database.close()


def member(hub: Hub) -> dict[str, Any]:
    (found,) = hub.run("list")["members"]
    assert isinstance(found, dict)
    return found


def test_members_invites_and_what_waits_each_say_who_acts_next(hub: Hub) -> None:
    listed = hub.run("list")
    (invite,) = listed["invites"]
    assert (invite["org"], invite["next_actor"]) == ("late@hub.test", "desk")
    found = member(hub)
    assert (found["status"], found["next_actor"]) == ("active", "nobody")
    # One registrar suspends; two of three resume; a half-signed file is kept and named.
    draft = hub.folder / "suspend.json"
    assert hub.run("suspend", "bank", "-o", str(draft))["written"]
    done = hub.run("suspend", hub.sign(draft, 1))
    assert (done["suspended"], done["missing"], done["next_actor"]) == (True, 0, "nobody")
    found = member(hub)
    assert (found["status"], found["next_actor"]) == ("suspended", "registrar")
    assert "resume" in found["next_step"]
    draft = hub.folder / "resume.json"
    hub.run("resume", "bank", "-o", str(draft))
    half = hub.run("resume", hub.sign(draft, 0), code=5)
    assert (half["resumed"], half["missing"], half["next_actor"]) == (False, 1, "registrar")
    (waiting,) = hub.run("list")["waiting"]
    assert (waiting["op"], waiting["signed_by"], waiting["may_sign"]) == (
        "resume",
        ["anna"],
        ["ben", "carla"],
    )
    # The next registrar gets the copy with the first signature.
    further = hub.folder / "resume-2.json"
    hub.run("resume", "bank", "-o", str(further))
    assert hub.run("resume", hub.sign(further, 2))["resumed"]
    assert hub.run("list")["waiting"] == []
    assert member(hub)["status"] == "active"


def test_what_cannot_be_is_refused_with_its_code_and_what_to_do(hub: Hub) -> None:
    draft = hub.folder / "revoke.json"
    hub.run("revoke", "bank", "-o", str(draft), "--compromised-since", "2026-01-01")
    for words, wanted in (
        (("suspend", hub.sign(draft, 0, 1)), "op_other"),
        (("suspend", "bank"), "statement_file_missing"),
        (("resume", "bank", "-o", str(hub.folder / "x")), "status_wrong"),
        (("suspend", "nobody", "-o", str(hub.folder / "x")), "org_unknown"),
        (("recover", "bank", "-o", str(hub.folder / "x")), "enrolment_missing"),
        (("refuse", "bank", "--reason", "words-differ"), "enrolment_missing"),
    ):
        assert hub.run(*words, code=1)["error"]["code"] == wanted
    assert not (hub.folder / "x").exists()
    assert member(hub)["status"] == "active"
    hub.run("revoke", hub.sign(draft, 0), code=5)
    refused = hub.run("refuse", "bank", "--reason", "registrars-disagree")
    assert (refused["refused"], refused["op"]) == (True, "revoke")
    assert hub.run("list")["waiting"] == []
