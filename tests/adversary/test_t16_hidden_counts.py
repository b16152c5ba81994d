"""T16: a reader of summaries wants one organisation's figures. Each way round gives nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.hub_world import Desk, World

from accord.hub.access import Actor, Role
from accord.hub.summaries import Mark, Table
from accord.kernel.errors import Conflict, Refused
from accord.kernel.indicators.kinds import Kind, Network
from accord.kernel.indicators.records import Role as IndicatorRole
from accord.kernel.markings import OrgKind
from accord.kernel.statements.tally import Cell, Tally, sign_tally

MONTH = "2026-10"
PATH = f"/v1/tallies/{MONTH}"
TYPE = "application/vnd.accord.statement+json"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("hub")
    made = World(folder)
    yield made
    made.close()


@pytest.fixture(scope="module")
def members(world: World) -> list[Desk]:
    return [world.enrol(f"bank-{number}", OrgKind.FINANCIAL) for number in range(4)]


def tally(desk: Desk, records: int, *, created: int = 0, signer: Desk | None = None) -> bytes:
    cells = (
        Cell(
            kind=Kind.WALLET,
            network=Network.BTC,
            role=IndicatorRole.PAYMENT,
            country="NL",
            records=records,
        ),
    )
    made = Tally(
        org=desk.org,
        month=MONTH,
        created=created or desk.world.clock(),
        cells=cells if records else (),
    )
    return sign_tally(made, (signer or desk).sig)


def reader(desk: Desk) -> Actor:
    return Actor(org=desk.org, kind=OrgKind.NGO, role=Role.VIEWER, person="ana")


def test_figures_come_from_their_owner_only_and_for_closed_months(members: list[Desk]) -> None:
    first, second = members[:2]
    forged = tally(first, 50, signer=second)
    assert second.send("PUT", PATH, tally(first, 50), TYPE).json()["code"] == "tally_other"
    assert first.send("PUT", PATH, forged, TYPE).status_code == 422
    open_month = first.send("PUT", "/v1/tallies/2026-11", tally(first, 50), TYPE)
    assert open_month.json()["code"] in {"tally_other", "month_open"}


def test_a_release_hides_few_and_dominated_counts_and_never_changes(
    world: World, members: list[Desk]
) -> None:
    """One gives most of a count; then a difference attack by sending again after the release."""
    for desk, records in zip(members, (900, 20, 20, 20), strict=True):
        assert desk.send("PUT", PATH, tally(desk, records), TYPE).status_code == 202
    releases = world.services.releases
    made = releases.release(MONTH, now=world.clock())
    figures = dict(made.rows(Table.NETWORK))
    assert figures["btc"].value is None
    assert figures["btc"].mark is not Mark.SMALL
    world.clock.now += 60
    assert members[1].send("PUT", PATH, tally(members[1], 500), TYPE).status_code in {202, 403, 409}
    assert releases.release(MONTH, now=world.clock()) == made
    again = releases.view(reader(members[0]), MONTH, form="page", now=world.clock())
    assert dict(again.rows(Table.NETWORK)) == figures


def test_an_older_tally_does_not_replace_a_newer_one(world: World, members: list[Desk]) -> None:
    old = tally(members[2], 1, created=world.clock() - 10_000)
    assert members[2].send("PUT", PATH, old, TYPE).status_code in {403, 409}


def test_no_release_names_an_organisation(world: World, members: list[Desk]) -> None:
    made = world.services.releases.view(reader(members[0]), MONTH, form="csv", now=world.clock())
    text = "".join(f"{place}{figure}" for place, figure in made.figures.items())
    assert not any(desk.name in text for desk in members)


def give(world: World, desk: Desk, month: str, records: int) -> None:
    cells = (
        Cell(
            kind=Kind.WALLET,
            network=Network.BTC,
            role=IndicatorRole.PAYMENT,
            country="NL",
            records=records,
        ),
    )
    made = Tally(org=desk.org, month=month, created=world.clock(), cells=cells)
    path = f"/v1/tallies/{month}"
    assert desk.send("PUT", path, sign_tally(made, desk.sig), TYPE).status_code == 202


def test_a_correction_or_a_quarter_beside_its_months_gives_no_difference(world: World) -> None:
    """A reader subtracts: a later version from the first, and two months from their quarter."""
    banks = [world.enrol(f"late-{number}", OrgKind.FINANCIAL) for number in range(7)]
    months = ("2026-07", "2026-08", "2026-09")
    for number, month in enumerate(months):
        for desk in banks[: 3 if number == 1 else 6]:  # the second month is for members alone
            give(world, desk, month, 40 + number)
    releases = world.services.releases
    first = {month: releases.release(month, now=world.clock()) for month in months}
    world.clock.now += 60
    victim = banks[-1]
    give(world, victim, months[0], 777)
    with pytest.raises(Refused, match="amendment_too_few"):
        releases.amend(months[0], now=world.clock())
    seen = releases.view(reader(banks[0]), months[0], form="csv", now=world.clock())
    assert seen == first[months[0]], "a late tally alone is in no version"

    give(world, banks[0], months[0], 41)
    give(world, banks[1], months[0], 42)
    with pytest.raises(Refused, match="amendment_too_few"):
        releases.amend(months[0], now=world.clock())

    quarter = releases.release("2026-Q3", now=world.clock())
    for place, figure in quarter.figures.items():
        parts = [first[month].figures.get(place) for month in months]
        shown = [part.value for part in parts if part is not None and part.value is not None]
        if figure.value is not None:
            assert figure.value == sum(shown), "a sum of what members see, not of true counts"
            assert len(shown) == len(months), "nothing hidden in a month comes back by subtraction"
    assert any(figure.value for figure in quarter.figures.values()), "some are shown at all"
    assert "777" not in "".join(str(one.value) for one in quarter.figures.values())
    with pytest.raises(Conflict, match="summary_final"):
        releases.amend(months[0], now=world.clock())
    for desk in (victim, banks[0]):
        assert desk.name not in str(quarter.figures)
