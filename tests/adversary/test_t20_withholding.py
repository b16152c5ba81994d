"""T20: the hub holds back, delays or repeats. It shows: the sender sees who has not confirmed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.desk.conftest import records_of
from tests.desk.wire import Change, DeskAt, plan
from tests.support.hub_world import BTC, World
from tests.support.lies import answering, lying

from accord.desk.exchange.confirmations import Standing, collect, confirmations
from accord.desk.exchange.own_events import check_own_events
from accord.desk.exchange.receipts import verify_receipt
from accord.desk.storage.outbox import outbox_row
from accord.desk.storage.own_events import own_head
from accord.kernel.directory.rootfile import LogName
from accord.kernel.encoding import b64encode
from accord.kernel.errors import AccordError, VerificationFailed
from accord.kernel.identifiers import BundleId
from accord.kernel.markings import OrgKind
from accord.kernel.tlog.heads import verify_head
from accord.protocol.schemas.feed import FeedPage


def send(world: World, bank: DeskAt, police: DeskAt, source: bytes) -> BundleId:
    with bank.open() as desk:
        report = desk.submissions.send(
            plan(world, police.org, source=source * 32), records_of([BTC])
        )
        assert report.complete
        return report.bundles[0].id


def number(world: World, bank: DeskAt, bundle: BundleId) -> int:
    """Return our own gap-free number of the acceptance, from its receipt."""
    with bank.open() as desk:
        row = outbox_row(desk.vault, bundle)
        assert row is not None
        found = verify_receipt(
            row.receipt or b"",
            policy=world.root.log_policy(LogName.AUDIT),
            org=bank.org,
            bundle=bundle,
            digest=row.digest,
        )
        assert found.number is not None
        return found.number


def test_a_bundle_that_was_held_back_stays_pending_and_becomes_overdue(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    sent = send(world, bank, police, b"a")
    with police.open() as desk, lying(police, answering("/v1/deliveries", b"")):
        assert desk.pull.pull(retention_days=30).bundles == 0
    with bank.open() as desk:
        collect(desk.vault, desk.client, desk.mirror)
        now = world.clock()
        (early,) = confirmations(desk.vault, sent, now=now, deadline=now + 60)
        (late,) = confirmations(desk.vault, sent, now=now + 61, deadline=now + 60)
    assert (early.standing, late.standing) == (Standing.PENDING, Standing.OVERDUE)


def test_an_acknowledgement_that_was_held_back_is_asked_for_again(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    sent = send(world, bank, police, b"b")
    with police.open() as desk:
        desk.pull.pull(retention_days=30)
    empty = b'{"items":[],"next":0,"more":false}'
    with bank.open() as desk:
        with lying(bank, answering("/v1/acknowledgements", empty)):
            assert collect(desk.vault, desk.client, desk.mirror) == (0, 0)
        assert collect(desk.vault, desk.client, desk.mirror)[0] > 0
        (said,) = confirmations(desk.vault, sent, now=world.clock())
    assert said.standing is Standing.CONFIRMED


def test_an_acceptance_that_was_left_out_of_the_senders_numbers_shows(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    """Receipts carry the organisation's own gap-free number; between two sendings nothing fits."""
    first, second = (number(world, bank, send(world, bank, police, one)) for one in (b"c", b"d"))
    assert second == first + 1


@pytest.mark.parametrize("receipt", [b"", b"c2sp.org/tlog-proof@v1\n", b"x" * 100])
def test_no_receipt_means_not_done(
    world: World, bank: DeskAt, police: DeskAt, receipt: bytes
) -> None:
    source = bytes([len(receipt)]) * 32
    lie = lying(bank, answering("/receipt", receipt))
    with bank.open() as desk, lie, pytest.raises(AccordError):
        desk.submissions.send(plan(world, police.org, source=source), records_of([BTC]))
    with bank.open() as desk:
        (part,) = desk.submissions.flush()
        assert part.state == "receipted"
    assert Path(bank.home).exists()


def check(bank: DeskAt) -> int:
    with bank.open() as desk:
        return check_own_events(
            desk.vault, desk.client, desk.mirror, org=bank.org, clock=bank.world.clock
        )


def events_changed(change: Callable[[list[Any]], list[Any]]) -> Change:
    """Let the hub show other events than it has."""

    def content(data: bytes) -> bytes:
        page = json.loads(data)
        page["items"] = change(page["items"])
        return json.dumps(page).encode()

    return answering("/v1/events", content)


LIES: dict[str, Callable[[list[Any]], list[Any]]] = {
    "leaves out the first": lambda items: items[1:],
    "leaves out one in the middle": lambda items: items[:1] + items[2:],
    "shows one twice": lambda items: [items[0], *items],
    "shows two in another order": lambda items: [items[1], items[0], *items[2:]],
    "moves one in the log": lambda items: [
        items[0] | {"number": items[0]["number"] + 1},
        *items[1:],
    ],
    "shows another's content": lambda items: [
        items[0] | {"record": items[1]["record"]},
        *items[1:],
    ],
    "gives a path that leads nowhere": lambda items: [items[0] | {"path": []}, *items[1:]],
}


@pytest.mark.parametrize("lie", list(LIES))
def test_an_event_of_ours_that_the_hub_leaves_out_or_moves_is_noticed(
    world: World, bank: DeskAt, police: DeskAt, lie: str
) -> None:
    for part in (b"1", b"2", b"3"):
        send(world, bank, police, lie.encode() + part)
    world.witness_round()
    with lying(bank, events_changed(LIES[lie])), pytest.raises(VerificationFailed):
        check(bank)
    assert check(bank) > 1, "the truth is taken in afterwards"


def test_a_hub_that_shows_a_shorter_trail_than_before_is_noticed(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    world.witness_round()
    early = world.services.reader.cosigned(LogName.AUDIT)
    assert early is not None
    send(world, bank, police, b"shorter")
    world.witness_round()
    check(bank)

    def older(data: bytes) -> bytes:
        return json.dumps(json.loads(data) | {"checkpoint": b64encode(early.note)}).encode()

    with lying(bank, answering("/v1/events", older)), pytest.raises(VerificationFailed) as caught:
        check(bank)
    assert caught.value.code == "log_shrunk"


def test_a_hub_that_hides_its_newest_events_is_noticed_by_what_it_said_before(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    check(bank)
    send(world, bank, police, b"hidden")
    world.witness_round()
    hiding = lying(bank, events_changed(lambda _items: []))
    with hiding, pytest.raises(VerificationFailed) as caught:
        check(bank)
    assert caught.value.code == "event_missing"


def test_a_delivery_that_the_hub_never_logged_is_noticed(tmp_path: Path) -> None:
    """A hub that runs other code: it gives the bundle out and writes nothing down."""
    world = World(tmp_path)
    bank = DeskAt(world, tmp_path / "bank", "first-bank", OrgKind.FINANCIAL, "NL")
    police = DeskAt(world, tmp_path / "police", "police", OrgKind.LAW_ENFORCEMENT, "DE")
    send(world, bank, police, b"quiet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.services.deliveries, "_record", lambda *_: None)
        with police.open() as desk:
            assert desk.pull.pull(retention_days=30).bundles == 1
    world.witness_round()
    assert check(police) > 0, "the witnesses' time must first be past"
    world.clock.now += 3600
    send(world, bank, police, b"later")
    world.witness_round()
    with pytest.raises(VerificationFailed) as caught:
        check(police)
    assert caught.value.code == "event_missing"
    world.close()


def test_a_signed_head_in_the_feed_is_the_chain_that_the_desk_has(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    check(bank)
    send(world, bank, police, b"head")
    world.witness_round()
    policy = world.root.log_policy(LogName.AUDIT)
    with bank.open() as desk:
        known = own_head(desk.vault, bank.org)
        query = f"after=0&limit=1&wait=0&head={known.seq}"
        page = desk.client.get_json("/v1/feed", FeedPage, query, signed=True)
        head = verify_head(page["head"], bank.org, policy)
        with pytest.raises(VerificationFailed):
            verify_head(page["head"], police.org, policy)
    check(bank)
    with bank.open() as desk:
        assert own_head(desk.vault, bank.org) == head
        query = f"after=0&limit=1&wait=0&head={head.seq}"
        assert "head" not in desk.client.get_json("/v1/feed", FeedPage, query, signed=True)
