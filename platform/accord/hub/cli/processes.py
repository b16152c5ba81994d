"""Several processes of one hub: forked before anything is opened, watched, and stopped together.

The parent holds the listening socket and the unwrapped keys and opens no database. A process that
ends by itself is followed by a new one; the kernel shares the connections out among them. When the
parent is killed, the others see its end of a pipe close, and stop.
"""

import contextlib
import os
import select
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

import structlog

from accord.kernel.errors import AccordError, Unavailable

PAUSE_SECONDS = 1.0
"""Time between the end of a process and the beginning of its successor."""

log = structlog.get_logger("accord.hub.processes")


class _Stopped(Exception):
    """SIGTERM or SIGINT has come."""


Work = Callable[[Callable[[], None]], None]
"""Serves until its process gets SIGTERM; calls what it is given when it is ready."""


def serve_together(count: int, work: Work, ready: Callable[[], None]) -> None:
    """Run ``work`` in ``count`` processes until SIGTERM or SIGINT; call ``ready`` when all are.

    Raises:
        Unavailable: ``processes_failed`` when one ends before all were ready.
    """

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise _Stopped

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    family = _Family(work)
    try:
        for pipe in [family.begin() for _ in range(count)]:
            _await(pipe)
        ready()
        family.watch()
    except _Stopped:
        pass
    finally:
        for number in before:
            signal.signal(number, signal.SIG_IGN)
        family.end()
        for number, handler in before.items():
            signal.signal(number, handler)


class _Family:
    """The processes of one parent."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._running: set[int] = set()
        self._lifeline, self._held = os.pipe()

    def begin(self) -> int:
        """Fork a process; return the end of a pipe from which it tells that it is ready."""
        reading, writing = os.pipe()
        process = os.fork()
        if process:
            os.close(writing)
            self._running.add(process)
            return reading
        status = 1
        try:
            os.close(reading)
            os.close(self._held)
            threading.Thread(target=_end_with, args=(self._lifeline,), daemon=True).start()
            self._work(lambda: _tell(writing))
            status = 0
        except _Stopped:
            status = 0
        except AccordError as error:
            log.critical("process.failed", reason=error.code, observed=error.observed)
        except Exception as error:  # noqa: BLE001 - said here, since nothing above may run
            log.critical("process.failed", reason=type(error).__name__)
        finally:
            os._exit(status)  # nothing of the parent's stack may run here

    def watch(self) -> None:
        """Put a new process in the place of each that ends."""
        while True:
            process, status = os.wait()
            self._running.discard(process)
            log.error("process.ended", process=process, status=os.waitstatus_to_exitcode(status))
            time.sleep(PAUSE_SECONDS)
            # Nobody waits for this one: the others serve meanwhile.
            os.close(self.begin())

    def end(self) -> None:
        """Stop all and wait for them."""
        for process in self._running:
            os.kill(process, signal.SIGTERM)
        for process in self._running:
            os.waitpid(process, 0)
        os.close(self._lifeline)
        os.close(self._held)


def _end_with(lifeline: int) -> None:
    """Stop this process when its parent is gone."""
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _tell(pipe: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # the parent does not wait for a successor
        os.write(pipe, b"1")
    os.close(pipe)


def _await(pipe: int) -> None:
    try:
        select.select([pipe], [], [])
        if os.read(pipe, 1) != b"1":
            raise Unavailable(
                "processes_failed",
                "A process of the hub ended before it served.",
                next_step="Its reason is on standard error.",
            )
    finally:
        os.close(pipe)
