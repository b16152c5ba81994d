"""A recipient's desk tells each sender of that sender's bundles, and of nobody else's."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.desk.conftest import records_of
from tests.desk.wire import DeskAt, plan
from tests.support.hub_world import BTC, World

from accord.desk.storage.deliveries import unacknowledged
from accord.kernel.errors import Unavailable
from accord.kernel.identifiers import BundleId
from accord.kernel.markings import OrgKind
from accord.kernel.statements.acknowledgement import verify_acknowledgement
from accord.protocol import paths
from accord.protocol.schemas.acknowledgements import AcknowledgementPage


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "hub-side"
    folder.mkdir()
    made = World(folder)
    yield made
    made.close()


@pytest.fixture
def police(world: World, tmp_path: Path) -> DeskAt:
    return DeskAt(world, tmp_path / "police", "police", OrgKind.LAW_ENFORCEMENT, "DE")


@pytest.fixture
def banks(world: World, tmp_path: Path) -> list[DeskAt]:
    return [
        DeskAt(world, tmp_path / name, name, OrgKind.FINANCIAL, "NL")
        for name in ("first-bank", "second-bank")
    ]


def send(bank: DeskAt, police: DeskAt, *sources: bytes) -> set[BundleId]:
    with bank.open() as desk:
        reports = [
            desk.submissions.send(plan(bank.world, police.org, source=source), records_of([BTC]))
            for source in sources
        ]
    return {bundle.id for report in reports for bundle in report.bundles}


def told(bank: DeskAt) -> list[set[BundleId]]:
    """Return the bundles that each statement names which the hub hands to this bank."""
    with bank.open() as desk:
        desk.mirror.refresh()
        page = desk.client.get_json(
            paths.ACKNOWLEDGEMENTS, AcknowledgementPage, "after=0&limit=100", signed=True
        )
        statements = [
            verify_acknowledgement(item["statement"], desk.mirror.state.signer_at)
            for item in page["items"]
        ]
    return [{item.bundle for item in one.items} for one in statements]


def test_each_sender_is_told_of_its_own_bundles_only(banks: list[DeskAt], police: DeskAt) -> None:
    first, second = banks
    sent = [send(first, police, b"1" * 32, b"2" * 32), send(second, police, b"3" * 32)]
    with police.open() as desk:
        assert desk.pull.pull(retention_days=30).acknowledged == 3
        assert unacknowledged(desk.vault, limit=5) == []
    assert [told(bank) for bank in banks] == [[sent[0]], [sent[1]]]


def test_a_hub_that_ascribes_a_bundle_to_another_sender_does_not_stop_the_others(
    banks: list[DeskAt], police: DeskAt
) -> None:
    sent = [send(banks[0], police, b"1" * 32), send(banks[1], police, b"2" * 32)]
    with police.open() as desk:
        police.wire.lose_before = {paths.ACKNOWLEDGEMENTS}
        with pytest.raises(Unavailable):
            desk.pull.pull(retention_days=30)
        police.wire.lose_before = set()
        # As if the headers had come with one and the same sender's name.
        with desk.vault.transaction() as connection:
            connection.execute("UPDATE deliveries SET org = ?", (banks[0].org,))
        assert desk.pull.acknowledge() == 2
    assert [told(bank) for bank in banks] == [[sent[0]], [sent[1]]]
