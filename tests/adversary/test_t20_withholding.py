"""T20: the hub holds back, delays or repeats. It shows: the sender sees who has not confirmed."""

from pathlib import Path

import pytest
from tests.desk.conftest import records_of
from tests.desk.wire import DeskAt, plan
from tests.support.hub_world import BTC, World
from tests.support.lies import answering, lying

from accord.desk.exchange.confirmations import Standing, collect, confirmations
from accord.desk.exchange.receipts import verify_receipt
from accord.desk.storage.outbox import outbox_row
from accord.kernel.directory.rootfile import LogName
from accord.kernel.errors import AccordError
from accord.kernel.identifiers import BundleId


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
