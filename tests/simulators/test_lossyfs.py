"""The disk that forgets: what was synced stays, what was not may go, and a lie is a lie."""

import errno
import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.assurance.power import possible
from tests.simulators.lossyfs import BLOCK, Disk, Faults, Node

FILE = stat.S_IFREG | 0o600


def disk(seed: int = 0, **faults: int) -> Disk:
    return Disk(Faults(**faults), random.Random(seed))  # type: ignore[arg-type]


def made(place: Disk, name: bytes = b"a") -> Node:
    node = place.new(FILE)
    place.link(place.root, name, node)
    return node


def after_cut(place: Disk, folder: Path) -> dict[str, bytes]:
    place.cut()
    place.save(folder / "durable")
    return {path.name: path.read_bytes() for path in (folder / "durable").iterdir()}


@pytest.mark.parametrize("seed", range(20))
def test_what_was_synced_survives_every_cut(tmp_path: Path, seed: int) -> None:
    place = disk(seed)
    node = made(place)
    place.write(node, 0, b"x" * (3 * BLOCK))
    place.sync(node)
    place.write(node, BLOCK, b"y" * BLOCK)
    found = after_cut(place, tmp_path)["a"]
    assert (found[:BLOCK], found[2 * BLOCK :]) == (b"x" * BLOCK, b"x" * BLOCK)
    assert set(found[BLOCK : 2 * BLOCK]) <= set(b"xy")


def test_what_was_not_synced_is_lost_kept_or_torn(tmp_path: Path) -> None:
    seen = set()
    for seed in range(60):
        place = disk(seed)
        node = made(place)
        place.sync(node)
        place.write(node, 0, b"y" * BLOCK)
        seen.add(len(after_cut(place, tmp_path)["a"]))
    assert {0, BLOCK} < seen, "torn ones have other sizes"


def test_names_come_in_their_order_and_a_rename_is_whole(tmp_path: Path) -> None:
    seen = set()
    for seed in range(60):
        place = disk(seed)
        node = made(place, b"draft")
        place.write(node, 0, b"content")
        place.sync(node)
        place.rename(place.root, b"draft", place.root, b"final")
        made(place, b"later")
        seen.add(tuple(sorted(after_cut(place, tmp_path))))
    assert seen == {("draft",), ("final",), ("final", "later")}


def test_a_lying_disk_keeps_nothing_for_sure(tmp_path: Path) -> None:
    lost = 0
    for seed in range(20):
        place = disk(seed, lie=True)
        node = made(place)
        place.write(node, 0, b"x")
        place.sync(node)
        lost += after_cut(place, tmp_path).get("a") != b"x"
    assert lost > 0


def test_a_failing_sync_is_told_once_and_the_pages_are_gone(tmp_path: Path) -> None:
    place = disk(fail_sync=2)
    node = made(place)
    place.write(node, 0, b"x")
    place.sync(node)
    place.write(node, 0, b"y")
    with pytest.raises(OSError, match="sync failed") as caught:
        place.sync(node)
    assert caught.value.errno == errno.EIO
    place.sync(node)
    assert after_cut(place, tmp_path)["a"] == b"x"


def test_a_full_disk_says_so() -> None:
    place = disk(room=BLOCK)
    node = made(place)
    place.write(node, 0, bytes(BLOCK))
    with pytest.raises(OSError, match="no room"):
        place.write(node, BLOCK, b"x")


@pytest.mark.skipif(possible() is not None, reason=str(possible()))
def test_a_database_on_it_keeps_what_it_confirmed(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    mount = tmp_path / "mount"
    mount.mkdir()
    words = [sys.executable, "-m", "tests.simulators.lossyfs", str(tmp_path), str(mount)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        database = sqlite3.connect(mount / "x.db", isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE t (a INTEGER)")
        for number in range(50):
            database.execute("INSERT INTO t VALUES (?)", (number,))
        process.send_signal(signal.SIGUSR1)
        assert process.wait(30) == 0
        with pytest.raises(sqlite3.OperationalError):
            database.execute("INSERT INTO t VALUES (99)")
        database.close()
    assert not os.path.ismount(mount)
    with sqlite3.connect(tmp_path / "durable" / "x.db") as kept:
        assert kept.execute("SELECT count(*), max(a) FROM t").fetchone() == (50, 49)
    kept.close()
