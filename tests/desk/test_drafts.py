"""Four eyes: nothing leaves before a colleague let exactly that go; presets beside it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.desk.conftest import records_of
from tests.desk.test_commands import Live, enrolled, live, passphrase, schemas
from tests.desk.test_request_pages import Visitor
from tests.desk.wire import DeskAt, plan
from tests.support.hub_world import BTC, World

from accord.desk.app import Desk
from accord.desk.config import FILE, read_config, write_config
from accord.desk.exchange.drafts import digest_of, format_plan, parse_plan
from accord.desk.storage import Mark, MarkState, Way
from accord.desk.storage.bundles import WHOLE, add_mark, lines_of, list_bundles
from accord.desk.storage.drafts import (
    Draft,
    DraftState,
    decide_draft,
    draft_lines,
    drafts,
    find_draft,
)
from accord.kernel.errors import Conflict, Malformed, Refused, VerificationFailed
from accord.kernel.indicators import encode_line
from accord.kernel.markings import OrgKind
from accord.kernel.policy.default_charter import DEFAULT_CHARTER

__all__ = ["live", "passphrase", "schemas"]

EVM = "0x52908400098527886e0f7030069857d2e4169ee7"
LINES = [encode_line(one) for one in records_of([BTC, EVM])]
ASKING = DEFAULT_CHARTER.replace("approval = false", "approval = true", 1)


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


def laid_aside(bank: DeskAt, police: DeskAt, lines: Sequence[bytes] = LINES) -> Draft:
    with bank.open() as desk:
        return desk.drafts.make(plan(bank.world, police.org), lines, maker="ana")


def lines_about(*sites: str) -> list[bytes]:
    return [encode_line(one) for one in records_of([f"{site}.example-fraud.org" for site in sites])]


def sent_from(bank: DeskAt) -> int:
    with bank.open() as desk:
        return len(list_bundles(desk.vault, way=Way.SENT, limit=1000))


def acts_of(desk: Desk) -> list[tuple[str, str]]:
    found = desk.vault.connection.execute("SELECT act, reason FROM acts WHERE act LIKE 'draft:%'")
    return [(act, reason) for act, reason in found]


def puts(bank: DeskAt) -> int:
    return sum(method == "PUT" for method, _ in bank.wire.requests)


def test_where_the_charter_asks_nothing_goes_without_a_second_person(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    before = puts(bank)
    with bank.open() as desk:
        wanted = plan(world, police.org)
        assert desk.submissions.needs_approval(wanted)
        with pytest.raises(Refused, match="charter_approval"):
            desk.submissions.send(wanted, records_of([BTC]))
    laid_aside(bank, police)
    assert puts(bank) == before


def test_what_was_laid_aside_is_what_arrives_byte_for_byte(bank: DeskAt, police: DeskAt) -> None:
    lines = lines_about("laid", "aside")
    draft = laid_aside(bank, police, lines)
    assert (draft.state, draft.n, draft.maker) == (DraftState.WAITING, 2, "ana")
    with bank.open() as desk:
        with pytest.raises(Refused, match="own_draft"):
            desk.drafts.approve(draft.no, person="ana")
        report = desk.drafts.approve(draft.no, person="bo", digest=draft.digest)
        assert report.complete
        with pytest.raises(Refused, match="draft_decided"):
            desk.drafts.approve(draft.no, person="bo")
        acts = desk.vault.connection.execute(
            "SELECT person, act, object FROM acts WHERE act LIKE 'draft:%' AND object LIKE ?",
            (f"%{draft.digest.hex()}",),
        ).fetchall()
        assert [one[:2] for one in acts] == [("ana", "draft:make"), ("bo", "draft:approve")]
    with police.open() as desk:
        desk.pull.pull(retention_days=30)
        (came,) = [
            one
            for one in list_bundles(desk.vault, way=Way.RECEIVED, limit=100)
            if one.id == report.bundles[0].id
        ]
        assert list(lines_of(desk.vault, came)) == lines


def test_a_draft_that_changed_or_was_decided_does_not_go(bank: DeskAt, police: DeskAt) -> None:
    draft, other = laid_aside(bank, police), laid_aside(bank, police)
    before = sent_from(bank)
    with bank.open() as desk:
        with pytest.raises(Conflict, match="draft_changed"):
            desk.drafts.approve(draft.no, person="bo", digest=bytes(32))
        with pytest.raises(Refused, match="reason_missing"):
            desk.drafts.refuse(draft.no, person="bo", reason=" ")
        assert desk.drafts.refuse(draft.no, person="bo", reason="wrong file").reason == "wrong file"
        assert draft_lines(desk.vault, draft.no) == []
        for again in ("bo", "cy"):
            with pytest.raises(Refused, match="draft_decided"):
                desk.drafts.approve(draft.no, person=again)
            with pytest.raises(Refused, match="draft_decided"):
                desk.drafts.refuse(draft.no, person=again, reason="once more")
        with desk.vault.transaction() as connection:
            wider = format_plan(replace(parse_plan(other.plan), expires=2**40), "x")
            connection.execute("UPDATE drafts SET plan = ? WHERE no = ?", (wider, other.no))
        with pytest.raises(VerificationFailed, match="draft_damaged"):
            desk.drafts.approve(other.no, person="bo")
    assert sent_from(bank) == before


def test_of_two_drafts_of_one_file_the_second_is_not_sent_without_a_reason(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    lines = lines_about("shop-0", "shop-1", "shop-2")
    with bank.open() as desk:
        make = desk.drafts.make
        one = make(plan(world, police.org), lines, maker="ana")
        two = make(plan(world, police.org), lines[1:], maker="ana")
        taken_back = make(plan(world, police.org), lines[:1], maker="ana")
        report = desk.drafts.approve(one.no, person="bo")
        before, journal = len(list_bundles(desk.vault, way=Way.SENT, limit=1000)), acts_of(desk)
        with pytest.raises(Conflict, match="draft_duplicate") as caught:
            desk.drafts.approve(two.no, person="bo")
        assert caught.value.observed is not None
        assert "2 of 2 records" in caught.value.observed
        assert report.bundles[0].id in caught.value.observed
        for empty in ("", "no", "a\nb", "x" * 501):
            with pytest.raises(Refused, match="reason_missing"):
                desk.drafts.approve(two.no, person="bo", again=empty)
        assert find_draft(desk.vault, two.no).state is DraftState.WAITING
        assert len(list_bundles(desk.vault, way=Way.SENT, limit=1000)) == before
        assert acts_of(desk) == journal, "nothing was approved"
        desk.drafts.approve(two.no, person="bo", again="their disk broke")
        assert find_draft(desk.vault, two.no).reason == "their disk broke"
        assert acts_of(desk)[-1] == ("draft:approve", "their disk broke")
        with desk.vault.transaction() as connection:
            mark = Mark(
                record=WHOLE,
                state=MarkState.RETRACTED,
                by_org=bank.org,
                by_id=report.bundles[0].id,
                code="error",
                at=world.clock(),
            )
            add_mark(connection, bank.org, report.bundles[0].id, mark)
        assert desk.drafts.approve(taken_back.no, person="bo").complete, "it may go again"


def test_an_approved_draft_that_was_cut_off_goes_on_and_finds_what_another_one_sent(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    lines = lines_about("cut-off")
    with bank.open() as desk:
        one, two = (desk.drafts.make(plan(world, police.org), lines, maker="ana") for _ in range(2))
        desk.drafts.approve(one.no, person="bo")
        with desk.vault.transaction() as connection:
            connection.execute(
                "UPDATE submissions SET finished = NULL WHERE source = ?", (one.digest,)
            )
            connection.execute("UPDATE drafts SET state = 'approved' WHERE no = ?", (two.no,))
        again = desk.drafts.approve(one.no, person="bo")
        assert (again.resumed, again.records, again.repeated) == (True, 0, 1)
        with pytest.raises(Conflict, match="draft_duplicate"):
            desk.drafts.approve(two.no, person="bo")


def test_an_approved_draft_that_did_not_go_is_listed_and_can_still_be_refused(
    bank: DeskAt, police: DeskAt
) -> None:
    stuck, other = (laid_aside(bank, police, lines_about(name)) for name in ("stuck", "went"))
    with bank.open() as desk:
        # Approved, and the hub was away before anything was sealed.
        with desk.vault.transaction() as connection:
            assert decide_draft(
                connection, stuck, DraftState.APPROVED, by="bo", at=desk.clock(), reason=""
            )
        desk.drafts.approve(other.no, person="bo")
        listed = {one.no: one for one in drafts(desk.vault, waiting=True)}
        assert listed[stuck.no].state is DraftState.APPROVED
        assert other.no not in listed
        assert find_draft(desk.vault, other.no).sent is not None
        with pytest.raises(Refused, match="draft_decided"):
            desk.drafts.refuse(other.no, person="bo", reason="it went already")
        desk.drafts.refuse(stuck.no, person="bo", reason="overtaken by events")
        assert draft_lines(desk.vault, stuck.no) == []
        assert stuck.no not in {one.no for one in drafts(desk.vault, waiting=True)}


def test_an_empty_draft_and_a_plan_that_the_charter_refuses_are_not_kept(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    with bank.open() as desk:
        with pytest.raises(Refused, match="draft_empty"):
            desk.drafts.make(plan(world, police.org), [], maker="ana")
        long = plan(world, police.org, expires=world.clock() + 5000 * 86_400)
        with pytest.raises(Refused, match="charter_retention"):
            desk.drafts.make(long, LINES, maker="ana")


def test_digest_covers_plan_and_each_line() -> None:
    whole = digest_of(b"plan", [b"a", b"b"])
    for plan_bytes, lines in ((b"plan", [b"a"]), (b"plan", [b"ab"]), (b"plana", [b"b"])):
        assert digest_of(plan_bytes, lines) != whole


def test_the_page_lets_a_colleague_approve_and_not_the_maker(bank: DeskAt, police: DeskAt) -> None:
    own = laid_aside(bank, police)
    with bank.open() as desk:
        lines = lines_about("on-a-page")
        draft = desk.drafts.make(plan(bank.world, police.org), lines, maker="bo")
        desk.drafts.approve(laid_aside(bank, police, lines).no, person="bo")
        visitor = Visitor(desk)  # ana
        assert f"/drafts/{own.no}" in visitor.get("/drafts")
        page = visitor.get(f"/drafts/{own.no}")
        assert "You made it, so you cannot." in page
        assert "Nothing has left this computer yet." in page
        assert f"Only these and your own desk can open it: Police ({police.org})" in page
        path = f"/drafts/{own.no}"
        status, text = visitor.post(path, path, act="approve", digest=own.digest.hex())
        assert (status, "own_draft" in text) == (403, True)
        path = f"/drafts/{draft.no}"
        status, text = visitor.post(path, path, act="approve", digest=own.digest.hex())
        assert (status, "draft_changed" in text) == (409, True)
        read = {"act": "approve", "digest": draft.digest.hex()}
        status, text = visitor.post(path, path, **read)
        assert (status, "draft_duplicate" in text) == (409, True)
        assert "--again" not in text, "a page does not speak of options"
        status, text = visitor.post(path, path, **read, again="yes", reason=" ")
        assert (status, "reason_missing" in text) == (403, True)
        assert 'id="again-reason"' in text, "the form is still there"
        status, _ = visitor.post(path, path, **read, again="yes", reason="they lost it")
        assert status == 303
        assert find_draft(desk.vault, draft.no).decided_by == "ana"
        assert "approved and sent" in visitor.get(path)
        status, _ = visitor.post(
            f"/drafts/{own.no}", f"/drafts/{own.no}", act="refuse", reason="no"
        )
        assert status == 403
        visitor.get("/drafts/9999", 404)


def test_a_bundles_page_hands_out_evidence_of_one_record(bank: DeskAt, police: DeskAt) -> None:
    draft = laid_aside(bank, police)
    with bank.open() as desk:
        bundle = desk.drafts.approve(draft.no, person="bo", again="a test").bundles[0].id
    with police.open() as desk:
        desk.rounds.once()
        visitor = Visitor(desk)
        page = f"/inbox/{bank.org}/{bundle}"
        status, _ = visitor.post(page, f"{page}/evidence", record="1", reason="case 9")
        assert status == 200
        for record, code in (("7", 404), ("x", 400)):
            status, again = visitor.post(page, f"{page}/evidence", record=record, reason="case &9")
            assert status == code
            assert "No file was made" in again
            assert f'value="{record}"' in again
            assert 'value="case &amp;9"' in again
        for reason, told in (("ab", "reason_missing"), ("a" * 501, "reason_long")):
            said = visitor.post(page, f"{page}/evidence", record="1", reason=reason)
            assert (said[0], told in said[1]) == (400, True)
        with pytest.raises(Malformed, match="value_invalid"):
            parse_plan(draft.plan.replace(b'"title":"', b'"title":"' + b"x" * 300))


def test_an_organisation_asks_for_four_eyes_itself_and_the_commands_carry_it(
    live: Live, tmp_path: Path, schemas: Path
) -> None:
    at = enrolled(live, tmp_path / "bank", schemas, "first-bank", OrgKind.FINANCIAL)
    receiver = enrolled(live, tmp_path / "police", schemas, "police", OrgKind.LAW_ENFORCEMENT)
    config = read_config(tmp_path / "bank")
    write_config(replace(config, four_eyes=True), replace=True)
    assert "four_eyes = true" in (tmp_path / "bank" / FILE).read_text()
    passwords = {}
    for name in ("ana", "bo"):
        passwords[name] = tmp_path / f"{name}.password"
        passwords[name].touch(mode=0o600)
        passwords[name].write_text(at.run("desk", "person", name)["password"])
    export = tmp_path / "october.csv"
    export.write_text(f"address;network\n{BTC};Bitcoin\n")
    kept = ("--to", "police", "--tlp", "amber", "--purpose", "suspicion-report")
    at.run("desk", "preset", "add", "monthly", *kept)
    assert at.run("desk", "preset", "list")["presets"][0]["to"] == ["police"]
    used = ("submit", str(export), "--preset", "monthly")
    assert at.run(*used, code=1)["error"]["code"] == "approval_needed"
    ana, bo = (("--as", name, "--password-file", str(path)) for name, path in passwords.items())
    draft = at.run(*used, *ana)["draft"]
    assert (draft["maker"], draft["records"], draft["tlp"]) == ("ana", 1, "amber")
    assert at.run("drafts")["drafts"] == [draft]
    number = str(draft["id"])
    assert at.run("approve", number, *ana, code=1)["error"]["code"] == "own_draft"
    wrong = ("--as", "bo", "--password-file", str(passwords["ana"]))
    assert at.run("approve", number, *wrong, code=4)["error"]["code"] == "sign_in_wrong"
    assert receiver.run("pull")["records"] == 0
    sent = at.run("approve", number, *bo, "--digest", draft["digest"])
    assert (sent["complete"], sent["draft"]["decided_by"]) == (True, "bo")
    assert receiver.run("pull")["records"] == 1
    assert at.run("drafts")["drafts"] == []
    assert at.run("drafts", "--all")["drafts"][0]["state"] == "approved"
    tried = at.run("desk", "person", "bo", "--dry-run")
    assert (tried, at.run("desk", "person", "bo", "--remove", "--dry-run")) == (tried, tried)
    assert tried == {"person": "bo", "password": None}
    assert at.run("desk", "person", "B o", "--dry-run", code=1)["error"]["code"] == "login_invalid"
    assert at.run("desk", "person", "bo", "--remove")["password"] is None
    assert at.run("desk", "person", "bo", "--remove", code=1)["error"]["code"] == "person_unknown"
    at.run("desk", "preset", "remove", "monthly")
    assert at.run(*used, *ana, code=1)["error"]["code"] == "preset_unknown"
    assert json.dumps(draft)
    _a_notice_waits_too(receiver, tmp_path, at)


def _a_notice_waits_too(police: Any, folder: Path, bank: Any) -> None:
    config = read_config(folder / "police")
    write_config(replace(config, four_eyes=True), replace=True)
    used = {}
    for name in ("cy", "di"):
        path = folder / f"{name}.password"
        path.touch(mode=0o600)
        path.write_text(police.run("desk", "person", name)["password"])
        used[name] = ("--as", name, "--password-file", str(path))
    notice = ("notice", "A new shop", "--to", "first-bank", "--text", "Look out for it.")
    assert police.run(*notice, "--dry-run")["state"] == "not-sent"
    assert police.run(*notice, code=1)["error"]["code"] == "approval_needed"
    said = police.run(*notice, *used["cy"])
    assert (said["id"], said["state"], said["draft"]["kind"]) == (None, "not-sent", "notice")
    number = str(said["draft"]["id"])
    assert police.run("drafts")["drafts"] == [said["draft"]]
    assert police.run("approve", number, "--dry-run")["draft"] == said["draft"]
    assert police.run("approve", number, *used["cy"], code=1)["error"]["code"] == "own_draft"
    assert bank.run("pull")["bundles"] == 0
    assert police.run("approve", number, *used["di"])["complete"] is True
    assert bank.run("pull")["bundles"] == 1
