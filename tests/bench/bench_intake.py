"""Rows a second from a clean CSV to record lines on one core, and memory that stays flat."""

import resource
import secrets
import tempfile
import time
from pathlib import Path
from typing import Any

from accord.desk.intake.service import read_export

NAME = "intake"
DEFAULT_ROWS = 1_000_000
SHORT_ROWS = 100_000
GOAL_RATE = 60_000
GOAL_MIB = 600
_DISTINCT = 50_000


def _write(path: Path, rows: int) -> None:
    """Write wallets that nobody has: EVM accounts of random bytes, one a row, with context."""
    with path.open("w", encoding="utf-8") as out:
        out.write("date,address,network,role\n")
        for start in range(0, rows, _DISTINCT):
            count = min(_DISTINCT, rows - start)
            digits = secrets.token_bytes(20 * count).hex()
            out.writelines(
                f"2024-{1 + i % 12:02d}-{1 + i % 28:02d},0x{digits[40 * i : 40 * i + 40]},ETH,"
                f"{'mixer' if i % 3 else ''}\n"
                for i in range(count)
            )


def run(options: dict[str, Any]) -> list[dict[str, Any]]:
    """Read a generated file and time it; the peak is that of the whole process."""
    rows = options.get("rows") or (SHORT_ROWS if options.get("short") else DEFAULT_ROWS)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "clean.csv"
        _write(path, rows)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.perf_counter()
        intake = read_export(path)
        lines = sum(result.record_line is not None for block in intake for result in block)
        seconds = time.perf_counter() - started
    assert lines == intake.totals.rows == rows
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return [
        {
            "figure": round(rows / seconds),
            "unit": "rows/s",
            "goal": f">= {GOAL_RATE}",
            "met": rows / seconds >= GOAL_RATE,
            "rows": rows,
        },
        {
            "figure": round(peak / 1024),
            "unit": "MiB peak",
            "goal": f"< {GOAL_MIB}",
            "met": peak / 1024 < GOAL_MIB,
            "rows": rows,
            "grown": round((peak - before) / 1024),
        },
    ]
