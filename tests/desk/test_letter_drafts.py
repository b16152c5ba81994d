"""Four eyes for requests, answers, sightings and notices; a recall waits for nobody."""

from collections.abc import Iterator

import pytest
from tests.desk.conftest import records_of
from tests.desk.test_request_pages import Visitor
from tests.desk.wire import DeskAt, plan
from tests.support.hub_world import BTC, World

from accord.desk.app import Desk
from accord.desk.exchange.correspondence import Correspondence
from accord.desk.exchange.letters import Letter
from accord.desk.exchange.retraction import Reason, Retraction, send_retraction
from accord.desk.storage import Way
from accord.desk.storage.bundles import find_bundle, list_bundles
from accord.desk.storage.drafts import Draft, DraftState, find_draft
from accord.desk.storage.requests import RequestRow, answers_to, find_request
from accord.kernel.correspondence.notice import Notice
from accord.kernel.correspondence.request import AboutValue, Ask, Close, Closing, Request
from accord.kernel.correspondence.response import Outcome, Response
from accord.kernel.correspondence.sighting import Count, Period, Saw, Sighting
from accord.kernel.errors import Conflict, NotFound, Refused, Unavailable
from accord.kernel.indicators import Basis, encode_line, normalise, record_of
from accord.kernel.markings import OrgKind
from accord.kernel.policy.default_charter import DEFAULT_CHARTER

ASKING = DEFAULT_CHARTER.replace("approval = false", "approval = true")
DONE = Response(outcome=Outcome.DONE, text="Kept <safe>\nand sound.")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("hub"), charter=ASKING)
    yield made
    made.close()


@pytest.fixture(scope="module")
def police(world: World, tmp_path_factory: pytest.TempPathFactory) -> DeskAt:
    home = tmp_path_factory.mktemp("desks") / "police"
    return DeskAt(world, home, "police", OrgKind.LAW_ENFORCEMENT, "DE")


@pytest.fixture(scope="module")
def bank(world: World, tmp_path_factory: pytest.TempPathFactory) -> DeskAt:
    home = tmp_path_factory.mktemp("desks") / "bank"
    return DeskAt(world, home, "first-bank", OrgKind.FINANCIAL, "NL")


def wish(letters: Correspondence, police: DeskAt, bank: DeskAt) -> Letter:
    found = normalise(BTC)
    about = AboutValue(kind=found.kind, network=found.network, value=found.value, memo=None)
    request = Request(
        ask=Ask.PRESERVE,
        about=(about,),
        basis="Order 12",
        deadline=police.world.clock() + 3600,
        contact="duty desk",
    )
    made = letters.plan_request(request, [bank.org], letters.policy())
    return letters.request_letter(request, made)


def aside(desk: Desk, letter: Letter, *, maker: str = "ana") -> Draft:
    made = desk.drafts.submit(letter, maker=maker)
    assert isinstance(made, Draft)
    return made


def sent_from(desk: Desk) -> int:
    return len(list_bundles(desk.vault, way=Way.SENT, limit=1000))


def asked(police: DeskAt, bank: DeskAt) -> RequestRow:
    """Ask, with a second person, and bring it to the bank; return the police's own row."""
    with police.open() as desk:
        draft = aside(desk, wish(desk.correspondence, police, bank))
        (sent,) = desk.drafts.approve(draft.no, person="bo", digest=draft.digest).bundles
    with bank.open() as desk:
        desk.pull.pull(retention_days=30)
        return find_request(desk.vault, sent.id, police.org)


def test_a_request_waits_and_only_its_approval_makes_it_one(police: DeskAt, bank: DeskAt) -> None:
    with police.open() as desk:
        letter = wish(desk.correspondence, police, bank)
        with pytest.raises(Refused, match="charter_approval"):
            desk.correspondence.post(letter)
        before = sent_from(desk)
        draft = aside(desk, letter)
        assert (sent_from(desk), draft.n, draft.state) == (before, 1, DraftState.WAITING)
        with pytest.raises(Refused, match="own_draft"):
            desk.drafts.approve(draft.no, person="ana")
        with pytest.raises(Conflict, match="draft_changed"):
            desk.drafts.approve(draft.no, person="bo", digest=bytes(32))
        (sent,) = desk.drafts.approve(draft.no, person="bo", digest=draft.digest).bundles
        assert find_request(desk.vault, sent.id, police.org).way is Way.SENT
        with pytest.raises(Refused, match="draft_decided"):
            desk.drafts.approve(draft.no, person="bo")
        assert sent_from(desk) == before + 1
        acts = desk.vault.connection.execute(
            "SELECT person, act FROM acts WHERE object LIKE ?", (f"%{draft.digest.hex()}",)
        )
        assert [*acts] == [("ana", "draft:make"), ("bo", "draft:approve")]


def test_an_answer_waits_on_its_page_whole_and_goes_by_the_button(
    police: DeskAt, bank: DeskAt
) -> None:
    row = asked(police, bank)
    with bank.open() as desk:
        page = f"/requests/{row.org}/{row.id}"
        maker = Visitor(desk)
        status, _body = maker.post(page, page, outcome="done", text="Kept <safe>\nand sound.")
        (draft,) = desk.vault.connection.execute("SELECT max(no) FROM drafts").fetchone()
        assert status == 303
        assert answers_to(desk.vault, row) == []
        shown = maker.get(f"/drafts/{draft}")
        assert "Kept &lt;safe&gt;\nand sound." in shown
        assert "Nothing has left this computer yet" in shown
        assert str(row.id) in shown
        assert maker.post(f"/drafts/{draft}", f"/drafts/{draft}", act="approve")[0] == 400
        sent = desk.drafts.approve(draft, person="bo").bundles[0]
        assert [one.id for one in answers_to(desk.vault, row)] == [sent.id]
    with police.open() as desk:
        desk.pull.pull(retention_days=30)
        own = find_request(desk.vault, row.id, police.org)
        assert [one.outcome for one in answers_to(desk.vault, own)] == ["done"]


def test_an_answer_whose_request_was_closed_meanwhile_does_not_go(
    police: DeskAt, bank: DeskAt
) -> None:
    row = asked(police, bank)
    with bank.open() as desk:
        given = record_of(normalise(BTC), confidence=80, basis=Basis.OBSERVED)
        draft = aside(desk, desk.correspondence.answer_letter(row, DONE, [given]))
        assert draft.n == 2
    with police.open() as desk:
        own = find_request(desk.vault, row.id, police.org)
        closing = desk.correspondence.closing_letter(own, Closing(close=Close.WITHDRAWN))
        desk.drafts.approve(aside(desk, closing).no, person="bo")
    with bank.open() as desk:
        desk.pull.pull(retention_days=30)
        before = sent_from(desk)
        with pytest.raises(Refused, match="request_closed"):
            desk.drafts.approve(draft.no, person="bo")
        assert sent_from(desk) == before
        assert find_draft(desk.vault, draft.no).state is DraftState.WAITING
        desk.drafts.refuse(draft.no, person="bo", reason="closed meanwhile")
        assert find_draft(desk.vault, draft.no).state is DraftState.REFUSED


def test_a_letter_that_was_cut_off_while_it_went_goes_once(police: DeskAt, bank: DeskAt) -> None:
    row = asked(police, bank)
    with police.open() as desk:
        own = find_request(desk.vault, row.id, police.org)
        closing = desk.correspondence.closing_letter(own, Closing(close=Close.SETTLED))
        draft = aside(desk, closing)
        before = sent_from(desk)
        police.wire.lose_before.add("/bundles/")
        try:
            with pytest.raises(Unavailable):
                desk.drafts.approve(draft.no, person="bo")
        finally:
            police.wire.lose_before.clear()
        assert find_draft(desk.vault, draft.no).state is DraftState.APPROVED
        # The row of the closing is there already; going on must not stumble over it.
        (sent,) = desk.drafts.approve(draft.no, person="bo").bundles
        assert sent.state == "receipted"
        assert sent_from(desk) == before + 1
        with pytest.raises(Refused, match="draft_decided"):
            desk.drafts.approve(draft.no, person="bo")


def test_notices_and_sightings_wait_and_a_recall_does_not(police: DeskAt, bank: DeskAt) -> None:
    with bank.open() as desk:
        lines = [encode_line(one) for one in records_of(["recalled.example-fraud.org"])]
        draft = desk.drafts.make(plan(bank.world, police.org), lines, maker="ana")
        sent = desk.drafts.approve(draft.no, person="bo").bundles[0].id
    with police.open() as desk:
        desk.pull.pull(retention_days=30)
        seen = Sighting(record=0, saw=Saw.SEEN, count=Count.ONE, period=Period.DAY)
        bundle = find_bundle(desk.vault, sent, bank.org)
        told = aside(desk, desk.correspondence.sighting_letter(bundle, [seen]))
        said = Notice(subject="Look out", text="A new shop.", contact=None)
        made = desk.correspondence.plan_notice(said, [bank.org], desk.correspondence.policy())
        notice = aside(desk, desk.correspondence.notice_letter(said, made))
        for one in (told, notice):
            assert desk.drafts.approve(one.no, person="bo").complete
    with bank.open() as desk:
        retraction = Retraction(id=sent, reason=Reason.ERROR, deadline=bank.world.clock() + 3600)
        recall = send_retraction(
            desk.submissions,
            desk.vault,
            desk.mirror.recent(),
            find_bundle(desk.vault, sent, bank.org),
            retraction=retraction,
            clock=desk.clock,
        )
        assert recall.sent.state == "receipted"


def test_a_draft_of_what_may_not_go_is_not_kept(police: DeskAt, bank: DeskAt) -> None:
    with bank.open() as desk:
        said = Notice(subject="Look out", text="A new shop.", contact=None)
        made = desk.correspondence.plan_notice(said, [police.org], desk.correspondence.policy())
        letter = desk.correspondence.notice_letter(said, made)
        with pytest.raises(Refused, match="charter_"):
            desk.drafts.make(made, letter.lines, maker="ana")
        with pytest.raises(NotFound):
            find_draft(desk.vault, 999)
