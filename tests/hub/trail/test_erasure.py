"""A person is erased for good: from rows, files and restored copies, and every proof still holds."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.hub.trail.conftest import Scene
from tests.support.hub_people import make_person
from tests.support.hub_world import World

from accord.hub.access import Actor, Role
from accord.hub.audit import Event, EventClass, read_event
from accord.hub.audit.tables import AuditEvent
from accord.hub.people.tables import PersonRow
from accord.hub.storage import open_database, scrub
from accord.hub.trail import apply_erasures, load_erasures, parse_wanted
from accord.hub.transparency import LogName
from accord.kernel.errors import AuthenticationNeeded, Malformed, NotFound, Refused
from accord.kernel.markings import OrgKind
from accord.kernel.tlog.leaf import parse_record
from accord.kernel.tlog.merkle import leaf_hash
from accord.kernel.tlog.merkle import root as merkle_root
from accord.kernel.tlog.proof import parse_proof, verify_proof
from accord.kernel.tlog.trailfile import Form, verify_trail

NAME = "zerubabel.q"
OTHER = "anna"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    world = World(tmp_path)
    bank = world.enrol("first-bank", OrgKind.FINANCIAL)
    police = world.enrol("police", OrgKind.LAW_ENFORCEMENT)
    make_person(world, NAME, bank.org, Role.ANALYST)
    bundle, raw = bank.seal(police)
    assert bank.put_bundle(raw, bundle).status_code == 202
    made = Scene(world, bank, police, bank, bank, bundle)
    for _ in range(40):
        made.record(Event(what=EventClass.SIGN_IN_OK, org=bank.org, person=NAME))
        made.record(Event(what=EventClass.SIGN_IN_OK, org=bank.org, person=OTHER))
    made.record(Event(what=EventClass.ROLE_CHANGED, org=bank.org, person=OTHER, about=NAME))
    made.record(Event(what=EventClass.SIGN_IN_OK, org=police.org, person=NAME))
    world.witness_round()
    yield made
    world.close()


def erase(scene: Scene, reason: str = "asked by letter") -> None:
    administrator = scene.actor(scene.bank, Role.ADMINISTRATOR)
    scene.world.services.erasures.erase(administrator, NAME, reason=reason, now=scene.world.clock())


def files_with_name(folder: Path) -> list[str]:
    return sorted(
        path.name
        for path in folder.rglob("*")
        if path.is_file() and NAME.encode() in path.read_bytes()
    )


def named(world: World) -> list[tuple[str, str]]:
    with world.services.database.reading.connect() as connection:
        rows = connection.execute(
            select(AuditEvent.org, AuditEvent.person, AuditEvent.about).where(
                (AuditEvent.person == NAME) | (AuditEvent.about == NAME)
            )
        )
        return [(row.org, row.person or row.about) for row in rows]


def test_the_name_is_gone_from_rows_and_files_and_the_others_stay(
    scene: Scene, engine: str
) -> None:
    world = scene.world
    # The same name at another organisation is another person: that one goes there.
    assert ("police@hub.test", NAME) in named(world)
    assert (engine == "sqlite") == ("hub.db" in "".join(files_with_name(world.config.home)))
    erase(scene)
    world.services.erasures.erase_at_console(
        scene.police.org, NAME, reason="asked by letter", now=world.clock()
    )
    assert named(world) == []
    assert files_with_name(world.config.home) == []
    with world.services.database.reading.connect() as connection:
        assert connection.scalar(select(PersonRow.number).where(PersonRow.login == NAME)) is None
        kept = connection.scalars(select(AuditEvent.number).where(AuditEvent.person == OTHER)).all()
    assert len(kept) == 42, "41 of before and the erasure itself"


def test_log_receipts_and_proofs_hold_after_an_erasure(scene: Scene) -> None:
    world, auditor = scene.world, scene.actor(scene.bank)
    world.witness_round()
    receipt = scene.bank.get(f"/v1/bundles/{scene.bundle}/receipt", "wait=0").content
    wanted = parse_wanted({"person": NAME})
    row = world.services.trail.search(auditor, wanted, now=world.clock()).rows[0]
    proof = world.services.trail.proof(auditor, row.number, now=world.clock())
    erase(scene)
    world.witness_round()
    for shown in (receipt, proof):
        record = parse_record(parse_proof(shown).extra)
        assert verify_proof(shown, record.leaf(), scene.policy)
    again = world.services.trail.proof(auditor, row.number, now=world.clock())
    record = parse_record(parse_proof(again).extra)
    assert verify_proof(again, record.leaf(), scene.policy).index == row.number
    assert NAME not in record.opened().values()
    head = world.services.reader.head(LogName.AUDIT)
    assert head is not None
    entries = world.services.reader.entries(LogName.AUDIT, 0, head.size)
    with world.services.database.reading.connect() as connection:
        leaves = [read_event(connection, number).leaf() for number in range(head.size)]
    assert leaves == entries
    assert merkle_root([leaf_hash(leaf) for leaf in leaves]) == world.services.reader.root(
        LogName.AUDIT, head.size
    )
    _, pieces = world.services.trail.export(
        auditor, parse_wanted({}), Form.CSV, reason="review", now=world.clock()
    )
    assert verify_trail(b"".join(pieces), scene.policy)


def test_the_name_goes_from_searches_of_others_too(scene: Scene) -> None:
    """Whoever looked for the name, in vain, has written it into their own event."""
    wanted = parse_wanted({"seen": NAME})
    scene.world.services.trail.search(
        scene.actor(scene.police, person="mona"), wanted, now=scene.world.clock()
    )
    assert len([one for one in named(scene.world) if one[0] == scene.police.org]) == 2
    erase(scene)
    left = [one for one in named(scene.world) if one[0] == scene.police.org]
    assert left == [(scene.police.org, NAME)], "the other person of that name stays"


def test_an_erasure_is_an_event_that_names_the_ground_and_not_the_person(scene: Scene) -> None:
    before = len([one for one in named(scene.world) if one[0] == scene.bank.org])
    erase(scene)
    wanted = parse_wanted({"what": "person.erased"})
    [row] = scene.world.services.trail.search(
        scene.actor(scene.bank), wanted, now=scene.world.clock()
    ).rows
    assert row.fields["basis"] == "asked by letter"
    assert row.fields["detail"] == f"events={before} accounts=1"
    assert row.fields["person"] == OTHER
    assert NAME not in "".join(row.fields.values())


def test_an_older_copy_that_is_restored_is_held_to_the_list(
    scene: Scene, tmp_path: Path, engine: str
) -> None:
    """The copy has the name, the list does not; after the list is applied neither has it."""
    if engine != "sqlite":
        pytest.skip("copies of a server's database are made by the server's own tools")
    scrub(scene.world.services.database.writing, "people")
    copy = tmp_path / "restored" / "hub.db"
    copy.parent.mkdir()
    shutil.copy(scene.world.config.database_file, copy)
    erase(scene)
    assert NAME.encode() in copy.read_bytes()
    erasures = load_erasures(scene.world.config.erasures)
    assert NAME.encode() not in scene.world.config.erasures.read_bytes()
    database = open_database(copy)
    with database.writing.begin() as connection:
        assert apply_erasures(connection, erasures) == 1
    with database.writing.begin() as connection:
        assert apply_erasures(connection, erasures) == 0, "a second time changes nothing"
        left = connection.scalars(
            select(AuditEvent.org).where((AuditEvent.person == NAME) | (AuditEvent.about == NAME))
        ).all()
    assert left == [scene.police.org], "that of another organisation was not asked for"
    scrub(database.writing, "people")
    database.close()


def test_an_event_that_only_has_the_number_of_an_erased_one_is_left_alone(
    scene: Scene, tmp_path: Path
) -> None:
    erase(scene)
    [erasure] = load_erasures(scene.world.config.erasures)
    (tmp_path / "other").mkdir()
    other = World(tmp_path / "other")
    for _ in range(60):
        event = Event(what=EventClass.SIGN_IN_OK, org=scene.bank.org, person=OTHER)
        other.services.writer.run(
            lambda c, event=event: other.services.recorder.record(c, event, now=1)  # type: ignore[misc]
        )
    other.services.writer.run(lambda connection: apply_erasures(connection, [erasure]))
    with other.services.database.reading.connect() as connection:
        kept = connection.scalars(select(AuditEvent.number).where(AuditEvent.person == OTHER)).all()
    assert len(kept) == 60
    other.close()


def test_who_may_erase_whom(scene: Scene) -> None:
    erasures, now = scene.world.services.erasures, scene.world.clock()
    for role in (Role.AUDITOR, Role.ANALYST, Role.DESK):
        with pytest.raises(Refused):
            erasures.erase(scene.actor(scene.bank, role), NAME, reason="asked", now=now)
    with pytest.raises(AuthenticationNeeded):
        erasures.erase(None, NAME, reason="asked", now=now)
    stale = Actor(org=scene.bank.org, kind=scene.bank.kind, role=Role.ADMINISTRATOR, person=OTHER)
    with pytest.raises(AuthenticationNeeded) as caught:
        erasures.erase(stale, NAME, reason="asked", now=now)
    assert caught.value.code == "confirm_needed"
    before = named(scene.world)
    with pytest.raises(NotFound):
        erasures.erase(
            scene.actor(scene.police, Role.ADMINISTRATOR), OTHER, reason="asked", now=now
        )
    assert named(scene.world) == before


@pytest.mark.parametrize("reason", ["", "no", f"because {NAME} asked", "x" * 501])
def test_a_reason_is_needed_and_may_not_name_the_person(scene: Scene, reason: str) -> None:
    before = named(scene.world)
    with pytest.raises(Malformed) as caught:
        erase(scene, reason)
    assert caught.value.code == "reason_invalid"
    assert named(scene.world) == before


@pytest.mark.parametrize(
    "text",
    [
        b"x\n",
        b"{}\n",
        b'{"v":1',
        b'{"v":2,"number":1,"at":1,"org":"a@b.test","events":[],"accounts":[]}\n',
        b'{"v":1,"number":1,"at":1,"org":"a@b.test","events":[1],"accounts":[]}\n',
        (
            b'{"v":1,"number":1,"at":1,"org":"a@b.test","events":[{"number":1,'
            b'"tag":"0123456789abcdef","fields":["subject"]}],"accounts":[]}\n'
        ),
    ],
)
def test_a_list_that_is_damaged_is_refused(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "erasures.jsonl"
    file.write_bytes(text)
    with pytest.raises(Malformed):
        load_erasures(file)
