"""A receipt that is pending is asked for again: after the pause that the hub names, not for ever."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.desk.conftest import records_of
from tests.desk.wire import DeskAt, plan
from tests.support.hub_world import BTC, World

from accord.desk.exchange.receipts import RECEIPT_SECONDS, Patience
from accord.desk.exchange.submission import SendReport
from accord.kernel.errors import Unavailable
from accord.kernel.identifiers import OrgId
from accord.kernel.markings import OrgKind

POLICE = OrgId("police@hub.test")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "hub-side"
    folder.mkdir()
    made = World(folder)
    yield made
    made.close()


@pytest.fixture
def bank(world: World, tmp_path: Path) -> DeskAt:
    made = DeskAt(world, tmp_path / "bank", "first-bank", OrgKind.FINANCIAL, "NL")
    world.enrol("police", OrgKind.LAW_ENFORCEMENT)
    return made


class Busy:
    """A hub with no place to wait at: ``times`` requests for a receipt are answered at once."""

    def __init__(self, times: int, *, retry_after: int = 2, code: str = "receipt_pending") -> None:
        """Answer ``times`` requests so."""
        self.left = times
        self.asked = 0
        body = {"code": code, "detail": "Not yet.", "retry_after": retry_after}
        self._body = json.dumps(body).encode()

    def __call__(self, request: httpx2.Request) -> httpx2.Response | None:
        if not request.url.path.endswith("/receipt"):
            return None
        self.asked += 1
        self.left -= 1
        return httpx2.Response(503, content=self._body) if self.left >= 0 else None


def send(bank: DeskAt) -> SendReport:
    with bank.open() as desk:
        return desk.submissions.send(plan(bank.world, POLICE), records_of([BTC]))


def test_a_late_receipt_is_waited_for_with_pauses(bank: DeskAt) -> None:
    bank.wire.instead = Busy(5)
    assert send(bank).complete
    assert bank.pauses == [2] * 5


@pytest.mark.parametrize(
    ("retry_after", "pauses"), [(0, [1] * 30), (7, [7, 7, 7, 7, 2]), (3600, [30])]
)
def test_the_pauses_have_an_end_whatever_the_hub_asks_for(
    bank: DeskAt, retry_after: int, pauses: list[int]
) -> None:
    bank.wire.instead = busy = Busy(1000, retry_after=retry_after)
    assert [one.state for one in send(bank).bundles] == ["stored"]
    assert bank.pauses == pauses
    assert busy.asked == len(pauses) + 1


def test_a_pause_can_be_broken_off(bank: DeskAt) -> None:
    bank.wire.instead = busy = Busy(1000)
    bank.stop = True
    assert [one.state for one in send(bank).bundles] == ["stored"]
    assert (bank.pauses, busy.asked) == ([2], 1)
    bank.wire.instead = None
    with bank.open() as desk:
        assert [one.state for one in desk.submissions.flush()] == ["receipted"]


def test_the_regular_work_pauses_as_it_is_told(bank: DeskAt) -> None:
    bank.stop, bank.wire.instead = True, Busy(1)
    send(bank)
    bank.pauses.clear()
    bank.wire.instead = Busy(3)
    told: list[float] = []
    with bank.open() as desk:
        desk.rounds.follow(
            lambda seconds: told.append(seconds) or len(told) > 1,
            on_received=lambda _received: None,
            on_failure=lambda _error, _seconds: None,
        )
    assert (told, bank.pauses) == ([2, 2, 0], [])


def test_another_reason_is_not_waited_for(bank: DeskAt) -> None:
    bank.wire.instead = Busy(1000, code="disk_full")
    with pytest.raises(Unavailable):
        send(bank)
    assert bank.pauses == []


def test_requests_that_wait_at_the_hub_count_too() -> None:
    now = [100]
    pauses: list[float] = []
    patience = Patience(clock=lambda: now[0], pause=lambda s: bool(pauses.append(s)))
    now[0] += 20
    assert patience.ask_again(1, began=100)
    now[0] += 20
    assert not patience.ask_again(1, began=120)
    assert pauses == [1]
    now[0] -= 500
    assert Patience(clock=lambda: now[0], pause=lambda _s: False).ask_again(1, began=140)
    assert RECEIPT_SECONDS == 30
