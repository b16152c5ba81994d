"""What became of a submission: everybody's own word, the hub's apart from it, and who acts next."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.desk.conftest import BANK, NOW, bundle_id, described, put, records_of
from tests.desk.wire import DeskAt, plan
from tests.support.hub_world import BTC, World

from accord.desk.cli.feedback import event_line, progress_line, recall_here_lines
from accord.desk.cli.show import describe_bundle
from accord.desk.exchange.recalls import recalls_here
from accord.desk.exchange.retraction import Reason, Retraction, send_retraction
from accord.desk.exchange.timeline import (
    Actor,
    Event,
    Facts,
    Progress,
    Step,
    Timeline,
    What,
    Word,
    facts_of,
    requests_about,
    timeline_here,
    timeline_of,
)
from accord.desk.export.registry import FORMATS
from accord.desk.export.selection import Selection
from accord.desk.export.service import export
from accord.desk.feeds.objects import bring_up
from accord.desk.storage import Mark, MarkState, Vault, Way, create_vault
from accord.desk.storage.acknowledgements import Said, add_said
from accord.desk.storage.bundles import WHOLE, add_mark, find_bundle
from accord.desk.storage.hints import Hint, add_hints
from accord.desk.storage.outbox import add_outbox, mark_receipted, mark_refused, mark_stored
from accord.desk.storage.own_events import OwnEventRow, add_own_events
from accord.desk.storage.requests import SightingRow, add_sightings, find_request
from accord.kernel.correspondence.request import AboutRecords, Ask, Close, Closing, Request
from accord.kernel.correspondence.response import Outcome, Response
from accord.kernel.correspondence.sighting import Count, Period, Saw, Sighting
from accord.kernel.identifiers import BundleId, OrgId
from accord.kernel.markings import OrgKind
from accord.kernel.tlog.heads import start_of

SITE = "market.evil-example.org"
POLICE, OTHER = OrgId("police@hub.example"), OrgId("other@hub.example")
SENT = bundle_id(1)


def told(desk_at: DeskAt, bundle: BundleId) -> Timeline:
    with desk_at.open() as desk:
        desk.rounds.once()
        found = timeline_here(
            desk.vault, find_bundle(desk.vault, bundle, desk_at.org), now=desk.clock()
        )
        assert found is not None
        return found


def named(story: Timeline) -> list[tuple[What, Word, str | None]]:
    return [(one.what, one.word, one.org and one.org.partition("@")[0]) for one in story.events]


@dataclass
class Town:
    world: World
    bank: DeskAt
    police: DeskAt
    second: DeskAt

    def pull(self, *ats: DeskAt) -> None:
        for at in ats:
            with at.open() as desk:
                desk.rounds.once()
        self.world.witness_round()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    (folder / "hub").mkdir()
    world = World(folder / "hub")
    yield Town(
        world=world,
        bank=DeskAt(world, folder / "bank", "bank", OrgKind.FINANCIAL, "NL"),
        police=DeskAt(world, folder / "police", "police", OrgKind.LAW_ENFORCEMENT, "NL"),
        second=DeskAt(world, folder / "second", "second", OrgKind.LAW_ENFORCEMENT, "DE"),
    )
    world.close()


def sighted_and_asked(town: Town, sent: BundleId) -> BundleId:
    """The police see a record and ask about it; the second police dispute the other one."""
    world, bank, police, second = town.world, town.bank, town.police, town.second
    with police.open() as desk:
        received = find_bundle(desk.vault, sent)
        seen = Sighting(record=0, saw=Saw.SEEN, count=Count.FEW, period=Period.MONTH)
        desk.correspondence.sight(received, (seen,))
        about = AboutRecords(bundle=sent, org=bank.org, records=(0,))
        request = Request(
            ask=Ask.PRESERVE,
            about=(about,),
            basis="Order 12",
            deadline=world.clock() + 3600,
            contact="duty desk",
        )
        made = desk.correspondence.plan_request(request, [bank.org], desk.correspondence.policy())
        asked = desk.correspondence.ask(request, made).id
    with second.open() as desk:
        wrong = Sighting(record=1, saw=Saw.FALSE_POSITIVE, count=Count.NONE, period=Period.MONTH)
        none = Sighting(record=0, saw=Saw.NOT_SEEN, count=Count.NONE, period=Period.YEAR)
        desk.correspondence.sight(find_bundle(desk.vault, sent), (none, wrong))
    return asked


def exported(town: Town, out: Path) -> None:
    world, police = town.world, town.police
    with police.open() as desk:
        export(
            desk.vault,
            FORMATS["csv"],
            out,
            Selection(),
            org=police.org,
            person="ana",
            purpose="investigation",
            reason="case 114",
            now=world.clock(),
        )
        bring_up(desk.vault, now=world.clock())


def recalled(town: Town, sent: BundleId) -> BundleId:
    world, bank = town.world, town.bank
    with bank.open() as desk:
        made = send_retraction(
            desk.submissions,
            desk.vault,
            desk.mirror.recent(),
            find_bundle(desk.vault, sent, bank.org),
            retraction=Retraction(
                id=sent,
                reason=Reason.FALSE_POSITIVE,
                deadline=world.clock() + 3600,
                records=(1,),
                note="Not theirs.",
            ),
            clock=desk.clock,
        )
    return made.sent.id


def assert_readable(story: Timeline) -> None:
    assert [one.at for one in story.events] == sorted(one.at or 0 for one in story.events)
    assert all("None" not in event_line(one) for one in story.events)
    assert "opened by 2 of 2" in progress_line(story.progress)


def assert_taken_back(story: Timeline, recall: BundleId, by: OrgId) -> None:
    [back] = [one for one in story.events if one.what is What.RETRACTED]
    assert (back.word, back.record, back.code, back.note, back.by) == (
        Word.OURS,
        1,
        "false-positive",
        "Not theirs.",
        recall,
    )
    [applied] = [one for one in story.events if one.what is What.APPLIED]
    assert (applied.org, applied.word) == (by, Word.SIGNED)


def to_be_called_back(police: DeskAt, sent: BundleId, recall: BundleId) -> None:
    with police.open() as desk:
        [here] = recalls_here(desk.vault, police.org)
        assert (here.id, here.original, here.records, here.here) == (recall, sent, (1,), True)
        assert [(one.form, one.person) for one in here.exports] == [("csv", "ana"), ("taxii", "")]
        assert [one.person for one in here.files] == ["ana"]
        lines = recall_here_lines(here)
        assert "ana took it as csv for own" in lines[1]
        assert "you call them back" in lines[-1]
        for number in (sent, recall):
            shown = describe_bundle(desk, find_bundle(desk.vault, number))
            assert [one["form"] for one in shown["taken_back"][0]["exports"]] == ["csv", "taxii"]
            assert "timeline" not in shown


def test_a_submission_is_followed_from_its_sealing_to_its_recall(
    town: Town, tmp_path: Path
) -> None:
    world, bank, police, second = town.world, town.bank, town.police, town.second
    with bank.open() as desk:
        wanted = plan(world, police.org, second.org)
        sent = desk.submissions.send(wanted, records_of([BTC, SITE])).bundles[0].id
    story = told(bank, sent)
    assert named(story) == [(What.SEALED, Word.OURS, None), (What.ACCEPTED, Word.LOG, None)]
    assert (story.progress.opened, story.progress.silent) == (0, 2)
    assert (story.progress.step, story.progress.orgs) == (Step.OPEN, (police.org, second.org))

    world.clock.now += 60
    opened_at = world.clock()
    town.pull(police)
    world.clock.now += 60
    story = told(bank, sent)
    assert (What.DELIVERED, Word.LOG, "police") in named(story)
    [opened] = [one for one in story.events if one.what is What.OPENED]
    assert (opened.word, opened.org, opened.at) == (Word.SIGNED, police.org, opened_at)
    assert (story.progress.opened, story.progress.silent) == (1, 1)
    assert story.progress.orgs == (second.org,)

    town.pull(second)
    assert (told(bank, sent).progress.step, told(bank, sent).progress.opened) == (Step.COMPARE, 2)

    asked = sighted_and_asked(town, sent)
    exported(town, tmp_path / "for-court.csv")
    story = told(bank, sent)
    progress = story.progress
    assert (progress.matched, progress.unmatched, progress.wrong) == (1, 1, 1)
    assert (progress.requests, progress.waiting) == (1, 1)
    assert (progress.actor, progress.step, progress.orgs) == (
        Actor.YOU,
        Step.ANSWER,
        (police.org,),
    )
    [match] = [one for one in story.events if one.code == Saw.SEEN]
    assert (match.record, match.count, match.period) == (0, "2-9", "month")
    assert {(What.ASKED, Word.SIGNED, "police"), (What.DISPUTED, Word.SIGNED, "second")} <= set(
        named(story)
    )

    with bank.open() as desk:
        row = find_request(desk.vault, asked)
        desk.correspondence.answer(row, Response(outcome=Outcome.DONE))
    town.pull(police)
    with police.open() as desk:
        desk.correspondence.close(find_request(desk.vault, asked), Closing(close=Close.SETTLED))
    story = told(bank, sent)
    assert [one.code for one in story.events if one.what in {What.ANSWERED, What.CLOSED}] == [
        "done",
        "settled",
    ]
    assert (story.progress.step, story.progress.orgs) == (Step.CHECK, (second.org,))

    world.clock.now += 60
    recall = recalled(town, sent)
    story = told(bank, sent)
    assert (story.progress.step, set(story.progress.orgs)) == (
        Step.APPLY,
        {police.org, second.org},
    )
    town.pull(police)
    world.clock.now += 3601
    story = told(bank, sent)
    assert (story.progress.step, story.progress.orgs) == (Step.CALL, (second.org,))
    assert_taken_back(story, recall, police.org)
    assert_readable(story)
    to_be_called_back(police, sent, recall)


def test_an_export_of_other_records_is_nobody_to_call_back(vault: Vault, tmp_path: Path) -> None:
    put(vault, described(1), records_of([BTC, SITE]))
    put(vault, described(2), records_of([SITE]))
    taken_back(vault, 1, 0)
    with vault.transaction() as connection:
        mark = Mark(
            record=WHOLE,
            state=MarkState.RETRACTED,
            by_org=BANK,
            by_id=bundle_id(8),
            code="legal",
            at=NOW,
        )
        add_mark(connection, BANK, bundle_id(77), mark)
    wanted = Selection()
    export(
        vault,
        FORMATS["csv"],
        tmp_path / "late.csv",
        wanted,
        org=POLICE,
        person="ana",
        purpose="investigation",
        reason="case 114",
        now=NOW,
    )
    absent, found = sorted(recalls_here(vault, POLICE), key=lambda one: one.here)
    assert (found.original, found.exports) == (bundle_id(1), ())
    assert "nobody is to be called back" in recall_here_lines(found)[-1]
    assert (absent.original, absent.here, absent.exports) == (bundle_id(77), False, ())
    assert "not here" in recall_here_lines(absent)[-1]


def taken_back(vault: Vault, number: int, *records: int) -> None:
    with vault.transaction() as connection:
        for record in records:
            mark = Mark(
                record=record,
                state=MarkState.RETRACTED,
                by_org=BANK,
                by_id=bundle_id(9),
                code="error",
                at=NOW,
                deadline=NOW + 60,
            )
            add_mark(connection, BANK, bundle_id(number), mark)


@pytest.fixture
def mine(vault: Vault) -> Vault:
    """A vault of the bank with one bundle for two recipients, sealed and no more."""
    put(vault, described(1, way=Way.SENT, created=NOW - 50), records_of([BTC, SITE]))
    with vault.transaction() as connection:
        add_outbox(connection, id_=SENT, sealed=b"x", recipients=[POLICE, OTHER], now=NOW - 50)
    return vault


def facts(vault: Vault, now: int = NOW) -> Facts:
    found = facts_of(vault, find_bundle(vault, SENT), requests_about(vault), now=now)
    assert found is not None
    return found


def story_of(vault: Vault, now: int = NOW) -> Timeline:
    return timeline_of(facts(vault, now), now=now)


def test_what_is_under_way_says_whose_turn_it_is(mine: Vault) -> None:
    assert (story_of(mine).progress.step, story_of(mine).progress.actor) == (Step.SEND, Actor.DESK)
    mark_stored(mine, SENT, 7)
    stored = story_of(mine)
    assert (stored.progress.step, stored.progress.actor) == (Step.WITNESS, Actor.WITNESSES)
    assert stored.events[-1] == Event(what=What.STORED, word=Word.HUB, index=7)
    mark_receipted(mine, SENT, b"receipt", now=NOW)
    assert story_of(mine).events[-1].word is Word.LOG


def test_what_the_hub_refuses_or_holds_aside_is_told_as_the_hubs_word(mine: Vault) -> None:
    mark_refused(mine, SENT, code="charter_purpose", message="No.\x1b[2J")
    refused = story_of(mine)
    assert (refused.progress.step, refused.progress.actor) == (Step.MEND, Actor.YOU)
    assert (refused.events[-1].what, refused.events[-1].word) == (What.NOT_TAKEN, Word.HUB)
    assert "\x1b" not in event_line(refused.events[-1])
    held = replace(facts(mine).outbox, state=facts(mine).outbox.state.STORED, code="held_aside")
    aside = timeline_of(replace(facts(mine), outbox=held), now=NOW)
    assert (aside.progress.step, aside.progress.actor) == (Step.RELEASE, Actor.HUB)
    assert aside.events[-1].what is What.HELD


def test_the_hubs_word_and_its_log_count_for_no_recipient(mine: Vault) -> None:
    mark_receipted(mine, SENT, b"receipt", now=NOW - 40)
    with mine.transaction() as connection:
        add_hints(
            connection,
            [
                Hint(
                    seq=seq, event=event, org=BANK, id=SENT, kind="list", subject=None, at=NOW - seq
                )
                for seq, event in enumerate(("retracted", "disputed", "key-changed"), start=1)
            ],
        )
        rows = [
            OwnEventRow(
                seq=seq,
                number=seq,
                what=what,
                actor=actor,
                subject=SENT,
                outcome="ok",
                at=NOW - 30,
            )
            for seq, (what, actor) in enumerate(
                (
                    ("bundle.delivered", POLICE),
                    ("bundle.acknowledged", POLICE),
                    ("bundle.delivered", "stranger@hub.example"),
                ),
                start=1,
            )
        ]
        add_own_events(connection, start_of(BANK), rows, now=NOW)
    story = story_of(mine)
    assert (story.progress.opened, story.progress.silent) == (0, 2)
    assert story.progress.recalled == 0
    assert named(story)[2:] == [
        (What.DELIVERED, Word.LOG, "police"),
        (What.TOLD, Word.HUB, None),
        (What.TOLD, Word.HUB, None),
    ]
    assert story.progress.step is Step.OPEN


def test_a_refusal_of_one_recipient_is_ours_to_mend_and_an_expired_bundle_is_nobodys(
    mine: Vault,
) -> None:
    mark_receipted(mine, SENT, b"receipt", now=NOW - 40)
    add_said(
        mine,
        [
            Said(id=SENT, org=POLICE, state="refused", code="key_unknown", at=NOW - 5, dsse=b"x"),
            Said(id=SENT, org=OTHER, state="opened", code=None, at=NOW - 6, dsse=b"x"),
        ],
    )
    progress = story_of(mine).progress
    assert (progress.step, progress.orgs) == (Step.RESEND, (POLICE,))
    assert (progress.opened, progress.refused, progress.silent) == (1, 1, 0)
    late = story_of(mine, now=NOW + 2000)
    assert (late.progress.step, late.progress.actor) == (Step.NOTHING, Actor.NOBODY)
    assert late.events[-1] == Event(what=What.EXPIRED, word=Word.OURS, at=NOW + 1000)


def test_many_lines_of_one_sighting_are_one_event(mine: Vault) -> None:
    mark_receipted(mine, SENT, b"receipt", now=NOW - 40)
    rows = [
        SightingRow(
            org=BANK,
            bundle=SENT,
            record=record,
            by_org=POLICE,
            by_id=bundle_id(5),
            saw="seen",
            count=count,
            period="month",
            at=NOW,
        )
        for record, count in enumerate(("1", "2-9", "1"))
    ]
    with mine.transaction() as connection:
        add_sightings(connection, rows)
    [event] = [one for one in story_of(mine).events if one.what is What.SIGHTED]
    assert (event.records, event.record, event.count, event.period) == (3, None, None, "month")
    assert story_of(mine).progress.matched == 1


def test_what_was_received_has_no_timeline(vault: Vault) -> None:
    put(vault, described(2), records_of([BTC]))
    assert facts_of(vault, find_bundle(vault, bundle_id(2)), {}, now=NOW) is None


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    vault = create_vault(tmp_path_factory.mktemp("base") / "vault.db", bytes(range(32)))
    put(vault, described(1, way=Way.SENT), records_of([BTC]))
    with vault.transaction() as connection:
        add_outbox(connection, id_=SENT, sealed=b"x", recipients=[POLICE, OTHER], now=NOW)
    mark_receipted(vault, SENT, b"receipt", now=NOW)
    found = facts(vault)
    vault.close()
    return found


STATES = st.sampled_from(["received", "opened", "refused", "recall-applied"])
WORDS = st.lists(st.tuples(st.sampled_from([POLICE, OTHER]), STATES, st.integers(NOW, NOW + 500)))


@given(words=WORDS, order=st.randoms(use_true_random=False))
def test_the_order_in_which_words_came_changes_no_count(
    base: Facts, words: list[tuple[OrgId, str, int]], order: Random
) -> None:
    def progress(some: list[tuple[OrgId, str, int]]) -> Progress:
        said: dict[OrgId, list[Said]] = {}
        for org, state, at in some:
            word = Said(id=SENT, org=org, state=state, code=None, at=at, dsse=b"")
            said.setdefault(org, []).append(word)
        return timeline_of(replace(base, said=said), now=NOW).progress

    shuffled = list(words)
    order.shuffle(shuffled)
    assert progress(words) == progress(shuffled)
    assert progress(words).silent + len({org for org, _, _ in words}) == 2
