"""Own rows matched against the lists of a vault, in seconds, and memory that stays flat."""

import os
import resource
import secrets
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.bench_vault import fill

from accord.desk.screening import ScreenOptions, screen
from accord.desk.storage import create_vault

NAME = "screen"
ROWS, SHORT_ROWS = 10_000_000, 200_000
LISTED, SHORT_LISTED = 1_000_000, 20_000
GOAL_SECONDS = 60
GOAL_MIB = 1500
_DISTINCT = 50_000
_EVERY = 1000
NOW = 1_790_000_000


def _write(path: Path, rows: int, listed: list[str]) -> int:
    """Write payments to accounts that nobody has, every thousandth to a listed one."""
    matches = 0
    with path.open("w", encoding="utf-8") as out:
        out.write("date,counterparty,amount\n")
        for start in range(0, rows, _DISTINCT):
            count = min(_DISTINCT, rows - start)
            digits = secrets.token_bytes(20 * count).hex()
            for i in range(count):
                if i % _EVERY == 0:
                    value = listed[(start + i) // _EVERY % len(listed)]
                    matches += 1
                else:
                    value = f"0x{digits[40 * i : 40 * i + 40]}"
                out.write(f"2026-{1 + i % 12:02d}-{1 + i % 28:02d},{value},{i}.00\n")
    return matches


def run(options: dict[str, Any]) -> list[dict[str, Any]]:
    """Screen a generated file; the time is that of the whole verb, reading the lists included."""
    short = options.get("short")
    rows = options.get("rows") or (SHORT_ROWS if short else ROWS)
    count = SHORT_LISTED if short else LISTED
    jobs = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        vault = create_vault(place / "vault.db", bytes(32))
        listed = fill(vault, count, now=NOW, kind="list")
        path = place / "own.csv"
        matches = _write(path, rows, listed[: rows // _EVERY + 1])
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.perf_counter()
        done = screen(
            vault,
            path,
            ScreenOptions(report=place / "report.csv", jobs=jobs),
            person="bench",
            reason="bench",
            now=NOW,
        )
        seconds = time.perf_counter() - started
        vault.close()
    assert (done.rows, done.matched, done.listed.records) == (rows, matches, count)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return [
        {
            "figure": round(seconds, 1),
            "unit": f"s for {rows:,} rows against {count:,}",
            "goal": f"< {GOAL_SECONDS} for {ROWS:,} against {LISTED:,}",
            "met": seconds < GOAL_SECONDS * rows / ROWS,
            "rate": round(rows / seconds),
            "jobs": jobs,
        },
        {
            "figure": round(peak / 1024),
            "unit": "MiB peak of the process that reads",
            "goal": f"< {GOAL_MIB}",
            "met": peak / 1024 < GOAL_MIB,
            "grown": round((peak - before) / 1024),
        },
    ]
