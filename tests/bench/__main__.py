"""Run one bench, or all: prints machine, versions, figure and goal. Never part of the tests."""

import argparse
import hashlib
import importlib
import json
import os
import platform
import sys
import time
from importlib import metadata
from pathlib import Path

from accord.logs import log_to_stderr

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

HERE = Path(__file__).parent
VERSIONS = ("cryptography", "Flask", "SQLAlchemy", "waitress", "numpy", "zstandard", "sqlcipher3")


def yardstick() -> dict[str, float]:
    """How fast this machine is at this moment: the same virtual machine has days of half its speed."""
    start = time.process_time()
    total = 0
    for number in range(2_000_000):
        total += number & 7
    loops = 2_000_000 / (time.process_time() - start)
    block = bytes(64 * 1024 * 1024)
    start = time.process_time()
    hashlib.sha256(block).digest()
    hashed = len(block) / (time.process_time() - start)
    return {
        "python_million_loops_per_second": round(loops / 1e6, 1),
        "sha256_mb_per_second": round(hashed / 1e6),
        "load_average": round(os.getloadavg()[0], 1),
    }


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "yardstick": yardstick(),
        "versions": {name: metadata.version(name) for name in VERSIONS},
    }


def benches() -> dict[str, object]:
    """All bench modules by their NAME."""
    found = {}
    for path in sorted(HERE.glob("bench_*.py")):
        module = importlib.import_module(f"tests.bench.{path.stem}")
        found[module.NAME] = module
    return found


def page(report: dict[str, object], words: str) -> str:
    """The last printed result for people: machine, versions, command, figures beside goals."""
    found: dict[str, object] = report["machine"]  # type: ignore[assignment]
    versions: dict[str, str] = found["versions"]  # type: ignore[assignment]
    lines = [
        "# Benchmarks",
        "",
        "The last printed result. Absolute figures belong to this machine; the goals are those of",
        "the design. Run it yourself: `python -m tests.bench all --json`, or one bench by its name.",
        "",
        (
            f"- Date: {found['date']}. Machine: {found['processor']}, {found['cores']} cores, "
            f"Python {found['python']}."
        ),
        "- " + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".",
        f"- Command: `python -m tests.bench {words}`. Speed at that moment: {found['yardstick']}.",
        "",
        "| bench | figure | goal |",
        "| --- | ---: | --- |",
    ]
    results: list[dict[str, object]] = report["results"]  # type: ignore[assignment]
    for one in results:
        figure = one["figure"]
        shown = f"{figure:,}" if isinstance(figure, int | float) else str(figure)
        lines.append(f"| {one['bench']} | {shown} {one['unit']} | {one['goal']} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Parse the command line, run, print."""
    log_to_stderr()  # stdout is one JSON document at most
    known = benches()
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("name", choices=[*known, "all"])
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--rows", type=int, help="size of the work, where the bench has one")
    parser.add_argument("--seconds", type=int, help="length of a load run, where it has one")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), help="of the hub")
    parser.add_argument("--processes", type=int, help="processes that serve the hub")
    parser.add_argument("--keep", type=Path, help="folder where vault leaves and finds its vault")
    parser.add_argument("--short", action="store_true", help="a small size, to see that it runs")
    parser.add_argument("--markdown", type=Path, help="write the result as a page, too")
    args = parser.parse_args()
    words = ("rows", "seconds", "engine", "processes", "keep")
    options = {key: value for key in words if (value := getattr(args, key))}
    if (args.engine or args.processes) and not hasattr(known.get(args.name), "ENGINES"):
        parser.error(f"{args.name} takes no --engine and no --processes")
    if args.short:
        options["short"] = 1
    report: dict[str, object] = {"machine": machine(), "results": []}
    results: list[object] = report["results"]  # type: ignore[assignment]
    for name in known if args.name == "all" else [args.name]:
        outcome = known[name].run(dict(options))
        for result in outcome if isinstance(outcome, list) else [outcome]:
            line = {"bench": name, **result}
            results.append(line)
            print(
                f"{name:12} {line['figure']} {line['unit']}   goal: {line['goal']}",
                file=sys.stderr,
            )
    print(f"{'machine':12} {report['machine']['yardstick']}", file=sys.stderr)  # type: ignore[index]
    if args.json:
        print(json.dumps(report, indent=1))
    if args.markdown:
        args.markdown.write_text(page(report, " ".join(sys.argv[1:])), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
