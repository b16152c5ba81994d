"""Numbers of events are gap-free for each organisation, whatever becomes of the acts around them."""

import threading

import pytest
from sqlalchemy import Connection, select
from tests.support.hub_world import NOW, World

from accord.hub.audit import Event, EventClass, read_event
from accord.hub.audit.tables import AuditEvent, AuditOrg, AuditSequence
from accord.hub.transparency import LogName
from accord.kernel.errors import Malformed, Refused
from accord.kernel.identifiers import OrgId
from accord.kernel.tlog.heads import OwnEvent, extend_head, start_of

ORG = OrgId("some-bank@hub.test")


def record(world: World, connection: Connection, *, fail: bool = False) -> int:
    event = Event(what=EventClass.BUNDLE_REFUSED, org=ORG, concerns=(ORG,))
    number = world.services.recorder.record(connection, event, now=NOW)
    if fail:
        raise Refused("planned", "This act fails after it recorded its event.")
    return number


def numbers(world: World) -> list[tuple[int, int]]:
    with world.services.database.reading.connect() as connection:
        rows = connection.execute(
            select(AuditOrg.seq, AuditOrg.number).where(AuditOrg.org == ORG).order_by(AuditOrg.seq)
        )
        return [(row.seq, row.number) for row in rows]


def test_an_act_that_fails_leaves_neither_event_nor_number(world: World) -> None:
    run = world.services.writer.run
    first = run(lambda connection: record(world, connection))
    with pytest.raises(Refused):
        run(lambda connection: record(world, connection, fail=True))
    second = run(lambda connection: record(world, connection))
    assert numbers(world) == [(1, first), (2, second)]
    assert second == first + 1


def test_acts_that_share_a_commit_stay_apart(world: World) -> None:
    """Failing and succeeding acts in one transaction: only what succeeded is there, gap-free."""
    failures: list[bool] = []

    def one(place: int) -> None:
        try:
            world.services.writer.run(lambda c: record(world, c, fail=place % 3 == 0))
        except Refused:
            failures.append(True)

    threads = [threading.Thread(target=one, args=(place,)) for place in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = numbers(world)
    assert len(failures) == 20
    assert [seq for seq, _ in found] == list(range(1, 41))
    assert len({number for _, number in found}) == 40
    head = world.services.reader.head(LogName.AUDIT)
    with world.services.database.reading.connect() as connection:
        events = connection.scalars(select(AuditEvent.number).order_by(AuditEvent.number)).all()
    assert head is not None
    assert list(events) == list(range(head.size))


def test_the_chain_of_an_organisation_is_in_its_events_and_in_its_row(world: World) -> None:
    for _ in range(3):
        world.services.writer.run(lambda connection: record(world, connection))
    with world.services.database.reading.connect() as connection:
        events = [
            OwnEvent(number=number, record=read_event(connection, number))
            for _, number in numbers(world)
        ]
        stored = connection.execute(select(AuditSequence).where(AuditSequence.org == ORG)).one()
    head = extend_head(start_of(ORG), events)
    assert (head.seq, head.chain) == (stored.last, stored.chain)


def test_who_acts_gets_a_number_without_being_named_twice(world: World) -> None:
    event = Event(what=EventClass.SIGN_IN_OK, org=ORG, concerns=(ORG, ORG))
    number = world.services.writer.run(
        lambda connection: world.services.recorder.record(connection, event, now=NOW)
    )
    assert numbers(world)[-1][1] == number
    assert len(numbers(world)) == 1


def test_a_field_that_is_too_long_refuses_the_act_and_cuts_nothing(world: World) -> None:
    event = Event(what=EventClass.SIGN_IN_OK, org=ORG, basis="x" * 65_536)
    with pytest.raises(Malformed) as caught:
        world.services.writer.run(
            lambda connection: world.services.recorder.record(connection, event, now=NOW)
        )
    assert caught.value.code == "opening_invalid"
    assert numbers(world) == []
