"""T5: the hub goes on from an older copy of its database. Witness, desks and hub each stop it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.desk.wire import DeskAt
from tests.support.hub_world import Desk, World

from accord.hub.app import make_hub
from accord.kernel.directory.rootfile import LogName
from accord.kernel.errors import Conflict, VerificationFailed
from accord.kernel.markings import OrgKind


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "hub").mkdir()
    made = World(tmp_path / "hub")
    yield made
    made.close()


@pytest.fixture
def sender(world: World) -> Desk:
    return world.enrol("second-bank", OrgKind.FINANCIAL)


@pytest.fixture
def reader(world: World) -> Desk:
    return world.enrol("reader", OrgKind.LAW_ENFORCEMENT)


class OlderCopy:
    """Keeps a copy of the hub's home, and brings it back in place of the newer one."""

    def __init__(self, world: World, folder: Path) -> None:
        """Copy now."""
        self.world = world
        self.folder = folder
        self._restart(lambda: shutil.copytree(world.config.home, folder))

    def restore(self) -> None:
        """Put the copy back and open the hub on it."""
        home = self.world.config.home

        def swap() -> None:
            shutil.rmtree(home)
            shutil.copytree(self.folder, home)

        self._restart(swap)

    def _restart(self, between: object) -> None:
        self.world.services.close()
        assert callable(between)
        between()
        self.world.services = self.world.open_services()
        self.world.app = make_hub(self.world.services, secret_key=bytes(range(32)), port=8600)
        transport = self.world.client._transport
        transport.app = self.world.app  # type: ignore[attr-defined]


@pytest.fixture
def copy(world: World, sender: Desk, reader: Desk, tmp_path: Path) -> OlderCopy:
    bundle_id, raw = sender.seal(reader)
    assert sender.put_bundle(raw, bundle_id).status_code == 202
    world.witness_round()
    made = OlderCopy(world, tmp_path / "older")
    # The new process takes no request that was signed before it began.
    world.clock.now += 1000
    bundle_id, raw = sender.seal(reader)
    assert sender.put_bundle(raw, bundle_id).status_code == 202, sender
    world.witness_round()
    world.clock.now += 1000
    return made


def test_it_does_not_begin_to_serve(world: World, copy: OlderCopy) -> None:
    copy.restore()
    with pytest.raises(Conflict) as caught:
        world.services.jobs.first_round()
    assert caught.value.code == "behind_witness"


def test_once_it_learns_of_it_while_serving_it_takes_and_signs_nothing(
    world: World, copy: OlderCopy, sender: Desk, reader: Desk
) -> None:
    copy.restore()
    for name in LogName:
        world.services.jobs._try(name)
    assert world.client.get("/readyz").status_code == 503
    world.clock.now += 1000
    before = world.services.reader.head(LogName.AUDIT)
    bundle_id, raw = sender.seal(reader)
    answer = sender.put_bundle(raw, bundle_id)
    assert answer.status_code == 503
    assert world.services.reader.head(LogName.AUDIT) == before


def test_a_desk_that_has_seen_more_refuses_the_older_directory(
    world: World, tmp_path: Path
) -> None:
    bank = DeskAt(world, tmp_path / "bank", "first-bank", OrgKind.FINANCIAL, "NL")
    copy = OlderCopy(world, tmp_path / "older")
    bank.wire._inner.app = world.app
    world.clock.now += 1000
    with bank.open() as desk:
        world.enrol("late", OrgKind.NGO)
        desk.mirror.refresh()
        copy.restore()
        bank.wire._inner.app = world.app
        bank.wire.witness = False
        with pytest.raises(VerificationFailed) as caught:
            desk.mirror.refresh()
    assert caught.value.code == "log_rolled_back"
