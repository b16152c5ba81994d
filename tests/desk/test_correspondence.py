"""Requests, answers and sightings between real desks over the real hub, honest and not."""

import dataclasses
from collections.abc import Iterator

import pytest
from tests.desk.wire import DeskAt, plan
from tests.support.hub_world import BTC, World

from accord.desk.app import Desk
from accord.desk.exchange.correspondence import read_arrival
from accord.desk.exchange.pull import Received
from accord.desk.exchange.routing import contacts, resolve
from accord.desk.exchange.standing import Next, RequestView, State, requests_now, view_of
from accord.desk.indicators import search
from accord.desk.storage import Way
from accord.desk.storage.bundles import find_bundle, list_bundles, quarantined_of
from accord.desk.storage.outbox import HELD, OutboxState, outbox_row
from accord.desk.storage.requests import answers_to, find_request, sightings_of
from accord.kernel.bundle.model import Header, parse_header
from accord.kernel.correspondence.request import (
    About,
    AboutRecords,
    AboutValue,
    Ask,
    Close,
    Closing,
    Request,
)
from accord.kernel.correspondence.response import DeclineReason, Outcome, Response, format_response
from accord.kernel.correspondence.sighting import (
    Count,
    Period,
    Saw,
    Sighting,
    format_sighting,
)
from accord.kernel.envelope.payload import PayloadHead
from accord.kernel.errors import AccordError, Malformed, NotFound, Refused
from accord.kernel.identifiers import BundleId
from accord.kernel.indicators import Basis, Kind, Network, normalise, record_of
from accord.kernel.markings import BundleKind, OrgKind

DAY = 86_400
VALUE = AboutValue(kind=Kind.WALLET, network=Network.BTC, value=BTC)
SEEN = Sighting(record=0, saw=Saw.SEEN, count=Count.FEW, period=Period.MONTH)


@dataclasses.dataclass
class Town:
    """One hub with a bank, another bank and two police desks in different countries."""

    world: World
    bank: DeskAt
    other: DeskAt
    police: DeskAt
    abroad: DeskAt


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    world = World(folder)
    homes = iter(folder / name for name in ("bank", "other", "police", "abroad"))
    yield Town(
        world=world,
        bank=DeskAt(world, next(homes), "bank", OrgKind.FINANCIAL, "NL"),
        other=DeskAt(world, next(homes), "other", OrgKind.FINANCIAL, "DE"),
        police=DeskAt(world, next(homes), "police", OrgKind.LAW_ENFORCEMENT, "NL"),
        abroad=DeskAt(world, next(homes), "abroad", OrgKind.LAW_ENFORCEMENT, "DE"),
    )
    world.close()


def wish(world: World, *about: About, ask: Ask = Ask.FREEZE, days: int = 2) -> Request:
    return Request(
        ask=ask,
        about=about or (VALUE,),
        basis="Order 12/2026",
        deadline=world.clock() + days * DAY,
        contact="duty desk",
    )


def ask(desk: Desk, request: Request, *to: DeskAt) -> BundleId:
    made = desk.correspondence.plan_request(
        request, [one.org for one in to], desk.correspondence.policy()
    )
    sent = desk.correspondence.ask(request, made)
    assert sent.state is OutboxState.RECEIPTED, sent
    return sent.id


def pull(at: DeskAt) -> list[Received]:
    seen: list[Received] = []
    with at.open() as desk:
        desk.rounds.once(on_received=seen.append)
    return seen


def view(at: DeskAt, request: BundleId) -> RequestView:
    with at.open() as desk:
        return view_of(desk.vault, find_request(desk.vault, request), at.org, now=at.world.clock())


def answer(at: DeskAt, request: BundleId, response: Response, *values: str) -> BundleId:
    with at.open() as desk:
        records = [
            record_of(normalise(value), confidence=90, basis=Basis.OBSERVED) for value in values
        ]
        row = find_request(desk.vault, request)
        return desk.correspondence.answer(row, response, records).id


def test_a_request_goes_through_all_its_states(town: Town) -> None:
    with town.police.open() as desk:
        request = ask(desk, wish(town.world), town.bank)
    first = view(town.police, request)
    assert (first.state, first.next, first.step) == (State.SENT, Next.THEM, "wait")

    pull(town.bank)
    here = view(town.bank, request)
    assert (here.state, here.next, here.step) == (State.RECEIVED, Next.YOU, "acknowledge")
    assert here.said == wish(town.world)
    pull(town.police)
    assert view(town.police, request).state is State.RECEIVED

    answer(town.bank, request, Response(outcome=Outcome.ACKNOWLEDGED))
    assert view(town.bank, request).step == "answer"
    pull(town.police)
    assert view(town.police, request).state is State.ACKNOWLEDGED

    town.world.clock.now += 60
    answer(town.bank, request, Response(outcome=Outcome.DONE, text="Frozen."), "frozen.test")
    assert view(town.bank, request).next is Next.THEM
    pull(town.police)
    after = view(town.police, request)
    assert (after.state, after.next, after.step) == (State.ANSWERED, Next.YOU, "close")
    assert after.parties[0].outcome == "done"

    with town.police.open() as desk:
        found = search(
            desk.vault, ["frozen.test"], person="x", reason="case", now=town.world.clock()
        )
        assert [hit.org for hit in found.results[0].hits] == [town.bank.org]
        row = find_request(desk.vault, request)
        desk.correspondence.close(row, Closing(close=Close.SETTLED))
    pull(town.bank)
    for at in (town.police, town.bank):
        last = view(at, request)
        assert (last.state, last.next, last.row.close) == (State.CLOSED, Next.NOBODY, "settled")
    with town.bank.open() as desk, pytest.raises(Refused, match="request_closed"):
        desk.correspondence.answer(
            find_request(desk.vault, request), Response(outcome=Outcome.DONE)
        )


def test_several_are_asked_and_each_has_a_state_of_its_own(town: Town) -> None:
    with town.police.open() as desk:
        request = ask(desk, wish(town.world), town.bank, town.other)
    pull(town.bank)
    declined = Response(outcome=Outcome.DECLINED, reason=DeclineReason.NEEDS_ORDER)
    answer(town.bank, request, declined)
    pull(town.police)
    here = view(town.police, request)
    assert {party.org: party.state for party in here.parties} == {
        town.bank.org: State.DECLINED,
        town.other.org: State.SENT,
    }
    assert here.state is State.SENT
    pull(town.other)
    answer(town.other, request, Response(outcome=Outcome.NOTHING_HELD))
    pull(town.police)
    assert view(town.police, request).state is State.ANSWERED


def test_a_deadline_becomes_due_then_overdue_and_turns_who_acts(town: Town) -> None:
    with town.police.open() as desk:
        request = ask(desk, wish(town.world), town.bank)
    pull(town.bank)
    start = town.world.clock.now
    try:
        assert not view(town.police, request).due
        town.world.clock.now = start + DAY + 1
        assert view(town.bank, request).due
        town.world.clock.now = start + 2 * DAY + 1
        late = view(town.police, request)
        assert (late.overdue, late.due, late.left, late.step) == (True, False, -1, "call")
        assert view(town.bank, request).overdue
    finally:
        town.world.clock.now = start
    answer(town.bank, request, Response(outcome=Outcome.NOTHING_HELD))
    town.world.clock.now = start + 3 * DAY
    assert not view(town.bank, request).overdue, "an answered request is not overdue"
    town.world.clock.now = start


def test_the_hub_sees_nothing_of_what_is_asked_and_answered(town: Town) -> None:
    secret = "CANARY-IN-A-REQUEST"
    request = dataclasses.replace(wish(town.world), text=secret, basis=f"basis {secret}")
    with town.police.open() as desk:
        name = ask(desk, request, town.bank)
    pull(town.bank)
    answer(town.bank, name, Response(outcome=Outcome.DONE, text=secret, reference=secret))
    pull(town.police)
    hub = {
        path: data for path, data in town.world.files().items() if path.startswith(("hub/", "wit"))
    }
    assert hub
    assert not [path for path, data in hub.items() if secret.encode() in data]


def test_a_request_about_records_names_them_in_the_header_too(town: Town) -> None:
    with town.bank.open() as desk:
        records = [record_of(normalise(BTC), confidence=80, basis=Basis.OBSERVED)]
        sent = desk.submissions.send(plan(town.world, town.police.org, source=None), records)
    original = sent.bundles[0].id
    pull(town.police)
    about = AboutRecords(bundle=original, org=town.bank.org, records=(0,))
    with town.police.open() as desk:
        request = ask(desk, wish(town.world, about, ask=Ask.INFORMATION), town.bank)
    pull(town.bank)
    assert view(town.bank, request).said == wish(town.world, about, ask=Ask.INFORMATION)


def lying(at: DeskAt, kind: BundleKind, to: DeskAt, ref: BundleId, *lines: bytes) -> str:
    """Send what an honest desk would refuse to send; return the state or the hub's code."""
    with at.open() as desk:
        made = dataclasses.replace(
            plan(at.world, to.org),
            kind=kind,
            refs=(ref,),
            policy=desk.correspondence.policy(),
            head=PayloadHead(title="x"),
        )
        try:
            sent = desk.submissions.send_lines(made, list(lines))
        except AccordError as error:
            return error.code
        return sent.code or sent.state.value


def forged_header(town: Town, ref: BundleId) -> Header:
    """Return the header of an answer by police that were not asked."""
    with town.police.open() as desk:
        stored = find_bundle(desk.vault, ref)
    return dataclasses.replace(
        parse_header(stored.header), kind=BundleKind.RESPONSE, org=town.abroad.org, refs=(ref,)
    )


def test_an_answer_by_somebody_who_was_not_asked_counts_nowhere(town: Town) -> None:
    with town.police.open() as desk:
        request = ask(desk, wish(town.world), town.bank)
    line = format_response(Response(outcome=Outcome.DONE))
    assert lying(town.abroad, BundleKind.RESPONSE, town.police, request, line) == (
        "response_not_asked"
    )
    # A hub that let it through: the desk of whoever asked refuses it by itself.
    header = forged_header(town, request)
    with town.police.open() as desk, pytest.raises(Refused, match="response_not_asked"):
        read_arrival(desk.vault, header, [line], own=desk.org, now=town.world.clock())
    with town.police.open() as desk:
        row = find_request(desk.vault, request)
        assert answers_to(desk.vault, row) == []


def test_a_sighting_is_shown_on_the_senders_records(town: Town) -> None:
    with town.bank.open() as desk:
        records = [record_of(normalise(BTC), confidence=80, basis=Basis.OBSERVED)]
        sent = desk.submissions.send(
            plan(town.world, town.police.org, town.abroad.org, source=None), records
        )
    original = sent.bundles[0].id
    pull(town.police)
    pull(town.abroad)
    for at in (town.police, town.abroad):
        with at.open() as desk:
            bundle = find_bundle(desk.vault, original)
            told = desk.correspondence.sight(
                bundle, [SEEN, dataclasses.replace(SEEN, saw=Saw.HELPFUL, count=Count.NONE)]
            )
            assert told.state is OutboxState.RECEIPTED, told
            assert len(sightings_of(desk.vault, bundle.org, original)) == 2
            with pytest.raises(Refused, match="record_unknown"):
                desk.correspondence.sight(bundle, [dataclasses.replace(SEEN, record=1)])
    pull(town.bank)
    with town.bank.open() as desk:
        found = sightings_of(desk.vault, town.bank.org, original)
        assert {(one.by_org, one.saw, one.count) for one in found} == {
            (town.police.org, "seen", "2-9"),
            (town.police.org, "helpful", "0"),
            (town.abroad.org, "seen", "2-9"),
            (town.abroad.org, "helpful", "0"),
        }
        with pytest.raises(Refused, match="sighting_not_received"):
            desk.correspondence.sight(find_bundle(desk.vault, original), [SEEN])
    line = format_sighting(SEEN)
    assert lying(town.other, BundleKind.SIGHTING, town.bank, original, line) != "receipted"
    pull(town.bank)
    surplus = format_sighting(dataclasses.replace(SEEN, record=7))
    assert lying(town.police, BundleKind.SIGHTING, town.bank, original, surplus) == "receipted"
    (received,) = [one for one in pull(town.bank) if one.kind == "sighting"]
    assert received.code == "record_unknown", "kept aside with the reason, shown nowhere"
    with town.bank.open() as desk:
        assert len(sightings_of(desk.vault, town.bank.org, original)) == 4


def test_an_invalid_record_of_an_answer_is_quarantined_alone(town: Town) -> None:
    with town.police.open() as desk:
        request = ask(desk, wish(town.world), town.bank)
    pull(town.bank)
    line = format_response(Response(outcome=Outcome.DONE))
    pull(town.police)
    bad = b'{"kind":"domain","value":"EXAMPLE.org"}'
    assert lying(town.bank, BundleKind.RESPONSE, town.police, request, line, bad) == "receipted"
    (received,) = [one for one in pull(town.police) if one.kind == "response"]
    assert (received.records, received.quarantined, received.code) == (1, 1, None)
    with town.police.open() as desk:
        bundle = list_bundles(desk.vault, way=Way.RECEIVED, kind="response")[0]
        assert [number for number, _ in quarantined_of(desk.vault, bundle)] == [1]
    assert view(town.police, request).state is State.ANSWERED


def test_a_closing_of_what_was_never_asked_is_kept_aside(town: Town) -> None:
    with town.police.open() as desk:
        request = ask(desk, wish(town.world), town.bank)
    pull(town.bank)
    line = b'{"close":"settled"}'
    assert lying(town.abroad, BundleKind.REQUEST, town.bank, request, line) == "receipted"
    (received,) = [one for one in pull(town.bank) if one.org == town.abroad.org]
    assert received.code == "request_other_sender"
    assert view(town.bank, request).state is State.RECEIVED


def test_a_killed_request_is_sent_once(town: Town) -> None:
    pull(town.bank)
    town.police.wire.lose_after = {"/v1/bundles/"}
    with town.police.open() as desk, pytest.raises(AccordError, match="hub_unreachable"):
        ask(desk, wish(town.world, ask=Ask.PRESERVE), town.bank)
    town.police.wire.lose_after = set()
    pull(town.police)
    asked = [one for one in pull(town.bank) if one.kind == "request"]
    assert len(asked) == 1
    with town.police.open() as desk:
        mine = [
            one
            for one in requests_now(desk.vault, desk.org, now=town.world.clock(), way=Way.SENT)
            if one.row.ask == "preserve"
        ]
    assert [one.row.id for one in mine] == [asked[0].bundle]


def test_a_deadline_in_the_past_is_not_asked(town: Town) -> None:
    with town.police.open() as desk, pytest.raises(Malformed, match="deadline_invalid"):
        ask(desk, wish(town.world, days=0), town.bank)


def test_a_held_bundle_says_so_at_its_sender(town: Town) -> None:
    quotas = town.world.services.bundles._quotas
    usual = quotas.limits
    quotas.limits = dataclasses.replace(usual, bundles_per_minute=1)
    town.world.clock.now += 60
    try:
        with town.police.open() as desk:
            ask(desk, wish(town.world), town.bank)
            held = ask(desk, wish(town.world), town.bank)
            row = outbox_row(desk.vault, held)
    finally:
        quotas.limits = usual
        town.world.clock.now += 60
    assert row is not None
    assert (row.code, "burst" in (row.message or "")) == (HELD, True)
    for one in town.world.services.quarantine.list(limit=10):
        town.world.services.quarantine.release(one.org, one.bundle, now=town.world.clock())
    assert held in [one.bundle for one in pull(town.bank)]


def test_a_full_quota_is_tried_again_and_loses_nothing(town: Town) -> None:
    quotas = town.world.services.bundles._quotas
    usual = quotas.limits
    town.world.clock.now += 3600
    quotas.limits = dataclasses.replace(usual, bundles_per_hour=1)
    try:
        with town.abroad.open() as desk:
            ask(desk, wish(town.world), town.bank)
            with pytest.raises(AccordError, match="quota_exceeded"):
                ask(desk, wish(town.world), town.bank)
    finally:
        quotas.limits = usual
    pull(town.abroad)
    with town.abroad.open() as desk:
        mine = requests_now(desk.vault, desk.org, now=town.world.clock(), way=Way.SENT)
    assert {one.state for one in mine} == {State.SENT}


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["police"], ["police"]),
        (["kind:law_enforcement"], ["abroad", "police"]),
        (["kind:law_enforcement@NL"], ["police"]),
        (["kind:financial@DE", "other"], ["other"]),
        (["kind:financial"], ["other"]),
    ],
)
def test_names_and_patterns_become_enrolled_organisations(
    town: Town, names: list[str], found: list[str]
) -> None:
    hub = town.world.root.hub
    with town.bank.open() as desk:
        assert desk.submissions.resolve(names) == tuple(f"{name}@{hub}" for name in found)
        assert resolve(desk.mirror.state, names, own=desk.org, hub=hub)


@pytest.mark.parametrize(
    ("name", "code", "near"),
    [
        ("kind:ngo@NL", "recipient_none", "police@hub.test"),
        ("kind:law_enforcement@FR", "recipient_none", "abroad@hub.test"),
        ("polise", "org_unknown", "police@hub.test"),
        ("zzzzzzzz", "org_unknown", "accord contacts"),
    ],
)
def test_nobody_is_refused_with_what_comes_near(
    town: Town, name: str, code: str, near: str
) -> None:
    with town.bank.open() as desk, pytest.raises(NotFound) as caught:
        desk.submissions.resolve([name])
    assert caught.value.code == code
    assert near in (caught.value.next_step or "")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("kind:police", "org_kind_unknown"),
        ("kind:", "org_kind_unknown"),
        ("kind:ngo@UK", "country_unknown"),
        ("kind:ngo@", "country_unknown"),
        ("kind:ngo@nl", "country_unknown"),
    ],
)
def test_a_pattern_that_is_none_is_refused(town: Town, name: str, code: str) -> None:
    with town.bank.open() as desk, pytest.raises(Malformed, match=code):
        desk.submissions.resolve([name])


def test_contacts_come_from_the_verified_mirror(town: Town) -> None:
    with town.bank.open() as desk:
        state = desk.mirror.refresh()
        (found,) = contacts(state, kind=OrgKind.LAW_ENFORCEMENT, country="DE")
    assert (found.org, found.contact) == (town.abroad.org, "Duty desk")


def test_copies_count_as_nobodys_origin(town: Town) -> None:
    value = "copied.example.org"
    for at, basis in ((town.bank, Basis.OBSERVED), (town.other, Basis.THIRD_PARTY)):
        with at.open() as desk:
            record = record_of(normalise(value), confidence=80, basis=basis)
            desk.submissions.send(plan(town.world, town.police.org, source=None), [record])
    pull(town.police)
    with town.police.open() as desk:
        found = search(desk.vault, [value], person="x", reason="case", now=town.world.clock())
    (result,) = found.results
    assert (len(result.hits), result.origins) == (2, 1)
