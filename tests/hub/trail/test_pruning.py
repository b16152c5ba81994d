"""Retention of the trail: each kind at its own time; log, chains and self-audit stay whole."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.hub.trail.conftest import Scene
from tests.support.hub_world import NOW, World

from accord.hub.access import Role
from accord.hub.audit import Event, EventClass
from accord.hub.audit.tables import AuditEvent
from accord.hub.storage import BodyStore
from accord.hub.trail import parse_wanted
from accord.hub.trail.selfaudit import compare
from accord.kernel.markings import OrgKind
from accord.kernel.tlog.growing import GrownHead
from accord.kernel.tlog.journals import Cause, Restart
from accord.kernel.tlog.leaf import parse_record
from accord.kernel.tlog.proof import parse_proof, verify_proof

DAY = 86_400
NAME = "zerubabel.q"


@pytest.fixture
def scene(tmp_path: Path, engine: str) -> Iterator[Scene]:
    assert engine
    world = World(tmp_path)
    bank = world.enrol("first-bank", OrgKind.FINANCIAL)
    police = world.enrol("police", OrgKind.LAW_ENFORCEMENT)
    bundle, raw = bank.seal(police)
    assert bank.put_bundle(raw, bundle).status_code == 202
    assert len(police.deliveries()) == 1
    made = Scene(world, bank, police, bank, bank, bundle)
    made.record(Event(what=EventClass.SIGN_IN_OK, org=bank.org, person=NAME, basis="why"))
    world.witness_round()
    yield made
    world.close()


def open_classes(world: World) -> set[str]:
    with world.services.database.reading.connect() as connection:
        return set(connection.scalars(select(AuditEvent.what).where(AuditEvent.outcome != "")))


def test_each_kind_goes_at_its_own_time_and_everything_stays_whole(scene: Scene) -> None:
    services = scene.world.services
    assert services.pruning.run(now=NOW + 1094 * DAY) == 0
    first = services.pruning.run(now=NOW + 1096 * DAY)
    assert first == 1
    assert "sign-in.ok" not in open_classes(scene.world)
    assert "bundle.accepted" in open_classes(scene.world)
    assert services.pruning.run(now=NOW + 1096 * DAY) == 0, "once"
    assert services.pruning.run(now=NOW + 3651 * DAY) > 5
    assert open_classes(scene.world) == {"audit.pruned"}
    with services.database.reading.connect() as connection:
        bodies = BodyStore(scene.world.config.bodies)
        assert compare(connection, root=scene.world.root, bodies=bodies).all == ()


def test_what_was_pruned_says_nothing_and_is_proved_all_the_same(scene: Scene) -> None:
    services, auditor = scene.world.services, scene.actor(scene.bank)
    before = scene.bank.get(f"/v1/bundles/{scene.bundle}/receipt", "wait=0").content
    services.pruning.run(now=NOW + 3651 * DAY)
    wanted = parse_wanted({"what": "sign-in.ok"})
    [row] = services.trail.search(auditor, wanted, now=NOW).rows
    assert {"person", "basis", "subject", "outcome"}.isdisjoint(row.fields)
    assert row.fields["org"] == scene.bank.org
    for proof in (before, services.trail.proof(auditor, row.number, now=NOW)):
        record = parse_record(parse_proof(proof).extra)
        assert verify_proof(proof, record.leaf(), scene.policy)
    assert services.trail.search(auditor, parse_wanted({"outcome": "refused"}), now=NOW).rows == []
    home = scene.world.config.home
    assert [path.name for path in home.rglob("*") if path.is_file() and _names(path)] == []


def test_what_desks_said_of_their_journals_is_kept_for_good(scene: Scene) -> None:
    """No setting erases it, with a hub that keeps everything else for the least time either."""
    services, bank = scene.world.services, scene.actor(scene.bank, Role.DESK)
    head = GrownHead(size=3, root=b"\1" * 32)
    told = Restart(journal=b"\2" * 16, head=head, kept=2, cause=Cause.RESTORED, ended=b"\1" * 16)
    services.journals.anchor(bank, GrownHead(size=2, root=b"\1" * 32), journal=b"\1" * 16, now=NOW)
    services.journals.restart(bank, told, now=NOW)
    least = replace(services.pruning, days=dict.fromkeys(services.pruning.days, 30))
    assert least.run(now=NOW + 36_500 * DAY) > 5
    kept = {"journal.anchored", "journal.restarted"}
    assert open_classes(scene.world) == {"audit.pruned", *kept}
    with services.database.reading.connect() as connection:
        records = connection.scalars(select(AuditEvent.opened).where(AuditEvent.what.in_(kept)))
        fields = [parse_record(raw).opened() for raw in records]
    assert [(one["person"], one["subject"][0]) for one in fields] == [("", "2"), ("", "3")]
    shown = services.journals.restarts(scene.actor(scene.bank))
    assert [one.restart for one in shown] == [told]


def _names(path: Path) -> bool:
    return NAME.encode() in path.read_bytes()


def test_each_run_is_an_event_that_says_how_many(scene: Scene) -> None:
    scene.world.services.pruning.run(now=NOW + 1096 * DAY)
    with scene.world.services.database.reading.connect() as connection:
        told = connection.execute(
            select(AuditEvent.subject, AuditEvent.opened).where(AuditEvent.what == "audit.pruned")
        ).all()
    assert [row.subject for row in told] == ["access"]
    assert parse_record(told[0].opened).opened()["detail"].startswith("events=1 ")


def test_a_bundle_added_by_hand_is_found_after_pruning_too(scene: Scene) -> None:
    services = scene.world.services
    services.pruning.run(now=NOW + 3651 * DAY)
    with services.database.writing.connect() as connection, connection.begin() as edited:
        connection.exec_driver_sql("UPDATE bundles SET audit_number = 1")
        bodies = BodyStore(scene.world.config.bodies)
        findings = compare(connection, root=scene.world.root, bodies=bodies)
        edited.rollback()
    assert "bundles" in {one.check for one in findings.all}
