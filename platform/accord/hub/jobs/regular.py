"""Work that comes again and again: named acts, each every so many seconds.

A failing act says so and is tried again at its next time; it stops neither the others nor the hub.
Work is shared by the processes of a hub: one of them does it each time. Only what a process keeps
in its own memory is each process's own.
"""

import threading
from collections.abc import Callable

import structlog

from accord.clock import Clock
from accord.hub.jobs.leases import JobTable, Timing
from accord.kernel.errors import AccordError

RegularAct = Callable[[int], object]
"""What is done; it is given the present unix second and calls a verb of its room."""

LOOK_SECONDS = 1.0
"""Time between two looks for what is due."""

LEASE_SECONDS = 300
"""How long a process has a job before another may take it for crashed."""

log = structlog.get_logger("accord.hub.jobs")


class RegularWork:
    """The acts of one process that come again and again."""

    def __init__(self, *, table: JobTable, clock: Clock) -> None:
        """Share through ``table``."""
        self._table = table
        self._clock = clock
        self._acts: dict[str, RegularAct] = {}
        self._shared: dict[str, Timing] = {}
        self._own: dict[str, Timing] = {}
        self._due: dict[str, int] = {}

    def every(
        self,
        name: str,
        seconds: int,
        act: RegularAct,
        *,
        lease: int = LEASE_SECONDS,
        each_process: bool = False,
    ) -> None:
        """Do ``act`` every ``seconds``, the first time soon after the start.

        Args:
            name: of the job, one word.
            seconds: from its end to its next beginning.
            act: what is done. When it takes longer than ``lease``, another process may begin it
                too, as after a crash; so it is made of transactions that bear repeating.
            lease: seconds.
            each_process: every process does it for itself; no other knows.
        """
        if name in self._acts:
            raise ValueError(name)
        self._acts[name] = act
        (self._own if each_process else self._shared)[name] = Timing(every=seconds, lease=lease)

    def run_due(self) -> list[str]:
        """Do what is due now; return the names of what this process did."""
        now = self._clock()
        done = []
        for name, timing in self._own.items():
            due = self._due.get(name, now)
            # A clock that was set back must not keep the work waiting for what it had gone ahead.
            if due <= now or due > now + timing.every:
                self._due[name] = now + timing.every
                self._run(name)
                done.append(name)
        # The clock is asked each time: the end of a job lies ahead of what it was before.
        while (lease := self._table.claim(self._shared, now=self._clock())) is not None:
            error = self._run(lease.name)
            timing = self._shared[lease.name]
            if not self._table.finish(lease, timing, error=error, now=self._clock()):
                log.warning("job.overtaken", job=lease.name)
            done.append(lease.name)
        return done

    def run_until(self, stop: threading.Event) -> None:
        """Look for what is due until ``stop`` is set."""
        while not stop.wait(LOOK_SECONDS):
            try:
                self.run_due()
            except Exception as error:  # noqa: BLE001 - a full disk or a lock passes; this stays
                log.warning("job.not_claimed", reason=reason_of(error))

    def _run(self, name: str) -> str | None:
        try:
            self._acts[name](self._clock())
        except Exception as error:  # noqa: BLE001 - a full disk or a lock passes; the rest goes on
            log.warning("job.failed", job=name, reason=reason_of(error))
            return reason_of(error)
        return None


def reason_of(error: Exception) -> str:
    """Return what may be logged of an error: its code or its class."""
    return error.code if isinstance(error, AccordError) else type(error).__name__
