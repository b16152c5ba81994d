"""CSV at a bank to a hit at the police: real processes, real HTTP, witnessed receipts.

The police follow while the bank submits, as in life. The clock runs from the start of ``accord
submit`` until a value of the last row is found at the police desk.
"""

import csv
import json
import os
import resource
import secrets
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from accord.config import PASSPHRASE_VARIABLE, environment_for_children
from accord.demo.parties import BANK, POLICE
from accord.demo.processes import Processes
from accord.demo.samples import write_csv
from accord.demo.scene import Scene
from accord.kernel.errors import Malformed
from accord.kernel.indicators import Kind, normalise

NAME = "e2e"
ROWS, SHORT_ROWS = 1_000_000, 5_000
MIB = 1024 * 1024


def last_value(export: Path) -> str:
    """The last wallet of the export that can go and names its network itself.

    A canonical value need not: Polkadot's is the bare public key, which could be anything.
    """
    with export.open("rb") as file:
        columns = file.readline().decode().strip().split(",")
        file.seek(max(0, export.stat().st_size - 200_000))
        rows = list(csv.reader(file.read().decode("utf-8", "replace").splitlines()[1:]))
    place = columns.index("address")
    for row in reversed(rows):
        try:
            found = normalise(normalise(row[place]).value)
        except (Malformed, IndexError):
            continue
        if found.kind is Kind.WALLET:
            return found.value
    raise RuntimeError("no row can go")


def peak_mib(pid: int) -> float:
    """Peak resident memory of a running process in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_seconds(pid: int) -> float:
    """Processor time of a running process, which other load on the machine does not stretch."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed_submit(
    home: Path, export: Path, environment: dict[str, str]
) -> tuple[dict[str, Any], resource.struct_rusage]:
    """Run ``accord submit`` in a process of its own; return its report and what it used."""
    report = export.with_suffix(".json")
    with report.open("wb") as out:
        command = subprocess.Popen(
            [sys.executable, "-m", "accord", "submit", str(export), "--to", POLICE.slug,
             "--tlp", "amber", "--purpose", "suspicion-report", "--json", "--quiet", "--home", str(home)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
        )  # fmt: skip
        _, status, cost = os.wait4(command.pid, 0)
        command.returncode = os.waitstatus_to_exitcode(status)
    if command.returncode not in {0, 5}:
        raise RuntimeError(f"submit ended with {command.returncode}")
    return json.loads(report.read_bytes()), cost


def run(options: dict[str, int]) -> list[dict[str, object]]:
    """Measure; ``rows`` is the size of the export."""
    rows = options.get("rows") or (SHORT_ROWS if options.get("short") else ROWS)
    with TemporaryDirectory(prefix="accord-e2e-") as name:
        folder = Path(name)
        secret = folder / "passphrase"
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_hex(16))
        with Processes(folder=folder, passphrase_file=secret) as processes:
            scene = Scene(processes)
            scene.set_up()
            scene.enrol([BANK, POLICE])
            export = folder / "export.csv"
            written = write_csv(export, rows)
            found = measure(processes, export, secret)
    rate = rows / found["seconds"]
    return [
        {
            "figure": round(rate),
            "unit": "rows/s, export to hit elsewhere",
            "goal": ">= 40,000 at 1,000,000 rows; >= 15,000 at 10,000,000",
            "detail": {"rows": rows, "valid": written.valid, **found},
        },
        {
            "figure": round(max(found["submit_mib"], found["pull_mib"])),
            "unit": "MiB peak of a desk process",
            "goal": "flat (< 600)",
        },
    ]


def measure(processes: Processes, export: Path, secret: Path) -> dict[str, float]:
    """Submit while the police follow; search until the last value is found."""
    environment = {**environment_for_children(), PASSPHRASE_VARIABLE: str(secret)}
    follow = subprocess.Popen(
        [sys.executable, "-m", "accord", "pull", "--follow", "--json", "--quiet", "--home",
         str(processes.home(POLICE.slug))],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        start = time.perf_counter()
        submitted, submit_cost = timed_submit(processes.home(BANK.slug), export, environment)
        sent = time.perf_counter()
        arrived = 0
        for line in follow.stdout or ():
            arrived += json.loads(line)["records"]
            if arrived >= submitted["sent"]["records"]:
                break
        pulled = time.perf_counter()
        value = last_value(export)
        answer = processes.run(POLICE.slug, "search", value, "--reason", "bench").data
        end = time.perf_counter()
        if not answer["results"][0]["hits"]:
            raise RuntimeError("the last value is not there")
        if not submitted["sent"]["complete"]:
            raise RuntimeError("a receipt is missing")
        return {
            "seconds": round(end - start, 2),
            "submit_seconds": round(sent - start, 2),
            "pulled_seconds": round(pulled - start, 2),
            "search_seconds": round(end - pulled, 2),
            "bundles": len(submitted["bundles"]),
            "pull_mib": round(peak_mib(follow.pid)),
            "submit_mib": round(submit_cost.ru_maxrss * 1024 / MIB),
            "submit_cpu_seconds": round(submit_cost.ru_utime + submit_cost.ru_stime, 2),
            "pull_cpu_seconds": round(cpu_seconds(follow.pid), 2),
        }
    finally:
        follow.terminate()
        follow.wait()
        if follow.stdout is not None:
            follow.stdout.close()
