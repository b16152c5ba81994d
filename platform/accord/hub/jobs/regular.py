"""Work that comes again and again: named acts, each every so many seconds.

A failing act says so and is tried again at its next time; it stops neither the others nor the hub.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from accord.clock import Clock
from accord.kernel.errors import AccordError

RegularAct = Callable[[int], object]
"""What is done; it is given the present unix second and calls a verb of its room."""

LOOK_SECONDS = 1.0
"""Time between two looks for what is due."""

log = structlog.get_logger("accord.hub.jobs")


@dataclass(slots=True, kw_only=True)
class _Regular:
    seconds: int
    act: RegularAct
    due: int


class RegularWork:
    """The acts of one hub that come again and again."""

    def __init__(self, clock: Clock) -> None:
        """Begin with none."""
        self._clock = clock
        self._acts: dict[str, _Regular] = {}

    def every(self, name: str, seconds: int, act: RegularAct) -> None:
        """Do ``act`` every ``seconds``, the first time soon after the start."""
        if name in self._acts:
            raise ValueError(name)
        self._acts[name] = _Regular(seconds=seconds, act=act, due=0)

    def run_due(self) -> list[str]:
        """Do what is due now; return the names."""
        now = self._clock()
        # A clock that was set back must not keep the work waiting for what it had gone ahead.
        due = [
            name
            for name, one in self._acts.items()
            if one.due <= now or one.due > now + one.seconds
        ]
        for name in due:
            self._acts[name].due = now + self._acts[name].seconds
            self._run(name)
        return due

    def run_until(self, stop: threading.Event) -> None:
        """Look for what is due until ``stop`` is set."""
        while not stop.wait(LOOK_SECONDS):
            self.run_due()

    def _run(self, name: str) -> None:
        try:
            self._acts[name].act(self._clock())
        except Exception as error:  # noqa: BLE001 - a full disk or a lock passes; the rest goes on
            log.warning("job.failed", job=name, reason=reason_of(error))


def reason_of(error: Exception) -> str:
    """Return what may be logged of an error: its code or its class."""
    return error.code if isinstance(error, AccordError) else type(error).__name__
