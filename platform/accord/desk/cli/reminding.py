"""Reminders of a serving desk: what becomes due or overdue is said once, with the next step."""

from accord.desk.app import Desk
from accord.desk.cli.correspondence import view_line
from accord.desk.cli.shown import recall_data, recall_line
from accord.desk.exchange.confirmations import Standing
from accord.desk.exchange.recalls import recalls
from accord.desk.exchange.standing import requests_now
from accord.terminal import Terminal

RECALLS = 100
"""The latest recalls that are looked at."""


class Reminder:
    """Remembers what was said since the start of the process."""

    def __init__(self, terminal: Terminal, desk: Desk) -> None:
        """Speak on ``terminal`` of the requests and recalls of ``desk``."""
        self._terminal = terminal
        self._desk = desk
        self._said: set[tuple[str, str, bool]] = set()

    def tell(self) -> None:
        """Say what has become due or overdue since the last time."""
        desk = self._desk
        for view in requests_now(desk.vault, desk.org, now=desk.clock(), unclosed=True):
            key = (view.row.org, view.row.id, view.overdue)
            if (view.due or view.overdue) and key not in self._said:
                self._said.add(key)
                self._terminal.say(view_line(view))
        self._tell_recalls()

    def _tell_recalls(self) -> None:
        """Name who is late with a recall: its deadline is sealed, so no hub can."""
        desk = self._desk
        for recall in recalls(desk.vault, desk.org, now=desk.clock(), limit=RECALLS):
            key = (desk.org, recall.id, True)
            if recall.count(Standing.OVERDUE) and key not in self._said:
                self._said.add(key)
                self._terminal.say(f"OVERDUE {recall_line(recall_data(recall))}")
