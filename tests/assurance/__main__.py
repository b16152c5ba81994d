"""Run one of the long tests and print what was tried, acknowledged, lost. Exit code 1 when it fails."""

import argparse
import json
import sys
from typing import Any

from tests.assurance import fuzz, kill, matrix, power, steps

from accord.logs import log_to_stderr

CI = {"kill": 50, "power": 10, "matrix": 0, "steps": 0, "fuzz": 20_000}
"""How often in CI; the long forms are 500 kills, 200 cuts, 10,000,000 inputs a parser."""


def main() -> int:
    """Run what the words say."""
    log_to_stderr()
    parser = argparse.ArgumentParser(prog="python -m tests.assurance", description=__doc__)
    parser.add_argument("test", choices=sorted(CI))
    parser.add_argument("--count", type=int, help="kills, cuts, or inputs for each parser")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random but timing")
    parser.add_argument("--weakness", default="", help="plant one: see tests/assurance/weak.py")
    parser.add_argument("--fault", choices=power.FAULTS, default="", help="of the disk (power)")
    parser.add_argument(
        "--processes", type=int, default=1, help="that serve the hub (kill, on postgresql)"
    )
    parser.add_argument("--json", action="store_true", help="the report as JSON on stdout")
    wanted = parser.parse_args()
    if wanted.processes > 1 and (wanted.test, wanted.engine) != ("kill", "postgresql"):
        parser.error("several processes serve a hub on PostgreSQL alone, and only kill tests them")
    count = CI[wanted.test] if wanted.count is None else wanted.count
    report = _run(wanted, count)
    if wanted.json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        for name, value in report.items():
            print(f"{name}: {value}")
    return 0 if report["ok"] else 1


def _run(wanted: argparse.Namespace, count: int) -> dict[str, Any]:
    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    words = {"engine": wanted.engine, "seed": wanted.seed, "say": say}
    match wanted.test:
        case "kill":
            return kill.run_kills(
                count=count, weakness=wanted.weakness, processes=wanted.processes, **words
            )
        case "matrix":
            return matrix.run_matrix(**words)
        case "steps":
            return steps.run_steps(**words)
        case "fuzz":
            return fuzz.run_fuzz(count=count, seed=wanted.seed, say=say)
        case _:
            return power.run_cuts(
                count=count, weakness=wanted.weakness, fault=wanted.fault, **words
            )


if __name__ == "__main__":
    sys.exit(main())
