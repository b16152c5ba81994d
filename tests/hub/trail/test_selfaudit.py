"""Each planted edit of a row is found: one by one, in each table that matters, by name."""

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from tests.hub.trail.conftest import Scene
from tests.support.hub_people import make_person
from tests.support.hub_world import World

from accord.hub.access import Role
from accord.hub.audit import Event, EventClass
from accord.hub.storage import Base, BodyStore
from accord.hub.trail.findings import Findings
from accord.hub.trail.selfaudit import compare
from accord.kernel.markings import OrgKind


def copied(table: str, *, where: str = "1 = 1", **changes: str) -> str:
    """Return the statement that adds a row like another one, with other values where told."""
    columns = [column.name for column in Base.metadata.tables[table].columns]
    values = [changes.get(name, name) for name in columns]
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {table}"  # noqa: S608 - our own names
        f" WHERE {where} LIMIT 1"
    )


EDITS = {
    "an event's outcome is changed in its column": (
        "UPDATE audit_events SET outcome = 'ok' WHERE outcome != 'ok'",
        "audit_events",
    ),
    "an event's person is taken out of its column": (
        "UPDATE audit_events SET person = '' WHERE person = 'anna'",
        "audit_events",
    ),
    "an event's outcome is changed in its openings": (
        "UPDATE audit_events SET opened = :forged WHERE outcome = 'sign_in_wrong'",
        "audit_events",
    ),
    "an event's time is moved": ("UPDATE audit_events SET time = time - 9", "audit_events"),
    "an event's entry id is changed": (
        "UPDATE audit_events SET entry_id = :some WHERE number = 3",
        "audit_events",
    ),
    "the newest event is deleted": (
        "DELETE FROM audit_events WHERE number = (SELECT max(number) FROM audit_events)",
        "audit_events",
    ),
    "an event in the middle is deleted": (
        "DELETE FROM audit_events WHERE number = 4",
        "audit_events",
    ),
    "an event is added": (
        copied("audit_events", where="number = 4", number="1000"),
        "audit_events",
    ),
    "an event is put in the place of another": (
        (
            "UPDATE audit_events SET opened = (SELECT opened FROM audit_events WHERE number = 5)"
            " WHERE number = 4"
        ),
        "audit_events",
    ),
    "an organisation's number is changed": (
        "UPDATE audit_orgs SET seq = 99 WHERE seq = 3 AND org LIKE 'first%'",
        "audit_orgs",
    ),
    "an organisation's number is deleted": (
        "DELETE FROM audit_orgs WHERE seq = 2 AND org LIKE 'first%'",
        "audit_orgs",
    ),
    "an organisation's number is added": (
        "INSERT INTO audit_orgs (org, seq, number, what) VALUES ('x@hub.test', 1, 4, 'sign-in.ok')",
        "audit_orgs",
    ),
    "a number is added to an event that is not there": (
        "INSERT INTO audit_orgs (org, seq, number, what) VALUES ('x@hub.test', 1, 5000, 'a.b')",
        "audit_orgs",
    ),
    "the class beside a number is changed": (
        "UPDATE audit_orgs SET what = 'sign-in.ok' WHERE what = 'bundle.delivered'",
        "audit_orgs",
    ),
    "an organisation's last number is set back": (
        "UPDATE audit_sequences SET last = last - 1 WHERE org LIKE 'first%'",
        "audit_sequences",
    ),
    "an organisation's chain is changed": (
        "UPDATE audit_sequences SET chain = :zeros WHERE org LIKE 'first%'",
        "audit_sequences",
    ),
    "an organisation's sequence is deleted": (
        "DELETE FROM audit_sequences WHERE org LIKE 'first%'",
        "audit_sequences",
    ),
    "an erasure is forgotten": ("DELETE FROM audit_erasures", "audit_erasures"),
    "an erasure is made up": (
        "INSERT INTO audit_erasures (number, document) VALUES (1, :some)",
        "audit_erasures",
    ),
    "an entry of the audit log is changed": (
        "UPDATE log_entries SET entry = :some WHERE log = 'audit' AND number = 2",
        "log_entries",
    ),
    "an entry of the directory log is changed": (
        "UPDATE log_entries SET entry = :some WHERE log = 'directory' AND number = 1",
        "log_entries",
    ),
    "the newest entry is deleted": (
        (
            "DELETE FROM log_entries WHERE log = 'audit' AND number ="
            " (SELECT max(number) FROM log_entries WHERE log = 'audit')"
        ),
        "log_entries",
    ),
    "an entry in the middle is deleted": (
        "DELETE FROM log_entries WHERE log = 'audit' AND number = 2",
        "log_entries",
    ),
    "a tile is changed": (
        "UPDATE log_tiles SET hashes = :some WHERE log = 'audit'",
        "log_tiles",
    ),
    "a tile is deleted": ("DELETE FROM log_tiles WHERE log = 'directory'", "log_tiles"),
    "a tile is added": (
        "INSERT INTO log_tiles (log, level, number, hashes) VALUES ('audit', 3, 0, :some)",
        "log_tiles",
    ),
    "the head is set back": ("UPDATE log_heads SET size = size - 1", "log_heads"),
    "the head's note is damaged": ("UPDATE log_heads SET note = :some", "log_heads"),
    "the head is deleted": ("DELETE FROM log_heads WHERE log = 'audit'", "log_heads"),
    "the witnessed checkpoint is damaged": ("UPDATE log_cosigned SET note = :some", "log_cosigned"),
    "a bundle's digest is changed": ("UPDATE bundles SET digest = :zeros", "bundles"),
    "a bundle's sealed bytes are changed": ("UPDATE bundles SET body = :some", "bundles"),
    "a bundle's signatures are changed": ("UPDATE bundles SET dsse = :some", "bundles"),
    "a bundle gets another sender": ("UPDATE bundles SET org = 'police@hub.test'", "bundles"),
    "a bundle is deleted": (
        "DELETE FROM feed_items; DELETE FROM bundle_entries; DELETE FROM bundles",
        "bundles",
    ),
    "a bundle is added": (
        copied("bundles", number="50", bundle_id="'01a21219-a400-7dc3-a7c5-35bda33c285a'"),
        "bundles",
    ),
    "a recipient's entry is changed": ("UPDATE bundle_entries SET entry = :some", "bundles"),
    "a delivery is taken back": ("UPDATE bundle_entries SET delivered = NULL", "bundle_entries"),
    "an account is added by hand": (
        copied("people", number="50", login="'mallory'", handle="'0123'", role="'administrator'"),
        "people",
    ),
    "an account gets another role": ("UPDATE people SET role = 'administrator'", "people"),
    "an account gets another organisation": (
        "UPDATE people SET org = 'police@hub.test'",
        "people",
    ),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[World]:
    """A hub in which something has happened in each table; each edit is taken back."""
    assert engine
    world = World(tmp_path_factory.mktemp("audited"))
    bank = world.enrol("first-bank", OrgKind.FINANCIAL)
    police = world.enrol("police", OrgKind.LAW_ENFORCEMENT)
    bundle, raw = bank.seal(police)
    assert bank.put_bundle(raw, bundle).status_code == 202
    assert len(police.deliveries()) == 1
    make_person(world, "olga", bank.org, Role.AUDITOR)
    make_person(world, "gone", bank.org)
    now = world.clock()
    scene = Scene(world, bank, police, bank, bank, bundle)
    scene.record(Event(what=EventClass.SIGN_IN_OK, org=bank.org, person="anna"))
    scene.record(Event(what=EventClass.SIGN_IN_FAILED, org=bank.org, outcome="sign_in_wrong"))
    world.services.erasures.erase_at_console(bank.org, "gone", reason="asked", now=now)
    world.witness_round()
    yield world
    world.close()


def audited(world: World, edit: str | None = None) -> Findings:
    """Let another hand edit the hub's database, compare, and take the edit back."""
    bodies = BodyStore(world.config.bodies)
    with world.services.database.writing.connect() as connection, connection.begin() as edited:
        wrong = connection.scalar(
            text("SELECT opened FROM audit_events WHERE outcome = 'sign_in_wrong'")
        )
        values = {
            "some": b"some",
            "zeros": bytes(32),
            "forged": bytes(wrong).replace(b"sign_in_wrong", b"sign_in_right"),
        }
        for one in filter(None, (edit or "").split("; ")):
            used = {name: value for name, value in values.items() if f":{name}" in one}
            assert connection.execute(text(one), used).rowcount, "the edit touches nothing"
        findings = compare(connection, root=world.root, bodies=bodies)
        edited.rollback()
    return findings


def test_a_hub_that_nobody_edited_has_no_finding(world: World) -> None:
    findings = audited(world)
    assert findings.all == ()
    compared = {"audit_events", "audit_orgs", "log_entries", "log_tiles", "bundles", "people"}
    assert all(findings.looked[name] for name in compared)


@pytest.mark.parametrize("name", list(EDITS))
def test_a_planted_edit_is_found(world: World, name: str) -> None:
    edit, check = EDITS[name]
    assert check in {finding.check for finding in audited(world, edit).all}


def test_the_result_is_an_event_a_figure_and_a_warning(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    services = world.services
    assert services.self_audit.run(now=world.clock()).ok
    assert services.self_audit.last() is not None
    metrics = world.client.get("/metrics").text
    assert "accord_self_audit_ok 1.0" in metrics
    assert world.client.get("/readyz").text == "ready\n"
    with services.database.writing.begin() as connection:
        connection.exec_driver_sql("UPDATE people SET role = 'administrator'")
    capsys.readouterr()
    report = services.self_audit.run(now=world.clock() + 1)
    with services.database.writing.begin() as connection:
        connection.exec_driver_sql("UPDATE people SET role = 'auditor'")
    told = [
        json.loads(line) for line in capsys.readouterr().err.splitlines() if "self_audit" in line
    ]
    assert [one["check"] for one in told if one["event"] == "self_audit.finding"] == ["people"]
    assert report.count == 1
    last = services.self_audit.last()
    assert last is not None
    assert not last.ok
    assert "accord_self_audit_ok 0.0" in world.client.get("/metrics").text
    assert world.client.get("/readyz").text == "ready\nwarning: self_audit_failed\n"
    assert services.self_audit.run(now=world.clock() + 2).ok


def test_it_runs_in_the_night_and_catches_up_after_two_days(world: World) -> None:
    audit = world.services.self_audit
    first = audit.run(now=86_400 * 20_900).at
    night, noon = first + 2 * 3600, first + 12 * 3600
    assert audit.due(now=first + 1800) is None, "not yet"
    assert audit.due(now=noon) is None, "by day"
    assert audit.due(now=night) is None, "it ran two hours ago"
    assert audit.due(now=night + 86_400) is not None
    assert audit.due(now=night + 86_400 + 600) is None
    assert audit.due(now=noon + 4 * 86_400) is not None, "late"
