"""100,000 wallets of a received list, pulled by ``taxii2-client`` from a served desk.

The figures of the peers are those of the project's own comparison in 2026 on a machine like this
one, with objects and pages of the same size; neither server is installed here.
"""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import httpx2
import taxii2client.v21 as taxii2client
from tests.bench.bench_e2e import peak_mib
from tests.bench.load import percentile
from tests.support.hub_home import write_passphrase

from accord.demo.parties import BANK, POLICE
from accord.demo.processes import Processes
from accord.demo.samples import write_csv
from accord.demo.scene import Scene

NAME = "taxii"
ROWS, SHORT_ROWS = 110_000, 6_000
"""Of the export; some do not go, as in life."""
OBJECTS = 100_000
PAGE = 1000
POLLS = 200
ACCEPT = "application/taxii+json;version=2.1"


def received(processes: Processes, folder: Path, rows: int) -> None:
    """Let a bank submit an export, and the police pull it."""
    scene = Scene(processes)
    scene.set_up()
    scene.enrol([BANK, POLICE])
    export = folder / "export.csv"
    write_csv(export, rows)
    processes.run(
        BANK.slug, "submit", str(export), "--to", POLICE.slug, "--tlp", "amber",
        "--purpose", "suspicion-report", allowed=(0, 5),
    )  # fmt: skip
    processes.run(POLICE.slug, "pull")


def pull(url: str, user: str, password: str, most: int) -> tuple[int, str, float]:
    """Read all pages with the client; how many objects, when the last was added, seconds."""
    collection = taxii2client.Collection(url, user=user, password=password)
    count, last = 0, ""
    start = time.perf_counter()
    for page in taxii2client.as_pages(collection.get_objects, per_request=PAGE):
        count += len(page["objects"])
        if count >= most:
            break
    seconds = time.perf_counter() - start
    with httpx2.Client(trust_env=False, auth=(user, password)) as client:
        after, query = "", {"limit": str(PAGE)}
        while True:  # the client keeps no headers; the last page tells the moment
            answer = client.get(f"{url}manifest/", params=query, headers={"Accept": ACCEPT}).json()
            last = answer["objects"][-1]["date_added"] if "objects" in answer else last
            after = answer.get("next", "")
            if not after:
                break
            query = {"limit": str(PAGE), "next": after}
    collection.close()
    return count, last, seconds


def idle(url: str, user: str, password: str, last: str) -> list[float]:
    """Ask for what is newer than the newest, again and again; seconds of each."""
    taken = []
    with httpx2.Client(trust_env=False, auth=(user, password)) as client:
        for _ in range(POLLS):
            start = time.perf_counter()
            answer = client.get(
                f"{url}objects/", params={"added_after": last}, headers={"Accept": ACCEPT}
            )
            taken.append(time.perf_counter() - start)
            if answer.status_code != 200 or answer.json() != {}:
                raise RuntimeError(f"{answer.status_code}: {answer.text[:200]}")
    return taken


def bytes_alone(url: str, user: str, password: str) -> float:
    """Objects a second when nobody parses them: the server's own part."""
    count = 0
    query: dict[str, str] = {"limit": str(PAGE)}
    start = time.perf_counter()
    with httpx2.Client(trust_env=False, auth=(user, password)) as client:
        while True:
            answer = client.get(f"{url}objects/", params=query, headers={"Accept": ACCEPT}).content
            count += answer.count(b'"spec_version"')
            _, mark, rest = answer[:400].partition(b'"next":"')
            if not mark:
                break
            query = {"limit": str(PAGE), "next": rest.partition(b'"')[0].decode()}
    return count / (time.perf_counter() - start)


def measure(processes: Processes) -> dict[str, Any]:
    """Serve the police's desk and pull from it."""
    tool = processes.run(POLICE.slug, "tool", "add", "bench").data["taxii"]
    ready = processes.serve(POLICE.slug, "desk", "serve", "--port", "0")
    pid = processes.servers[-1].pid
    base = str(ready["url"]) + urlsplit(tool["base"]).path
    user, password = tool["user"], tool["password"]
    url = f"{base}collections/{tool['collection']}/"
    wait_for_objects(url, user, password)
    before = peak_mib(pid)
    count, last, seconds = pull(url, user, password, OBJECTS)
    polls = idle(url, user, password, last)
    return {
        "objects": count,
        "rate": count / seconds,
        "bytes_alone": bytes_alone(url, user, password),
        "idle": polls,
        "mib_after_making": before,
        "mib": peak_mib(pid),
    }


def wait_for_objects(url: str, user: str, password: str) -> None:
    """Wait until the served desk has made its objects of what was received."""
    with httpx2.Client(trust_env=False, auth=(user, password)) as client:
        deadline = time.monotonic() + 300
        while (
            "objects"
            not in client.get(
                f"{url}objects/", params={"limit": "1"}, headers={"Accept": ACCEPT}, timeout=120
            ).json()
        ):
            if time.monotonic() > deadline:
                raise RuntimeError("the desk made no objects")
            time.sleep(0.2)


def run(options: dict[str, int]) -> list[dict[str, object]]:
    """Measure; ``rows`` is the size of the export."""
    rows = options.get("rows") or (SHORT_ROWS if options.get("short") else ROWS)
    with TemporaryDirectory(prefix="accord-taxii-") as name:
        folder = Path(name)
        with Processes(folder=folder, passphrase_file=write_passphrase(folder)) as processes:
            received(processes, folder, rows)
            found = measure(processes)
    polls = found.pop("idle")
    return [
        {
            "figure": round(found["rate"]),
            "unit": "objects/s pulled by taxii2-client, page 1000, Basic",
            "goal": ">= 50,000 (OpenTAXII 6,190; medallion 34 from 10,000)",
            "detail": found,
        },
        {
            "figure": round(found["bytes_alone"]),
            "unit": "objects/s when the client does not parse them",
            "goal": "-",
        },
        {
            "figure": round(found["mib"]),
            "unit": "MiB peak of the desk",
            "goal": "< 150 (OpenTAXII 296; medallion 550)",
        },
        {
            "figure": round(percentile(polls, 0.5) * 1000, 1),
            "unit": "ms idle poll, median",
            "goal": "< 5 (OpenTAXII 76; medallion 6,800 from 1,000)",
            "detail": {"p99_ms": round(percentile(polls, 0.99) * 1000, 1)},
        },
    ]
