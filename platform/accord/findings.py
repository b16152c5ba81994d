"""What an examination of an installation found: one finding for each thing looked at.

Shared by the doctors of hub, desk and witness. A finding that is not well carries an error of the
tree: stable code, observed value, next step. Nothing here changes what it examines, but for one
small file that is written to measure the disk and taken away.
"""

import os
import shutil
import socket
import stat
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

from cryptography.hazmat.backends.openssl import backend

from accord.config import PASSPHRASE_VARIABLE, read_passphrase
from accord.kernel.errors import (
    AccordError,
    Conflict,
    Malformed,
    NotFound,
    Refused,
    Unavailable,
    VerificationFailed,
)
from accord.kernel.keys import require_post_quantum

LOW_BYTES = 1024**3
"""Less free room than this is told."""

FULL_BYTES = 64 * 1024**2
"""With less free room than this a program cannot work for long."""

SKEW_SECONDS = 30
"""Clocks that differ by more are told; signed requests are refused from 300 seconds on."""

REFUSED_SKEW_SECONDS = 300

SYNCS = 40
SYNC_SECONDS = 1.0
"""A disk is measured with so many synced writes, for so long at most."""

SLOW_SYNC_MILLIS = 20.0

OWNER_ONLY = 0o077
"""Mode bits that others than the owner must not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: what was looked at.
        observed: what was seen; never a secret.
        problem: what is wrong, or ``None`` when it is well.
        warning: the problem stops nothing yet.
    """

    check: str
    observed: str
    problem: AccordError | None = None
    warning: bool = False

    @property
    def state(self) -> str:
        """``ok``, ``warning`` or ``wrong``."""
        if self.problem is None:
            return "ok"
        return "warning" if self.warning else "wrong"

    def as_dict(self) -> dict[str, object]:
        """Return the finding as commands print it with ``--json``."""
        body: dict[str, object] = {
            "check": self.check,
            "state": self.state,
            "observed": self.observed,
        }
        if self.problem is not None:
            body |= {"code": self.problem.code, "message": self.problem.message}
            if self.problem.next_step:
                body["next_step"] = self.problem.next_step
        return body

    def lines(self) -> list[str]:
        """Return the finding as text for people: one line, and what to do if it is not well."""
        mark = {"ok": "ok     ", "warning": "WARNING", "wrong": "WRONG  "}[self.state]
        lines = [f"{mark} {self.check}: {self.observed}"]
        if self.problem is not None:
            lines.append(f"        {self.problem.message} [{self.problem.code}]")
            if self.problem.next_step:
                lines.append(f"        Next: {self.problem.next_step}")
        return lines


def well(check: str, observed: str) -> Finding:
    """Return a finding that is well."""
    return Finding(check=check, observed=observed)


def wrong(check: str, error: AccordError, *, warning: bool = False) -> Finding:
    """Return a finding that is not well."""
    return Finding(
        check=check, observed=error.observed or error.code, problem=error, warning=warning
    )


def attempt(check: str, examine: Callable[[], str]) -> Finding:
    """Run ``examine``, which returns what it saw or raises what is wrong."""
    try:
        return well(check, examine())
    except AccordError as error:
        return wrong(check, error)


def worst(findings: Iterable[Finding]) -> AccordError | None:
    """Return the problem that an exit code should stand for; warnings do not count."""
    found = [one.problem for one in findings if one.problem is not None and not one.warning]
    for kind in (VerificationFailed, Conflict, Refused, NotFound, Malformed, AccordError):
        # What only has to be waited for comes last.
        for problem in found:
            if isinstance(problem, kind):
                return problem
    return None


def examine_modes(places: Iterable[Path]) -> list[Finding]:
    """Look at files and folders that only their owner may read."""
    return [_examine_mode(path) for path in places if path.exists()]


def _examine_mode(path: Path) -> Finding:
    mode = stat.S_IMODE(path.stat().st_mode)
    check = f"rights of {path.name}"
    if mode & OWNER_ONLY:
        wanted = "700" if path.is_dir() else "600"
        return wrong(
            check,
            Refused(
                "mode_open",
                "Others on this computer may read it.",
                observed=f"mode {mode:o}",
                next_step=f"chmod {wanted} {path}",
            ),
        )
    return well(check, f"mode {mode:o}")


def examine_room(folder: Path) -> Finding:
    """Look at the free room of the disk that holds ``folder``."""
    usage = shutil.disk_usage(folder)
    observed = f"{usage.free / 1024**3:.1f} GiB free of {usage.total / 1024**3:.1f}"
    if usage.free < FULL_BYTES:
        error = Unavailable(
            "disk_full",
            "The disk is full; nothing more can be stored.",
            observed=observed,
            next_step="Free space, or move the home to a larger disk. Delete nothing in the home.",
        )
        return wrong("room on the disk", error)
    if usage.free < LOW_BYTES:
        low = Refused(
            "disk_low",
            "The disk will soon be full.",
            observed=observed,
            next_step="Free space, or move the home to a larger disk. Delete nothing in the home.",
        )
        return wrong("room on the disk", low, warning=True)
    return well("room on the disk", observed)


def sync_millis(folder: Path, *, timer: Callable[[], float] = time.perf_counter) -> float:
    """Return the median time of one synced write of 4 KiB below ``folder`` in milliseconds."""
    taken: list[float] = []
    end = timer() + SYNC_SECONDS
    with tempfile.TemporaryFile(dir=folder) as file:
        while len(taken) < SYNCS and timer() < end:
            start = timer()
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            taken.append((timer() - start) * 1000)
    return statistics.median(taken)


def examine_disk_speed(folder: Path) -> Finding:
    """Measure synced writes: each acknowledgement waits for one, shared by those that wait."""
    try:
        millis = sync_millis(folder)
    except OSError as error:
        return wrong(
            "speed of the disk",
            Unavailable(
                "disk_unwritable",
                "The disk takes no write.",
                observed=error.strerror or type(error).__name__,
                next_step="Look at the disk and its mount; the home must be writable.",
            ),
        )
    observed = (
        f"{millis:.2f} ms a synced write: at most {1000 / max(millis, 0.01):,.0f} commits/s, "
        "each shared by all that wait"
    )
    if millis > SLOW_SYNC_MILLIS:
        slow = Refused(
            "disk_slow",
            "The disk is slow to make a write durable.",
            observed=observed,
            next_step="Use a local disk (SSD) for the home, not a network share.",
        )
        return wrong("speed of the disk", slow, warning=True)
    return well("speed of the disk", observed)


def examine_clock(check: str, date: str, *, now: int) -> Finding:
    """Compare our clock ``now`` with the ``Date`` field of another computer's answer."""
    try:
        theirs = int(parsedate_to_datetime(date).timestamp())
    except ValueError:
        return well(check, "no time told")
    skew = now - theirs
    observed = f"{abs(skew)} s {'ahead' if skew > 0 else 'behind'}" if skew else "the same second"
    if abs(skew) > SKEW_SECONDS:
        error = Refused(
            "clock_differs",
            "The clock of this computer differs from the other one's.",
            observed=observed,
            next_step="Set the clock by NTP. From 300 seconds on signed requests are refused.",
        )
        return wrong(check, error, warning=abs(skew) < REFUSED_SKEW_SECONDS)
    return well(check, observed)


def examine_passphrase_file() -> Finding:
    """Look at the passphrase file that the environment names."""
    try:
        found = read_passphrase()
    except AccordError as error:
        return wrong("passphrase file", error)
    if found is None:
        return well("passphrase file", f"{PASSPHRASE_VARIABLE} is not set: asked at the keyboard")
    return well("passphrase file", "readable by its owner alone")


def examine_cryptography() -> Finding:
    """Look whether this computer's libraries have what Accord needs."""

    def examine() -> str:
        require_post_quantum()
        return f"post-quantum keys and signatures, {backend.openssl_version_text()}"

    return attempt("cryptography", examine)


def examine_port(host: str, port: int) -> Finding:
    """Look whether a server could listen at ``host`` and ``port``."""
    check = "port"
    if port == 0:
        return well(check, "any free one")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            taken = Unavailable(
                "port_taken",
                "The port cannot be used.",
                observed=f"{host}:{port}: {error.strerror}",
                next_step="Stop the program that has it, or change the port of the settings.",
            )
            return wrong(check, taken)
    return well(check, f"{host}:{port} is free")
