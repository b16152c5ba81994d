"""T4: the hub shows two histories or edits an entry. The witness cosigns one of them only."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.desk.wire import DeskAt
from tests.support.hub_world import Desk, World
from tests.support.lies import answering, lying

from accord.hub.services import Services
from accord.kernel.directory.rootfile import LogName
from accord.kernel.errors import AccordError, Conflict, NotFound
from accord.kernel.identifiers import OrgId
from accord.kernel.markings import OrgKind
from accord.kernel.tlog.monitor import verify_log


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "hub").mkdir()
    made = World(tmp_path / "hub")
    yield made
    made.close()


@pytest.fixture
def bank(world: World, tmp_path: Path) -> DeskAt:
    return DeskAt(world, tmp_path / "bank", "first-bank", OrgKind.FINANCIAL, "NL")


@pytest.fixture
def second(world: World, bank: DeskAt, tmp_path: Path) -> Iterator[Services]:
    """The other face of the hub: the same keys on a copy, from which it can go another way."""
    assert bank.org
    home = tmp_path / "second"
    world.services.writer.run(lambda _: None)
    shutil.copytree(world.config.home, home)
    made = world.open_services(world.config.__class__(**_fields(world, home)))
    yield made
    made.close()


def _fields(world: World, home: Path) -> dict[str, object]:
    names = world.config.__dataclass_fields__
    return {name: getattr(world.config, name) for name in names} | {"home": home}


def grow(world: World, services: Services, name: str) -> None:
    """Append a member in one of the two histories only."""
    desk = Desk(name=name, kind=OrgKind.FINANCIAL, world=world)
    services.directory._writer.run(
        lambda _: services.directory._logs.append(LogName.DIRECTORY, desk.enrolment())
    )


def test_the_witness_cosigns_one_history_and_stops_the_other(
    world: World, second: Services
) -> None:
    grow(world, world.services, "shown-to-some")
    grow(world, second, "shown-to-others")
    world.witness_round()
    with pytest.raises(Conflict) as caught:
        second.jobs.round(LogName.DIRECTORY)
    assert caught.value.code == "forked_from_witness"


def test_a_desk_refuses_the_history_that_no_witness_saw(
    world: World, second: Services, bank: DeskAt
) -> None:
    with bank.open() as desk:
        before = desk.mirror.refresh()
        grow(world, world.services, "shown-to-some")
        grow(world, second, "shown-to-others")
        world.witness_round()
        bank.wire.witness = False
        head = second.reader.head(LogName.DIRECTORY)
        assert head is not None
        lie = answering("/log/directory/checkpoint", head.note)
        with lying(bank, lie), pytest.raises(AccordError) as caught:
            desk.mirror.refresh()
        assert caught.value.code == "quorum_missing"
        assert desk.mirror.state == before


def test_signatures_of_one_history_do_not_fit_the_other(
    world: World, second: Services, bank: DeskAt
) -> None:
    """The witness's lines under the checkpoint that it never saw."""
    with bank.open() as desk:
        desk.mirror.refresh()
        grow(world, world.services, "shown-to-some")
        grow(world, second, "shown-to-others")
        world.witness_round()
        bank.wire.witness = False
        head, seen = (
            second.reader.head(LogName.DIRECTORY),
            world.services.reader.cosigned(LogName.DIRECTORY),
        )
        assert head is not None
        assert seen is not None
        lines = [line for line in seen.note.splitlines(keepends=True) if b"ngo.test" in line]
        forged = head.note + b"".join(lines)
        lie = answering("/log/directory/checkpoint", forged)
        with lying(bank, lie), pytest.raises(AccordError) as caught:
            desk.mirror.refresh()
        assert caught.value.code in {"note_signature_wrong", "quorum_missing"}


def test_a_receipt_of_the_other_history_is_none(
    world: World, second: Services, bank: DeskAt
) -> None:
    """A proof that ends at a checkpoint of the hub alone does not count."""
    police = world.enrol("police", OrgKind.LAW_ENFORCEMENT)
    mallory = world.enrol("second-bank", OrgKind.FINANCIAL)
    bundle_id, raw = mallory.seal(police)
    mallory.put_bundle(raw, bundle_id)
    answer = mallory.get(f"/v1/bundles/{bundle_id}/receipt", "wait=0")
    assert (answer.status_code, answer.json()["code"]) == (503, "receipt_pending")
    assert second.reader.cosigned(LogName.AUDIT) is not None
    assert OrgId(bank.org)


def monitor(world: World) -> str:
    """Return ``ok`` or the code with which a stranger's monitor stops."""

    def fetch(path: str) -> bytes:
        answer = world.client.get(f"/log/audit/{path}")
        if answer.status_code != 200:
            raise NotFound("log_file_missing", "The log lacks a file.", observed=path)
        return answer.content

    try:
        verify_log(fetch, world.root.log_policy(LogName.AUDIT))
    except AccordError as error:
        return error.code
    return "ok"


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        (
            "UPDATE log_entries SET entry = zeroblob(34) WHERE log = 'audit' AND number = 2",
            "tile_wrong",
        ),
        ("DELETE FROM log_entries WHERE log = 'audit' AND number = 2", "log_file_missing"),
        (
            "UPDATE log_tiles SET hashes = zeroblob(length(hashes)) WHERE log = 'audit'",
            "tile_wrong",
        ),
    ],
    ids=["changed entry", "deleted entry", "changed tile"],
)
def test_an_edited_entry_is_found_by_a_stranger(world: World, edit: str, found: str) -> None:
    world.enrol("police", OrgKind.LAW_ENFORCEMENT)
    assert monitor(world) == "ok"
    world.services.writer.run(lambda connection: connection.execute(text(edit)))
    assert monitor(world) == found


def test_over_edited_tiles_nothing_more_is_signed(world: World) -> None:
    world.enrol("police", OrgKind.LAW_ENFORCEMENT)
    before = world.services.reader.head(LogName.AUDIT)
    edit = "UPDATE log_tiles SET hashes = zeroblob(length(hashes)) WHERE log = 'audit'"
    world.services.writer.run(lambda connection: connection.execute(text(edit)))
    world.services.close()
    world.services = world.open_services()
    with pytest.raises(AccordError):
        world.services.enrolments.invite("late", OrgKind.NGO, now=world.clock())
    assert world.services.reader.head(LogName.AUDIT) == before
