"""A journal's name and its restart: each journal is judged by itself, every act is told for ever."""

import copy
import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from tests.desk.wire import Change, DeskAt
from tests.support.hub_world import World
from tests.support.lies import answering, lying

from accord.desk.app import Desk
from accord.desk.cli.doctor import examine_desk
from accord.desk.config import read_config
from accord.desk.exchange.journal_check import Compared, JournalReport, compare_journal
from accord.desk.exchange.journal_doubts import doubts, erased_heads
from accord.desk.exchange.journal_heads import send_head
from accord.desk.exchange.journal_restart import (
    begin_restart,
    plan_restart,
    send_restart,
    settle_restart,
)
from accord.desk.exchange.own_events import check_own_events
from accord.desk.storage import create_vault
from accord.desk.storage.journal import Act, record_act
from accord.desk.storage.journal_heads import sent_heads
from accord.desk.storage.journal_leaves import journal_head
from accord.desk.storage.journal_names import give_name, journal_name, keep_restart, waiting_restart
from accord.findings import Finding
from accord.hub.access import Actor, Role
from accord.kernel.encoding import b64decode, b64encode
from accord.kernel.errors import AccordError, VerificationFailed
from accord.kernel.markings import OrgKind
from accord.kernel.tlog.growing import GrownHead
from accord.kernel.tlog.journals import Cause, Restart
from accord.kernel.tlog.leaf import format_record, parse_record
from accord.keyfile import save_keys

RESTORED, ANEW = Cause.RESTORED, Cause.MADE_ANEW
SECOND, LOST = Cause.SECOND_DESK, Cause.LOST_DESK
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("hub"))
    yield made
    made.close()


@pytest.fixture
def bank(world: World, tmp_path: Path) -> DeskAt:
    """A desk with heads of 2 and 4 rows in the log; ``older`` is its vault after the first."""
    at = DeskAt(world, tmp_path / "bank", f"bank-{next(NUMBERS)}", OrgKind.FINANCIAL, "NL")
    with at.open() as desk:
        work(desk)
    keep(at, "older")
    with at.open() as desk:
        work(desk)
    keep(at, "whole")
    return at


def work(desk: Desk, rows: int = 2) -> int | None:
    """Write rows, send the head and have it witnessed."""
    for _ in range(rows):
        record_act(
            desk.vault, person="ana", act=Act.BUNDLE_VIEW, subject="b", reason="r", now=desk.clock()
        )
    return settle(desk)


def settle(desk: Desk) -> int | None:
    desk.clock.now += 100  # type: ignore[attr-defined]
    return send_head(desk.vault, desk.client, clock=desk.clock)


def keep(at: DeskAt, name: str) -> None:
    """Copy the vault as it is now."""
    with at.open() as desk:
        desk.vault.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(at.home / "vault.db", at.home.parent / f"{name}.db")


def put_back(at: DeskAt, name: str) -> None:
    for path in at.home.glob("vault.db*"):
        path.unlink()
    shutil.copy(at.home.parent / f"{name}.db", at.home / "vault.db")


def make_anew(at: DeskAt) -> None:
    for path in at.home.glob("vault.db*"):
        path.unlink()
    create_vault(at.home / "vault.db", at.keyring.vault).close()


def twin(at: DeskAt) -> DeskAt:
    """Return a second desk with the same keys and a vault of its own."""
    other = copy.copy(at)
    other.home = at.home.parent / "second"
    shutil.copytree(at.home, other.home, ignore=shutil.ignore_patterns("vault.db*"))
    make_anew(other)
    return other


def compared(desk: Desk, at: DeskAt) -> Compared:
    at.world.witness_round()
    return compare_journal(desk.vault, desk.client, desk.mirror, org=desk.org, clock=desk.clock)


def report(at: DeskAt) -> JournalReport:
    with at.open() as desk:
        return compared(desk, at).report


def problem(at: DeskAt) -> str:
    """Return the code of what is wrong with the journal; empty when nothing is."""
    found = report(at).problem
    return "" if found is None else found.code


def restart(at: DeskAt, cause: Cause, ended: bytes | None = None) -> Restart:
    with at.open() as desk:
        plan = plan_restart(compared(desk, at), cause, ended=ended)
        made = begin_restart(
            desk.vault, plan, person="ana", reason="the disk broke", now=desk.clock()
        )
        assert send_restart(desk.vault, desk.client) is not None
    at.world.clock.now += 100
    return made


def name_of(at: DeskAt) -> bytes:
    with at.open() as desk:
        return journal_name(desk.vault.connection)


def go_on(at: DeskAt, rows: int = 2) -> int | None:
    with at.open() as desk:
        return work(desk, rows)


def change(at: DeskAt, statement: str) -> None:
    with at.open() as desk, desk.vault.transaction() as connection:
        connection.execute(statement)


def hub_hears(at: DeskAt, journal: bytes | None, head: GrownHead) -> None:
    """Let the hub write a head that no desk sent."""
    actor = Actor(org=at.org, kind=OrgKind.FINANCIAL, role=Role.DESK)
    at.world.clock.now += 20
    at.world.services.journals.anchor(actor, head, journal=journal, now=at.world.clock())


def hub_restarts(at: DeskAt, told: Restart) -> None:
    actor = Actor(org=at.org, kind=OrgKind.FINANCIAL, role=Role.DESK)
    at.world.services.journals.restart(actor, told, now=at.world.clock())


def test_a_vault_that_was_put_back_is_told_once_and_its_restart_for_ever(bank: DeskAt) -> None:
    old = name_of(bank)
    put_back(bank, "older")
    assert problem(bank) == "journal_cut"
    made = restart(bank, RESTORED)
    assert (made.ended, made.kept, made.head.size) == (old, 2, 3)
    assert name_of(bank) == made.journal != old
    for _ in range(2):
        found = report(bank)
        (told,) = found.restarts
        assert (found.problem, told.rows, told.person) == (None, 4, "ana")
        assert told.logged.restart == made
        assert found.others == []
        go_on(bank)
    assert report(bank).covered == 7


def test_what_was_kept_goes_on_being_compared(bank: DeskAt) -> None:
    put_back(bank, "older")
    restart(bank, RESTORED)
    change(bank, "UPDATE acts SET reason = 'x' WHERE no = 1")
    assert problem(bank) == "journal_changed"


def test_rows_after_a_restart_are_compared_with_the_heads_of_the_new_name(bank: DeskAt) -> None:
    put_back(bank, "older")
    restart(bank, RESTORED)
    go_on(bank)
    keep(bank, "later")
    go_on(bank)
    put_back(bank, "later")
    assert problem(bank) == "journal_cut"
    second = restart(bank, RESTORED)
    found = report(bank)
    assert (found.problem, second.kept, len(found.restarts)) == (None, 5, 2)
    change(bank, "UPDATE acts SET reason = 'x' WHERE no = 5")
    assert problem(bank) == "journal_changed"


@pytest.mark.parametrize("vault", ["older", "whole"])
def test_the_vault_of_before_a_restart_put_back_in_silence_is_found(
    bank: DeskAt, vault: str
) -> None:
    put_back(bank, "older")
    first = restart(bank, RESTORED)
    put_back(bank, vault)
    assert problem(bank) == "journal_ended"
    assert go_on(bank) is None, "the hub takes no head of a journal that ended"
    second = restart(bank, RESTORED)
    assert second.ended == first.journal
    assert (problem(bank), len(report(bank).restarts)) == ("", 2)


def test_a_vault_that_was_put_back_and_used_unnoticed_keeps_what_fits(bank: DeskAt) -> None:
    put_back(bank, "older")
    go_on(bank, 4)
    assert problem(bank) == "journal_head_unknown"
    made = restart(bank, RESTORED)
    assert (made.kept, made.head.size, problem(bank)) == (2, 7, "")


def test_a_vault_made_anew_says_so_and_ends_the_other(bank: DeskAt) -> None:
    old = name_of(bank)
    make_anew(bank)
    assert problem(bank) == "journal_undeclared", "before it sent anything"
    go_on(bank)
    assert problem(bank) == "journal_undeclared"
    own = name_of(bank)
    made = restart(bank, ANEW)
    assert (made.journal, made.ended, made.kept) == (own, old, 0)
    found = report(bank)
    assert (found.problem, found.others, found.restarts[0].rows) == (None, [], 4)


def test_two_desks_with_the_same_keys_both_send_and_are_told_apart(bank: DeskAt) -> None:
    second = twin(bank)
    assert go_on(second, 1) is not None, "fewer rows than the first has"
    assert go_on(bank, 1) is not None
    for at in (bank, second):
        assert problem(at) == "journal_undeclared"
    with pytest.raises(AccordError) as caught:
        restart(bank, SECOND)
    assert caught.value.code == "journal_fits", "the first one has nothing to say"
    made = restart(second, SECOND)
    assert (made.journal, made.ended, made.kept) == (name_of(second), None, 0)
    for at, other, rows in ((bank, second, 2), (second, bank, 5)):
        found = report(at)
        assert (found.problem, len(found.restarts)) == (None, 1)
        assert [(one.journal, one.rows) for one in found.others] == [(name_of(other), rows)]
    for at in (bank, second):
        assert go_on(at) is not None
        assert problem(at) == ""


def test_of_several_journals_it_must_be_said_which_ends(bank: DeskAt) -> None:
    old = name_of(bank)
    second = twin(bank)
    go_on(second)
    make_anew(bank)
    with pytest.raises(AccordError) as caught:
        restart(bank, ANEW)
    assert caught.value.code == "journal_which"
    with pytest.raises(AccordError) as caught:
        restart(bank, ANEW, b"\7" * 16)
    assert caught.value.code == "journal_unknown"
    with pytest.raises(AccordError) as caught:
        restart(bank, SECOND, old)
    assert caught.value.code == "journal_restart_invalid"
    assert restart(bank, ANEW, old).ended == old
    assert problem(bank) == "journal_undeclared", "the second desk has not said anything yet"
    restart(second, SECOND)
    assert (problem(bank), problem(second)) == ("", "")


def test_a_second_desk_that_is_gone_is_ended_from_the_first(bank: DeskAt) -> None:
    own = name_of(bank)
    with bank.open() as desk:
        fits = journal_head(desk.vault.connection)
    hub_hears(bank, None, fits)
    second = twin(bank)
    lost = name_of(second)
    with pytest.raises(AccordError) as caught:
        restart(second, LOST, own)
    assert caught.value.code == "journal_own_first"
    go_on(second)
    assert problem(bank) == "journal_undeclared"
    for ended, code in ((None, "journal_restart_invalid"), (own, "journal_unknown")):
        with pytest.raises(AccordError) as caught:
            restart(bank, LOST, ended)
        assert caught.value.code == code
    made = restart(bank, LOST, lost)
    assert (made.journal, made.ended, made.kept) == (own, lost, 0)
    found = report(bank)
    assert (found.problem, found.others, found.restarts[0].rows) == (None, [], 2)
    assert go_on(second) is None
    assert problem(second) == "journal_ended", "if it is not gone, it is told"
    change(bank, "UPDATE acts SET reason = 'x' WHERE no = 1")
    assert problem(bank) == "journal_changed", "what was there before is compared as ever"


def test_an_end_from_afar_says_nothing_of_why_a_journal_began(bank: DeskAt) -> None:
    """A hub that invents one for a vault under a new name in silence does not excuse it."""
    old = name_of(bank)
    make_anew(bank)
    go_on(bank)
    with bank.open() as desk:
        head = journal_head(desk.vault.connection)
        name = journal_name(desk.vault.connection)
    hub_restarts(bank, Restart(journal=name, head=head, kept=0, cause=LOST, ended=old))
    assert problem(bank) == "journal_restart_unknown"
    other = Restart(journal=b"\6" * 16, head=head, kept=0, cause=LOST, ended=name)
    hub_restarts(bank, other)
    assert problem(bank) == "journal_ended"


def test_a_copy_of_a_vault_at_a_second_desk_gets_a_name_of_its_own(bank: DeskAt) -> None:
    second = twin(bank)
    shutil.copy(bank.home.parent / "whole.db", second.home / "vault.db")
    go_on(bank, 1)
    with second.open() as desk:
        work(desk, 5)
    assert problem(bank) == "journal_cut"
    assert problem(second) == "journal_head_unknown"
    made = restart(second, SECOND)
    assert (made.ended, made.journal != name_of(bank)) == (None, True)
    assert problem(second) == ""


@pytest.mark.parametrize("vault", ["older", "whole"])
def test_a_new_name_given_in_silence_is_found(bank: DeskAt, vault: str) -> None:
    put_back(bank, vault)
    with bank.open() as desk, desk.vault.transaction() as connection:
        give_name(connection)
        connection.execute("DELETE FROM journal_heads")
    assert problem(bank) == "journal_undeclared"
    go_on(bank)
    assert problem(bank) == "journal_undeclared"


def test_a_vault_without_a_name_is_not_opened(bank: DeskAt) -> None:
    change(bank, "UPDATE settings SET value = x'00' WHERE name = 'journal_name'")
    with pytest.raises(VerificationFailed) as caught, bank.open():
        pass
    assert caught.value.code == "vault_damaged"


def test_a_row_that_contradicts_its_leaf_is_mended_by_no_restart(bank: DeskAt) -> None:
    change(bank, "UPDATE acts SET reason = 'x' WHERE no = 4")
    with pytest.raises(VerificationFailed) as caught:
        restart(bank, RESTORED)
    assert caught.value.code == "journal_changed"
    assert problem(bank) == "journal_changed"


def test_a_changed_row_after_the_last_head_of_an_older_vault_is_named_and_no_restart_advised(
    bank: DeskAt,
) -> None:
    put_back(bank, "older")
    with bank.open() as desk:
        record_act(
            desk.vault, person="ana", act=Act.BUNDLE_VIEW, subject="b", reason="r", now=desk.clock()
        )
    change(bank, "UPDATE acts SET reason = 'x' WHERE no = 3")
    found = report(bank).problem
    assert found is not None
    assert (found.code, "act 3 does not make its leaf" in str(found.observed)) == (
        "journal_cut",
        True,
    )
    for cause in (RESTORED, SECOND, LOST):
        with pytest.raises(VerificationFailed) as caught:
            restart(bank, cause)
        assert caught.value.code == "journal_changed"
        assert "act 3 does not make its leaf" in str(caught.value.observed)
        assert "no restart mends" in str(caught.value.next_step)
    assert "no restart mends" in str(found.next_step)


def test_of_two_desks_that_restart_at_once_the_later_one_ends_nothing_unasked(bank: DeskAt) -> None:
    second = twin(bank)
    put_back(bank, "older")
    with bank.open() as first_desk, second.open() as second_desk:
        plans = [
            plan_restart(compared(first_desk, bank), RESTORED),
            plan_restart(compared(second_desk, second), ANEW),
        ]
        for desk, plan in zip((first_desk, second_desk), plans, strict=True):
            begin_restart(desk.vault, plan, person="ana", reason="why", now=desk.clock())
        assert send_restart(first_desk.vault, first_desk.client) is not None
        with pytest.raises(AccordError) as caught:
            send_restart(second_desk.vault, second_desk.client)
        assert caught.value.code == "journal_unknown"
        settle_restart(second_desk.vault, second_desk.client)
    winner = name_of(bank)
    for _ in range(2):
        with pytest.raises(AccordError) as caught:
            restart(second, ANEW)
        assert (caught.value.code, caught.value.observed) == ("journal_which", winner.hex())
    assert restart(second, SECOND).ended is None
    assert (problem(bank), problem(second)) == ("", "")
    assert go_on(bank) is not None


def test_a_journal_that_is_well_is_not_restarted(bank: DeskAt) -> None:
    with pytest.raises(AccordError) as caught:
        restart(bank, RESTORED)
    assert caught.value.code == "journal_fits"


def test_a_journal_that_the_hub_invents_is_found(bank: DeskAt) -> None:
    hub_hears(bank, b"\5" * 16, GrownHead(size=3, root=b"\5" * 32))
    assert problem(bank) == "journal_undeclared"


def test_a_restart_that_the_hub_invents_excuses_nothing(bank: DeskAt) -> None:
    """It knows the roots that were sent, but cannot write the row that goes with the act."""
    with bank.open() as desk:
        head = journal_head(desk.vault.connection)
    own = name_of(bank)
    hub_restarts(bank, Restart(journal=own, head=head, kept=0, cause=RESTORED))
    assert problem(bank) == "journal_restart_unknown"


def test_an_end_that_the_hub_invents_is_found(bank: DeskAt) -> None:
    other = Restart(
        journal=b"\6" * 16,
        head=GrownHead(size=3, root=b"\6" * 32),
        kept=0,
        cause=ANEW,
        ended=name_of(bank),
    )
    hub_restarts(bank, other)
    assert problem(bank) == "journal_ended"


def closing(names: set[str], *, number: int | None = None, before: int = 2**60) -> Change:
    """Let the hub close fields of one event, or of all heads before a second, as if erased."""

    def change(content: bytes) -> bytes:
        page = json.loads(content)
        for item in page["items"]:
            record = parse_record(b64decode(item["record"]))
            fields = record.opened()
            head = fields.get("what", "").startswith("journal.") and int(fields["time"]) < before
            if item["number"] == number or (number is None and head):
                item["record"] = b64encode(format_record(record.close(names)))
        return json.dumps(page).encode()

    return answering("/v1/events", change)


ERASED = {"person", "about", "subject", "basis", "outcome", "detail"}


def heads_of(at: DeskAt) -> list[int]:
    with at.open() as desk:
        return [one.number for one in compared(desk, at).log.heads]


@pytest.mark.parametrize("names", [ERASED, {"subject"}, {"detail"}, {"what"}, {"basis"}])
def test_a_head_that_the_hub_closes_before_its_time_is_told(bank: DeskAt, names: set[str]) -> None:
    put_back(bank, "older")
    with lying(bank, closing(names, number=heads_of(bank)[-1])):
        assert problem(bank) == "journal_head_hidden"


def test_heads_that_were_erased_in_their_order_and_time_excuse_nothing_newer(bank: DeskAt) -> None:
    first, second = heads_of(bank)
    bank.world.clock.now += 40 * 86_400
    with lying(bank, closing(ERASED, number=second)):
        assert problem(bank) == "journal_head_hidden", "an older one is not erased"
    with lying(bank, closing({*ERASED, "time"}, number=first)):
        assert problem(bank) == "journal_head_hidden"
    with lying(bank, closing(ERASED, number=first)):
        found = report(bank)
        assert (found.problem, found.erased, found.heads) == (None, 1, 1)
        assert f"1 erased with their time, up to second {found.erased_until}" in found.words()
    with lying(bank, closing(ERASED)):
        assert (report(bank).problem, report(bank).erased) == (None, 2)
        go_on(bank)
        assert problem(bank) == "journal_head_hidden"


def test_a_new_name_in_silence_is_told_although_the_hub_closes_an_old_head(bank: DeskAt) -> None:
    first, _ = heads_of(bank)
    bank.world.clock.now += 40 * 86_400
    go_on(bank)
    put_back(bank, "older")
    with bank.open() as desk, desk.vault.transaction() as connection:
        give_name(connection)
        connection.execute("DELETE FROM journal_heads")
    with lying(bank, closing(ERASED, number=first)):
        for _ in range(2):
            found = report(bank)
            doubt = erased_heads(found)
            assert (found.problem, list(found.untold)) == (None, [name_of(bank)])
            assert doubt is not None
            assert name_of(bank).hex()[:8] in str(doubt.observed)
            go_on(bank)
        restart(bank, RESTORED)
        assert list(report(bank).untold) == [], "it can be said"
    assert erased_heads(report(bank)) is None, "no doubt where nothing is closed"


def test_an_ended_journal_of_which_an_earlier_hub_erased_the_end_is_told(bank: DeskAt) -> None:
    put_back(bank, "older")
    restart(bank, RESTORED)
    bank.world.clock.now += 40 * 86_400
    put_back(bank, "whole")
    assert problem(bank) == "journal_ended"
    with lying(bank, closing(ERASED)):
        found = report(bank)
        assert (found.problem, found.heads, found.erased) == (None, 0, 3)
        assert erased_heads(found) is not None


def test_a_restart_whose_row_was_rewritten_is_found(bank: DeskAt) -> None:
    put_back(bank, "older")
    restart(bank, RESTORED)
    change(bank, "UPDATE acts SET object = replace(object, 'kept=2', 'kept=1') WHERE no = 3")
    assert problem(bank) == "journal_restart_unknown"


def test_heads_of_before_names_are_judged_as_before_and_a_restart_settles_them(
    bank: DeskAt,
) -> None:
    with bank.open() as desk:
        fits = journal_head(desk.vault.connection)
    hub_hears(bank, None, fits)
    assert problem(bank) == ""
    hub_hears(bank, None, GrownHead(size=9, root=b"\5" * 32))
    assert problem(bank) == "journal_cut"
    made = restart(bank, RESTORED)
    assert (made.kept, problem(bank)) == (4, "")
    change(bank, "UPDATE acts SET reason = 'x' WHERE no = 1")
    assert problem(bank) == "journal_changed"


def test_a_head_without_a_name_after_the_restart_is_not_excused(bank: DeskAt) -> None:
    put_back(bank, "older")
    restart(bank, RESTORED)
    hub_hears(bank, None, GrownHead(size=3, root=b"\5" * 32))
    assert problem(bank) == "journal_head_unknown"


def test_a_restart_whose_answer_is_lost_is_sent_again_before_any_head(bank: DeskAt) -> None:
    put_back(bank, "older")
    with bank.open() as desk:
        plan = plan_restart(compared(desk, bank), RESTORED)
        begin_restart(desk.vault, plan, person="ana", reason="why", now=desk.clock())
        bank.wire.lose_before = {"/journal"}
        assert work(desk) is None
        assert waiting_restart(desk.vault.connection) is not None
        bank.wire.lose_before, bank.wire.lose_after = set(), {"/journal"}
        assert settle(desk) is None
        bank.wire.lose_after = set()
        number = settle(desk)
        assert number is not None
        assert waiting_restart(desk.vault.connection) is None
        head = settle(desk)
        assert head is not None
        assert head > number
        assert [one.number for one in sent_heads(desk.vault)][-2:] == [number, head]
    found = report(bank)
    assert (found.problem, len(found.restarts)) == (None, 1), "one event"


def test_a_restart_that_the_hub_will_never_take_makes_room_for_another(bank: DeskAt) -> None:
    old = name_of(bank)
    put_back(bank, "older")
    with bank.open() as desk:
        plan = plan_restart(compared(desk, bank), RESTORED)
        begin_restart(desk.vault, plan, person="ana", reason="why", now=desk.clock())
        other = Restart(
            journal=b"\6" * 16,
            head=GrownHead(size=3, root=b"\6" * 32),
            kept=0,
            cause=ANEW,
            ended=old,
        )
        hub_restarts(bank, other)
        assert work(desk) is None, "refused, and no round stops"
        settle_restart(desk.vault, desk.client)
        assert waiting_restart(desk.vault.connection) is None
    assert problem(bank) == "journal_undeclared"
    with pytest.raises(AccordError) as caught:
        restart(bank, RESTORED)
    assert caught.value.code == "journal_which", "the other one began meanwhile"
    made = restart(bank, RESTORED, other.journal)
    assert (made.ended, problem(bank)) == (other.journal, "")
    keep(bank, "taken")
    go_on(bank)
    put_back(bank, "taken")
    third = restart(bank, RESTORED)
    put_back(bank, "taken")
    assert restart(bank, RESTORED).ended == third.journal, "a row that was taken asks nothing"


def test_a_restart_that_the_hub_said_it_logged_and_did_not_is_missing(bank: DeskAt) -> None:
    put_back(bank, "older")
    with bank.open() as desk:
        plan = plan_restart(compared(desk, bank), RESTORED)
        begin_restart(desk.vault, plan, person="ana", reason="why", now=desk.clock())
        restarted = send_restart(desk.vault, desk.client)
        bank.world.witness_round()
        check_own_events(desk.vault, desk.client, desk.mirror, org=desk.org, clock=desk.clock)
        with desk.vault.transaction() as connection:
            connection.execute("UPDATE journal_heads SET number = 1 WHERE number = ?", (restarted,))
        with pytest.raises(VerificationFailed) as caught:
            check_own_events(desk.vault, desk.client, desk.mirror, org=desk.org, clock=desk.clock)
    assert caught.value.code == "event_missing"


def told(at: DeskAt) -> list[tuple[str, bool]]:
    """Return the codes of what is told beside the comparison, and whether each is a warning."""
    with at.open() as desk:
        found = doubts(desk.vault, compared(desk, at).report, now=desk.clock())
        return [(one.error.code, one.warning) for one in found]


def refusing(code: str) -> Callable[[httpx2.Request], httpx2.Response | None]:
    """Let the hub refuse every head and restart, as one of an older release does."""
    body = json.dumps({"code": code, "title": "x", "status": 400, "detail": "x"}).encode()

    def instead(request: httpx2.Request) -> httpx2.Response | None:
        problem = {"Content-Type": "application/problem+json"}
        told = httpx2.Response(400, content=body, headers=problem)
        return told if "/journal/" in request.url.path else None

    return instead


NO_ROW = {
    "journal": b64encode(bytes(16)),
    "size": 3,
    "root": b64encode(bytes(32)),
    "kept": 2,
    "cause": "restored",
}
GARBAGE = [b"\0", "text", 7, '{"journal":"AAAA"}', json.dumps(NO_ROW), "[" * 100_000]


def set_to(at: DeskAt, name: str, value: object) -> None:
    with at.open() as desk, desk.vault.transaction() as connection:
        connection.execute("REPLACE INTO settings VALUES (?, ?)", (name, value))


@pytest.mark.parametrize("value", GARBAGE)
def test_what_is_no_restart_holds_no_head_back_and_is_told(bank: DeskAt, value: object) -> None:
    set_to(bank, "journal_restart", value)
    assert go_on(bank) is not None
    assert (told(bank), problem(bank)) == ([("journal_restart_damaged", False)], "")
    with bank.open() as desk:
        settle_restart(desk.vault, desk.client)
    assert told(bank) == []


def test_a_restart_in_no_row_of_this_journal_is_never_sent(bank: DeskAt) -> None:
    with bank.open() as desk, desk.vault.transaction() as connection:
        head, name = journal_head(connection), journal_name(connection)
        body = {"journal": b64encode(name), "size": head.size, "root": b64encode(head.root)}
        planted = body | {"kept": 0, "cause": "restored", "ended": b64encode(b"x" * 16)}
        keep_restart(connection, json.dumps(planted).encode())
    before = len(bank.wire.requests)
    assert go_on(bank) is not None
    assert [path for _, path in bank.wire.requests[before:]] == ["/v1/journal/head"]
    assert told(bank) == [("journal_restart_damaged", False)]


@pytest.mark.parametrize("code", ["request_invalid", "not_found"])
def test_a_hub_that_takes_no_heads_is_told_until_it_takes_one(bank: DeskAt, code: str) -> None:
    bank.wire.instead = refusing(code)
    assert go_on(bank) is None
    with bank.open() as desk:
        (doubt,) = doubts(desk.vault, None, now=desk.clock())
    assert (doubt.error.code, doubt.warning) == ("journal_head_refused", False)
    assert f"the hub said {code}, 20" in str(doubt.error.observed)
    bank.wire.instead, bank.wire.lose_before = None, {"/journal"}
    assert go_on(bank) is None
    assert told(bank) == [("journal_head_refused", False)], "no answer is no better one"
    bank.wire.lose_before = set()
    assert go_on(bank) is not None
    assert told(bank) == []


def test_a_journal_that_ended_is_told_by_its_heads_too(bank: DeskAt) -> None:
    put_back(bank, "older")
    restart(bank, RESTORED)
    put_back(bank, "whole")
    go_on(bank)
    assert told(bank) == [("journal_head_refused", False)]
    with lying(bank, closing(ERASED)):
        bank.world.clock.now += 40 * 86_400
        assert [code for code, _ in told(bank)] == ["journal_heads_erased", "journal_head_refused"]
    restart(bank, RESTORED)
    assert told(bank) == []


def test_a_refusal_that_cannot_be_read_is_told(bank: DeskAt) -> None:
    for value in (b"\xff", "", f"{10**20} x", 7):
        set_to(bank, "journal_refused", value)
        assert told(bank) == [("journal_head_refused", False)]


def test_a_restart_that_waits_is_told_with_what_the_hub_said(bank: DeskAt) -> None:
    put_back(bank, "older")
    with bank.open() as desk:
        plan = plan_restart(compared(desk, bank), RESTORED)
        begin_restart(desk.vault, plan, person="ana", reason="why", now=desk.clock())
        assert told(bank) == [("journal_restart_waiting", True)]
        bank.wire.instead = refusing("not_found")
        assert settle(desk) is None
        assert told(bank) == [("journal_restart_refused", False)]
        bank.wire.instead = None
        assert settle(desk) is not None
    assert told(bank) == []


def test_rows_of_a_day_in_no_head_are_told_when_the_hub_was_reached(bank: DeskAt) -> None:
    def reached() -> None:
        with bank.open() as desk:
            desk.vault.put_setting("last_checked", str(desk.clock()).encode())

    reached()
    bank.wire.lose_before = {"/journal"}
    bank.world.clock.now += 10
    assert go_on(bank) is None
    bank.world.clock.now += 2 * 86_400
    assert told(bank) == [], "the desk was not running"
    reached()
    assert told(bank) == [("journal_head_late", True)]
    bank.wire.lose_before = set()
    with bank.open() as desk:
        before = compared(desk, bank).report
        assert settle(desk) is not None
        assert list(doubts(desk.vault, before, now=desk.clock())) == [], "it waits for witnesses"
        desk.clock.now += 2 * 86_400  # type: ignore[attr-defined]
        (doubt,) = doubts(desk.vault, before, now=desk.clock())
    assert (doubt.error.code, told(bank)) == ("journal_head_late", [])


def test_the_reason_stays_here(bank: DeskAt) -> None:
    put_back(bank, "older")
    bodies: list[bytes] = []
    bank.wire.instead = lambda request: bodies.append(request.read())  # type: ignore[func-returns-value]
    made = restart(bank, RESTORED)
    told = next(json.loads(body) for body in bodies if b"cause" in body)
    assert set(told) == {"journal", "size", "root", "kept", "cause", "ended"}
    assert b"the disk broke" not in b"".join(bodies)
    with bank.open() as desk:
        row = desk.vault.connection.execute(
            "SELECT person, object, reason FROM acts WHERE act = 'journal:restart'"
        ).fetchone()
    said = f"restored journal={made.journal.hex()} kept=2 ended={(made.ended or b'').hex()}"
    assert row == ("ana", said, "the disk broke")


@pytest.fixture
def passphrase(bank: DeskAt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the desk a key file, so that commands can open it; its hub is reached in process."""
    words = b"a passphrase for the doctor"
    path = tmp_path / "passphrase"
    path.touch(mode=0o600)
    path.write_bytes(words)
    monkeypatch.setenv("ACCORD_PASSPHRASE_FILE", str(path))
    bank.key_file()
    save_keys(read_config(bank.home).keys_file, bank.kept, words)


@pytest.mark.usefixtures("passphrase")
def test_the_doctor_names_the_command_and_then_tells_the_end_as_information(bank: DeskAt) -> None:
    def lines() -> list[Finding]:
        bank.world.witness_round()
        findings = examine_desk(read_config(bank.home), clock=bank.world.clock, transport=bank.wire)
        return [one for one in findings if "journal" in one.check]

    old = name_of(bank)
    put_back(bank, "older")
    (told,) = lines()
    assert told.problem is not None
    assert "accord journal restart --because restored" in str(told.problem.next_step)
    made = restart(bank, RESTORED)
    first, second = lines()
    assert (first.state, second.state, second.check) == ("ok", "ok", "journal restarted")
    assert second.observed.startswith(
        f"{old.hex()[:8]} ended at 2 of 4 rows; {made.journal.hex()[:8]} goes on (restored), "
        "said here by ana; 20"
    )
    other = twin(bank)
    go_on(other)
    assert [one.state for one in lines()] == ["wrong", "ok", "ok"]
    restart(other, SECOND)
    first, _, third, fourth = lines()
    assert first.state == "ok"
    assert "stands on its own (second-desk), said at another desk or vault" in third.observed
    assert fourth.check == "another journal"
    assert fourth.observed.startswith(f"{name_of(other).hex()} of another vault: 3 rows, since 20")
    restart(bank, LOST, name_of(other))
    last = lines()[-1]
    assert last.observed.startswith(
        f"{name_of(other).hex()[:8]} of a desk that is gone ended at its 3 rows (lost-desk), "
        "said here by ana; 20"
    )
    bank.world.clock.now += 40 * 86_400
    with lying(bank, closing(ERASED)):
        first, doubt = lines()[:2]
    assert (first.state, doubt.state, doubt.check) == ("ok", "warning", "journal heads")
