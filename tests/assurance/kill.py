"""Random SIGKILLs of a real hub under load, and of the PostgreSQL server when there is one.

Of several processes one is killed first, while the others serve on; then all of them at once.
"""

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable
from typing import Any

from tests.assurance.checker import Verdict, examine_rows, examine_served
from tests.assurance.place import HubProcess, NotStarted, Place, made_place
from tests.assurance.senders import Ledger, Load, seal_parcels

MEMBERS = 4
A_ROUND = 40
"""Bundles sealed for each round; some rounds end before all are sent, and the rest goes on."""

LARGE = 2
MOST = 25
"""Most acknowledgements of a round before the kill; when exactly is random to the millisecond."""

PATIENCE = 10.0
"""Seconds after which a round is killed whatever was acknowledged."""

Say = Callable[[str], None]


def run_kills(
    *, count: int, engine: str, seed: int, weakness: str = "", processes: int = 1, say: Say
) -> dict[str, Any]:
    """Kill ``count`` times and return the report; a run is repeated by its seed but for timing."""
    chance = random.Random(seed)
    started = time.monotonic()
    with made_place(members=MEMBERS, engine=engine) as place:
        hub = place.hub(weakness=weakness, processes=processes)
        report = _run(place, hub, count=count, chance=chance, say=say)
    return {
        "test": "kill",
        "engine": engine,
        "seed": seed,
        "weakness": weakness,
        "processes": processes,
        **report,
        "seconds": round(time.monotonic() - started, 1),
    }


def _run(
    place: Place, hub: HubProcess, *, count: int, chance: random.Random, say: Say
) -> dict[str, Any]:
    ledger, verdict = Ledger(), Verdict()
    starts: list[float] = []
    rounds = server_kills = 0
    try:
        for rounds in range(1, count + 1):
            starts.append(hub.start())
            refill(place, hub, ledger)
            load = Load(ledger, hub.url)
            load.start()
            wait_for_some(ledger, chance)
            kill_one_of(hub, ledger, chance)
            if place.server is not None and rounds % 5 == 0:
                place.server.stop(signal.SIGQUIT)
                server_kills += 1
            kill_all(hub)
            load.finish()
            if place.server is not None and place.server._process is None:
                place.server.start()
            found = examine_rows(place.config.place, ledger)
            say(
                f"kill {rounds}: {len(ledger.acknowledged)} acknowledged, {found.lost or 'none'} lost"
            )
            verdict.add(found)
            if not found.ok:
                break
        starts.append(hub.start())
        send_the_rest(hub.url, ledger)
        verdict.add(examine_rows(place.config.place, ledger))
        verdict.add(examine_served(place, hub, ledger))
    except NotStarted as error:
        verdict.faults.append(f"the hub does not start: {error}"[:300])
    finally:
        hub.kill()
    return {
        "ok": verdict.ok and not ledger.open(),
        "rounds": rounds,
        "server_kills": server_kills,
        **reported(ledger, verdict),
        "slowest_start": round(max(starts, default=0.0), 2),
    }


def kill_one_of(hub: HubProcess, ledger: Ledger, chance: random.Random) -> None:
    """Kill one of several processes, and let the others serve on."""
    family = hub.children()
    if family:
        os.kill(chance.choice(family), signal.SIGKILL)
        wait_for_some(ledger, chance)


def kill_all(hub: HubProcess) -> None:
    """Kill the hub with all of its processes."""
    for process in hub.children():
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    hub.kill()


def wait_for_some(ledger: Ledger, chance: random.Random) -> None:
    """Wait for a random number of acknowledgements, and a random bit of time more."""
    wanted = len(ledger.acknowledged) + chance.randint(0, MOST)
    end = time.monotonic() + PATIENCE
    while len(ledger.acknowledged) < wanted and ledger.open() and time.monotonic() < end:
        time.sleep(0.001)
    time.sleep(chance.uniform(0, 0.03))


def reported(ledger: Ledger, verdict: Verdict) -> dict[str, Any]:
    """Return what was tried, acknowledged and lost."""
    return {
        "tried": len(ledger.parcels),
        "acknowledged": len(ledger.acknowledged),
        "unanswered": len(ledger.open()),
        "answers": dict(sorted(ledger.answers.items())),
        "checked": verdict.checked,
        "lost": sorted(set(verdict.lost)),
        "moved": sorted(set(verdict.moved)),
        "doubled": sorted(set(verdict.doubled)),
        "faults": verdict.faults,
    }


def refill(place: Place, hub: Any, ledger: Ledger) -> None:
    """Seal new bundles for the round when most of the last ones went through."""
    if len(ledger.open()) < A_ROUND // 2:
        large = LARGE if len(ledger.parcels) % (10 * A_ROUND) == 0 else 0
        ledger.parcels += seal_parcels(place.running(hub), place.members, A_ROUND, large=large)


def send_the_rest(url: str, ledger: Ledger, tries: int = 20) -> None:
    """Send again what was never answered: each must go through now, once."""
    for _ in range(tries):
        if not ledger.open():
            return
        load = Load(ledger, url)
        load.start()
        load.finish()
