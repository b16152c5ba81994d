"""Screenings that a served desk does for its pages: one at a time, beside the pages.

Invariants: a file that was handed over lies in a folder of the desk that its owner alone can read,
only while it is compared; the folder is this process's own, and locked while it lives; its report
has no name any more once it is whole, so that nothing of it outlives this process, and the first
look after ``KEEP_SECONDS`` drops it; a run belongs to the person who began it. What a kill leaves
behind is removed by the next start; a folder of another process that lives is left alone.
"""

import contextlib
import dataclasses
import fcntl
import io
import os
import queue
import shutil
import tempfile
import threading
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from accord.clock import Clock
from accord.desk.indicators.search import check_reason
from accord.desk.screening.service import Screened, ScreenOptions, screen
from accord.desk.storage import Vault
from accord.desk.storage.vault import explained
from accord.kernel.errors import AccordError, Conflict, NotFound, Unavailable

PREFIX = "screening-"
KEPT = 10
"""Runs whose result can still be looked at."""

KEEP_SECONDS = 3600
"""How long a result can be looked at."""

_END_SECONDS = 10.0


class Upload(io.BufferedRandom):
    """A file that was handed over; closing it removes it."""

    def __init__(self, path: Path) -> None:
        """Make the file, readable by its owner alone."""
        self.path = path
        place = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        super().__init__(io.FileIO(place, "w+b"))

    def close(self) -> None:
        """Close and remove the file."""
        try:
            super().close()
        finally:
            self.path.unlink(missing_ok=True)


class _Folder:
    """A folder of one process; the system gives its lock back when that process ends."""

    def __init__(self, home: Path) -> None:
        """Make it and lock it, before anybody who sweeps can take it for a leftover."""
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=home))
            place = _locked(self.path)
            if place is not None and self.path.exists():
                self._place = place
                return
            if place is not None:
                os.close(place)

    def remove(self) -> None:
        """Remove it with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)

    def close(self) -> None:
        """Remove it and give the lock back; once."""
        self.remove()
        os.close(self._place)


def _locked(folder: Path) -> int | None:
    """Return the lock of ``folder``, or ``None`` when it is gone or another process holds it.

    Raises:
        OSError: the file system has no locks.
    """
    try:
        place = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(place)
        return None
    except OSError:
        os.close(place)
        raise
    return place


def _sweep(home: Path) -> None:
    """Remove the folders of processes that ended without doing so themselves."""
    for left in home.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # what cannot be opened cannot be removed either
            place = _locked(left)
            if place is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(place)


class _Reading(io.RawIOBase):
    """A report from its first byte, whoever else reads it."""

    def __init__(self, place: int) -> None:
        self._place = os.dup(place)
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override,unused-ignore]
        data = os.pread(self._place, len(buffer), self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            os.close(self._place)
        super().close()


@dataclass(slots=True, kw_only=True, eq=False)
class Run:
    """One run. ``done`` or ``error`` is there once it is ``over``.

    Attributes:
        name: the file's own name.
        began: unix seconds.
        rows: how many were compared so far.
    """

    no: int
    person: str
    reason: str
    name: str
    began: int
    rows: int = 0
    done: Screened | None = None
    error: AccordError | None = None
    over: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)
    report: io.FileIO | None = None

    def count(self, rows: int) -> None:
        """Take in progress.

        Raises:
            Unavailable: ``screening_stopped`` when somebody asked for it.
        """
        self.rows += rows
        if self.stop.is_set():
            raise Unavailable("screening_stopped", "The screening was stopped.")


class Runs:
    """The runs of one process. Thread-safe; ``close`` removes everything."""

    def __init__(self, vault: Vault, home: Path, clock: Clock) -> None:
        """Remove what an earlier process had to leave behind."""
        self._vault, self._home, self._clock = vault, home, clock
        _sweep(home)
        self._lock = threading.Lock()
        self._runs: deque[Run] = deque()
        self._work: queue.SimpleQueue[tuple[Run, Upload, ScreenOptions] | None]
        self._work = queue.SimpleQueue()
        self._worker: threading.Thread | None = None
        self._folder: _Folder | None = None
        self._last = 0
        self._closed = False

    def upload(self) -> Upload:
        """Return an empty file to fill, for one run."""
        with self._lock:
            self._check_open()
            if self._folder is None:
                self._folder = _Folder(self._home)
            place, name = tempfile.mkstemp(prefix="file-", dir=self._folder.path)
            os.close(place)
            Path(name).unlink()  # made anew, by whoever removes it
            return Upload(Path(name))

    def begin(self, file: Upload, options: ScreenOptions, *, person: str, reason: str) -> Run:
        """Compare ``file`` beside the pages; it is this room's from now on.

        Raises:
            Malformed: ``reason_missing``, ``reason_long``.
            Conflict: ``screening_busy``.
        """
        check_reason(reason, "A screening")
        file.flush()
        with self._lock:
            self._check_open()
            if any(not run.over.is_set() for run in self._runs):
                raise Conflict(
                    "screening_busy",
                    "Another file is compared at this desk.",
                    next_step="Wait until it has ended, or use accord screen.",
                )
            self._last += 1
            run = Run(
                no=self._last,
                person=person,
                reason=reason.strip(),
                name=options.name or file.path.name,
                began=self._clock(),
            )
            self._runs.appendleft(run)
            if self._worker is None:
                self._worker = threading.Thread(
                    target=self._serve, name="desk-screening", daemon=True
                )
                self._worker.start()
            report = file.path.with_name(f"report-{run.no}.csv")
            self._work.put((run, file, dataclasses.replace(options, report=report)))
        return run

    def of(self, person: str) -> list[Run]:
        """Return the runs of ``person`` that can be looked at, the latest first."""
        with self._lock:
            self._forget()
            return [run for run in self._runs if run.person == person]

    def find(self, no: int, person: str) -> Run:
        """Return one run.

        Raises:
            NotFound: ``screening_unknown``, also for a run of somebody else.
        """
        for run in self.of(person):
            if run.no == no:
                return run
        raise NotFound(
            "screening_unknown",
            "There is no such screening to look at.",
            observed=str(no)[:20],
            next_step="A result is kept for an hour; screen the file again.",
        )

    def report_of(self, run: Run) -> io.RawIOBase:
        """Return the report of a run, to be read and closed.

        Raises:
            NotFound: ``screening_unknown`` when there is none.
        """
        with self._lock:
            if run.report is not None:
                return _Reading(run.report.fileno())
        raise NotFound("screening_unknown", "This screening has no report.", observed=str(run.no))

    def close(self) -> None:
        """Stop what runs and remove every file, also while it is read."""
        with self._lock:
            self._closed = True
            for run in self._runs:
                run.stop.set()
            worker, folder = self._worker, self._folder
            self._folder = None
        self._work.put(None)
        if folder is not None:
            folder.remove()
        if worker is not None:
            worker.join(_END_SECONDS)
        with self._lock:
            while self._runs:
                _drop(self._runs.pop())
        if folder is not None:
            folder.close()

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable("screening_stopped", "The desk is closing.")

    def _forget(self) -> None:
        """Let go of results that are old or many."""
        now = self._clock()
        for run in [one for one in self._runs if one.over.is_set()]:
            if now - run.began > KEEP_SECONDS or len(self._runs) > KEPT:
                self._runs.remove(run)
                _drop(run)

    def _serve(self) -> None:
        while (asked := self._work.get()) is not None:
            run, file, options = asked
            with file:
                try:
                    run.done = self._screen(run, file, options)
                except AccordError as error:
                    run.error = error
                except Exception as error:  # noqa: BLE001 - the page must tell an end, whatever it was
                    run.error = Unavailable(
                        "screening_stopped",
                        "The screening ended before its work was done.",
                        observed=type(error).__name__,
                    )
            run.over.set()

    def _screen(self, run: Run, file: Upload, options: ScreenOptions) -> Screened:
        report = options.report
        try:
            with explained():
                done = screen(
                    self._vault,
                    file.path,
                    options,
                    person=run.person,
                    reason=run.reason,
                    now=run.began,
                    on_rows=run.count,
                )
            if report is not None:
                run.report = io.FileIO(report, "rb")
            return done
        finally:
            if report is not None:
                report.unlink(missing_ok=True)


def _drop(run: Run) -> None:
    if run.report is not None:
        with contextlib.suppress(OSError):
            run.report.close()
        run.report = None
