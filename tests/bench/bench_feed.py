"""The feed: an idle poll of a long feed, the stream of deliveries, and a recall to ten desks.

The hub, its witness and (for the recall) eleven desks are processes over loopback, each polling
and working as it does when it serves; the reader of the stream is this process.
"""

import asyncio
import http.client
import json
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import insert
from tests.bench.load import Connection, Member, Running, percentile, running_hub

from accord.demo.parties import Party
from accord.demo.processes import Processes
from accord.demo.scene import Scene
from accord.desk.exchange.pull import PAGE, read_deliveries
from accord.hub.feed.tables import FeedRow
from accord.hub.storage import open_database
from accord.kernel.bundle.framing import parse_bundle, parse_trimmed
from accord.kernel.markings import OrgKind
from accord.protocol import paths

NAME = "feed"
ITEMS, SHORT_ITEMS = 100_000, 10_000
POLLS, SHORT_POLLS = 1_000, 200
BUNDLES, SHORT_BUNDLES = 1_000, 200
LARGE, SHORT_LARGE = 200, 8
ROWS, LARGE_ROWS = 100, 20_000
DESKS, SHORT_DESKS = 10, 2
ROUNDS, SHORT_ROUNDS = 5, 1
PIECE = 1024 * 1024
SECRET = "words for the benches alone"


def lines(rows: int) -> list[bytes]:
    """Return the records of one bundle."""
    chance = random.Random(rows)
    return [
        b'{"kind":"wallet","network":"evm","value":"0x%s","canon":1,"checksum":"none",'
        b'"confidence":80,"basis":"observed"}' % chance.randbytes(20).hex().encode()
        for _ in range(rows)
    ]


def fill(hub: Running, items: int) -> None:
    """Put ``items`` notices into the feed of the police; the hub's lock orders us beside it."""
    database = open_database(hub.folder / "hub" / "hub.db")
    values = {"org": hub.police.org, "item": "key-changed", "subject": "someone@hub.bench"}
    row = values | {"at": 1_790_000_000, "ends": 4_000_000_000, "bundle": None}
    try:
        with database.writing.begin() as connection:
            for _ in range(0, items, 10_000):
                connection.execute(insert(FeedRow), [row] * min(items, 10_000))
    finally:
        database.close()


def newest(hub: Running) -> dict[str, object]:
    """Read the feed of the police to its end; return the last page."""

    async def read() -> dict[str, object]:
        connection, place = Connection(hub.url), "after=0"
        while True:
            _, body = await connection.send(
                hub.get_request(hub.police, paths.FEED, f"{place}&limit=1000")
            )
            page: dict[str, object] = json.loads(body)
            place = f"after={page['next']}&feed={page['feed']}"
            if not page["more"]:
                connection.close()
                return page

    return asyncio.run(read())


def polls(hub: Running, count: int) -> dict[str, object]:
    """Poll at the end of the feed, one poll after the other, on one connection."""
    page = newest(hub)
    query = f"after={page['next']}&feed={page['feed']}&wait=0"

    async def poll() -> tuple[list[float], float]:
        connection, spent = Connection(hub.url), []
        before = hub.cpu_seconds()
        for _ in range(count):
            request = hub.get_request(hub.police, paths.FEED, query)
            start = time.perf_counter()
            status, body = await connection.send(request)
            spent.append(time.perf_counter() - start)
            if status != 200 or json.loads(body)["items"]:
                raise RuntimeError(f"{status}: {body[:300]!r}")
        used = hub.cpu_seconds() - before
        connection.close()
        return spent, used

    spent, used = asyncio.run(poll())
    return {
        "p50": round(percentile(spent, 0.5) * 1000, 2),
        "p99": round(percentile(spent, 0.99) * 1000, 2),
        "processor_ms_each": round(used / count * 1000, 2),
        "polls": count,
    }


def put(hub: Running, count: int, rows: int) -> None:
    """Let the hub accept ``count`` bundles of ``rows`` records for the police."""
    sender: Member = hub.senders[0]
    point, records = hub.point(), lines(rows)

    async def send() -> None:
        connection = Connection(hub.url)
        for _ in range(count):
            raw = hub.sealed(sender, records, point)
            status, body = await connection.send(
                hub.put_request(sender, parse_bundle(raw).header.id, raw)
            )
            if status != 202:
                raise RuntimeError(f"{status}: {body[:300]!r}")
        connection.close()

    asyncio.run(send())


def stream(hub: Running, query: str) -> Iterator[bytes]:
    """Yield the pieces of one stream of deliveries."""
    words = hub.get_request(hub.police, paths.DELIVERIES, query).split(b"\r\n\r\n")[0]
    headers = dict(line.split(": ", 1) for line in words.decode("ascii").split("\r\n")[1:])
    connection = http.client.HTTPConnection(hub.authority, timeout=60)
    connection.request("GET", f"{paths.DELIVERIES}?{query}", headers=headers)
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status}: {answer.read(300)!r}")
    while piece := answer.read1(PIECE):
        yield piece
    connection.close()


def pull(hub: Running, after: int, name: str, count: int) -> dict[str, object]:
    """Read all ``count`` deliveries behind ``after``, page by page; look at each when it is here."""
    pieces: list[bytes] = []
    place, found = after, 0
    before, begin = hub.cpu_seconds(), time.perf_counter()
    while found < count:
        last = found
        page = bytearray()
        for piece in stream(hub, f"after={place}&feed={name}&limit={PAGE}"):
            page += piece
        seconds = time.perf_counter() - begin
        used = hub.cpu_seconds() - before
        for seq, raw in read_deliveries(iter([bytes(page)])):
            place, found = seq, found + 1
            parse_trimmed(raw)
        if found == last:
            raise RuntimeError(f"{found} of {count} deliveries")
        pieces.append(bytes(page))
        begin = time.perf_counter() - seconds
        before = hub.cpu_seconds() - used
    size = sum(len(piece) for piece in pieces)
    return {
        "MB/s": round(size / seconds / 1e6, 1),
        "bundles": count,
        "bytes_each": size // count,
        "seconds": round(seconds, 2),
        "hub_processor_seconds": round(used, 2),
    }


def bulk(hub: Running, count: int, rows: int) -> tuple[dict[str, object], dict[str, object]]:
    """Accept and pull; return the figures of the first pull (each delivery logged) and the next."""
    page = newest(hub)
    put(hub, count, rows)
    place = int(str(page["next"])), str(page["feed"])
    return pull(hub, *place, count), pull(hub, *place, count)


class Recalling:
    """A scene of one bank and desks of the police that follow."""

    def __init__(self, processes: Processes, desks: int) -> None:
        """Enrol and start all."""
        self._run = processes
        self._bank = Party(slug="bank", name="Bank", kind=OrgKind.FINANCIAL, country="NL")
        self._police = [
            Party(slug=f"p{n}", name=f"Force {n}", kind=OrgKind.LAW_ENFORCEMENT, country="NL")
            for n in range(desks)
        ]
        scene = Scene(processes)
        scene.set_up()
        scene.enrol([self._bank, *self._police])
        for one in self._police:
            processes.serve(one.slug, "desk", "serve", "--port", "0")

    def once(self, folder: Path, number: int) -> float:
        """Send, wait until all have it, take back; seconds of that command, its start included."""
        export = folder / f"export-{number}.csv"
        export.write_text(
            "wallet,network\n"
            + "".join(
                f"0x{random.Random(number * 99 + n).randbytes(20).hex()},evm\n" for n in range(50)
            )
        )
        to = [word for one in self._police for word in ("--to", one.slug)]
        sent = self._run.run(
            "bank", "submit", str(export), *to, "--tlp", "amber", "--purpose", "suspicion-report"
        )
        bundle = sent.data["bundles"][0]["id"]
        self._wait(bundle)
        start = time.perf_counter()
        taken = self._run.run(
            "bank", "retract", bundle, "--reason", "error", "--wait", "60", "--yes"
        )
        seconds = time.perf_counter() - start
        standing = [one["standing"] for one in taken.data["recipients"]]
        if standing != ["confirmed"] * len(self._police):
            raise RuntimeError(f"{standing}")
        return seconds

    def _wait(self, bundle: str) -> None:
        for _ in range(120):
            self._run.run("bank", "pull")
            shown = self._run.run("bank", "show", bundle).data
            if all(one["standing"] == "confirmed" for one in shown["sent"]["recipients"]):
                return
            time.sleep(0.25)
        raise RuntimeError(f"not delivered: {shown['recipients']}")


def recall(desks: int, rounds: int) -> list[float]:
    """Return the seconds of each recall."""
    with TemporaryDirectory(prefix="accord-bench-") as name:
        folder = Path(name)
        secret = folder / "passphrase"
        secret.touch(mode=0o600)
        secret.write_text(SECRET)
        with Processes(folder=folder, passphrase_file=secret) as processes:
            place = Recalling(processes, desks)
            return [place.once(folder, number) for number in range(rounds)]


def run(options: dict[str, int]) -> list[dict[str, object]]:
    """Measure; ``rows`` is the number of items in the feed that is polled."""
    short = bool(options.get("short"))
    items = options.get("rows") or (SHORT_ITEMS if short else ITEMS)
    with running_hub(1) as hub:
        fill(hub, items)
        idle = polls(hub, SHORT_POLLS if short else POLLS)
        small = bulk(hub, SHORT_BUNDLES if short else BUNDLES, ROWS)
        large = bulk(hub, SHORT_LARGE if short else LARGE, LARGE_ROWS)
    desks = SHORT_DESKS if short else DESKS
    whole = recall(desks, SHORT_ROUNDS if short else ROUNDS)
    return [
        *_idle(idle, items),
        *_bulk(large, "bundles of 20,000 rows"),
        *_bulk(small, "bundles of 100 rows"),
        {
            "figure": round(percentile(whole, 0.5), 2),
            "unit": f"s from the command until {desks} desks have confirmed, median",
            "goal": "< 3",
            "detail": {"all": [round(one, 2) for one in whole]},
        },
    ]


def _idle(idle: dict[str, object], items: int) -> list[dict[str, object]]:
    what = f"of an idle poll, feed of {items:,} items"
    return [
        {
            "figure": idle["processor_ms_each"],
            "unit": f"ms of the hub's processor time {what}",
            "goal": "< 5",
            "detail": idle,
        },
        {"figure": idle["p50"], "unit": f"ms p50 {what}", "goal": "< 5"},
        {"figure": idle["p99"], "unit": f"ms p99 {what}", "goal": "–"},
    ]


def _bulk(pulls: Sequence[dict[str, object]], what: str) -> list[dict[str, object]]:
    first, again = pulls
    return [
        {"figure": again["MB/s"], "unit": f"MB/s, {what}", "goal": ">= 150", "detail": again},
        {
            "figure": first["MB/s"],
            "unit": f"MB/s, {what}, first time (each delivery an event of the trail)",
            "goal": "–",
            "detail": first,
        },
    ]
