"""Who finds what in the trail, that looking is written down, and what a query may not be."""

import pytest
from sqlalchemy import select
from tests.hub.trail.conftest import Scene

from accord.hub.access import Role
from accord.hub.audit import read_event
from accord.hub.audit.tables import AuditEvent
from accord.hub.trail import TrailPage, Wanted, parse_wanted
from accord.kernel.errors import AuthenticationNeeded, Malformed, NotFound, Refused, Unavailable
from accord.kernel.tlog.leaf import parse_record, verify_opening
from accord.kernel.tlog.proof import parse_proof, verify_proof


def search(scene: Scene, desk: str, *, role: Role = Role.AUDITOR, **parts: str) -> TrailPage:
    actor = scene.actor(getattr(scene, desk), role)
    return scene.world.services.trail.search(
        actor, parse_wanted(parts), limit=200, now=scene.world.clock()
    )


def classes(page: TrailPage) -> list[str]:
    return [row.fields["what"] for row in page.rows]


def test_who_saw_a_bundle(scene: Scene) -> None:
    for desk in ("bank", "police", "ombudsman"):
        [row] = [
            row
            for row in search(scene, desk, seen=scene.bundle).rows
            if row.fields["what"] == "bundle.delivered"
        ]
        assert (row.fields["org"], row.fields["subject"]) == (scene.police.org, scene.bundle)


def test_who_saw_what_concerns_an_organisation(scene: Scene) -> None:
    page = search(scene, "ombudsman", seen=scene.bank.org)
    seers = {row.fields["org"] for row in page.rows if row.fields["what"] == "bundle.delivered"}
    assert seers == {scene.police.org}


def test_who_looked_for_a_person_is_found_by_that_persons_organisation_alone(scene: Scene) -> None:
    search(scene, "bank", person="piet")
    page = search(scene, "bank", seen="piet")
    assert "audit.searched" in classes(page)
    assert all(row.fields["about"] == "piet" for row in page.rows)
    assert search(scene, "police", seen="piet").rows == []


def test_an_auditor_finds_what_concerns_their_own_organisation_only(scene: Scene) -> None:
    page = search(scene, "police")
    assert page.rows
    for row in page.rows:
        own = [v for name, v in row.fields.items() if name.startswith("member.")]
        assert row.fields["org"] == scene.police.org or own
        assert all(value.startswith(f"{scene.police.org} ") for value in own)
        assert "person" not in row.fields or row.fields["org"] == scene.police.org


def test_names_open_to_their_own_organisation_only(scene: Scene) -> None:
    [row] = search(scene, "bank", what="role.changed").rows
    assert (row.fields["person"], row.fields["about"]) == ("anna", "piet")
    [row] = search(scene, "ombudsman", what="role.changed").rows
    assert "person" not in row.fields
    assert "about" not in row.fields
    assert row.closed == 2
    assert row.fields["org"] == scene.bank.org


def test_oversight_finds_nobody_by_name(scene: Scene) -> None:
    assert search(scene, "ombudsman", person="piet").rows == []
    assert search(scene, "bank", person="piet").rows


def test_the_operator_opens_nothing_of_others(scene: Scene) -> None:
    for parts in ({}, {"org": scene.bank.org}, {"subject": scene.bundle}):
        page = search(scene, "operator", **parts)
        assert {row.fields["org"] for row in page.rows} <= {scene.operator.org}
    with pytest.raises(NotFound):
        scene.world.services.trail.proof(scene.actor(scene.operator), 0, now=scene.world.clock())


@pytest.mark.parametrize("role", [Role.ANALYST, Role.VIEWER, Role.INVESTIGATOR, Role.DESK])
def test_others_than_auditor_and_administrator_see_nothing(scene: Scene, role: Role) -> None:
    with pytest.raises(Refused) as caught:
        search(scene, "bank", role=role)
    assert caught.value.code == "action_not_granted"


def test_nobody_sees_nothing(scene: Scene) -> None:
    with pytest.raises(AuthenticationNeeded):
        scene.world.services.trail.search(None, Wanted(), now=0)


def test_each_search_is_one_event_with_its_filter_and_visible_to_those_who_watch(
    scene: Scene,
) -> None:
    before = classes(search(scene, "police", what="audit.searched")).count("audit.searched")
    search(scene, "police", outcome="refused", since="2026-01-01")
    rows = search(scene, "police", what="audit.searched").rows
    assert len(rows) == before + 2
    assert rows[0].fields["detail"] == "outcome=refused since=2026-01-01"
    assert rows[0].fields["person"] == "anna"
    assert any(
        row.fields["org"] == scene.police.org
        for row in search(scene, "ombudsman", what="audit.searched").rows
    )


def test_a_name_in_a_filter_stands_in_the_field_that_can_be_erased_only(scene: Scene) -> None:
    search(scene, "bank", person="margaretha")
    with scene.world.services.database.reading.connect() as connection:
        number = connection.scalar(
            select(AuditEvent.number).where(AuditEvent.about == "margaretha")
        )
        assert number is not None
        fields = read_event(connection, number).opened()
    assert [name for name, value in fields.items() if "margaretha" in value] == ["about"]


def test_outcomes_and_periods_narrow(scene: Scene) -> None:
    refused = search(scene, "bank", outcome="refused")
    assert {row.fields["outcome"] for row in refused.rows} == {"sign_in_wrong"}
    assert classes(search(scene, "bank", outcome="sign_in_wrong")) == ["sign-in.failed"]
    good = search(scene, "bank", outcome="ok", what="role.changed")
    assert classes(good) == ["role.changed"]
    assert search(scene, "bank", until="2020-01-01").rows == []
    assert search(scene, "bank", since="2020-01-01", until="2099-01-01").rows


def test_pages_follow_each_other_without_gap_or_repeat(scene: Scene) -> None:
    services, actor = scene.world.services, scene.actor(scene.ombudsman)
    whole: list[int] = []
    wanted, after = parse_wanted({"until": "2099-01-01"}), ""
    newest = search(scene, "ombudsman").rows[0].number
    while True:
        page = services.trail.search(actor, wanted, after=after, limit=3, now=scene.world.clock())
        whole += [row.number for row in page.rows if row.number <= newest]
        after = page.after
        if not after:
            break
    assert whole == list(range(newest, -1, -1))


@pytest.mark.parametrize(
    "parts",
    [
        {"what": "made.up"},
        {"org": "not an org"},
        {"seen": "x@"},
        {"since": "2026-13-01"},
        {"since": "yesterday"},
        {"since": "2026-02-02", "until": "2026-02-01"},
        {"outcome": "Robert'); DROP"},
        {"subject": "x" * 201},
        {"person": "a\x00b"},
        {"sideways": "1"},
    ],
)
def test_a_filter_that_cannot_be_used_is_refused(parts: dict[str, str]) -> None:
    with pytest.raises(Malformed) as caught:
        parse_wanted(parts)
    assert caught.value.code == "audit_filter_invalid"


@pytest.mark.parametrize("after", ["x", "AAAA", "AQAAAAAAAAAA=", "Av________8=", "é"])
def test_a_cursor_that_is_none_is_refused(scene: Scene, after: str) -> None:
    with pytest.raises(Malformed) as caught:
        scene.world.services.trail.search(
            scene.actor(scene.bank), Wanted(), after=after, now=scene.world.clock()
        )
    assert caught.value.code == "cursor_invalid"


@pytest.mark.parametrize("limit", [0, 201, 10**9])
def test_an_oversized_page_is_refused(scene: Scene, limit: int) -> None:
    with pytest.raises(Refused) as caught:
        scene.world.services.trail.search(
            scene.actor(scene.bank), Wanted(), limit=limit, now=scene.world.clock()
        )
    assert caught.value.code == "audit_page_too_large"


def test_the_proof_of_a_row_holds_and_opens_what_the_row_opens(scene: Scene) -> None:
    [row] = search(scene, "bank", what="role.changed").rows
    proof = scene.world.services.trail.proof(
        scene.actor(scene.bank), row.number, now=scene.world.clock()
    )
    record = parse_record(parse_proof(proof).extra)
    assert verify_proof(proof, record.leaf(), scene.policy).index == row.number
    assert verify_opening(record.leaf(), record) == row.fields


def test_no_answer_without_the_entry_that_it_was_asked_for(scene: Scene) -> None:
    """The writer is closed: what cannot be written down is not shown."""
    services = scene.world.open_services()
    services.writer.close()
    actor = scene.actor(scene.bank)
    for ask in (
        lambda: services.trail.search(actor, Wanted(), now=1),
        lambda: services.trail.proof(actor, 0, now=1),
    ):
        with pytest.raises((Unavailable, NotFound)):
            ask()
    with pytest.raises(Unavailable):
        services.trail.search(actor, Wanted(), now=1)
    services.database.close()
