"""The hub's log on SQLite: durable integration, proofs from a large tree, a stranger's re-check."""

import secrets
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.load import percentile

from accord.clock import system_clock
from accord.hub.storage import Writer, open_database
from accord.hub.transparency import LogName, LogReader, LogSequencer
from accord.kernel.tlog.monitor import verify_log
from accord.kernel.tlog.notes import LogKeyPair
from accord.kernel.tlog.tilefiles import parse_tile_path
from accord.kernel.tlog.tiles import format_entries

NAME = "log"
BATCH = 1_000
ENTRIES, SHORT_ENTRIES = 1_000_000, 20_000
PROOFS = 2_000
LEAF = 34


def grow(writer: Writer, logs: LogSequencer, entries: int) -> float:
    """Append ``entries`` in batches of 1,000, each one durable transaction; seconds."""
    batches = [
        [secrets.token_bytes(LEAF) for _ in range(BATCH)] for _ in range(min(20, entries // BATCH))
    ]
    start = time.perf_counter()
    for number in range(entries // BATCH):
        batch = batches[number % len(batches)]
        writer.run(lambda _c, batch=batch: [logs.append(LogName.AUDIT, one) for one in batch])
    return time.perf_counter() - start


def run(options: dict[str, int]) -> list[dict[str, object]]:
    """Measure; ``rows`` is the number of entries."""
    entries = options.get("rows") or (SHORT_ENTRIES if options.get("short") else ENTRIES)
    keys = LogKeyPair.generate("hub.bench/audit")
    with TemporaryDirectory(prefix="accord-log-") as name:
        database = open_database(Path(name) / "log.db")
        logs = LogSequencer({LogName.AUDIT: keys}, system_clock)
        writer = Writer(database.writing, [logs])
        seconds = grow(writer, logs, entries)
        reader = LogReader(database.reading)
        proofs = []
        for _ in range(min(PROOFS, entries)):
            index = secrets.randbelow(entries)
            start = time.perf_counter()
            reader.inclusion_proof(LogName.AUDIT, index, entries)
            proofs.append(time.perf_counter() - start)
        start = time.perf_counter()
        checkpoint = verify_log(lambda path: read(reader, path), keys.vkeys)
        recheck = time.perf_counter() - start
        writer.close()
        database.close()
    size = getattr(checkpoint, "size", entries)
    return [
        {
            "figure": round(entries / seconds),
            "unit": "entries/s integrated, one durable transaction for each 1,000",
            "goal": ">= 40,000",
            "detail": {"entries": entries},
        },
        {
            "figure": round(percentile(proofs, 0.99) * 1000, 2),
            "unit": f"ms p99, inclusion proof from {entries:,}",
            "goal": "< 1 (from 10,000,000)",
        },
        {
            "figure": round(recheck, 2),
            "unit": f"s for a stranger to re-check {size:,} entries",
            "goal": "< 5 (1,000,000)",
        },
    ]


def read(reader: LogReader, path: str) -> bytes:
    """Answer like the hub's log routes."""
    if path == "checkpoint":
        head = reader.head(LogName.AUDIT)
        return head.note if head else b""
    wanted = parse_tile_path(path)
    if wanted.level is None:
        return format_entries(reader.entries(LogName.AUDIT, wanted.index * 256, wanted.width))
    return reader.tile(LogName.AUDIT, wanted.level, wanted.index, wanted.width)
