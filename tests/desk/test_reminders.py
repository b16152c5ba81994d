"""A serving desk says once what becomes due, and once more what becomes overdue."""

from pathlib import Path

import pytest
from tests.desk.conftest import BANK, NOW, bundle_id

from accord.desk.app import Desk
from accord.desk.cli.correspondence import clock, deadline_of
from accord.desk.cli.reminding import Reminder
from accord.desk.storage import Vault, Way
from accord.desk.storage.requests import RequestRow, add_request, close_request
from accord.kernel.errors import Malformed
from accord.terminal import Terminal


class Stand:
    """What a reminder needs of a desk."""

    def __init__(self, vault: Vault) -> None:
        """Stand in for a desk over ``vault``."""
        self.vault = vault
        self.org = BANK
        self.now = NOW

    def clock(self) -> int:
        return self.now


def test_due_and_overdue_are_said_once_each(
    vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = RequestRow(
        org=BANK,
        id=bundle_id(1),
        way=Way.RECEIVED,
        ask="freeze",
        arrived=NOW,
        deadline=NOW + 90_000,
    )
    with vault.transaction() as connection:
        add_request(connection, row)
    stand = Stand(vault)
    desk: Desk = stand  # type: ignore[assignment]
    terminal = Terminal(json=False, quiet=False, home=tmp_path, yes=False, dry_run=False)
    reminder = Reminder(terminal, desk)
    said = []
    for now in (NOW, NOW + 10_000, NOW + 10_001, NOW + 90_001, NOW + 90_002):
        stand.now = now
        reminder.tell()
        said.append(capsys.readouterr().err)
    assert [bool(words) for words in said] == [False, True, False, True, False]
    assert "OVERDUE" in said[3]
    assert "accord respond" in said[3]
    with vault.transaction() as connection:
        close_request(connection, BANK, row.id, "settled", now=NOW)
    Reminder(terminal, desk).tell()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("48h", NOW + 172_800), ("5d", NOW + 432_000), ("2026-12-01T12:00", 1_796_126_400)],
)
def test_deadlines_are_read(text: str, seconds: int) -> None:
    assert deadline_of(text, now=NOW) == seconds


@pytest.mark.parametrize("text", ["", "0h", "5", "h", "01-12-2026", "99999d", "2026-02-30"])
def test_what_is_no_deadline_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="deadline_unreadable"):
        deadline_of(text, now=NOW)


def test_a_clock_says_days_or_hours() -> None:
    assert [clock(left) for left in (100_000, 7260, -60)] == [
        "1 d 3 h left",
        "2 h 1 min left",
        "0 h 1 min over",
    ]
