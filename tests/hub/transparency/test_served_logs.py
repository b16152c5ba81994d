"""What a real hub serves of its logs satisfies the monitor and an implementation that is not ours."""

import pytest
from tests.support.hub_world import World
from tlog_scales import signing
from tlog_scales.reader import TilesReader

from accord.kernel.directory.rootfile import LogName
from accord.kernel.errors import NotFound
from accord.kernel.markings import OrgKind
from accord.kernel.tlog.leaf import RecordFields, parse_leaf
from accord.kernel.tlog.monitor import verify_log


@pytest.fixture
def busy(world: World) -> World:
    """A hub with real events, and further leaves in batches so that its audit log fills tiles."""
    bank = world.enrol("first-bank", OrgKind.FINANCIAL)
    police = world.enrol("police", OrgKind.LAW_ENFORCEMENT)
    for _ in range(4):
        bundle_id, bundle = bank.seal(police)
        assert bank.put_bundle(bundle, bundle_id).status_code == 202
    services = world.services
    for batch in (1, 250, 300, 600):
        leaves = [RecordFields.fresh({"action": "filler"}).leaf() for _ in range(batch)]
        services.writer.run(
            lambda _, leaves=leaves: [services.logs.append(LogName.AUDIT, one) for one in leaves]
        )
        world.witness_round()
    return world


class Served:
    """Reads one log of a hub, for both kinds of reader."""

    def __init__(self, world: World, name: LogName) -> None:
        """Read below the log's path."""
        self.world = world
        self.prefix = f"/log/{name}"

    def fetch(self, path: str) -> bytes:
        answer = self.world.client.get(f"{self.prefix}/{path}")
        if answer.status_code != 200:
            raise NotFound("log_file_missing", "The log lacks a file.", observed=path)
        return answer.content

    def get(self, *path: str) -> bytes | None:
        answer = self.world.client.get(f"{self.prefix}/{'/'.join(path)}")
        return answer.content if answer.status_code == 200 else None


@pytest.mark.parametrize("name", list(LogName))
def test_the_monitor_finds_every_check_true(busy: World, name: LogName) -> None:
    policy = busy.root.log_policy(name)
    served = Served(busy, name)
    seen: list[int] = []

    def inspect(index: int, entry: bytes) -> None:
        seen.append(index)
        if name is LogName.AUDIT:
            parse_leaf(entry)

    first = verify_log(
        served.fetch, policy, origin=busy.root.log_origin(name), inspect=inspect,
        now=busy.clock(), max_age=60,
    )  # fmt: skip
    assert first.checkpoint is not None
    assert len(seen) == first.checkpoint.size > 0
    busy.enrol("hotline", OrgKind.NGO)
    busy.witness_round()
    again = verify_log(served.fetch, policy, earlier=first.note)
    assert again.checkpoint is not None
    assert again.checkpoint.size > first.checkpoint.size
    assert again.checks[-1].name == "consistency"


@pytest.mark.parametrize("name", list(LogName))
def test_a_foreign_reader_finds_the_same_root_and_signatures(busy: World, name: LogName) -> None:
    reader = TilesReader(Served(busy, name))
    checkpoint = reader.get_checkpoint()
    assert reader.calculate_root_hash() == checkpoint.root_hash
    vkeys = [*busy.root.log_vkeys(name), *busy.root.witnesses[0].vkeys]
    known = signing.VkeySet(*(signing.Vkey.from_string(vkey) for vkey in vkeys))
    assert len(known.verify(checkpoint.signatures, checkpoint)) == 4
    assert len(checkpoint.signatures) == 4
