"""T28: a member answers, sights or closes what is not its business, or asks outside the charter."""

import dataclasses
from typing import Any

import pytest
from tests.desk.wire import DeskAt, plan
from tests.support.hub_world import Desk, World

from accord.desk.exchange.correspondence import read_arrival
from accord.desk.exchange.pull import read_deliveries
from accord.desk.storage.bundles import find_bundle
from accord.desk.storage.requests import answers_to, find_request
from accord.kernel.bundle.model import HandlingPolicy, parse_header
from accord.kernel.correspondence.request import AboutValue, Ask, Request
from accord.kernel.correspondence.response import Outcome, Response, format_response
from accord.kernel.errors import Refused
from accord.kernel.identifiers import BundleId
from accord.kernel.indicators import Basis, Kind, normalise, record_of
from accord.kernel.markings import BundleKind, LegalBasis, Onward, OrgKind, Purpose, Tlp
from accord.protocol import paths

DONE = format_response(Response(outcome=Outcome.DONE, text="It is done."))
POLICY = HandlingPolicy(
    tlp=Tlp.AMBER,
    purpose=Purpose.INVESTIGATION,
    legal_basis=LegalBasis.LEGAL_OBLIGATION,
    onward=Onward.NONE,
)


@pytest.fixture(scope="module")
def asked(world: World, bank: DeskAt, police: DeskAt) -> BundleId:
    request = Request(
        ask=Ask.FREEZE,
        about=(AboutValue(kind=Kind.DOMAIN, network=None, value="sought.test"),),
        basis="Order 1",
        deadline=world.clock() + 86_400,
        contact="duty desk",
    )
    with police.open() as desk:
        made = desk.correspondence.plan_request(request, [bank.org], POLICY)
        return desk.correspondence.ask(request, made).id


class Addressee:
    """A real desk as a simulated one seals to it."""

    def __init__(self, at: DeskAt) -> None:
        """Know its name and key."""
        self.org = at.org
        self.kem = at.keyring.kem[0]


def put(desk: Desk, kind: BundleKind, to: DeskAt, *refs: BundleId, line: bytes = DONE) -> str:
    reader: Any = Addressee(to)
    name, sealed = desk.seal(reader, kind=kind, refs=refs, lines=[line], policy=POLICY)
    found = desk.put_bundle(sealed, name).json()
    return str(found.get("code") or found["state"])


def test_an_answer_by_a_member_that_was_not_asked_reaches_nobody(
    world: World, mallory: Desk, police: DeskAt, asked: BundleId
) -> None:
    assert put(mallory, BundleKind.RESPONSE, police, asked) == "response_not_asked"
    # And past a hub that plays along, the desk of whoever asked keeps it aside by itself.
    with police.open() as desk:
        stored = find_bundle(desk.vault, asked)
        header = dataclasses.replace(
            parse_header(stored.header), kind=BundleKind.RESPONSE, org=mallory.org, refs=(asked,)
        )
        with pytest.raises(Refused, match="response_not_asked"):
            read_arrival(desk.vault, header, [DONE], own=desk.org, now=world.clock())
        desk.rounds.once()
        assert answers_to(desk.vault, find_request(desk.vault, asked)) == []


def test_a_sighting_by_a_member_that_never_got_the_bundle(
    world: World, mallory: Desk, bank: DeskAt, police: DeskAt
) -> None:
    record = record_of(normalise("seen.test"), confidence=80, basis=Basis.OBSERVED)
    with bank.open() as desk:
        sent = desk.submissions.send(plan(world, police.org, source=None), [record])
    line = b'{"record":0,"saw":"false-positive","count":"0","period":"day"}'
    bundle = sent.bundles[0].id
    assert put(mallory, BundleKind.SIGHTING, bank, bundle, line=line) == "sighting_not_received"


def test_a_request_that_the_charter_does_not_know(mallory: Desk, bank: DeskAt) -> None:
    for kind in (BundleKind.REQUEST, BundleKind.NOTICE, BundleKind.LIST):
        assert put(mallory, kind, bank) == "charter_kind"


def test_a_closing_of_another_members_request(world: World, bank: DeskAt, asked: BundleId) -> None:
    rival = world.enrol("rival-police", OrgKind.LAW_ENFORCEMENT)
    assert put(rival, BundleKind.REQUEST, bank, asked, line=b'{"close":"settled"}') == "stored"
    with bank.open() as desk:
        report = desk.rounds.once()
        assert [code for _, code in report.refused] == ["request_other_sender"]
        assert find_request(desk.vault, asked).closed is None


def test_a_request_delivered_twice_is_one_request(bank: DeskAt, asked: BundleId) -> None:
    with bank.open() as desk:
        received = [desk.pull.receive(1_000_000 + n, raw) for n, raw in delivered(bank)]
        assert {one.state.value for one in received if one.kind == "request"} <= {
            "repeated",
            "refused",
        }
        assert find_request(desk.vault, asked).closed is None


def delivered(at: DeskAt) -> list[tuple[int, bytes]]:
    with at.open() as desk, desk.client.stream(paths.DELIVERIES, "after=0&limit=100") as pieces:
        return list(read_deliveries(pieces))
