"""Bundles, deliveries and disclosures are checked by a stranger, also after keys have changed."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.support import hub_world
from tests.support.hub_world import Desk, World

from accord.cli.main import main
from accord.cli.verify import _readable
from accord.clock import system_clock
from accord.desk.evidence.report import moment
from accord.kernel.bundle.framing import parse_bundle, trim
from accord.kernel.directory.rootfile import LogName
from accord.kernel.directory.statements import Op, Statement, sign_statement
from accord.kernel.envelope.opening import open_trimmed
from accord.kernel.keys import SignerKey, SigningKeyPair
from accord.kernel.markings import OrgKind
from accord.kernel.tlog.tiles import entries_path, format_entries


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(hub_world, "NOW", system_clock())  # the command reads this clock
    (tmp_path / "hub").mkdir()
    made = World(tmp_path / "hub")
    made.clock.now = system_clock()
    yield made
    made.close()


@pytest.fixture
def bank(world: World) -> Desk:
    return world.enrol("first-bank", OrgKind.FINANCIAL)


@pytest.fixture
def police(world: World) -> Desk:
    return world.enrol("police", OrgKind.LAW_ENFORCEMENT)


def verify(world: World, folder: Path, data: bytes, code: int = 0) -> dict[str, Any]:
    """Write the file and a copy of the directory log, and run the command on them."""
    (folder / "root.json").write_bytes(world.root_bytes)
    (folder / "file").write_bytes(data)
    reader = world.services.reader
    head = reader.cosigned(LogName.DIRECTORY)
    assert head is not None
    log = folder / "copy" / "log" / "directory"
    entries = log / entries_path(0, head.size)
    entries.parent.mkdir(parents=True, exist_ok=True)
    entries.write_bytes(format_entries(reader.entries(LogName.DIRECTORY, 0, head.size)))
    (log / "checkpoint").write_bytes(head.note)
    words = ["verify", str(folder / "file"), "--root", str(folder / "root.json"), "--json"]
    done = CliRunner().invoke(main, [*words, "--hub", str(folder / "copy")])
    assert done.exit_code == code, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def end_key(world: World, desk: Desk, op: Op) -> None:
    held = world.services.directory.state().organisation(desk.org)
    new = SigningKeyPair.generate()
    keys = {"not_after": world.clock() + 86_400, "sig": new.public} if op is Op.ROTATE else {}
    statement = Statement(
        org=desk.org,
        seq=held.seq + 1,
        prev=held.digest,
        op=op,
        not_before=world.clock(),
        **keys,
    )
    signed = (
        sign_statement(statement, [new, desk.sig])
        if op is Op.ROTATE
        else sign_statement(statement, [world.registrar])
    )
    world.services.directory.append_statement(signed, now=world.clock())
    world.witness_round()


def test_every_form_holds_before_and_after_the_key_was_rotated(
    world: World, bank: Desk, police: Desk, tmp_path: Path
) -> None:
    _, raw = bank.seal(police)
    trimmed = trim(parse_bundle(raw), 0)
    opened = open_trimmed(
        trimmed,
        signer_lookup=lambda _kid: SignerKey(org=bank.org, public=bank.sig.public),
        kem_keys={police.kem.kid: police.kem},
        now=world.clock(),
        parse_records=lambda lines: lines,
    )
    forms = {"bundle": raw, "delivery": trimmed, "disclosure": opened.disclose(0)}
    for what, data in forms.items():
        found = verify(world, tmp_path, data)
        assert (found["what"], found["key"]) == (what, "in force")
    end_key(world, bank, Op.ROTATE)
    for what, data in forms.items():
        found = verify(world, tmp_path, data)
        assert (found["what"], found["key"]) == (what, "ended since")


def test_a_suspended_signer_is_told(world: World, bank: Desk, police: Desk, tmp_path: Path) -> None:
    _, raw = bank.seal(police)
    end_key(world, bank, Op.SUSPEND)
    assert "withdrawn" in verify(world, tmp_path, raw)["key"]


def test_a_directory_that_the_hub_never_had_is_refused(
    world: World, bank: Desk, police: Desk, tmp_path: Path
) -> None:
    for point in (
        replace(world.point(), root=bytes(32)),
        replace(world.point(), size=world.point().size + 1),
    ):
        _, raw = bank.seal(police, directory=[point])
        assert verify(world, tmp_path, raw, code=3)["error"]["code"] == "directory_other"


def test_a_key_that_did_not_count_yet_is_refused(
    world: World, police: Desk, tmp_path: Path
) -> None:
    point = world.point()
    late = world.enrol("second-bank", OrgKind.FINANCIAL)
    _, raw = late.seal(police, directory=[point])
    assert verify(world, tmp_path, raw, code=3)["error"]["code"] == "key_not_in_force"


def test_people_read_times_and_programs_get_seconds(
    world: World, bank: Desk, police: Desk, tmp_path: Path
) -> None:
    _, raw = bank.seal(police)
    found = verify(world, tmp_path, raw)
    assert isinstance(found["created"], int)
    words = ["verify", str(tmp_path / "file"), "--root", str(tmp_path / "root.json")]
    told = CliRunner().invoke(main, [*words, "--hub", str(tmp_path / "copy")]).output
    assert f"  created: {moment(found['created'])}\n" in told
    assert f"  expires: {moment(found['expires'])}\n" in told
    assert str(found["created"]) not in told


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("time", "1790000000", "2026-09-21 14:13:20 UTC"),
        ("made", 0, "1970-01-01 00:00:00 UTC"),
        ("time", "999999999999", "999999999999"),
        ("time", "1" * 5000, "1" * 5000),
        ("time", "-1", "-1"),
        ("time", "٣", "٣"),
        ("time", "soon\x1b[8m", "soon\\x1b[8m"),
        ("records", 1790000000, "1790000000"),
    ],
)
def test_what_is_no_time_is_shown_as_it_stands(name: str, value: object, shown: str) -> None:
    assert _readable(name, value) == shown
