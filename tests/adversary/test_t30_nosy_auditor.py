"""T30: a reader of the trail looks further than they may, unseen, or shows others a false extract."""

import pytest
from tests.support.hub_world import Desk, World

from accord.hub.access import Actor, Role
from accord.hub.audit import Event, EventClass
from accord.hub.trail import Wanted, parse_wanted
from accord.kernel.directory.rootfile import LogName
from accord.kernel.errors import AccordError, NotFound, Refused
from accord.kernel.markings import OrgKind
from accord.kernel.tlog.trailfile import Form, verify_trail

SECRET = "zerubabel.q"


@pytest.fixture(scope="module")
def operator(world: World, mallory: Desk) -> Actor:
    """The operator's own auditor; before, something happened at Mallory's organisation."""
    event = Event(
        what=EventClass.ROLE_CHANGED, org=mallory.org, person=SECRET, about=SECRET, basis="secret"
    )
    world.services.writer.run(lambda c: world.services.recorder.record(c, event, now=world.clock()))
    desk = world.enrol("operator", OrgKind.OPERATOR)
    return auditor(desk)


def auditor(desk: Desk, role: Role = Role.AUDITOR) -> Actor:
    return Actor(org=desk.org, kind=desk.kind, role=role, person="nosy", fresh=True)


def everything(world: World, actor: Actor) -> str:
    """Whatever the actor can get out of the trail, in all forms, as one text."""
    trail, now = world.services.trail, world.clock()
    pages = [
        trail.search(actor, parse_wanted(parts), limit=200, now=now).rows
        for parts in ({}, {"what": "role.changed"}, {"outcome": "ok"})
    ]
    files = [
        b"".join(trail.export(actor, Wanted(), form, reason="nosy", now=now)[1]) for form in Form
    ]
    shown = [" ".join(row.fields.values()) for rows in pages for row in rows]
    return " ".join(shown) + b"".join(files).decode()


def test_the_operator_and_other_members_read_neither_name_nor_event_of_others(
    world: World, operator: Actor, mallory: Desk
) -> None:
    other = world.enrol("third-bank", OrgKind.FINANCIAL)
    wanted = parse_wanted({"what": "role.changed"})
    (row,) = world.services.trail.search(auditor(mallory), wanted, now=world.clock()).rows
    number = row.number
    for actor in (operator, auditor(other), auditor(other, Role.ADMINISTRATOR)):
        told = everything(world, actor)
        assert SECRET not in told
        assert str(mallory.org) not in told
        with pytest.raises(NotFound):
            world.services.trail.proof(actor, number, now=world.clock())


def test_oversight_reads_every_event_and_no_name(world: World, mallory: Desk) -> None:
    world.witness_round()
    watch = world.enrol("ombudsman", OrgKind.OVERSIGHT)
    world.witness_round()
    told = everything(world, auditor(watch))
    assert str(mallory.org) in told
    assert SECRET not in told
    analyst = auditor(watch, Role.ANALYST)
    with pytest.raises(Refused):
        world.services.trail.search(analyst, Wanted(), now=world.clock())


def test_whoever_looks_leaves_a_trace_that_others_see(world: World, operator: Actor) -> None:
    for ask in (
        lambda: world.services.trail.search(operator, Wanted(), now=world.clock()),
        lambda: world.services.trail.export(
            operator, Wanted(), Form.CSV, reason="nosy", now=world.clock()
        ),
    ):
        before = _size(world)
        ask()
        assert _size(world) == before + 1


def test_an_extract_that_was_touched_up_is_refused(world: World, mallory: Desk) -> None:
    world.witness_round()
    trail, policy = world.services.trail, world.root.log_policy(LogName.AUDIT)
    _, pieces = trail.export(
        auditor(mallory),
        parse_wanted({"what": "role.changed"}),
        Form.CSV,
        reason="show it",
        now=world.clock(),
    )
    data = b"".join(pieces)
    assert verify_trail(data, policy).lines
    head, _, rest = data.partition(b"\r\n")
    for forged in (
        head + b"\r\n" + rest.replace(SECRET.encode(), b"somebody", 1),
        head + b"\r\n" + rest.replace(b"secret", b"public", 1),
        head + b"\r\n" + rest + rest,
    ):
        with pytest.raises(AccordError):
            verify_trail(forged, policy)


def _size(world: World) -> int:
    head = world.services.reader.head(LogName.AUDIT)
    return head.size if head else 0


def test_a_name_of_others_finds_nothing_but_that_one_asked(world: World, operator: Actor) -> None:
    for name in ("person", "seen"):
        wanted = parse_wanted({name: SECRET})
        rows = world.services.trail.search(operator, wanted, now=world.clock()).rows
        assert {row.fields["what"] for row in rows} <= {"audit.searched"}
        assert {row.fields["org"] for row in rows} <= {operator.org}
