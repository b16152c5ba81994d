"""T6: the hub invents a delivery. The sender counts only what the recipient itself has signed."""

from collections.abc import Sequence

import pytest
from tests.desk.conftest import records_of
from tests.desk.wire import DeskAt, plan
from tests.support.hub_world import BTC, Desk, World
from tests.support.lies import answering, lying

from accord.desk.exchange.confirmations import Standing, collect, confirmations
from accord.desk.storage.bundles import sent_manifest
from accord.kernel.encoding import b64encode
from accord.kernel.identifiers import BundleId, OrgId
from accord.kernel.keys import SigningKeyPair
from accord.kernel.statements.acknowledgement import (
    Acknowledgement,
    Item,
    Outcome,
    sign_acknowledgement,
)


@pytest.fixture(scope="module")
def sent(world: World, bank: DeskAt, police: DeskAt) -> BundleId:
    with bank.open() as desk:
        report = desk.submissions.send(plan(world, police.org), records_of([BTC]))
        return report.bundles[0].id


def said(org: OrgId, bundle: BundleId, manifest: bytes, signer: SigningKeyPair, now: int) -> bytes:
    item = Item(bundle=bundle, manifest=manifest, state=Outcome.OPENED, time=now)
    return sign_acknowledgement(Acknowledgement(org=org, created=now, items=(item,)), signer)


def page(*statements: tuple[OrgId, bytes]) -> bytes:
    items: Sequence[str] = [
        f'{{"seq":{at},"org":"{org}","statement":"{b64encode(raw)}"}}'
        for at, (org, raw) in enumerate(statements, start=1)
    ]
    return f'{{"items":[{",".join(items)}],"next":1,"more":false}}'.encode()


def test_none_of_the_hubs_inventions_counts(
    world: World, bank: DeskAt, police: DeskAt, mallory: Desk, sent: BundleId
) -> None:
    now = world.clock()
    with bank.open() as desk:
        manifest = sent_manifest(desk.vault, sent)
        assert manifest is not None
        invented = {
            "by a key of the hub's own": (
                police.org,
                said(police.org, sent, manifest, SigningKeyPair.generate(), now),
            ),
            "by another member in its place": (
                police.org,
                said(police.org, sent, manifest, mallory.sig, now),
            ),
            "of a member who is no recipient": (
                mallory.org,
                said(mallory.org, sent, manifest, mallory.sig, now),
            ),
            "of such a one, handed on under the recipient's name": (
                police.org,
                said(mallory.org, sent, manifest, mallory.sig, now),
            ),
            "of the recipient, about another bundle's bytes": (
                police.org,
                said(police.org, sent, bytes(32), police.keyring.signing, now),
            ),
            "no statement at all": (police.org, b"{}"),
        }
        for name, one in invented.items():
            with lying(bank, answering("/v1/acknowledgements", page(one))):
                kept, _ = collect(desk.vault, desk.client, desk.mirror)
            assert kept == 0, name
            (standing,) = confirmations(desk.vault, sent, now=now)
            assert standing.standing is Standing.PENDING, name


def test_the_recipients_own_word_counts(
    world: World, bank: DeskAt, police: DeskAt, sent: BundleId
) -> None:
    with bank.open() as desk:
        manifest = sent_manifest(desk.vault, sent) or b""
        true = said(police.org, sent, manifest, police.keyring.signing, world.clock())
        with lying(bank, answering("/v1/acknowledgements", page((police.org, true)))):
            assert collect(desk.vault, desk.client, desk.mirror)[0] == 1
        (standing,) = confirmations(desk.vault, sent, now=world.clock())
        assert standing.standing is Standing.CONFIRMED


def test_the_hub_takes_no_acknowledgement_of_what_one_did_not_get(
    world: World, mallory: Desk, police: DeskAt, bank: DeskAt, sent: BundleId
) -> None:
    with bank.open() as desk:
        manifest = sent_manifest(desk.vault, sent) or b""
    path, kind = "/v1/acknowledgements", "application/vnd.accord.statement+json"
    now = world.clock()
    own = said(mallory.org, sent, manifest, mallory.sig, now)
    assert mallory.send("POST", path, own, kind).status_code == 404
    foreign = said(police.org, sent, manifest, police.keyring.signing, now)
    assert mallory.send("POST", path, foreign, kind).json()["code"] == "acknowledger_other"
