"""Two threads: one asks the witnesses whenever a log has grown, one does the regular work."""

import threading

import structlog

from accord.clock import Clock
from accord.hub.jobs.leases import JobTable
from accord.hub.jobs.regular import LEASE_SECONDS, RegularAct, RegularWork, reason_of
from accord.hub.storage import Listener, Turn
from accord.hub.transparency import LogName, LogSequencer, WitnessRound
from accord.kernel.errors import Conflict

POLL_SECONDS = 0.25
"""Longest time until growth by another process is noticed."""

PAUSE_SECONDS = 0.05
"""Shortest time between two rounds, so that a burst shares one checkpoint."""

MAX_DOUBLINGS = 7
"""Without a quorum the pause doubles up to 6.4 seconds."""

log = structlog.get_logger("accord.hub.jobs")


class Jobs:
    """Runs the background work of one hub until ``stop``."""

    def __init__(
        self,
        *,
        logs: LogSequencer,
        rounds: WitnessRound,
        table: JobTable,
        turn: Turn,
        listener: Listener | None,
        clock: Clock,
    ) -> None:
        """Work with the rooms that are handed down; in its ``turn`` it asks the witnesses."""
        self._logs = logs
        self._listener = listener
        self._turn = turn
        self._rounds = rounds
        self._regular = RegularWork(table=table, clock=clock)
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._witness, name="hub-witness", daemon=True),
            threading.Thread(
                target=self._regular.run_until,
                args=(self._stop,),
                name="hub-regular",
                daemon=True,
            ),
        ]

    def every(
        self,
        name: str,
        seconds: int,
        act: RegularAct,
        *,
        lease: int = LEASE_SECONDS,
        each_process: bool = False,
    ) -> None:
        """Do ``act`` every ``seconds`` while the hub serves: see ``RegularWork.every``."""
        self._regular.every(name, seconds, act, lease=lease, each_process=each_process)

    def run_due(self) -> list[str]:
        """Do the regular work that is due now; return the names of what was done."""
        return self._regular.run_due()

    def start(self) -> None:
        """Start the threads."""
        if self._listener is not None:
            self._listener.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask the threads to end and wait for them."""
        self._stop.set()
        with self._logs.grown:
            self._logs.grown.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=10)
        if self._listener is not None:
            self._listener.stop()
        self._rounds.close()

    def round(self, name: LogName) -> bool:
        """Ask the witnesses once about one log; say whether a new checkpoint was cosigned.

        Raises:
            Conflict: ``behind_witness``.
        """
        return self._rounds.run(name)

    def first_round(self) -> None:
        """Ask the witnesses once before serving.

        Raises:
            Conflict: ``behind_witness``: this database is an older copy and must not sign.
        """
        for name in LogName:
            self.round(name)

    def _witness(self) -> None:
        failures = 0
        while not self._stop.is_set() and self._logs.stopped is None:
            # Who has not the turn waits for it: that one may crash, or be stopped by a witness.
            results = [self._try(name) for name in LogName] if self._turn.is_mine() else [True]
            # Without a quorum the witnesses are asked ever more rarely, up to a bound.
            failures = 0 if all(results) else min(failures + 1, MAX_DOUBLINGS)
            self._stop.wait(PAUSE_SECONDS * 2**failures)
            with self._logs.grown:
                self._logs.grown.wait(POLL_SECONDS)
        self._turn.give_up()

    def _try(self, name: LogName) -> bool:
        """Run a round; say whether the newest checkpoint has its quorum now."""
        try:
            return self.round(name) or self._rounds.is_done(name)
        except Conflict as error:
            self._logs.stopped = error.observed or error.code
            log.critical("log.behind_witness", log=name.value, observed=error.observed)
        except Exception as error:  # noqa: BLE001 - without this thread there are no receipts
            log.warning("witness.round_failed", log=name.value, reason=reason_of(error))
        return False
