"""Each step of the sequencer failed, and *kept but reported failed*: the whole matrix.

A bundle is put while one statement of its transaction, or the commit, fails. The sender must be told
to come back; another sender must get through; the first one's second try must be stored once; and
both logs must be whole, now and after a start over the same database.
"""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import func, select
from tests.simulators.failing_database import FailingDatabase
from tests.support.hub_world import Desk, Places, World

from accord.hub.audit.tables import AuditEvent
from accord.hub.bundles.tables import BundleRow
from accord.hub.services import Services
from accord.hub.transparency import LogName, recompute
from accord.kernel.identifiers import BundleId
from accord.kernel.markings import OrgKind

Say = Callable[[str], None]
TELLING = frozenset({"storage_failed", "commit_unconfirmed", "database_unavailable"})
"""Codes by which a sender learns that it must come back."""


def run_steps(*, engine: str, say: Say, **_: object) -> dict[str, Any]:
    """Fail every step in both ways and return the report."""
    started = time.monotonic()
    with TemporaryDirectory(prefix="accord-steps-") as name, Places.on(engine):
        world = World(Path(name))
        try:
            report = examine_steps(world, say)
        finally:
            world.close()
    return {
        "test": "steps",
        "engine": engine,
        **report,
        "seconds": round(time.monotonic() - started, 1),
    }


def examine_steps(world: World, say: Say) -> dict[str, Any]:
    """Fail every step of putting a bundle in both ways."""
    bank = world.enrol("first-bank", OrgKind.FINANCIAL)
    other = world.enrol("other-bank", OrgKind.FINANCIAL)
    police = world.enrol("police", OrgKind.LAW_ENFORCEMENT)
    database = FailingDatabase(world.services.database.writing)
    with database.counting():
        first_id, first = bank.seal(police)
        assert bank.put_bundle(first, first_id).status_code == 202
    steps = [*database.steps]
    faults: list[str] = []
    codes: Counter[str] = Counter()
    acknowledged: dict[BundleId, int] = {}
    for at in range(len(steps)):
        for kept in (False, True):
            what = f"step {at} {'kept, reported failed' if kept else 'failed'}"
            faults += _one(database, (bank, other, police), at, kept, acknowledged, codes, what)
    faults += whole(world.services, acknowledged)
    again = world.open_services()
    try:
        faults += whole(again, acknowledged)
    finally:
        again.close()
    say(f"{len(steps)} steps, {len(acknowledged)} acknowledged, {len(faults)} faults")
    return {
        "ok": not faults,
        "steps": steps,
        "tried": 2 * len(steps),
        "acknowledged": len(acknowledged),
        "told": dict(codes),
        "faults": faults,
    }


def _one(
    database: FailingDatabase,
    desks: tuple[Desk, Desk, Desk],
    at: int,
    kept: bool,  # noqa: FBT001 - one cell of the matrix
    acknowledged: dict[BundleId, int],
    codes: Counter[str],
    what: str,
) -> list[str]:
    bank, other, police = desks
    bundle_id, raw = bank.seal(police)
    with database.failing(at, kept=kept):
        answer = bank.put_bundle(raw, bundle_id)
    faults = []
    if answer.status_code == 202:
        acknowledged[bundle_id] = answer.json()["index"]
        codes["202"] += 1
    else:
        code = answer.json().get("code", "")
        codes[code] += 1
        if answer.status_code != 503 or code not in TELLING or "Retry-After" not in answer.headers:
            faults.append(f"{what}: {answer.status_code} {code}")
    other_id, other_raw = other.seal(police)
    for desk, one, sealed in ((other, other_id, other_raw), (bank, bundle_id, raw)):
        answer = desk.put_bundle(sealed, one)
        if answer.status_code != 202:
            faults.append(
                f"{what}: afterwards {answer.status_code} {answer.json().get('observed')}"
            )
            continue
        index = answer.json()["index"]
        if acknowledged.setdefault(one, index) != index:
            faults.append(f"{what}: {one} was acknowledged at two places")
    return faults


def whole(services: Services, acknowledged: dict[BundleId, int]) -> list[str]:
    """Return what is wrong with the logs, the counts and the places of what was acknowledged."""
    faults = []
    for name in LogName:
        recompute(services.reader, services.root, name)
    head = services.reader.head(LogName.AUDIT)
    with services.database.reading.connect() as connection:
        events = connection.scalar(select(func.count()).select_from(AuditEvent))
        rows = connection.execute(select(BundleRow.bundle_id, BundleRow.audit_number)).all()
    if head is None or events != head.size:
        faults.append(f"{events} events, head {head.size if head else 0}")
    stored = {BundleId(row.bundle_id): row.audit_number for row in rows}
    if len(stored) != len(rows):
        faults.append("a bundle has two rows")
    faults += [
        f"{one} is not at {index}"
        for one, index in acknowledged.items()
        if stored.get(one) != index
    ]
    return faults
