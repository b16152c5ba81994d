"""Pre-sealed bundles of 100 rows into a real hub, with 64 senders on the same two cores."""

import asyncio
import json
import secrets
import time
from typing import Any

from tests.bench.load import Connection, Member, Running, percentile, running_hub

from accord.kernel.bundle.framing import parse_bundle

NAME = "hub"
SENDERS = 64
ROWS = 100
BUNDLES, SHORT_BUNDLES = 6400, 320
DRIPPING, POLLING = 200, 500
ENGINES = True
"""It takes ``--engine`` and ``--processes``."""


def lines() -> list[bytes]:
    """One bundle's records."""
    return [
        b'{"kind":"wallet","network":"evm","value":"0x%s","canon":1,"checksum":"none",'
        b'"confidence":80,"basis":"observed"}' % secrets.token_hex(20).encode()
        for _ in range(ROWS)
    ]


async def send_all(
    hub: Running, work: list[list[bytes]], latencies: list[float], finished: dict[int, float]
) -> float:
    """Send each sender's requests one after the other, all senders at once; seconds it took."""

    async def one(requests: list[bytes]) -> None:
        connection = Connection(hub.url)
        for request in requests:
            start = time.perf_counter()
            status, body = await connection.send(request)
            end = time.perf_counter()
            if status != 202:
                raise RuntimeError(f"{status}: {body[:300]!r}")
            latencies.append(end - start)
            index = int(body.partition(b'"index":')[2].split(b",")[0].rstrip(b"}"))
            finished[index] = start
        connection.close()

    begin = time.perf_counter()
    await asyncio.gather(*(one(requests) for requests in work))
    return time.perf_counter() - begin


async def watch(hub: Running, seen: list[tuple[float, int]], stop: asyncio.Event) -> None:
    """Note when which size was witnessed."""
    request = f"GET /log/audit/checkpoint HTTP/1.1\r\nHost: {hub.authority}\r\n\r\n".encode("ascii")
    connection = Connection(hub.url)
    while not stop.is_set():
        status, body = await connection.send(request)
        if status == 200:
            seen.append((time.perf_counter(), int(body.split(b"\n")[1])))
        await asyncio.sleep(0.1)
    connection.close()


def witnessed(finished: dict[int, float], seen: list[tuple[float, int]]) -> list[float]:
    """Seconds from sending to the first witnessed checkpoint that covers it."""
    found = []
    for index, start in finished.items():
        moment = next((at for at, size in seen if size > index), None)
        if moment is not None:
            found.append(moment - start)
    return found


async def drip(hub: Running, stop: asyncio.Event) -> None:
    """A client that sends one byte a second."""
    host, port = hub.authority.split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    for byte in b"PUT /v1/bundles/x HTTP/1.1\r\nContent-Length: 100000\r\n" * 40:
        if stop.is_set():
            break
        writer.write(bytes([byte]))
        await asyncio.sleep(1)
    writer.close()


async def poll(hub: Running, stop: asyncio.Event) -> None:
    """A desk that always has a long poll open, and waits when it is told to."""
    connection = Connection(hub.url)
    newest = 0
    while not stop.is_set():
        status, body = await connection.send(
            hub.get_request(hub.senders[0], "/v1/feed", f"after={newest}&wait=20")
        )
        answer = json.loads(body)
        if status != 200:
            raise RuntimeError(f"{status}: {body[:300]!r}")
        newest = answer["next"]
        await asyncio.sleep(answer.get("retry_after", 0))


async def measure(hub: Running, work: list[list[bytes]], *, crowd: bool) -> dict[str, float]:
    """One run; with ``crowd`` the slow clients and the long polls are there too."""
    latencies: list[float] = []
    finished: dict[int, float] = {}
    seen: list[tuple[float, int]] = []
    stop = asyncio.Event()
    others = [asyncio.create_task(watch(hub, seen, stop))]
    if crowd:
        others += [asyncio.create_task(drip(hub, stop)) for _ in range(DRIPPING)]
        others += [asyncio.create_task(poll(hub, stop)) for _ in range(POLLING)]
        await asyncio.sleep(12)
    cpu, server_cpu = hub.cpu_seconds(), hub.server_seconds()
    seconds = await send_all(hub, work, latencies, finished)
    spent, server_spent = hub.cpu_seconds() - cpu, hub.server_seconds() - server_cpu
    await asyncio.sleep(2)
    stop.set()
    for task in others[1:]:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    covered = witnessed(finished, seen)
    return {
        "rate": len(latencies) / seconds,
        "p50": percentile(latencies, 0.5) * 1000,
        "p99": percentile(latencies, 0.99) * 1000,
        "witnessed_p99": percentile(covered, 0.99) if covered else float("inf"),
        "uncovered": len(finished) - len(covered),
        "hub_processor_ms_each": round(spent / len(latencies) * 1000, 2),
        "server_processor_ms_each": round(server_spent / len(latencies) * 1000, 2),
    }


def prepare(hub: Running, count: int) -> list[list[bytes]]:
    """Seal and sign ``count`` bundles, shared out among the senders."""
    point = hub.point()
    work: list[list[bytes]] = [[] for _ in hub.senders]
    records = lines()
    for number in range(count):
        place = number % len(hub.senders)
        sender: Member = hub.senders[place]
        bundle = hub.sealed(sender, records, point)
        work[place].append(hub.put_request(sender, parse_bundle(bundle).header.id, bundle))
    return work


def run(options: dict[str, Any]) -> list[dict[str, object]]:
    """Measure; ``rows`` is the number of bundles."""
    count = options.get("rows") or (SHORT_BUNDLES if options.get("short") else BUNDLES)
    engine, processes = options.get("engine", "sqlite"), options.get("processes", 1)
    with running_hub(SENDERS, engine=engine, processes_of_hub=processes) as hub:
        plain = asyncio.run(measure(hub, prepare(hub, count), crowd=False))
        crowded = asyncio.run(measure(hub, prepare(hub, max(64, count // 4)), crowd=True))
    detail = {
        "bundles": count,
        "rows_each": ROWS,
        "senders": SENDERS,
        "engine": engine,
        "processes": processes,
    }
    return [
        {
            "figure": round(plain["rate"]),
            "unit": "bundles/s stored durably",
            "goal": ">= 500 (700 aimed at)",
            "detail": detail,
        },
        {"figure": round(plain["p99"], 1), "unit": "ms p99", "goal": "< 200", "detail": plain},
        {
            "figure": round(plain["witnessed_p99"], 2),
            "unit": "s p99 until witnessed",
            "goal": "< 1.5",
        },
        {
            "figure": round(crowded["p99"], 1),
            "unit": f"ms p99 beside {DRIPPING} dripping clients and {POLLING} long polls",
            "goal": "< 200",
            "detail": crowded,
        },
    ]
