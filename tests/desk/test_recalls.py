"""The recall ledger: only a recipient's own word confirms; who is late is named; holds keep."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.desk.conftest import BANK, NOW, bundle_id, described, put, records_of
from tests.desk.wire import DeskAt, plan
from tests.support.hub_world import BTC, World

from accord.desk import app as desk_app
from accord.desk.cli.reminding import Reminder
from accord.desk.cli.show import describe_bundle
from accord.desk.exchange.confirmations import Standing, collect
from accord.desk.exchange.pull import read_deliveries
from accord.desk.exchange.recalls import recalls, wait_for_all
from accord.desk.exchange.retraction import Reason, Retraction, send_retraction
from accord.desk.indicators.search import EndState, search, told_states
from accord.desk.storage import Vault
from accord.desk.storage.acknowledgements import Said, add_said
from accord.desk.storage.bundles import find_bundle, lines_of, list_bundles
from accord.desk.storage.hints import Hint, add_hints
from accord.desk.storage.holds import holds, lift_holds, set_hold
from accord.kernel.correspondence.sighting import Count, Period, Saw, Sighting
from accord.kernel.errors import Malformed, NotFound
from accord.kernel.identifiers import BundleId
from accord.kernel.markings import OrgKind
from accord.terminal import Terminal

DAY = 86_400
SITE = "market.evil-example.org"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "hub-side"
    folder.mkdir()
    made = World(folder)
    yield made
    made.close()


@pytest.fixture
def bank(world: World, tmp_path: Path) -> DeskAt:
    return DeskAt(world, tmp_path / "bank", "first-bank", OrgKind.FINANCIAL, "NL")


@pytest.fixture
def police(world: World, tmp_path: Path) -> DeskAt:
    return DeskAt(world, tmp_path / "police", "police", OrgKind.LAW_ENFORCEMENT, "DE")


@pytest.fixture
def second(world: World, tmp_path: Path) -> DeskAt:
    return DeskAt(world, tmp_path / "second", "second-police", OrgKind.LAW_ENFORCEMENT, "NL")


def sent(bank: DeskAt, *to: DeskAt, **changes: object) -> BundleId:
    with bank.open() as desk:
        report = desk.submissions.send(
            plan(bank.world, *(one.org for one in to), **changes), records_of([BTC, SITE])
        )
        return report.bundles[0].id


def take_back(
    desk: desk_app.Desk, original: BundleId, *, hours: int = 1, records: tuple[int, ...] = ()
) -> BundleId:
    recall = send_retraction(
        desk.submissions,
        desk.vault,
        desk.mirror.recent(),
        find_bundle(desk.vault, original, desk.org),
        retraction=Retraction(
            id=original,
            reason=Reason.ERROR,
            deadline=desk.clock() + hours * 3600,
            records=records,
        ),
        clock=desk.clock,
    )
    return recall.sent.id


def pull(at: DeskAt) -> None:
    with at.open() as desk:
        desk.pull.pull(retention_days=30)


def test_the_ledger_says_who_has_applied_it_who_has_not_and_who_is_late(
    world: World,
    bank: DeskAt,
    police: DeskAt,
    second: DeskAt,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    original = sent(bank, police, second)
    with bank.open() as desk:
        retraction = take_back(desk, original, records=(1,))
    pull(police)
    with bank.open() as desk:
        asked: list[int] = []

        def ask() -> None:
            asked.append(1)
            collect(desk.vault, desk.client, desk.mirror)

        wait_for_all(
            desk.vault,
            bank.org,
            retraction,
            ask=ask,
            pause=lambda _seconds: len(asked) == 3,
            seconds=60,
        )
        assert len(asked) == 3, "one has not confirmed, so it goes on until it is told to stop"
        [recall] = recalls(desk.vault, bank.org, now=world.clock())
        assert (recall.id, recall.original, recall.records) == (retraction, original, 1)
        assert [one.standing for one in recall.recipients] == [
            Standing.CONFIRMED,
            Standing.PENDING,
        ]
        world.clock.now += 3601
        shown = describe_bundle(desk, find_bundle(desk.vault, original, bank.org))
        [ledger] = shown["recalls"]
        assert ledger["done"] is False
        terminal = Terminal(json=False, quiet=False, home=tmp_path, yes=False, dry_run=False)
        reminder = Reminder(terminal, desk)
        capsys.readouterr()  # what the hub's requests left
        reminder.tell()
        said = capsys.readouterr().err
        assert said.startswith(f"OVERDUE Recall {retraction}: 1 of 2")
        assert f"{second.org} overdue" in said
        reminder.tell()
        assert capsys.readouterr().err == "", "said once"
        assert [one["standing"] for one in ledger["recipients"]] == ["confirmed", "overdue"]
        own = describe_bundle(desk, find_bundle(desk.vault, retraction, bank.org))
        assert own["sent"]["deadline"] == ledger["deadline"]
        assert [one["standing"] for one in own["sent"]["recipients"]] == ["confirmed", "overdue"]
    pull(second)
    with bank.open() as desk:
        collect(desk.vault, desk.client, desk.mirror)
        [recall] = recalls(desk.vault, bank.org, now=world.clock())
        assert recall.done, "a late word is a word"


def test_that_it_was_received_or_opened_confirms_no_recall(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    original = sent(bank, police)
    with bank.open() as desk:
        retraction = take_back(desk, original)

        def say(state: str, at: int) -> Standing:
            word = Said(id=retraction, org=police.org, state=state, code=None, at=at, dsse=b"")
            add_said(desk.vault, [word])
            [recall] = recalls(desk.vault, bank.org, now=world.clock())
            return recall.recipients[0].standing

        assert say("received", 1) is Standing.PENDING
        assert say("opened", 2) is Standing.PENDING
        assert say("refused", 3) is Standing.REFUSED
        assert say("recall-applied", 0) is Standing.CONFIRMED, "whatever was said later"


def test_a_hold_by_case_keeps_what_the_retention_would_delete(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    one, two = (sent(bank, police, source=bytes([n]) * 32) for n in (1, 2))
    pull(police)
    world.clock.now += 90 * DAY
    with police.open() as desk:
        for bad in ("", " ", "a\nb", "x" * 81):
            with pytest.raises(Malformed):
                set_hold(desk.vault, bad, [], reason="court", person="ana", now=world.clock())
        with pytest.raises(NotFound):
            set_hold(
                desk.vault, "c", [bundle_id(77)], reason="court", person="ana", now=world.clock()
            )
        for case in ("2026/7", "2026/8"):
            made = set_hold(
                desk.vault, case, [one], reason="court order", person="ana", now=world.clock()
            )
            assert made.bundles == ((bank.org, one),)
        assert desk.pull.purge(30) == 1
        kept = {bundle.id: bundle.purged for bundle in list_bundles(desk.vault)}
        assert kept[one] is None
        assert kept[two] == world.clock()
        assert len(list(lines_of(desk.vault, find_bundle(desk.vault, one)))) == 2
        with pytest.raises(NotFound):
            lift_holds(desk.vault, "2026/9", reason="over", person="ana", now=world.clock())
        lift_holds(desk.vault, "2026/7", reason="over", person="ana", now=world.clock())
        assert desk.pull.purge(30) == 0, "another case still needs it"
        lift_holds(desk.vault, "2026/8", reason="over", person="ana", now=world.clock())
        assert desk.pull.purge(30) == 1
        assert [hold.lifted for hold in holds(desk.vault)] == [world.clock()] * 2
        acts = [row[0] for row in desk.vault.connection.execute("SELECT act FROM acts")]
        assert [act for act in acts if act.startswith("hold")] == ["hold:set"] * 2 + [
            "hold:lift"
        ] * 2


def test_a_hold_covers_what_carries_the_cases_reference(vault: Vault) -> None:
    put(vault, described(1), records_of([BTC]))
    set_hold(vault, "case-9", [], reason="court order", person="ana", now=NOW)
    assert holds(vault)[0].bundles == ()


def test_what_the_feed_tells_alone_never_hides_anything(vault: Vault) -> None:
    put(vault, described(1), records_of([BTC]))
    bundle = find_bundle(vault, bundle_id(1))
    events = ("retracted", "expired", "superseded", "visibility-lost", "disputed", "key-changed")
    with vault.transaction() as connection:
        add_hints(
            connection,
            [
                Hint(
                    seq=seq, event=event, org=BANK, id=bundle_id(1), kind="list", subject=None, at=1
                )
                for seq, event in enumerate(events, start=1)
            ],
        )
    assert told_states(vault, bundle) == (EndState.VISIBILITY_LOST,)


def state_of(at: DeskAt) -> object:
    """Everything in the vault that says what stands: bundles, records, marks; no times of ours."""
    with at.open() as desk:
        vault = desk.vault
        bundles = vault.connection.execute(
            "SELECT org, id, kind, expires, n FROM bundles ORDER BY org, id"
        ).fetchall()
        lines = {
            (one.org, one.id): tuple(lines_of(vault, one)) for one in list_bundles(vault, limit=99)
        }
        marks = vault.connection.execute(
            "SELECT org, id, record, state, by_org, by_id, code, deadline FROM marks"
            " ORDER BY org, id, record, state, by_org, by_id"
        ).fetchall()
        return bundles, lines, marks


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_order_of_arrival_leads_to_the_same_vault(
    data: st.DataObject, world: World, bank: DeskAt, tmp_path: Path
) -> None:
    """Bundles, two recalls of the same record, a replacement: each order, and each one twice."""
    number = data.draw(st.integers(0, 2**32), label="desk")
    readers = [
        DeskAt(world, tmp_path / f"{n}-{number}", f"p{n}-{number}", OrgKind.LAW_ENFORCEMENT, "DE")
        for n in range(2)
    ]
    first = sent(bank, *readers, source=number.to_bytes(32, "big"))
    sent(bank, *readers, source=(number + 1).to_bytes(32, "big"), replaces=first)
    with bank.open() as desk:
        take_back(desk, first, records=(0,))
        take_back(desk, first, records=(0, 1))
    for reader in readers:
        with reader.open() as desk, desk.client.stream("/v1/deliveries", "after=0") as pieces:
            raw = list(read_deliveries(pieces))
        order = data.draw(st.permutations(raw + raw[: data.draw(st.integers(0, 4))]))
        with reader.open() as desk:
            desk.mirror.refresh()
            for place, (_, sealed) in enumerate(order, start=1):
                desk.pull.receive(place, sealed)
    mine, others = map(state_of, readers)
    assert mine == others


def test_a_verified_sighting_or_the_senders_own_notice_disputes_and_silences_nobody(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    original = sent(bank, police)
    pull(police)
    with police.open() as desk:
        bundle = find_bundle(desk.vault, original)
        wrong = Sighting(record=1, saw=Saw.FALSE_POSITIVE, count=Count.ONE, period=Period.MONTH)
        seen = Sighting(record=0, saw=Saw.SEEN, count=Count.ONE, period=Period.MONTH)
        said = desk.correspondence.sight(bundle, (seen, wrong))
    pull(bank)
    with bank.open() as desk:
        shown = describe_bundle(desk, find_bundle(desk.vault, original, bank.org))
        [mark] = shown["marks"]
        assert (mark["state"], mark["record"], mark["by_org"], mark["by"]) == (
            "disputed",
            1,
            police.org,
            said.id,
        )
        found = search(desk.vault, [SITE], person="ana", reason="case 114", now=world.clock())
        [hit] = found.results[0].hits
        assert (hit.states, hit.active) == ((EndState.DISPUTED,), True)
        assert shown["records_taken_back"] == 0
