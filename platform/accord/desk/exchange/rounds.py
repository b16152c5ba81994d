"""The desk's regular work while it serves: send what waits, receive, confirm, tally.

Each round is complete by itself; a failure is told and the next round tries again.
"""

from collections.abc import Callable
from dataclasses import dataclass

from accord.clock import Clock
from accord.desk.exchange.client import HubClient
from accord.desk.exchange.confirmations import collect
from accord.desk.exchange.journal_heads import send_head
from accord.desk.exchange.mirror import DirectoryMirror
from accord.desk.exchange.ours import require_ours
from accord.desk.exchange.own_events import check_own_events
from accord.desk.exchange.pull import OnReceived, Pull, PullReport
from accord.desk.exchange.receipts import Pause
from accord.desk.exchange.submission import Submissions
from accord.desk.exchange.tally import last_closed_month, make_tally, send_tally
from accord.desk.keyring import Keyring
from accord.desk.storage import Vault
from accord.kernel.errors import AccordError, AuthenticationNeeded, Refused, Unavailable
from accord.kernel.identifiers import OrgId

MAX_PAUSE = 60
"""Longest pause in seconds after failures."""

_CHECKED = "last_checked"
_TALLY = "tally:"

OnFailure = Callable[[AccordError, int], None]
"""Told what failed and after how many seconds it is tried again."""


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """The work of one round and the loop around it."""

    vault: Vault
    client: HubClient
    mirror: DirectoryMirror
    keyring: Keyring
    org: OrgId
    clock: Clock
    submissions: Submissions
    pull: Pull
    retention_days: int

    def once(
        self,
        *,
        on_received: OnReceived = lambda _received: None,
        pause: Pause | None = None,
        resync: bool = False,
    ) -> PullReport:
        """Send what waits, receive what is new, take in confirmations, check our own numbers.

        At its end the head of our journal goes to the hub's log.

        Args:
            on_received: told of each delivery.
            resync: read the whole feed again first.
            pause: waits between requests for late receipts, instead of the desk's own.

        Raises:
            Unavailable: the hub cannot be reached; what arrived is kept.
        """
        try:
            self.submissions.flush(pause=pause)
        except AuthenticationNeeded:
            # The hub does not say why it knows us no more; the directory may.
            require_ours(self.mirror.refresh(), self.org, self.keyring)
            raise
        report = self.pull.pull(
            retention_days=self.retention_days, on_received=on_received, resync=resync
        )
        collect(self.vault, self.client, self.mirror)
        check_own_events(self.vault, self.client, self.mirror, org=self.org, clock=self.clock)
        send_head(self.vault, self.client, clock=self.clock)
        self.vault.put_setting(_CHECKED, str(self.clock()).encode())
        return report

    def tally(self) -> str | None:
        """Send the last closed month's tally once; return the month when it was sent now.

        Raises:
            Unavailable: the hub cannot be reached.
        """
        month = last_closed_month(self.clock())
        if self.vault.setting(_TALLY + month) is not None:
            return None
        made = make_tally(self.vault, self.org, month, now=self.clock())
        try:
            index = send_tally(self.client, self.keyring, made)
        except Refused as error:
            # The charter gives this kind of organisation no tally; asking again would not help.
            self.vault.put_setting(_TALLY + month, error.code.encode())
            return None
        self.vault.put_setting(_TALLY + month, str(index).encode())
        return month

    def follow(
        self,
        pause: Pause,
        *,
        on_received: OnReceived,
        on_failure: OnFailure,
        on_round: Callable[[], None] = lambda: None,
    ) -> None:
        """Work until ``pause`` says stop; it waits so many seconds and tells whether to stop.

        ``on_round`` is told of each complete round.

        A check that fails (a directory that does not hold) is told and tried again after the
        longest pause: nothing is taken over before it holds.
        """
        failures = 0
        while True:
            try:
                self.once(on_received=on_received, pause=pause)
                self.tally()
                on_round()
                failures = 0
                if pause(0):
                    return
                self.pull.wait_for_news()
            except AccordError as error:
                failures += 1
                seconds = MAX_PAUSE
                if isinstance(error, Unavailable):
                    seconds = min(MAX_PAUSE, max(error.retry_after, 2 ** min(failures, 6)))
                on_failure(error, seconds)
                if pause(seconds):
                    return


def last_checked(vault: Vault) -> int | None:
    """Return when the hub was last asked with success, or ``None``."""
    value = vault.setting(_CHECKED)
    return int(value) if value is not None and value.isdigit() else None
