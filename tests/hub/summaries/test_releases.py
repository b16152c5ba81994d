"""Releases: made once from signed tallies, seen by members as page and file, never changed."""

import csv
import io
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.hub.summaries.test_disclosure import sample
from tests.support.hub_people import make_person
from tests.support.hub_world import NOW, Desk, World

from accord.hub.access import Actor, Role
from accord.hub.summaries import Audience, Mark, Release, Table
from accord.hub.summaries.release import (
    Figure,
    format_release,
    make_release,
    parse_release,
)
from accord.kernel.errors import AuthenticationNeeded, Conflict, Malformed, NotFound, Refused
from accord.kernel.identifiers import OrgId
from accord.kernel.markings import OrgKind
from accord.kernel.statements.tally import TALLY_TYPE, month_end, sign_tally

MONTH = "2026-10"
END = month_end(MONTH)
assert END < NOW

LOGIN = re.compile(r'name="csrf_token" value="([^"]+)"')


def release_of(seed: int = 1) -> Release:
    tallies = [replace(tally, month=MONTH) for tally in sample(seed)]
    return make_release(tallies, month=MONTH, audience=Audience.MEMBERS, now=NOW)


def test_a_release_reads_back_as_it_was_written() -> None:
    made = release_of()
    assert parse_release(format_release(made)) == made
    assert made.shown > 20
    assert made.shown + made.hidden == len(made.figures)


def test_a_release_holds_no_true_count_and_no_name() -> None:
    text = format_release(release_of()).decode()
    assert "org0" not in text
    assert all(int(value) % 5 == 0 for value in re.findall(r'"value":([0-9]+)', text))


def test_an_open_month_and_a_stray_tally_are_refused() -> None:
    tallies = [replace(tally, month=MONTH) for tally in sample(1)]
    with pytest.raises(Malformed, match="month_open"):
        make_release(tallies, month=MONTH, audience=Audience.MEMBERS, now=END - 1)
    for stray in ([*tallies, tallies[0]], [*tallies[1:], replace(tallies[0], month="2026-09")]):
        with pytest.raises(Malformed, match="tally_misplaced"):
            make_release(stray, month=MONTH, audience=Audience.MEMBERS, now=NOW)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"v":2', b'"v":1'),
        (b'"v":2', b'"v":3'),
        (b'"version":1', b'"version":3'),
        (b'"mark":"small"', b'"mark":"small","since":1'),
        (b'"members"', b'"all"'),
        (b'"mark":"small"', b'"mark":"tiny"'),
        (b'"mark":"small"', b'"mark":"shown"'),
        (b'"mark":"small"', b'"mark":"small","value":5'),
        (b'"mark":"shown","value":', b'"mark":"shown","value":1'),
        (b'"row":"AD"', b'"row":"AE"'),
        (b'"table":"country"', b'"table":"county"'),
        (b'"period":"2026-10"', b'"period":"2026-13"'),
        (b'"period":"2026-10"', b'"period":"2026-Q5"'),
        (b'"made"', b'"when"'),
    ],
)
def test_a_document_of_another_form_is_refused(old: bytes, new: bytes) -> None:
    data = format_release(release_of())
    assert old in data
    changed = data.replace(old, new, 1)
    if old == b'"mark":"shown","value":':
        changed = re.sub(rb'"value":[0-9]+', b'"value":12', data, count=1)
    with pytest.raises(Malformed):
        parse_release(changed)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_code(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse_release(data)


def test_a_figure_is_written_alike_everywhere() -> None:
    made = release_of()
    for release, small in ((made, "<10"), (replace(made, period="2026-Q4"), "<30")):
        assert release.text(Figure(mark=Mark.SMALL, value=None)) == small
        assert release.text(Figure(mark=Mark.HIDDEN, value=None)) == "hidden"
        assert release.text(Figure(mark=Mark.SHOWN, value=125)) == "125"


def test_a_document_of_the_first_form_reads_as_the_first_version() -> None:
    made = release_of()
    old = format_release(made).replace(b'"v":2,"period"', b'"v":1,"month"')
    assert parse_release(old.replace(b'"version":1,', b"")) == made


@pytest.fixture
def members(world: World) -> list[Desk]:
    return [world.enrol(f"bank-{number}", OrgKind.FINANCIAL) for number in range(6)]


def send_tallies(members: list[Desk], seed: int = 1, created: int = END) -> None:
    for desk, tally in zip(members, sample(seed), strict=False):
        signed = sign_tally(replace(tally, org=desk.org, month=MONTH, created=created), desk.sig)
        answer = desk.send("PUT", f"/v1/tallies/{MONTH}", signed, TALLY_TYPE)
        assert answer.status_code == 202, answer.text


def viewer(org: str) -> Actor:
    return Actor(org=OrgId(org), kind=OrgKind.NGO, role=Role.VIEWER, person="nora")


def test_a_month_is_released_once_and_stays_as_it_was(world: World, members: list[Desk]) -> None:
    send_tallies(members)
    first = world.services.releases.release(MONTH, now=NOW)
    send_tallies(members, seed=2, created=END + 1)
    assert world.services.releases.release(MONTH, now=NOW + 1) == first
    seen = world.services.releases.view(viewer(members[0].org), MONTH, form="page", now=NOW)
    assert seen == first


def test_a_month_without_tallies_is_not_released(world: World) -> None:
    with pytest.raises(NotFound, match="tallies_missing"):
        world.services.releases.release(MONTH, now=NOW)
    ngo = world.enrol("ngo", OrgKind.NGO)
    with pytest.raises(NotFound, match="summary_missing"):
        world.services.releases.view(viewer(ngo.org), MONTH, form="page", now=NOW)


def test_nobody_sees_a_summary_without_a_name(world: World) -> None:
    with pytest.raises(AuthenticationNeeded):
        world.services.releases.periods(None)
    with pytest.raises(AuthenticationNeeded):
        world.services.releases.view(None, MONTH, form="page", now=NOW)


@pytest.mark.parametrize(
    ("kind", "allowed"), [(OrgKind.NGO, True), (OrgKind.OVERSIGHT, True), (OrgKind.OPERATOR, False)]
)
def test_the_charter_says_whose_people_see_summaries(
    world: World, members: list[Desk], kind: OrgKind, *, allowed: bool
) -> None:
    send_tallies(members)
    world.services.releases.release(MONTH, now=NOW)
    desk = world.enrol("another", kind)
    person = Actor(org=desk.org, kind=kind, role=Role.VIEWER, person="someone")
    asked = (
        lambda: world.services.releases.periods(person),
        lambda: world.services.releases.view(person, MONTH, form="page", now=NOW),
        lambda: world.services.summaries.activity(person, now=NOW),
    )
    for ask in asked:
        if allowed:
            assert ask()
        else:
            with pytest.raises(Refused) as caught:
                ask()
            assert caught.value.code == "charter_action"


def enter(world: World) -> None:
    ngo = world.enrol("ngo", OrgKind.NGO)
    password = make_person(world, "nora", ngo.org).password
    form = world.client.get("/sign-in").text
    token = LOGIN.findall(form)[0]
    data = {"login": "nora", "password": password, "csrf_token": token}
    assert world.client.post("/sign-in", data=data).status_code == 303


def test_a_person_sees_page_file_and_log_with_the_same_figures(
    world: World, members: list[Desk]
) -> None:
    for path in ("/summary", "/summary.csv", "/log"):
        assert world.client.get(path).status_code == 401
    enter(world)
    assert "No month has been released yet" in world.client.get("/summary").text
    assert world.client.get("/summary.csv").status_code in {400, 404}
    send_tallies(members)
    made = world.services.releases.release(MONTH, now=NOW)
    page = world.client.get("/summary").text
    assert f"Summary of {MONTH}" in page
    answer = world.client.get("/summary.csv")
    assert answer.headers["Content-Disposition"].endswith(f'"summary-{MONTH}.csv"')
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == len(made.figures)
    for row in rows:
        if row["table"] in {"kind", "role", "network", "kind-role"}:
            assert row["records"].replace("<", "&lt;") in page
    for form, head in (("pdf", b"%PDF-"), ("svg", b"<svg "), ("png", b"\x89PNG")):
        file = world.client.get(f"/summary.{form}?month={MONTH}")
        assert file.content.startswith(head)
        assert file.headers["Content-Disposition"].endswith(f'"summary-{MONTH}.{form}"')
    assert world.client.get("/summary.exe").status_code == 404
    assert world.client.get(f"/summary?month={MONTH}").text.count("<h1>") == 1
    assert world.client.get("/summary?month=2026-1").status_code == 400
    assert world.client.get("/summary?month=2020-01").status_code == 404
    world.witness_round()
    log = world.client.get("/log").text
    assert "accord log verify" in log
    assert "ngo.test/witness" in log


def test_a_page_is_small_and_carries_no_script_or_style(world: World, members: list[Desk]) -> None:
    enter(world)
    send_tallies(members)
    world.services.releases.release(MONTH, now=NOW)
    for path in ("/summary", "/log"):
        page = world.client.get(path).text
        assert "<script" not in page
        assert "style=" not in page
        assert len(page) < 60_000


def test_tables_are_declared_for_every_kind_of_release() -> None:
    made = release_of()
    assert {place.table for place in made.figures} == set(Table)


def test_anybody_reads_a_quarter_and_nobody_a_month(world: World, members: list[Desk]) -> None:
    assert "No quarter has been published yet" in world.client.get("/public").text
    assert world.client.get("/public.csv").status_code in {400, 404}
    months = ("2026-07", "2026-08", "2026-09")
    for seed, month in enumerate(months, 1):
        for desk, tally in zip(members, sample(seed, scale=200), strict=True):
            said = replace(tally, org=desk.org, month=month, created=month_end(month))
            signed = sign_tally(said, desk.sig)
            assert desk.send("PUT", f"/v1/tallies/{month}", signed, TALLY_TYPE).status_code == 202
    with pytest.raises(NotFound, match="months_missing"):
        world.services.releases.release("2026-Q3", now=NOW)
    for month in months:
        world.services.releases.release(month, now=NOW)
    made = world.services.releases.release("2026-Q3", now=NOW)
    assert world.services.releases.release("2026-Q3", now=NOW + 1) == made
    page = world.client.get("/public").text
    assert "Summary of" in page
    assert "2026-Q3" in page
    for figure in made.figures.values():
        assert made.text(figure).replace("<", "&lt;") in page
    assert not any(desk.name in page for desk in members)
    assert len(page) < 60_000
    rows = list(csv.DictReader(io.StringIO(world.client.get("/public.csv?quarter=2026-Q3").text)))
    assert len(rows) == len(made.figures)
    for path, status in (
        ("/public?quarter=2026-09", 400),
        ("/public.csv?quarter=2026-08", 400),
        ("/public?quarter=2026-Q2", 404),
        ("/public?quarter=x", 400),
        ("/public.exe", 404),
        ("/summary?month=2026-07", 401),
    ):
        assert world.client.get(path).status_code == status
    assert "quarter" in world.client.get("/public?quarter=x").text
    assert "quarter_invalid" in world.client.get("/public.csv?quarter=x").text
    with pytest.raises(NotFound, match="summary_missing"):
        world.services.releases.view(viewer(members[0].org), "2026-Q3", form="page", now=NOW)
    with pytest.raises(Malformed, match="month_open"):
        world.services.releases.release("2026-Q4", now=NOW)
    with pytest.raises(Conflict, match="summary_final"):
        world.services.releases.amend("2026-08", now=NOW)


def test_late_and_corrected_tallies_make_one_second_version(
    world: World, members: list[Desk]
) -> None:
    """The first version stays in the log and in the database; a third there never is."""
    releases = world.services.releases
    send_tallies(members)
    first = releases.release(MONTH, now=NOW)
    with pytest.raises(Conflict, match="amendment_empty"):
        releases.amend(MONTH, now=NOW)
    assert releases.state(MONTH).late == ()
    send_tallies(members[:1], seed=2, created=END + 1)
    assert len(releases.state(MONTH).late) == 1
    with pytest.raises(Refused, match="amendment_too_few"):
        releases.amend(MONTH, now=NOW)
    send_tallies(members, seed=9, created=END + 2)
    seen = releases.preview(MONTH, now=NOW, amended=True)
    assert releases.view(viewer(members[0].org), MONTH, form="page", now=NOW) == first
    second = releases.amend(MONTH, now=NOW)
    assert second == seen
    assert second.version == 2
    assert second.corrected > 0
    assert releases.view(viewer(members[0].org), MONTH, form="page", now=NOW) == second
    assert releases.release(MONTH, now=NOW) == first
    assert releases.state(MONTH).final
    send_tallies(members, seed=10, created=END + 3)
    with pytest.raises(Conflict, match="summary_final"):
        releases.amend(MONTH, now=NOW)
    enter(world)
    page = world.client.get("/summary").text
    assert f"corrected: {second.corrected} counts differ" in page
