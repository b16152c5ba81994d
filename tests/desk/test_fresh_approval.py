"""A desk that asks before the witnesses have cosigned its approval is told to ask again."""

from pathlib import Path

import pytest
from tests.desk.wire import DeskAt
from tests.support.hub_world import World

from accord.desk.exchange import enrol
from accord.kernel.errors import Unavailable
from accord.kernel.identifiers import OrgId
from accord.kernel.markings import OrgKind


def test_an_approval_that_is_not_witnessed_yet_is_no_error_but_not_now(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    folder.mkdir()
    world = World(folder)
    bank = DeskAt(world, tmp_path / "bank", "first-bank", OrgKind.FINANCIAL, "NL")
    later = OrgId(f"latecomer@{world.root.hub}")
    with bank.open() as desk, pytest.raises(Unavailable) as caught:
        enrol.confirm(desk.mirror, desk.vault, desk.keyring, later)
    world.close()
    assert (caught.value.code, caught.value.observed) == ("enrolment_pending", later)
