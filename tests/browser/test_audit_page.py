"""The auditor's page in a real browser: no fault of reach, a filter that works by keyboard."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.browser.conftest import MAX_WEIGHT, Visit, enter, examine, served, weight
from tests.support.hub_people import Someone, make_person
from tests.support.hub_world import NOW, World

from accord.hub.access import Role
from accord.hub.audit import Event, EventClass
from accord.kernel.markings import OrgKind


@dataclass
class Place:
    """A hub with a few events and a bank's auditor."""

    base: str
    olga: Someone


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    world = World(tmp_path_factory.mktemp("hub"))
    bank = world.enrol("first-bank", OrgKind.FINANCIAL)
    police = world.enrol("police", OrgKind.LAW_ENFORCEMENT)
    bundle, raw = bank.seal(police)
    assert bank.put_bundle(raw, bundle).status_code == 202
    event = Event(
        what=EventClass.ROLE_CHANGED,
        org=bank.org,
        person="anna",
        about="piet",
        outcome="last_admin",
    )
    world.services.writer.run(lambda c: world.services.recorder.record(c, event, now=NOW))
    world.witness_round()
    olga = make_person(world, "olga", bank.org, Role.AUDITOR)
    with served(world.app) as base:
        yield Place(base, olga)
    world.close()


def test_the_page_is_axe_clean_filtered_empty_and_refused(visit: Visit, place: Place) -> None:
    page = visit(place.base)
    enter(page, place.olga)
    for path in ("/audit", "/audit?what=role.changed", "/audit?until=2020-01-01", "/audit?what=x"):
        page.goto(path)
        examine(page, path)
    assert weight(page, "/audit") <= MAX_WEIGHT


def test_an_auditor_filters_and_takes_the_result_along(visit: Visit, place: Place) -> None:
    page = visit(place.base)
    enter(page, place.olga)
    page.goto("/audit")
    page.get_by_text("Filter", exact=True).press("Enter")
    page.get_by_label("Outcome", exact=True).fill("refused")
    page.get_by_role("button", name="Search").press("Enter")
    [row] = page.locator("tbody tr").all()
    assert "role.changed" in row.inner_text()
    page.get_by_label("Why you take it out").fill("review")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download").press("Enter")
    assert "role.changed" in Path(waiting.value.path()).read_text(encoding="utf-8")
