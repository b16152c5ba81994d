"""A bank that sent three records, the police that hold one of them as evidence, on one hub."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.desk.conftest import records_of
from tests.desk.wire import DeskAt, plan
from tests.support.hub_world import BTC, World

from accord.desk.app import Desk
from accord.desk.evidence.service import MadeEvidence, Maker, Wanted, make_evidence
from accord.kernel.markings import OrgKind

EVM = "0x52908400098527886e0f7030069857d2e4169ee7"
SITE = "market.evil-example.org"
VALUES = (BTC, EVM, SITE)

Make = Callable[..., MadeEvidence]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("hub"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def bank(world: World, tmp_path_factory: pytest.TempPathFactory) -> DeskAt:
    home = tmp_path_factory.mktemp("desks") / "bank"
    return DeskAt(world, home, "first-bank", OrgKind.FINANCIAL, "NL")


@pytest.fixture(scope="session")
def police(world: World, bank: DeskAt, tmp_path_factory: pytest.TempPathFactory) -> DeskAt:
    home = tmp_path_factory.mktemp("desks") / "police"
    at = DeskAt(world, home, "police", OrgKind.LAW_ENFORCEMENT, "DE")
    with bank.open() as desk:
        assert desk.submissions.send(plan(world, at.org), records_of(VALUES)).complete
    with at.open() as desk:
        desk.rounds.once()
    return at


def maker_of(desk: Desk, reason: str = "case 114") -> Maker:
    return Maker(
        org=desk.org,
        signing=desk.keyring.signing,
        person="ana",
        reason=reason,
        roots=desk.mirror.root_files,
        directory=desk.mirror.state,
        now=desk.clock(),
    )


def made_at(
    at: DeskAt, value: str = EVM, reason: str = "case 114", **wanted: object
) -> MadeEvidence:
    with at.open() as desk:
        asked = Wanted(value=value, **wanted)  # type: ignore[arg-type]
        return make_evidence(desk.vault, asked, maker_of(desk, reason))


@pytest.fixture(scope="session")
def made(police: DeskAt) -> MadeEvidence:
    return made_at(police)


@pytest.fixture(scope="session")
def evidence(made: MadeEvidence, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("evidence") / "evidence.zip"
    path.write_bytes(made.data)
    return path
