"""Simulated power cuts: the hub's home lies on a disk that forgets what was not synced."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.assurance.checker import Verdict, examine_rows, examine_served
from tests.assurance.kill import Say, refill, reported, send_the_rest, wait_for_some
from tests.assurance.place import HubProcess, NotStarted, Place, made_place
from tests.assurance.senders import Ledger, Load
from tests.simulators import lossyfs

from accord.hub.config import DATABASE_NAME

MEMBERS = 4
LYING = "lying-disk"
SYNC_ERROR = "sync-error"
"""One sync fails with EIO and its pages are dropped, as Linux does; the hub goes on."""

FULL_DISK = "full-disk"
FAULTS = ("", SYNC_ERROR, FULL_DISK)
"""What a disk may do without anything being lost."""


def possible() -> str | None:
    """Return why no power can be cut on this machine, or ``None`` when it can."""
    try:
        with _mounted_probe():
            return None
    except OSError as error:
        return f"no file system can be mounted here: {error.strerror}"


@contextmanager
def _mounted_probe() -> Iterator[None]:
    place = Path("/tmp") / f"accord-probe-{time.monotonic_ns()}"  # noqa: S108 - made here alone
    place.mkdir(mode=0o700)
    try:
        device = lossyfs.mount(place)
        os.close(device)
        yield
    finally:
        lossyfs.unmount(place)
        place.rmdir()


@dataclass(kw_only=True)
class LossyDisk:
    """The disk of one hub; survives cuts with what was durable."""

    folder: Path
    lie: bool
    chance: random.Random
    process: subprocess.Popen[str] | None = None
    stats: Counter[str] = field(default_factory=Counter)

    @property
    def place(self) -> Path:
        """Where it is mounted."""
        return self.folder / "mount"

    def fill(self, home: Path) -> None:
        """Put a copy of ``home`` on it."""
        self.place.mkdir(parents=True)
        shutil.copytree(home, self.folder / "live" / "hub")

    def mount(self, fault: str = "") -> None:
        """Switch the power on; with a ``fault`` that comes at a random moment of this round."""
        words = [
            sys.executable,
            "-m",
            "tests.simulators.lossyfs",
            str(self.folder),
            str(self.place),
        ]
        words += ["--seed", str(self.chance.getrandbits(32)), *(["--lie"] if self.lie else [])]
        if fault == SYNC_ERROR:
            words += ["--fail-sync", str(self.chance.randint(2, 14))]
        if fault == FULL_DISK:
            used = sum(
                path.stat().st_size for path in self.folder.rglob("live/**/*") if path.is_file()
            )
            words += ["--room", str(used + self.chance.randint(300_000, 1_500_000))]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def cut(self) -> None:
        """Cut the power; nothing answers from here on."""
        self._end(signal.SIGUSR1)

    def settle(self) -> None:
        """End cleanly."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(how)
        self.process.wait(60)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        self.stats.update(json.loads((self.folder / "stats.json").read_text()))

    def restore(self) -> None:
        """What was durable is what the next start finds."""
        shutil.rmtree(self.folder / "live")
        (self.folder / "durable").rename(self.folder / "live")


def run_cuts(
    *, count: int, engine: str, seed: int, weakness: str = "", fault: str = "", say: Say
) -> dict[str, Any]:
    """Cut the power ``count`` times, each round on a disk with ``fault``; return the report."""
    started = time.monotonic()
    head = {"test": "power", "engine": engine, "seed": seed, "weakness": weakness, "fault": fault}
    why = possible()
    if engine != "sqlite":
        why = "the simulated disk carries SQLite homes; PostgreSQL is killed instead: see kill"
    if why is not None:
        return {**head, "ok": True, "skipped": why}
    chance = random.Random(seed)
    with made_place(members=MEMBERS, engine=engine) as place:
        report = _run(place, count=count, chance=chance, weakness=weakness, fault=fault, say=say)
    return {**head, **report, "seconds": round(time.monotonic() - started, 1)}


def _run(
    place: Place, *, count: int, chance: random.Random, weakness: str, fault: str, say: Say
) -> dict[str, Any]:
    disk = LossyDisk(folder=place.folder / "disk", lie=weakness == LYING, chance=chance)
    disk.fill(place.home)
    hub = place.hub(home=disk.place / "hub", weakness="" if weakness == LYING else weakness)
    ledger, verdict = Ledger(), Verdict()
    rounds = refused_starts = 0
    try:
        for rounds in range(1, count + 1):
            disk.mount(fault)
            refused_starts += not _round(disk, hub, place, ledger, chance, bool(fault))
            disk.restore()
            found = _examine(disk, place, ledger)
            say(f"cut {rounds}: {len(ledger.acknowledged)} acknowledged, {len(found.lost)} lost")
            verdict.add(found)
            if not found.ok:
                break
        if verdict.ok:
            disk.mount()
            hub.start()
            send_the_rest(hub.url, ledger)
            verdict.add(examine_served(place, hub, ledger))
    except NotStarted as error:
        verdict.faults.append(f"the hub does not start: {error}"[:300])
    finally:
        hub.kill()
        disk.settle()
        lossyfs.unmount(disk.place)
    return {
        "ok": verdict.ok,
        "rounds": rounds,
        "refused_starts": refused_starts,
        **reported(ledger, verdict),
        "disk": dict(sorted(disk.stats.items())),
    }


def _round(
    disk: LossyDisk,
    hub: HubProcess,
    place: Place,
    ledger: Ledger,
    chance: random.Random,
    faulty: bool,  # noqa: FBT001 - whether the disk may refuse the start
) -> bool:
    """Serve under load until the power is cut; return whether the hub came up."""
    load = None
    try:
        hub.start()
        refill(place, hub, ledger)
        load = Load(ledger, hub.url)
        load.start()
        wait_for_some(ledger, chance)
    except NotStarted:
        if not faulty:
            raise
    finally:
        disk.cut()
        hub.kill()
    if load is not None:
        load.finish()
    return load is not None


def _examine(disk: LossyDisk, place: Place, ledger: Ledger) -> Verdict:
    """Look at a copy of the durable files, so that looking changes nothing."""
    copy = place.folder / "looked-at"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for path in (disk.folder / "live" / "hub").glob(f"{DATABASE_NAME}*"):
        shutil.copy2(path, copy)
    return examine_rows(copy / DATABASE_NAME, ledger)
