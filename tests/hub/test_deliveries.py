"""The stream of deliveries: the sealed bytes as they were, group by group, and nothing ended."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from sqlalchemy import select, update
from tests.hub.test_standing import signed
from tests.support.hub_world import NOW, Desk, World

from accord.hub.access import Actor, Role
from accord.hub.audit import EventClass
from accord.hub.audit.tables import AuditEvent
from accord.hub.bundles import Delivery, deliveries
from accord.hub.bundles.tables import EntryRow
from accord.hub.feed import Cursor
from accord.hub.web.api_feed import BLOCK, _blocks
from accord.kernel.bundle.framing import parse_bundle, parse_trimmed, trim
from accord.kernel.directory.statements import Op
from accord.kernel.errors import Unavailable
from accord.kernel.markings import OrgKind

DAY = 86_400


def actor(desk: Desk) -> Actor:
    return Actor(org=desk.org, kind=desk.kind, role=Role.DESK, capabilities=frozenset())


def send(sender: Desk, *to: Desk, **changes: object) -> bytes:
    bundle_id, bundle = sender.seal(*to, **changes)
    assert sender.put_bundle(bundle, bundle_id).status_code == 202
    return bundle


def stream(world: World, desk: Desk, after: int = 0, limit: int = 1000) -> Iterator[Delivery]:
    cursor = Cursor(after=after, feed=world.services.feed._names.of(desk.org))
    return world.services.deliveries.after(actor(desk), cursor, limit=limit, clock=world.clock)


def whole(delivery: Delivery) -> bytes:
    raw = b"".join((delivery.front, *delivery.body))
    assert len(raw) == delivery.length
    return raw


def delivered(world: World) -> list[str]:
    with world.services.database.reading.connect() as connection:
        asked = select(AuditEvent.subject).where(
            AuditEvent.what == EventClass.BUNDLE_DELIVERED.value
        )
        return list(connection.scalars(asked.order_by(AuditEvent.number)))


@pytest.fixture
def three(world: World) -> list[Desk]:
    return [world.enrol(f"force-{n}", OrgKind.LAW_ENFORCEMENT) for n in range(3)]


def test_each_gets_its_own_trimmed_bytes_also_over_groups_and_from_files(
    world: World, bank: Desk, three: list[Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "GROUP", 2)
    large = [f"http://h-{secrets.token_hex(28)}.example.net/{n}" for n in range(12_000)]
    to = [[three[0]], three, list(reversed(three)), three[1:], three]
    sent = [send(bank, *some) for some in to] + [send(bank, *three, values=large)]
    for desk in three:
        expected = []
        for raw in sent:
            sealed = parse_bundle(raw)
            places = [n for n, entry in enumerate(sealed.entries) if entry.org == desk.org]
            expected += [trim(sealed, place) for place in places]
        got = [(one.seq, whole(one)) for one in stream(world, desk)]
        assert [raw for _, raw in got] == expected
        assert [raw for _, raw in desk.deliveries()] == expected
        again = stream(world, desk, after=got[1][0])
        assert [(one.seq, whole(one)) for one in again] == got[2:], "resumes behind"
        one = parse_trimmed(expected[-1]).header.id
        assert desk.get(f"/v1/bundles/{one}").content == expected[-1]


def test_a_first_delivery_is_recorded_once_and_with_its_group(
    world: World, bank: Desk, police: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "GROUP", 2)
    ids = [parse_bundle(send(bank, police)).header.id for _ in range(5)]
    found = stream(world, police)
    assert delivered(world) == ids[:2], "the first group, before its first byte"
    next(found), next(found)
    assert delivered(world) == ids[:2], "a stream that ends here has delivered no more"
    next(found)
    assert delivered(world) == ids[:4]
    assert len(list(stream(world, police))) == 5
    assert delivered(world) == ids


def test_what_ends_while_a_stream_goes_is_left_out(
    world: World, bank: Desk, police: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "GROUP", 1)
    raws = [send(bank, police, expires=NOW + DAY * (1 if n == 1 else 2)) for n in range(4)]
    found = stream(world, police)
    assert whole(next(found)) == trim(parse_bundle(raws[0]), 0)
    world.clock.now = NOW + DAY
    world.services.retention.expire(now=world.clock())
    assert world.services.retention.erase(now=world.clock()) == 1
    withheld = parse_bundle(raws[2]).header.id
    with world.services.database.writing.begin() as connection:
        connection.execute(update(EntryRow).where(EntryRow.bundle == 3).values(withheld=NOW))
    assert [whole(one) for one in found] == [trim(parse_bundle(raws[3]), 0)]
    assert withheld not in delivered(world), "what did not go is not said to have gone"


def test_a_writer_that_is_full_ends_the_stream_and_the_rest_comes_with_the_next(
    world: World, bank: Desk, police: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "GROUP", 1)
    raws = [send(bank, police) for _ in range(2)]
    found = stream(world, police)
    first = next(found)
    full = Unavailable("writer_busy", "Full.", retry_after=1)

    def refuse(*_: object, **__: object) -> None:
        raise full

    with monkeypatch.context() as patch:
        patch.setattr(world.services.deliveries._writer, "run", refuse)
        with pytest.raises(Unavailable):
            next(found)
        with pytest.raises(Unavailable):
            stream(world, police, after=first.seq)
    (rest,) = stream(world, police, after=first.seq)
    assert whole(rest) == trim(parse_bundle(raws[1]), 0)


def test_a_group_is_recorded_with_the_time_at_which_it_is_given_out(
    world: World, bank: Desk, police: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "GROUP", 1)
    for _ in range(2):
        send(bank, police)
    found = stream(world, police)
    next(found)
    world.clock.now = NOW + 3600
    next(found)
    with world.services.database.reading.connect() as connection:
        times = list(connection.scalars(select(EntryRow.delivered).order_by(EntryRow.bundle)))
    assert times == [NOW, NOW + 3600], "a reader that stalls cannot have had it earlier"


def test_who_is_suspended_meanwhile_gets_no_further_group(
    world: World, bank: Desk, police: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "GROUP", 1)
    ids = [parse_bundle(send(bank, police)).header.id for _ in range(2)]
    found = stream(world, police)
    next(found)
    statements = world.services.statements
    draft = statements.draft(police.org, Op.SUSPEND, now=world.clock())
    statements.countersigned(signed(draft, world.registrar), now=world.clock())
    world.services.directory.refresh()
    assert list(found) == []
    assert delivered(world) == ids[:1]


def test_an_organisation_holds_a_few_streams_and_all_of_them_a_share_of_the_threads(
    world: World, bank: Desk, three: list[Desk], police: Desk
) -> None:
    send(bank, police, *three)
    with ExitStack() as held:
        for _ in range(deliveries.PLACES_EACH):
            held.enter_context(world.services.deliveries.place(actor(police)))
        answer = police.get("/v1/deliveries", "after=0&limit=1")
        assert (answer.status_code, answer.json()["code"]) == (429, "streams_busy")
        assert answer.headers["Retry-After"]
        assert three[0].get("/v1/deliveries", "after=0&limit=1").status_code == 200
    for _ in range(2 * deliveries.PLACES_EACH):
        assert police.get("/v1/deliveries", "after=0&limit=1").status_code == 200, "given back"
        assert police.get("/v1/deliveries", "after=99&feed=wrong").status_code >= 400
    with ExitStack() as held:
        taken = 0
        for desk in (*three, police, bank) * deliveries.PLACES_EACH:
            with suppress(Unavailable):
                held.enter_context(world.services.deliveries.place(actor(desk)))
                taken += 1
        assert taken == world.config.threads // 4
    assert not world.services.deliveries._open


def test_the_stream_goes_out_in_large_blocks_whose_bytes_are_those_of_the_parts() -> None:
    parts = [
        Delivery(seq=n, front=b"f" * n, body=[b"b" * size], length=n + size)
        for n, size in enumerate((1, BLOCK - 1, 0, 3 * BLOCK, 7))
    ]
    blocks = list(_blocks(parts))
    expected = b"".join(
        one.seq.to_bytes(8, "big") + one.length.to_bytes(8, "big") + whole(one) for one in parts
    )
    assert b"".join(blocks) == expected
    assert all(len(block) >= BLOCK for block in blocks[:-1])
    assert list(_blocks([])) == [b""]
