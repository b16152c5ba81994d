"""The release of a month over 1,000,000 bundles, and the figures beside it."""

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sqlalchemy import insert
from tests.support.hub_world import NOW, World

from accord.hub.access import Actor, Role
from accord.hub.audit import Event, EventClass
from accord.hub.summaries.tables import TallyRow
from accord.kernel.identifiers import OrgId
from accord.kernel.indicators.countries import COUNTRIES
from accord.kernel.indicators.kinds import Kind, Network
from accord.kernel.indicators.records import Role as IndicatorRole
from accord.kernel.keys import SigningKeyPair
from accord.kernel.markings import OrgKind
from accord.kernel.statements.tally import Cell, Tally, month_end, sign_tally

NAME = "summary"
BUNDLES, SHORT_BUNDLES = 1_000_000, 20_000
BATCH = 1_000
ORGANISATIONS = 200
CELLS = 5_000
"""Of each tally: a large member's month touches that many of some 35,000 places."""
ROWS = 100
"""Records in one bundle."""
MONTH = "2026-10"
WEEKS = 8 * 7 * 86_400


def places() -> list[tuple[Kind, Network | None, IndicatorRole, str | None]]:
    """Every place that a tally can have."""
    networked = {Kind.WALLET, Kind.TRANSACTION}
    return [
        (kind, network, role, country)
        for kind in Kind
        for network in (Network if kind in networked else [None])
        for role in IndicatorRole
        for country in (None, *sorted(COUNTRIES))
    ]


def tallies(bundles: int) -> Iterator[Tally]:
    """Yield the organisations' tallies; together they count the records of all bundles."""
    known = places()
    for number in range(ORGANISATIONS):
        chance = np.random.Generator(np.random.PCG64(np.random.SeedSequence((1, number))))
        chosen = chance.choice(len(known), CELLS, replace=False)
        share = chance.pareto(1.2, CELLS) + 0.01
        counts = np.maximum(1, share / share.sum() * bundles * ROWS / ORGANISATIONS).astype(int)
        cells = [
            Cell(kind=kind, network=network, role=role, country=country, records=int(records))
            for (kind, network, role, country), records in zip(
                (known[at] for at in chosen), counts, strict=True
            )
        ]
        yield Tally(
            org=OrgId(f"org{number}@hub.test"),
            month=MONTH,
            created=month_end(MONTH),
            cells=tuple(sorted(cells, key=lambda cell: cell.place)),
        )


def fill(world: World, bundles: int) -> None:
    """Log every acceptance of the last weeks and store the tallies."""
    services = world.services
    for start in range(0, bundles, BATCH):

        def act(connection: object, start: int = start) -> None:
            for at in range(start, start + BATCH):
                event = Event(what=EventClass.BUNDLE_ACCEPTED, org="a@hub.test", subject=str(at))
                when = NOW - WEEKS + WEEKS * at // bundles
                services.recorder.record(connection, event, now=when)

        services.writer.run(act)
    key = SigningKeyPair.generate()

    def store(connection: object) -> None:
        for tally in tallies(bundles):
            connection.execute(
                insert(TallyRow).values(
                    month=MONTH,
                    org=tally.org,
                    number=0,
                    created=tally.created,
                    statement=sign_tally(tally, key),
                )
            )

    services.writer.run(store)


def run(options: dict[str, int]) -> list[dict[str, object]]:
    """Measure; ``rows`` is the number of bundles."""
    bundles = options.get("rows") or (SHORT_BUNDLES if options.get("short") else BUNDLES)
    with TemporaryDirectory(prefix="accord-summary-") as name:
        world = World(Path(name))
        world.clock.now = NOW
        member = world.enrol("reader", OrgKind.NGO)
        fill(world, bundles)
        start = time.perf_counter()
        made = world.services.releases.release(MONTH, now=NOW)
        released = time.perf_counter() - start
        actor = Actor(org=member.org, kind=OrgKind.NGO, role=Role.VIEWER, person="nora")
        start = time.perf_counter()
        activity = world.services.summaries.activity(actor, now=NOW)
        counted = time.perf_counter() - start
        world.close()
    return [
        {
            "figure": round(released, 1),
            "unit": f"s to release a month over {bundles:,} bundles",
            "goal": "< 60 (1,000,000)",
            "detail": {
                "organisations": made.organisations,
                "cells": ORGANISATIONS * CELLS,
                "shown": made.shown,
                "hidden": made.hidden,
            },
        },
        {
            "figure": round(counted * 1000),
            "unit": "ms to count the weeks beside it",
            "goal": "-",
            "detail": {"accepted": sum(week.accepted for week in activity.weeks)},
        },
    ]
