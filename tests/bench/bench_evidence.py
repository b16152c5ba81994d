"""Evidence of one record out of a bundle of 50,000: made (journal and report included), and checked.

The desk's journal has as many rows again, and three lines of custody lie under heads of it.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.desk.conftest import records_of
from tests.desk.evidence.conftest import made_at
from tests.desk.wire import DeskAt, plan
from tests.support.forged_evidence import checker
from tests.support.hub_world import World

from accord.desk.app import Desk
from accord.desk.exchange.journal_heads import send_head
from accord.desk.storage.journal import Act, record_act_in
from accord.kernel.evidence.verification import verify_evidence
from accord.kernel.markings import OrgKind

NAME = "evidence"
ROWS, SHORT_ROWS = 50_000, 500
REPEATS = 5
LOOKS = 3


def best_of(work: Callable[[], object]) -> float:
    """Smallest time of several runs, in milliseconds."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return round(min(times) * 1000, 1)


def run(options: dict[str, int]) -> list[dict[str, object]]:
    """Measure; ``rows`` and ``short`` change the size of the bundle."""
    rows = options.get("rows") or (SHORT_ROWS if options.get("short") else ROWS)
    with tempfile.TemporaryDirectory() as folder:
        hub = Path(folder) / "hub"
        hub.mkdir()
        world = World(hub)
        try:
            return _measure(world, Path(folder), rows)
        finally:
            world.close()


def _measure(world: World, folder: Path, rows: int) -> list[dict[str, object]]:
    bank = DeskAt(world, folder / "bank", "first-bank", OrgKind.FINANCIAL, "NL")
    police = DeskAt(world, folder / "police", "police", OrgKind.LAW_ENFORCEMENT, "DE")
    values = [f"0x{number:040x}" for number in range(1, rows + 1)]
    with bank.open() as desk:
        desk.submissions.send(plan(world, police.org), records_of(values))
    with police.open() as desk:
        desk.rounds.once()
        _fill_journal(desk, world, rows)
    made_at(police, values[0])  # the typesetter reads its fonts once
    reasons = iter(range(REPEATS))
    made = best_of(lambda: made_at(police, values[rows // 2], reason=f"case {next(reasons)}"))
    data = made_at(police, values[rows // 2]).data
    assert sum(one is not None for one in verify_evidence(data).custody) == LOOKS
    return [
        {
            "figure": made,
            "unit": f"ms to open the desk and make evidence of 1 of {rows:,} records",
            "goal": "< 1000",
        },
        {
            "figure": best_of(lambda: verify_evidence(data)),
            "unit": f"ms to verify it ({len(data) // 1024} KiB)",
            "goal": "< 200",
        },
        {
            "figure": best_of(lambda: checker.check(data, None, [])),
            "unit": "ms to verify it with verify.py",
            "goal": "< 200",
        },
    ]


def _fill_journal(desk: Desk, world: World, rows: int) -> None:
    """Write as many rows, among them that somebody looked at the bundle, each under a head."""
    (org, bundle) = desk.vault.connection.execute("SELECT org, id FROM bundles").fetchone()
    row = {"person": "ana", "reason": "why", "now": desk.clock()}
    for _ in range(LOOKS):
        with desk.vault.transaction() as connection:
            for number in range(rows // LOOKS):
                record_act_in(connection, act=Act.KEY_USE, subject=str(number), **row)
            record_act_in(connection, act=Act.BUNDLE_VIEW, subject=f"{org} {bundle}", **row)
        world.clock.now += 100
        send_head(desk.vault, desk.client, clock=world.clock)
        world.witness_round()
        desk.rounds.once()
