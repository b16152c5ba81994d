"""T33: who holds the desk's keys rewrites its journal, or the hub invents a head of it.

Every change of a row below a head that stands in the witnessed log is found and named.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.desk.wire import DeskAt
from tests.support.hub_world import BTC, World
from tests.support.lies import answering, lying

from accord.desk.app import Desk
from accord.desk.cli.doctor import examine_desk
from accord.desk.config import read_config
from accord.desk.exchange.journal_check import JournalReport, check_journal
from accord.desk.exchange.journal_heads import send_head
from accord.desk.exchange.own_events import check_own_events
from accord.desk.indicators import search
from accord.desk.storage.journal import Act, record_act
from accord.desk.storage.journal_heads import begin_head, sent_heads
from accord.desk.storage.journal_leaves import adopt, journal_head
from accord.desk.storage.journal_names import journal_name
from accord.findings import Finding
from accord.hub.access import Actor, Role
from accord.kernel.errors import Conflict, Unavailable, VerificationFailed
from accord.kernel.markings import OrgKind
from accord.kernel.tlog.growing import GrownHead
from accord.keyfile import save_keys
from accord.terminal import exit_code_of

PUT_IN = "INSERT INTO acts (at, person, act, object, reason) VALUES (1, 'eve', 'x:y', 'x', 'y')"
INVENTED = GrownHead(size=999, root=b"\5" * 32)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("hub"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def kept(world: World, tmp_path_factory: pytest.TempPathFactory) -> DeskAt:
    """A desk with two heads in the log, and a copy of its vault from before the second."""
    home = tmp_path_factory.mktemp("desks") / "bank"
    at = DeskAt(world, home, "first-bank", OrgKind.FINANCIAL, "NL")
    with at.open() as desk:
        work(desk, "case 1")
        assert send_head(desk.vault, desk.client, clock=world.clock) is not None
        desk.vault.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    world.clock.now += 100
    vault = home / "vault.db"
    assert vault.is_file()
    shutil.copy(vault, home.parent / "older.db")
    with at.open() as desk:
        work(desk, "case 2")
        assert send_head(desk.vault, desk.client, clock=world.clock) is not None
        desk.vault.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    world.witness_round()
    world.clock.now += 100
    shutil.copy(vault, home.parent / "whole.db")
    return at


@pytest.fixture
def bank(kept: DeskAt) -> DeskAt:
    """The desk with its vault as it was after the second head."""
    put_back(kept, "whole.db")
    return kept


def put_back(at: DeskAt, name: str) -> None:
    for path in at.home.glob("vault.db*"):
        path.unlink()
    shutil.copy(at.home.parent / name, at.home / "vault.db")


def work(desk: Desk, reason: str) -> None:
    now = desk.clock()
    search(desk.vault, [BTC], person="ana", reason=reason, now=now)
    for act in (Act.EXPORT_MAKE, Act.BUNDLE_VIEW):
        record_act(desk.vault, person="ana", act=act, subject="bundle 7", reason=reason, now=now)


def check(desk: Desk) -> JournalReport:
    return check_journal(desk.vault, desk.client, desk.mirror, org=desk.org, clock=desk.clock)


def change(desk: Desk, *statements: str) -> None:
    with desk.vault.transaction() as connection:
        for statement in statements:
            connection.execute(statement)


def grow_again(desk: Desk) -> None:
    """Do it thoroughly: new leaves for all rows, as one who has the vault's key can."""
    with desk.vault.transaction() as connection:
        connection.execute("DELETE FROM journal_leaves")
        adopt(connection)


def found(desk: Desk) -> VerificationFailed:
    with pytest.raises(VerificationFailed) as caught:
        check(desk)
    return caught.value


def test_a_journal_that_nobody_touched_fits_every_head(bank: DeskAt) -> None:
    with bank.open() as desk:
        report = check(desk)
        assert (report.rows, report.heads, report.covered) == (8, 2, 8)
        work(desk, "later")
        assert check(desk).rows == 12
        assert "4 rows came after" in check(desk).words()


EDITS = {
    "edited": "UPDATE acts SET reason = 'case 9' WHERE no = 1",
    "another person": "UPDATE searches SET person = 'bob' WHERE no = 1",
    "other values": "UPDATE searches SET values_sought = x'00' WHERE no = 1",
    "no text at all": "UPDATE acts SET person = CAST(x'ff' AS TEXT) WHERE no = 2",
    "other count": "UPDATE searches SET found = 7 WHERE no = 2",
    "deleted": "DELETE FROM acts WHERE no = 3",
    "deleted with leaf": "DELETE FROM journal_leaves WHERE place = 3",
    "another leaf": "UPDATE journal_leaves SET hash = zeroblob(32) WHERE place = 2",
    "rubbish leaf": "UPDATE journal_leaves SET kind = 7, salt = 'x', hash = 1 WHERE place = 2",
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_a_changed_row_is_named_with_the_first_head_that_does_not_fit(
    bank: DeskAt, edit: str
) -> None:
    with bank.open() as desk:
        change(desk, edit)
        error = found(desk)
    assert error.code in {"journal_changed", "journal_cut"}
    assert (
        "head of" if "zeroblob" not in edit else "found 1 does not make its leaf"
    ) in error.observed


@pytest.mark.parametrize(
    "edit",
    [EDITS["edited"], EDITS["deleted"], EDITS["other values"], PUT_IN],
)
def test_whoever_makes_all_leaves_anew_is_found_by_the_witnessed_heads(
    bank: DeskAt, edit: str
) -> None:
    with bank.open() as desk:
        change(desk, edit)
        grow_again(desk)
        assert found(desk).code in {"journal_changed", "journal_cut"}
        change(desk, "DELETE FROM journal_heads")
        assert found(desk).code in {"journal_head_unknown", "journal_cut"}
        with desk.vault.transaction() as connection:
            begin_head(connection, journal_head(connection), now=desk.clock())
        assert found(desk).code in {"journal_head_unknown", "journal_cut"}


def test_a_row_that_was_put_in_is_found_before_any_head_covers_it(bank: DeskAt) -> None:
    with bank.open() as desk:
        change(desk, PUT_IN)
        error = found(desk)
    assert (error.code, "act 5 is in no leaf" in error.observed) == ("journal_changed", True)


def test_a_tail_that_was_cut_is_found(bank: DeskAt) -> None:
    with bank.open() as desk:
        change(
            desk,
            "DELETE FROM journal_leaves WHERE place > 6",
            "DELETE FROM acts WHERE no > 2",
        )
        error = found(desk)
    assert error.code == "journal_cut"
    assert "head of 8 rows" in error.observed
    assert "which we sent; 6 rows here" in error.observed


def test_an_older_vault_is_found_here_and_refused_there(world: World, bank: DeskAt) -> None:
    put_back(bank, "older.db")
    with bank.open() as desk:
        assert "which we do not remember sending; 4 rows here" in found(desk).observed
        world.clock.now += 100
        assert send_head(desk.vault, desk.client, clock=world.clock) is None, "no round stops"
        with pytest.raises(Conflict) as caught:
            anchor(world, desk, journal_head(desk.vault.connection))
    assert caught.value.code == "journal_head_older"


def anchor(world: World, desk: Desk, head: GrownHead) -> int:
    """Record a head at the hub under the name of the desk's journal."""
    actor = Actor(org=desk.org, kind=OrgKind.FINANCIAL, role=Role.DESK)
    name = journal_name(desk.vault.connection)
    return world.services.journals.anchor(actor, head, journal=name, now=world.clock())


def test_an_older_vault_under_a_new_name_in_silence_is_found(world: World, tmp_path: Path) -> None:
    """A thief who gives the journal another name gets rid of its heads, not of the question why."""
    at = DeskAt(world, tmp_path / "robbed", "robbed-bank", OrgKind.FINANCIAL, "NL")
    shutil.copy(at.home / "vault.db", at.home.parent / "older.db")
    with at.open() as desk:
        work(desk, "case 4")
        assert send_head(desk.vault, desk.client, clock=world.clock) is not None
        desk.vault.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(at.home / "vault.db", at.home.parent / "whole.db")
    world.witness_round()
    put_back(at, "older.db")
    with at.open() as desk:
        change(desk, "UPDATE settings SET value = randomblob(16) WHERE name = 'journal_name'")
        assert found(desk).code == "journal_undeclared"
        work(desk, "harmless")
        assert send_head(desk.vault, desk.client, clock=world.clock) is not None, "it is heard"
        world.witness_round()
        assert "(this one)" in found(desk).observed
    put_back(at, "whole.db")
    with at.open() as desk:
        assert found(desk).code == "journal_undeclared", "every other vault tells of it"


def test_the_vaults_copy_of_the_log_is_not_believed(bank: DeskAt) -> None:
    with bank.open() as desk:
        check_own_events(desk.vault, desk.client, desk.mirror, org=desk.org, clock=desk.clock)
        change(desk, EDITS["edited"], "DELETE FROM own_events", "DELETE FROM journal_heads")
        grow_again(desk)
        assert found(desk).code == "journal_head_unknown"


def test_the_doctor_tells_with_exit_code_3(
    bank: DeskAt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = b"a passphrase for the doctor"
    passphrase = tmp_path / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_bytes(words)
    monkeypatch.setenv("ACCORD_PASSPHRASE_FILE", str(passphrase))
    config = read_config(bank.home)
    bank.key_file()
    if not config.keys_file.exists():
        save_keys(config.keys_file, bank.kept, words)

    def line() -> Finding:
        findings = examine_desk(config, clock=bank.world.clock, transport=bank.wire)
        (found,) = [one for one in findings if one.check == "journal"]
        return found

    assert line().observed.startswith("8 rows; all 2 heads of it in the hub's log fit; 0 rows")
    with bank.open() as desk:
        change(desk, EDITS["edited"])
    told = line()
    assert told.problem is not None
    assert exit_code_of(told.problem) == 3
    assert "head of 4 rows" in told.observed
    assert "act 1 does not make its leaf" in told.observed


def test_a_head_that_the_hub_said_it_logged_and_did_not_is_missing(
    world: World, tmp_path: Path
) -> None:
    at = DeskAt(world, tmp_path / "ngo", "helpers", OrgKind.NGO, "BE")
    with at.open() as desk:
        work(desk, "case 3")
        with lying(at, answering("/v1/journal/head", b'{"index":1}')):
            assert send_head(desk.vault, desk.client, clock=world.clock) == 1
        world.witness_round()
        with pytest.raises(VerificationFailed) as caught:
            check_own_events(desk.vault, desk.client, desk.mirror, org=desk.org, clock=desk.clock)
    assert caught.value.code == "event_missing"


def test_only_name_size_and_root_leave_and_none_during_a_search(
    world: World, tmp_path: Path
) -> None:
    at = DeskAt(world, tmp_path / "quiet", "quiet-bank", OrgKind.FINANCIAL, "NL")
    bodies: list[bytes] = []

    def seen(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.path == "/v1/journal/head":
            bodies.append(request.read())
        return None

    at.wire.instead = seen
    with at.open() as desk:
        before = len(at.wire.requests)
        work(desk, "a telling reason")
        assert len(at.wire.requests) == before
        at.wire.lose_before = {"/v1/journal"}
        assert send_head(desk.vault, desk.client, clock=world.clock) is None
        assert [one.number for one in sent_heads(desk.vault)] == [None]
        at.wire.lose_before = set()
        assert send_head(desk.vault, desk.client, clock=world.clock) is None, "a minute later"
        world.clock.now += 100
        number = send_head(desk.vault, desk.client, clock=world.clock)
        assert number is not None
        assert send_head(desk.vault, desk.client, clock=world.clock) is None, "nothing new"
        assert anchor(world, desk, journal_head(desk.vault.connection)) == number
        work(desk, "more")
        world.clock.now += 1
        more = journal_head(desk.vault.connection)
        with pytest.raises(Unavailable) as soon:
            anchor(world, desk, more)
        other = GrownHead(size=4, root=bytes(32))
        with pytest.raises(Conflict) as caught:
            anchor(world, desk, other)
    assert (soon.value.code, caught.value.code) == ("journal_head_soon", "journal_head_other")
    assert len(bodies) == 1
    assert set(json.loads(bodies[0])) == {"size", "root", "journal"}


def test_a_head_that_the_hub_invents_is_found(world: World, bank: DeskAt) -> None:
    """The last one here: what stands in the log stays there."""
    with bank.open() as desk:
        work(desk, "more")
        size = journal_head(desk.vault.connection).size
        anchor(world, desk, GrownHead(size=size, root=b"\5" * 32))
        world.witness_round()
        assert found(desk).code == "journal_head_unknown"
        world.clock.now += 100
        anchor(world, desk, INVENTED)
        world.witness_round()
        assert found(desk).code == "journal_head_unknown", "the first one is named"
        with pytest.raises(Conflict):
            anchor(world, desk, journal_head(desk.vault.connection))
