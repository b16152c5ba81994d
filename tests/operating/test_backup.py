"""A hub saved while it serves and put back elsewhere: whole, verified, and never older than known."""

import io
import json
import os
import secrets
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from tests.support.hub_people import make_person
from tests.support.hub_world import HOST
from tests.support.saved_hub import KEYS_PASSPHRASE, PASSPHRASE, Saved, codes

from accord.cli.main import main
from accord.hub.app import make_hub
from accord.hub.backups import ArchiveReader, ArchiveWriter
from accord.hub.backups.archive import CHUNK
from accord.hub.config import load_config
from accord.kernel.directory.rootfile import LogName
from accord.kernel.encoding import b64encode
from accord.kernel.errors import (
    AccordError,
    AuthenticationNeeded,
    Conflict,
    Malformed,
    VerificationFailed,
)
from accord.kernel.markings import OrgKind

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas" / "cli"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saved]:
    """For tests that leave the hub as it is."""
    made = Saved(tmp_path_factory.mktemp("saved"), large=True)
    yield made
    made.world.close()


@pytest.fixture
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saved]:
    """For tests after which the hub's log is longer."""
    made = Saved(tmp_path_factory.mktemp("fresh"))
    yield made
    made.world.close()


def test_a_restored_hub_has_every_bundle_and_both_roots_and_goes_on(
    saved: Saved, tmp_path: Path
) -> None:
    world = saved.world
    before = {name: world.services.reader.head(name) for name in LogName}
    home = tmp_path / "elsewhere" / "hub"
    done = saved.restore(home)
    assert (done.restored, done.whole, codes(done)) == (True, True, {"erasures_not_given"})
    assert not list(home.parent.glob("*.restoring"))
    modes = {path.name: path.stat().st_mode & 0o777 for path in home.iterdir() if path.is_file()}
    assert {mode for name, mode in modes.items() if name != "hub.toml"} == {0o600}
    services = world.open_services(load_config(home))
    try:
        for name in LogName:
            head = before[name]
            assert head is not None
            assert services.reader.root(name, head.size) == world.services.reader.root(
                name, head.size
            )
        grown = services.reader.head(LogName.AUDIT)
        audit = before[LogName.AUDIT]
        assert grown is not None
        assert audit is not None
        assert grown.size == audit.size + 1, "the restore itself is in the log"
        app = make_hub(services, secret_key=secrets.token_bytes(32), port=8600)
        client = httpx2.Client(transport=httpx2.WSGITransport(app=app), base_url=f"http://{HOST}")
        with client:
            world.clock.now += 40  # nonces signed before a start are not taken
            again = world.client
            world.client = client
            try:
                sent = [saved.bank.put_bundle(raw, one) for one, raw in saved.bundles]
                assert {answer.status_code for answer in sent} == {202}
                trimmed = saved.police.deliveries()
                assert len(trimmed) == len(saved.bundles)
            finally:
                world.client = again
    finally:
        services.close()


def test_what_is_saved_is_encrypted_and_names_nobody(saved: Saved) -> None:
    data = saved.file.read_bytes()
    for word in (b"first-bank", b"police", b"hub.test", b"SQLite format", KEYS_PASSPHRASE):
        assert word not in data
    assert saved.file.stat().st_mode & 0o777 == 0o600
    assert not list(saved.world.config.home.glob("backup.*")), "nothing is left in the home"


def test_the_keys_are_saved_as_they_are_kept_wrapped(saved: Saved) -> None:
    with saved.file.open("rb") as file:
        plain = ArchiveReader(file, PASSPHRASE).read()
    assert saved.world.config.keys.read_bytes() in plain
    for pair in saved.world.log_keys.values():
        for seed in (pair.ed25519_seed, pair.mldsa44_seed):
            assert seed not in plain
            assert b64encode(seed).encode() not in plain
            assert seed.hex().encode() not in plain


def test_an_older_backup_than_a_witness_saw_is_refused(fresh: Saved, tmp_path: Path) -> None:
    """The copy is whole, a rehearsal says how much would be lost, and it cannot be restored."""
    early = tmp_path / "early.backup"
    fresh.world.services.backups.make(early, PASSPHRASE, now=fresh.world.clock())
    fresh.world.services.enrolments.invite("late", OrgKind.NGO, now=fresh.world.clock())
    fresh.world.services.enrolments.invite("later", OrgKind.NGO, now=fresh.world.clock())
    fresh.world.witness_round()
    file, fresh.file = fresh.file, early
    try:
        done = fresh.restore(tmp_path / "hub")
    finally:
        fresh.file = file
    assert (done.restored, done.whole, done.servable) == (False, True, False)
    assert "behind_witness" in codes(done)
    assert done.lost_entries == 2
    assert list(tmp_path.iterdir()) == [early], "nothing is left"
    rehearsed = fresh.rehearse(tmp_path / "hub", early)
    assert (rehearsed.whole, rehearsed.servable) == (True, False)
    assert list(tmp_path.iterdir()) == [early]


def test_who_was_erased_after_the_backup_is_erased_in_the_restored_hub(
    fresh: Saved, tmp_path: Path
) -> None:
    world, name = fresh.world, "zerubabel.q"
    make_person(world, name, fresh.bank.org)
    fresh.file = tmp_path / "with.backup"
    world.services.backups.make(fresh.file, PASSPHRASE, now=world.clock())
    world.services.erasures.erase_at_console(
        fresh.bank.org, name, reason="asked by letter", now=world.clock()
    )
    without = fresh.restore(tmp_path / "without")
    assert (without.restored, codes(without)) == (True, {"erasures_not_given"})
    assert name.encode() in (tmp_path / "without" / "hub.db").read_bytes()
    done = fresh.restore(tmp_path / "held", erasures=world.config.erasures)
    assert (done.restored, codes(done)) == (True, set())
    for path in (tmp_path / "held").rglob("*"):
        assert not path.is_file() or name.encode() not in path.read_bytes(), path
    assert (tmp_path / "held" / "erasures.jsonl").read_bytes() == world.config.erasures.read_bytes()


def test_a_silent_witness_stops_a_restore_unless_told_otherwise(
    fresh: Saved, tmp_path: Path
) -> None:
    def refuse(_request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    silent = httpx2.MockTransport(refuse)
    done = fresh.restore(tmp_path / "new", transport=silent)
    assert (done.restored, codes(done), done.lost_entries) == (False, {"witness_unreachable"}, None)
    done = fresh.restore(tmp_path / "new", transport=silent, without_witnesses=True)
    assert done.restored
    with pytest.raises(Conflict) as caught:
        fresh.restore(tmp_path / "new")
    assert caught.value.code == "home_in_use"


def test_a_home_that_holds_anything_is_never_touched(saved: Saved, tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "note").write_text("mine")
    with pytest.raises(Conflict) as caught:
        saved.restore(tmp_path / "hub")
    assert caught.value.code == "home_in_use"
    assert (tmp_path / "hub" / "note").read_text() == "mine"
    (tmp_path / "other.restoring").mkdir()
    with pytest.raises(Conflict):
        saved.restore(tmp_path / "other")


def test_no_backup_is_overwritten(saved: Saved) -> None:
    before = saved.file.read_bytes()
    with pytest.raises(Conflict) as caught:
        saved.world.services.backups.make(saved.file, PASSPHRASE, now=saved.world.clock())
    assert caught.value.code == "backup_exists"
    assert saved.file.read_bytes() == before


def test_a_row_that_another_hand_changed_fails_the_restore(tmp_path: Path) -> None:
    saved = Saved(tmp_path, large=True)
    with saved.world.services.database.writing.begin() as connection:
        connection.execute(
            sa.text("UPDATE log_entries SET entry = :entry WHERE log = 'audit' AND number = 1"),
            {"entry": secrets.token_bytes(34)},
        )
    changed = tmp_path / "changed.backup"
    saved.world.services.backups.make(changed, PASSPHRASE, now=saved.world.clock())
    done = saved.rehearse(tmp_path / "hub", changed)
    assert (done.whole, done.servable) == (False, False)
    assert "log_root_wrong" in codes(done)
    name = next(path for path in saved.world.config.bodies.rglob("*") if path.is_file())
    name.write_bytes(b"other bytes")
    lost = tmp_path / "lost.backup"
    saved.world.services.backups.make(lost, PASSPHRASE, now=saved.world.clock())
    with pytest.raises(VerificationFailed) as caught:
        saved.rehearse(tmp_path / "hub", lost)
    assert caught.value.code == "backup_damaged"
    saved.world.close()


@pytest.mark.parametrize("where", ["head", "first", "middle", "end", "cut", "longer"])
def test_a_changed_or_cut_backup_is_refused(saved: Saved, tmp_path: Path, where: str) -> None:
    data = bytearray(saved.file.read_bytes())
    head = data.index(b"\n") + 1
    at = {"head": 20, "first": head + 5, "middle": len(data) // 2, "end": len(data) - 1}
    if where == "cut":
        del data[-1000:]
    elif where == "longer":
        data += bytes(100)
    else:
        data[at[where]] ^= 1
    file = tmp_path / "changed"
    file.write_bytes(data)
    with pytest.raises((Malformed, VerificationFailed, AuthenticationNeeded)) as caught:
        saved.rehearse(tmp_path / "hub", file)
    assert caught.value.code in {"backup_format", "backup_passphrase_wrong", "backup_damaged"}
    assert [path.name for path in tmp_path.iterdir()] == ["changed"]


def test_chunks_in_another_order_do_not_hold(tmp_path: Path) -> None:
    file = tmp_path / "archive"
    with file.open("wb") as target:
        writer = ArchiveWriter(target, PASSPHRASE)
        for _ in range(3):
            writer.write(bytes(CHUNK))
        writer.close()
    data = file.read_bytes()
    head = data.index(b"\n") + 1
    size = CHUNK + 16
    first, second = data[head : head + size], data[head + size : head + 2 * size]
    for changed in (
        data[:head] + first + first + data[head + 2 * size :],
        data[:head] + first + data[head + 2 * size :],
        data[: head + 2 * size],
    ):
        file.write_bytes(changed)
        with file.open("rb") as source, pytest.raises(VerificationFailed):
            ArchiveReader(source, PASSPHRASE).read()
    assert second != first


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1])
def test_what_goes_in_comes_out(tmp_path: Path, size: int) -> None:
    data = secrets.token_bytes(size)
    with (tmp_path / "archive").open("wb") as target:
        writer = ArchiveWriter(target, PASSPHRASE)
        writer.write(data)
        writer.close()
    with (tmp_path / "archive").open("rb") as source:
        assert ArchiveReader(source, PASSPHRASE).read() == data
    with (tmp_path / "archive").open("rb") as source, pytest.raises(AccordError) as caught:
        ArchiveReader(source, b"not this").read()
    assert caught.value.code == "backup_passphrase_wrong"


def printed(name: str, words: list[str], code: int) -> Any:
    done = CliRunner().invoke(main, [*words, "--json"])
    assert done.exit_code == code, done.output
    data = json.loads(done.stdout)
    schema = "error" if "error" in data else name
    document = json.loads((SCHEMAS / f"{schema}.v1.json").read_text("utf-8"))
    Draft202012Validator(document).validate(data)
    for secret in (KEYS_PASSPHRASE, PASSPHRASE):
        assert secret.decode() not in done.output
    return data


def test_the_commands_say_what_would_be_lost_and_how_long_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = Saved(tmp_path)
    saved.world.close()
    for name, secret in (("keys", KEYS_PASSPHRASE), ("backup", PASSPHRASE)):
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_bytes(secret)
    monkeypatch.setenv("ACCORD_PASSPHRASE_FILE", str(tmp_path / "keys"))
    home, file = str(saved.world.config.home), str(tmp_path / "cli.backup")
    separate = ["--passphrase-file", str(tmp_path / "backup")]
    made = printed("hub-backup", ["hub", "backup", file, *separate, "--home", home], 0)
    assert made["backup"]["logs"]["audit"] > 0
    printed("hub-backup", ["hub", "backup", file, *separate, "--home", home], 1)
    tried = printed("hub-backup", ["hub", "backup", f"{file}2", "--dry-run", "--home", home], 0)
    assert tried == {"made": False, "file": f"{file}2"}
    new = str(tmp_path / "new")
    checked = printed(
        "hub-restore", ["hub", "restore", file, *separate, "--check", "--home", new], 0
    )
    assert (checked["restored"], checked["whole"], checked["servable"]) == (False, True, False)
    assert checked["rpo_entries"] is None, "the witness of this test has no address on the network"
    assert checked["rto_seconds"] >= 0
    assert not Path(new).exists()
    refused = printed("hub-restore", ["hub", "restore", file, *separate, "--home", new], 6)
    assert not refused["restored"]
    words = ["hub", "restore", file, *separate, "--without-witnesses", "--home", new]
    assert printed("hub-restore", words, 0)["restored"]
    assert printed("hub-check", ["hub", "check", "--home", new], 0)["ok"]
    printed("hub-restore", ["hub", "restore", file, "--check", "--home", f"{new}2"], 4)
    shutil.rmtree(new)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
def test_a_full_disk_leaves_no_half_backup(fresh: Saved, tmp_path: Path) -> None:
    place = tmp_path / "disk"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if subprocess.run(words, capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        with pytest.raises(AccordError) as caught:
            fresh.world.services.backups.make(
                place / "hub.backup", PASSPHRASE, now=fresh.world.clock()
            )
        assert caught.value.code == "backup_failed"
        assert list(place.iterdir()) == []
        assert not list(fresh.world.config.home.glob("backup.*"))
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def test_a_member_with_a_strange_name_is_not_written(saved: Saved, tmp_path: Path) -> None:
    """Whoever knows the passphrase cannot write outside the home either."""
    for name in ("../outside", "/outside", "bodies/ab/" + "cd" * 32, "note"):
        file = tmp_path / "planted"
        with file.open("wb") as target:
            archive = ArchiveWriter(target, PASSPHRASE)
            with tarfile.open(fileobj=archive, mode="w|") as tar:  # type: ignore[call-overload]
                member = tarfile.TarInfo(name)
                member.size = 3
                tar.addfile(member, io.BytesIO(b"bad"))
            archive.close()
        with pytest.raises(VerificationFailed) as caught:
            saved.rehearse(tmp_path / "place" / "hub", file)
        assert caught.value.code == "backup_damaged"
        assert not [path for path in tmp_path.rglob("*") if path.name == "outside"]
