"""The registrar's commands on real files: keys off the hub, words before signatures, thresholds."""

import json
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator
from tests.support.light_keys import lighten

from accord.cli.main import main
from accord.kernel.directory.registrars import Registrar, parse_registrar
from accord.kernel.directory.rootfile import RootFile, Witness, verify_root, verify_successor
from accord.kernel.directory.state import replay
from accord.kernel.directory.statements import (
    Op,
    Profile,
    Statement,
    format_statement,
    sign_statement,
)
from accord.kernel.directory.words import six_words
from accord.kernel.identifiers import OrgId
from accord.kernel.keys import KemKeyPair, RequestKeyPair, SigningKeyPair
from accord.kernel.markings import OrgKind
from accord.kernel.policy.charter import DEFAULT_CHARTER, verify_charter
from accord.kernel.tlog.notes import LogKeyPair, WitnessKeyPair
from accord.keyfile import save_keys

HUB = "hub.example"
NOW = 1_790_000_000
SCHEMAS = Path(__file__).resolve().parents[2] / "schemas" / "cli"
WITNESS = WitnessKeyPair.generate("ngo.example/w1")
LOGS = (LogKeyPair.generate(f"{HUB}/directory"), LogKeyPair.generate(f"{HUB}/audit"))
BANK = SigningKeyPair.generate()
RECOVERY = SigningKeyPair.generate()
KEM = KemKeyPair.generate()
REQUEST = RequestKeyPair.generate()


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three registrars, each with a home directory and keys."""
    homes = {}
    with pytest.MonkeyPatch.context() as patch:
        unlock(patch, tmp_path_factory.mktemp("passphrase"))
        for name in ("anna", "ben", "carla"):
            homes[name] = tmp_path_factory.mktemp(name)
            done = run("init", "--name", name, "--home", homes[name])
            assert done.exit_code == 0, done.output
            lighten(homes[name] / "registrar.key", b"correct horse")
    return homes


@pytest.fixture(autouse=True)
def passphrase(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    unlock(monkeypatch, tmp_path)


def unlock(patch: pytest.MonkeyPatch, directory: Path, text: bytes = b"correct horse") -> None:
    path = directory / "passphrase"
    path.write_bytes(text)
    path.chmod(0o600)
    patch.setenv("ACCORD_PASSPHRASE_FILE", str(path))


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["registrar", *map(str, words)])


def answer(*words: object, exit_code: int = 0) -> dict[str, Any]:
    done = run(*words, "--json")
    assert done.exit_code == exit_code, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    if exit_code == 0:
        schema = json.loads((SCHEMAS / f"registrar-{words[0]}.v1.json").read_bytes())
        Draft202012Validator(schema).validate(found)
    return found


def public(people: dict[str, Path], name: str) -> Registrar:
    return parse_registrar((people[name] / f"{name}.registrar.json").read_bytes())


def root_of(people: dict[str, Path], names: Sequence[str], **changes: Any) -> RootFile:
    fields: dict[str, Any] = {
        "hub": HUB,
        "version": 1,
        "created": NOW,
        "directory_log": LOGS[0].vkeys,
        "audit_log": LOGS[1].vkeys,
        "registrars": tuple(public(people, name) for name in names),
        "threshold": 2,
        "witnesses": (Witness(name=WITNESS.name, vkeys=WITNESS.vkeys),),
        "quorum": 1,
    }
    return RootFile(**fields | changes)


def enrolment() -> Statement:
    return Statement(
        org=OrgId(f"bank@{HUB}"),
        seq=1,
        op=Op.ENROL,
        not_before=NOW,
        not_after=NOW + 86_400,
        profile=Profile(
            name="First Bank", kind=OrgKind.FINANCIAL, country="NL", contact="duty desk"
        ),
        kem=KEM.public,
        sig=BANK.public,
        request_key=REQUEST.public,
        recovery=RECOVERY.public,
        roles=(),
    )


@pytest.fixture
def root_path(people: dict[str, Path], tmp_path: Path) -> Path:
    """A root file that Anna and Ben signed, one after the other."""
    bare = tmp_path / "root-payload.json"
    bare.write_bytes(root_of(people, ["anna", "ben", "carla"]).payload)
    for name in ("anna", "ben"):
        (people[name] / "root.json").unlink(missing_ok=True)
    answer("sign", bare, "-o", tmp_path / "root-1.json", "--yes", "--home", people["anna"])
    said = answer(
        "sign", tmp_path / "root-1.json", "-o", tmp_path / "root.json", "--yes",
        "--home", people["ben"],
    )  # fmt: skip
    assert (said["signatures"], said["needed"], said["complete"]) == (2, 2, True)
    return tmp_path / "root.json"


def test_init_writes_private_keys_for_the_owner_only_and_a_public_file(
    people: dict[str, Path],
) -> None:
    private = people["anna"] / "registrar.key"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert public(people, "anna").name == "anna"
    assert b"argon2id" in private.read_bytes()


def test_init_never_overwrites(people: dict[str, Path]) -> None:
    before = (people["anna"] / "registrar.key").read_bytes()
    said = answer("init", "--name", "anna", "--home", people["anna"], exit_code=1)
    assert said["error"]["code"] == "file_exists"
    assert (people["anna"] / "registrar.key").read_bytes() == before


def test_init_with_dry_run_writes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    said = answer("init", "--name", "dora", "--home", home, "--dry-run")
    assert (said["written"], home.exists()) == (False, False)


def test_a_root_file_is_complete_after_the_threshold(root_path: Path) -> None:
    root = verify_root(root_path.read_bytes())
    assert [registrar.name for registrar in root.registrars] == ["anna", "ben", "carla"]


def test_signatures_made_apart_are_joined(people: dict[str, Path], tmp_path: Path) -> None:
    bare = tmp_path / "payload.json"
    bare.write_bytes(root_of(people, ["anna", "ben"], created=NOW + 9).payload)
    for name in ("anna", "ben"):
        (people[name] / "root.json").unlink(missing_ok=True)
    alone = tmp_path / "anna.json"
    said = answer("sign", bare, "-o", alone, "--yes", "--home", people["anna"])
    assert (said["signatures"], said["complete"]) == (1, False)
    joined = tmp_path / "joined.json"
    answer("sign", alone, bare, alone, "-o", joined, "--yes", "--home", people["ben"])
    assert verify_root(joined.read_bytes()).created == NOW + 9


def test_an_enrolment_shows_who_and_the_six_words(
    people: dict[str, Path], root_path: Path, tmp_path: Path
) -> None:
    asked = tmp_path / "enrolment.json"
    asked.write_bytes(sign_statement(enrolment(), [BANK]))
    half, whole = tmp_path / "half.json", tmp_path / "whole.json"
    first = answer("sign", asked, "-o", half, "--yes", "--home", people["anna"])
    assert first["six_words"] == list(six_words(root_path.read_bytes(), asked.read_bytes()))
    assert any("First Bank" in line for line in first["says"])
    assert any("duty desk" in line for line in first["says"])
    second = answer(
        "sign", half, "-o", whole, "--yes", "--home", people["carla"], "--root", root_path
    )
    assert second["six_words"] == first["six_words"]
    assert second["complete"]
    state = replay([whole.read_bytes()], verify_root(root_path.read_bytes()))
    assert state.signer_at(BANK.kid).org == f"bank@{HUB}"


def test_an_enrolment_that_its_own_key_did_not_sign_is_refused(
    people: dict[str, Path], root_path: Path, tmp_path: Path
) -> None:
    asked = tmp_path / "enrolment.json"
    asked.write_bytes(format_statement(enrolment()))
    said = answer(
        "sign", asked, "-o", tmp_path / "out.json", "--yes", "--home", people["anna"],
        "--root", root_path, exit_code=3,
    )  # fmt: skip
    assert said["error"]["code"] == "statement_unsigned"


def test_a_charter_is_signed_as_the_bytes_that_people_wrote(
    people: dict[str, Path], root_path: Path, tmp_path: Path
) -> None:
    toml = tmp_path / "charter.toml"
    toml.write_text(DEFAULT_CHARTER)
    half, whole = tmp_path / "half.json", tmp_path / "whole.json"
    said = answer("sign", toml, "-o", half, "--yes", "--home", people["anna"])
    assert any("financial-to-police" in line for line in said["says"])
    answer("sign", half, "-o", whole, "--yes", "--home", people["ben"])
    root = verify_root(root_path.read_bytes())
    charter = verify_charter(
        whole.read_bytes(), registrars=root.registrar_keys, threshold=root.threshold
    )
    assert charter.version == 1


def test_without_a_yes_nothing_is_signed(
    people: dict[str, Path], root_path: Path, tmp_path: Path
) -> None:
    toml = tmp_path / "charter.toml"
    toml.write_text(DEFAULT_CHARTER)
    said = answer("sign", toml, "-o", tmp_path / "o", "--home", people["anna"], exit_code=1)
    assert said["error"]["code"] == "not_confirmed"
    assert not (tmp_path / "o").exists()
    assert root_path.exists()


def test_dry_run_shows_and_does_not_sign(
    people: dict[str, Path], root_path: Path, tmp_path: Path
) -> None:
    toml = tmp_path / "charter.toml"
    toml.write_text(DEFAULT_CHARTER)
    said = answer(
        "sign", toml, "-o", tmp_path / "o", "--home", people["anna"], "--root", root_path,
        "--dry-run",
    )  # fmt: skip
    assert (said["written"], said["signatures"]) == (False, 0)
    assert not (tmp_path / "o").exists()


def test_a_wrong_passphrase_signs_nothing(
    people: dict[str, Path],
    root_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unlock(monkeypatch, tmp_path, b"wrong")
    toml = tmp_path / "charter.toml"
    toml.write_text(DEFAULT_CHARTER)
    said = answer(
        "sign", toml, "-o", tmp_path / "o", "--yes", "--home", people["anna"],
        "--root", root_path, exit_code=4,
    )  # fmt: skip
    assert said["error"]["code"] == "passphrase_wrong"


def test_a_stranger_to_the_root_file_cannot_sign(people: dict[str, Path], tmp_path: Path) -> None:
    bare = tmp_path / "payload.json"
    bare.write_bytes(root_of(people, ["anna", "ben"]).payload)
    home = people["carla"]
    (home / "root.json").unlink(missing_ok=True)
    said = answer("sign", bare, "-o", tmp_path / "o", "--yes", "--home", home, exit_code=1)
    assert said["error"]["code"] == "not_a_registrar"


def test_the_next_root_file_needs_the_registrars_of_the_one_before(
    people: dict[str, Path], root_path: Path, tmp_path: Path
) -> None:
    old = verify_root(root_path.read_bytes())
    bare, half, whole = (tmp_path / name for name in ("bare.json", "half.json", "whole.json"))
    bare.write_bytes(
        root_of(people, ["anna", "ben"], version=2, prev=old.sha256, created=NOW + 5).payload
    )
    answer("sign", bare, "-o", half, "--yes", "--home", people["anna"])
    answer("sign", half, "-o", whole, "--yes", "--home", people["ben"])
    assert verify_successor(whole.read_bytes(), old).version == 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"created": NOW + 1}, "root_not_successor"),
        ({"version": 3, "prev": bytes(32)}, "root_not_successor"),
        ({"version": 2, "prev": bytes(32)}, "root_not_successor"),
    ],
)
def test_a_root_file_out_of_line_is_refused(
    people: dict[str, Path], root_path: Path, tmp_path: Path, changes: dict[str, Any], code: str
) -> None:
    assert root_path.exists()
    bare = tmp_path / "bare.json"
    bare.write_bytes(root_of(people, ["anna", "ben"], **changes).payload)
    said = answer(
        "sign", bare, "-o", tmp_path / "o", "--yes", "--home", people["anna"], exit_code=1
    )
    assert said["error"]["code"] == code


def test_another_hubs_root_file_is_refused(
    people: dict[str, Path], root_path: Path, tmp_path: Path
) -> None:
    assert root_path.exists()
    other = "other.example"
    logs = [LogKeyPair.generate(f"{other}/{name}").vkeys for name in ("directory", "audit")]
    bare = tmp_path / "bare.json"
    bare.write_bytes(
        root_of(
            people, ["anna", "ben"], hub=other, directory_log=logs[0], audit_log=logs[1]
        ).payload
    )
    said = answer(
        "sign", bare, "-o", tmp_path / "o", "--yes", "--home", people["anna"], exit_code=1
    )
    assert said["error"]["code"] == "root_other_hub"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'{"payloadType":"text/plain","payload":"","signatures":[]}', "document_unknown"),
        (b"\x89PNG", "toml_invalid"),
        (b"", "key_missing"),
        (b'{"v":1,"org":"x"}', "key_missing"),
        (b'{"v":1,"hub":"x"}', "key_missing"),
        (b"x" * 600_000, "too_long"),
    ],
)
def test_a_file_that_is_none_of_the_three_is_refused(
    people: dict[str, Path], tmp_path: Path, content: bytes, code: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    said = answer(
        "sign", path, "-o", tmp_path / "o", "--yes", "--home", people["anna"], exit_code=1
    )
    assert said["error"]["code"] == code


def test_different_documents_are_not_joined(
    people: dict[str, Path], root_path: Path, tmp_path: Path
) -> None:
    toml = tmp_path / "charter.toml"
    toml.write_text(DEFAULT_CHARTER)
    said = answer(
        "sign", toml, root_path, "-o", tmp_path / "o", "--yes", "--home", people["anna"],
        exit_code=1,
    )  # fmt: skip
    assert said["error"]["code"] == "payload_differs"


def test_signing_twice_is_refused(people: dict[str, Path], root_path: Path, tmp_path: Path) -> None:
    said = answer(
        "sign", root_path, "-o", tmp_path / "o", "--yes", "--home", people["anna"], exit_code=1
    )
    assert said["error"]["code"] == "signed_already"


def test_without_a_root_file_a_charter_cannot_be_signed(tmp_path: Path) -> None:
    home = tmp_path / "new"
    answer("init", "--name", "new", "--home", home)
    toml = tmp_path / "charter.toml"
    toml.write_text(DEFAULT_CHARTER)
    said = answer("sign", toml, "-o", tmp_path / "o", "--yes", "--home", home, exit_code=1)
    assert said["error"]["code"] == "root_needed"


def test_the_output_is_never_overwritten_and_a_missing_file_is_named(
    people: dict[str, Path], tmp_path: Path
) -> None:
    home = people["anna"]
    said = answer("sign", tmp_path / "no", "-o", tmp_path / "o", "--home", home, exit_code=1)
    assert said["error"]["code"] == "file_unreadable"
    (tmp_path / "o").write_bytes(b"mine")
    said = answer("sign", tmp_path / "no", "-o", tmp_path / "o", "--home", home, exit_code=1)
    assert said["error"]["code"] == "file_exists"
    assert (tmp_path / "o").read_bytes() == b"mine"


def test_a_root_file_that_too_few_and_not_oneself_signed_does_not_count(
    people: dict[str, Path], root_path: Path, tmp_path: Path
) -> None:
    assert root_path.exists()
    toml = tmp_path / "charter.toml"
    toml.write_text(DEFAULT_CHARTER)
    said = answer(
        "sign", toml, "-o", tmp_path / "o", "--yes", "--home", people["carla"],
        "--root", people["anna"] / "root.json", exit_code=1,
    )  # fmt: skip
    assert said["error"]["code"] == "root_incomplete"
    said = answer(
        "sign", toml, "-o", tmp_path / "o", "--yes", "--home", people["carla"],
        "--root", toml, exit_code=1,
    )  # fmt: skip
    assert said["error"]["code"] == "root_invalid"


def signed_by(tmp_path: Path, statement: Statement, *own: SigningKeyPair) -> Path:
    path = tmp_path / f"{statement.op}.json"
    path.write_bytes(sign_statement(statement, own) if own else format_statement(statement))
    return path


LATER = Statement(org=OrgId(f"bank@{HUB}"), seq=2, prev=bytes(32), op=Op.SUSPEND, not_before=NOW)


def test_one_registrar_suspends_at_once_and_is_told_that_the_file_is_old(
    people: dict[str, Path], root_path: Path, tmp_path: Path
) -> None:
    asked = signed_by(tmp_path, LATER)
    done = run(
        "sign", asked, "-o", tmp_path / "o", "--yes", "--home", people["anna"],
        "--root", root_path,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "1 of 1 registrars have signed" in done.stdout
    assert "SUSPEND an organisation at once" in done.stderr
    assert "accepts a statement within 24 hours" in done.stderr


def test_a_recovery_says_what_it_is_and_shows_six_words(
    people: dict[str, Path], root_path: Path, tmp_path: Path
) -> None:
    recovery = replace(
        enrolment(), op=Op.RECOVER, seq=2, prev=bytes(32), profile=None, roles=None,
        compromised_since=NOW - 5,
    )  # fmt: skip
    asked = signed_by(tmp_path, recovery, BANK, RECOVERY)
    said = answer(
        "sign", asked, "-o", tmp_path / "o", "--yes", "--home", people["anna"],
        "--root", root_path,
    )  # fmt: skip
    assert len(said["six_words"]) == 6
    assert any("suspended for 72 hours" in line for line in said["says"])
    assert any("compromised since" in line for line in said["says"])


def test_a_resume_names_the_capabilities_that_it_gives(
    people: dict[str, Path], root_path: Path, tmp_path: Path
) -> None:
    asked = signed_by(tmp_path, replace(LATER, op=Op.RESUME, roles=("hotline",)))
    said = answer(
        "sign", asked, "-o", tmp_path / "o", "--yes", "--home", people["anna"],
        "--root", root_path,
    )  # fmt: skip
    assert (said["needed"], said["complete"]) == (2, False)
    assert "capabilities  hotline" in said["says"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"op": Op.LEAVE}, "op_not_for_registrars"),
        ({"org": OrgId("bank@other.example")}, "hub_wrong"),
        ({"not_before": 2**53 - 1}, "value_invalid"),
    ],
)
def test_a_statement_in_which_registrars_have_no_say_is_not_signed(
    people: dict[str, Path], root_path: Path, tmp_path: Path, changes: dict[str, Any], code: str
) -> None:
    asked = signed_by(tmp_path, replace(LATER, **changes))
    said = answer(
        "sign", asked, "-o", tmp_path / "o", "--yes", "--home", people["anna"],
        "--root", root_path, exit_code=1,
    )  # fmt: skip
    assert said["error"]["code"] == code


def test_an_output_in_a_missing_directory_is_told(
    people: dict[str, Path], root_path: Path, tmp_path: Path
) -> None:
    asked = signed_by(tmp_path, LATER)
    said = answer(
        "sign", asked, "-o", tmp_path / "no" / "o", "--yes", "--home", people["anna"],
        "--root", root_path, exit_code=1,
    )  # fmt: skip
    assert said["error"]["code"] == "file_unwritable"


def test_a_key_file_of_somebody_else_is_not_a_registrars(root_path: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    save_keys(home / "registrar.key", {"kem": bytes(32)}, b"correct horse")
    asked = signed_by(tmp_path, LATER)
    said = answer(
        "sign", asked, "-o", tmp_path / "o", "--yes", "--home", home, "--root", root_path,
        exit_code=1,
    )  # fmt: skip
    assert said["error"]["code"] == "keyfile_content"


def test_a_rule_is_told_with_all_that_it_allows(
    people: dict[str, Path], root_path: Path, tmp_path: Path
) -> None:
    toml = tmp_path / "charter.toml"
    toml.write_text(DEFAULT_CHARTER.replace("approval = false", "approval = true", 1))
    said = answer(
        "sign", toml, "-o", tmp_path / "o", "--dry-run", "--home", people["anna"],
        "--root", root_path,
    )  # fmt: skip
    text = "\n".join(said["says"])
    assert "with a second person's approval" in text
    assert "as an answer only" in text
    assert "ngo with hotline to law_enforcement" in text
    assert "up to TLP red" in text
