"""A desk changes its keys: others seal to the new ones, history opens, a killed change goes on."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.desk.conftest import records_of
from tests.desk.wire import DeskAt, plan
from tests.support.hub_world import BTC, World
from tests.support.lies import look

from accord.desk.exchange import keychange
from accord.desk.exchange.confirmations import collect, confirmations
from accord.desk.exchange.keychange import Standing
from accord.desk.exchange.ours import require_ours
from accord.desk.keyring.backup import read_backup, restore_keys, write_backup
from accord.desk.keyring.recovery import parse_recovery, recovery_line, recovery_words
from accord.desk.keyring.sheet import Sheet, sheet_pdf, sheet_text
from accord.desk.storage import create_vault
from accord.desk.storage.bundles import find_bundle
from accord.desk.storage.outbox import outbox_row
from accord.kernel.directory.countersigning import add_signature, read_document
from accord.kernel.directory.organisation import Status
from accord.kernel.directory.statements import Op, sign_statement
from accord.kernel.directory.transition import RECOVERY_HOLD, following_statement
from accord.kernel.errors import (
    AccordError,
    AuthenticationNeeded,
    Conflict,
    Malformed,
    Refused,
    Unavailable,
    VerificationFailed,
)
from accord.kernel.identifiers import BundleId
from accord.kernel.keys import KemKeyPair, RequestKeyPair, SigningKeyPair
from accord.kernel.markings import OrgKind

EVM = "0x52908400098527886e0f7030069857d2e4169ee7"
ONION = "http://2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion"


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


def submit(bank: DeskAt, police: DeskAt, value: str) -> BundleId:
    with bank.open() as desk:
        sent = plan(bank.world, police.org, source=value.encode()[:32].ljust(32))
        return desk.submissions.send(sent, records_of([value])).bundles[0].id


def rotate(at: DeskAt, **options: int) -> Standing:
    with at.open() as desk:
        found = at.changes(desk).rotate(**options)
    at.keyring = at.key_file().unlock()
    return found


def pull(at: DeskAt, *values: str) -> list[int]:
    """Pull, and count the hits of each value."""
    with at.open() as desk:
        assert desk.pull.pull(retention_days=30).refused == []
        return [len(look(desk, value)) for value in values]


def signed_by_registrars(world: World, raw: bytes) -> None:
    document = read_document(raw)
    for registrar in world.registrars:
        document = add_signature(document, registrar)
    world.services.statements.countersigned(document.raw, now=world.clock())
    world.witness_round()


def test_after_a_rotation_both_what_was_sealed_before_and_what_comes_after_opens(
    bank: DeskAt, police: DeskAt
) -> None:
    submit(bank, police, BTC)
    assert pull(police, BTC) == [1]
    submit(bank, police, EVM)  # under way when the police rotate
    before = police.keyring
    found = rotate(police)
    assert (found.state, found.next_actor, found.status) == ("active", "nobody", Status.ACTIVE)
    assert police.keyring.kem[:-1] == before.kem
    assert {police.keyring.signing.kid, police.keyring.request.kid}.isdisjoint(
        {before.signing.kid, before.request.kid}
    )
    assert police.keyring.following is None
    submit(bank, police, ONION)  # the bank's desk learns of the new key by itself
    with bank.open() as desk:
        assert desk.mirror.refresh().organisation(police.org).kem == police.keyring.kem[-1].public
    assert pull(police, BTC, EVM, ONION) == [1, 1, 1]


def test_a_confirmation_signed_with_the_new_key_counts_at_a_desk_that_did_not_know_it_yet(
    bank: DeskAt, police: DeskAt
) -> None:
    sent = submit(bank, police, BTC)
    rotate(police)
    assert pull(police, BTC) == [1]
    with bank.open() as desk:
        assert not desk.mirror.state.has_key(police.keyring.signing.kid)
        assert collect(desk.vault, desk.client, desk.mirror) == (1, 0)
        (said,) = confirmations(desk.vault, sent, now=bank.world.clock())
        assert said.outcome == "opened"


def test_who_dealt_with_it_is_told_in_the_feed(world: World, bank: DeskAt, police: DeskAt) -> None:
    stranger = world.enrol("third-bank", OrgKind.FINANCIAL)
    submit(bank, police, BTC)
    rotate(police)
    with bank.open() as desk:
        page = json.loads(desk.client.get("/v1/feed", "after=0&limit=10", signed=True))
    notices = [one for one in page["items"] if one["event"] == "key-changed"]
    assert [one["subject"] for one in notices] == [police.org]
    assert json.loads(stranger.get("/v1/feed", "after=0&limit=10").content)["items"] == []


@pytest.mark.parametrize("cut", ["/v1/statements", "/proof"])
@pytest.mark.parametrize("when", ["lose_before", "lose_after"])
def test_a_killed_rotation_goes_on_with_the_same_keys(
    bank: DeskAt, police: DeskAt, cut: str, when: str
) -> None:
    setattr(police.wire, when, {cut})
    with police.open() as desk:
        with pytest.raises(Unavailable):
            police.changes(desk).rotate()
        begun = desk.vault.connection.execute(
            "SELECT person, reason FROM acts WHERE act = 'key:rotate'"
        ).fetchall()
        assert begun == [("ana", "rotate")], "who began it stands there whatever comes after"
    setattr(police.wire, when, set())
    under_way = police.key_file().unlock().following
    assert under_way is not None
    assert rotate(police).state == "active"
    assert police.keyring.kem[-1].kid == under_way.kem.kid
    submit(bank, police, BTC)
    assert pull(police, BTC) == [1]


def test_a_rotation_that_no_witness_has_seen_waits_for_it(police: DeskAt) -> None:
    police.wire.witness = False
    with police.open() as desk:
        desk.mirror.refresh()
        with pytest.raises(Unavailable) as caught:
            police.changes(desk).rotate()
        assert caught.value.code == "change_pending"
        with pytest.raises(Unavailable) as caught:
            police.changes(desk).rotate()
        assert caught.value.code == "change_pending"
    assert len(police.pauses) >= keychange.TRIES
    police.wire.witness = True
    assert rotate(police).state == "active"


def test_two_rotations_need_an_hour_between_them(world: World, police: DeskAt) -> None:
    rotate(police)
    with pytest.raises(Refused) as caught:
        rotate(police)
    assert caught.value.code == "rotation_too_soon"
    world.clock.now += 3601
    rotate(police)
    assert len(police.keyring.kem) == 3


def test_what_was_sealed_with_the_old_keys_goes_first(bank: DeskAt, police: DeskAt) -> None:
    bank.wire.lose_before = {"/v1/bundles/"}
    with pytest.raises(Unavailable):
        submit(bank, police, BTC)
    with bank.open() as desk, pytest.raises(Refused) as caught:
        bank.changes(desk).rotate()
    assert caught.value.code == "outbox_waits"
    bank.wire.lose_before = set()
    with bank.open() as desk:
        desk.submissions.flush()
    assert rotate(bank).state == "active"


def test_another_process_with_the_old_keys_seals_nothing_more(bank: DeskAt, police: DeskAt) -> None:
    with bank.open() as old:
        assert old.submissions.send(plan(bank.world, police.org), records_of([BTC])).complete
        rotate(bank)
        with pytest.raises(VerificationFailed) as caught:
            old.submissions.send(plan(bank.world, police.org, source=b"2" * 32), records_of([EVM]))
        assert caught.value.code == "keys_not_ours"
        with pytest.raises(VerificationFailed) as caught:
            old.pull.pull(retention_days=30)
        assert caught.value.code == "keys_not_ours"
    sent = submit(bank, police, EVM)
    with bank.open() as desk:
        row = outbox_row(desk.vault, sent)
        assert row is not None
        assert row.state.value == "receipted"


def test_what_a_compromised_key_signed_is_shown_with_a_warning(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    first = submit(bank, police, BTC)
    assert pull(police, BTC) == [1]
    rotate(bank, compromised_since=world.clock() - 60)
    with police.open() as desk:
        desk.pull.pull(retention_days=30)
        stored = find_bundle(desk.vault, first, bank.org)
        assert "compromised before it was signed" in desk.signature_state(stored)
        (hit,) = look(desk, BTC)
        assert hit.active


def test_history_opens_on_a_new_computer_from_a_backup(
    world: World, bank: DeskAt, police: DeskAt, tmp_path: Path
) -> None:
    submit(bank, police, BTC)
    assert pull(police, BTC) == [1]
    rotate(police)
    submit(bank, police, EVM)
    assert pull(police, EVM) == [1]
    file, passphrase = tmp_path / "police.backup", b"another passphrase"
    with police.open() as desk:
        write_backup(
            file,
            police.key_file().entries(),
            hub=desk.config.hub,
            org=desk.config.org,
            root_file=desk.config.root_file.read_bytes(),
            passphrase=passphrase,
        )
    found = read_backup(file, passphrase)
    assert (found.org, found.root_file) == (police.org, world.root_bytes)
    assert "seed" not in repr(found)
    # The vault was lost with the old computer: the hub still has the sealed bundles.
    vault_file = police.home / "vault.db"
    for path in police.home.glob("vault.db*"):
        path.unlink()
    create_vault(vault_file, found.keyring.vault).close()
    police.keyring = found.keyring
    assert pull(police, BTC, EVM) == [1, 1]
    new = tmp_path / "restored.accord"
    restore_keys(new, file, passphrase=passphrase, new_passphrase=b"third")
    with pytest.raises(Conflict):
        restore_keys(new, file, passphrase=passphrase, new_passphrase=b"third")
    with pytest.raises(AuthenticationNeeded):
        read_backup(file, b"a wrong one")
    with pytest.raises(Malformed) as caught:
        read_backup(new, b"third")
    assert caught.value.code == "backup_incomplete"


def test_a_backup_from_before_a_rotation_says_that_it_is_old(police: DeskAt) -> None:
    before = police.keyring
    rotate(police)
    police.keyring = before
    with police.open() as desk, pytest.raises(VerificationFailed) as caught:
        desk.pull.pull(retention_days=30)
    assert caught.value.code == "keys_not_ours"
    assert "backup" in (caught.value.next_step or "")


def test_a_lost_desk_recovers_with_its_sheet_on_another_computer(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    submit(bank, police, BTC)
    thief = police.keyring
    words = " ".join(sum(recovery_words(police.recovery), ()))
    # A new computer: nothing but the words and the root file.
    police.keyring = replace(
        thief,
        signing=SigningKeyPair.generate(),
        request=RequestKeyPair.generate(),
        kem=(KemKeyPair.generate(),),
    )
    police.kept.clear()
    following = iter([SigningKeyPair.generate().public])  # it is asked for once

    with police.open() as desk:
        changes = police.changes(desk)
        found = changes.recover(parse_recovery(words), new_recovery=lambda: next(following))
        assert (found.state, found.next_actor) == ("approval-needed", "registrar")
        assert len(found.words) == 6
        # Run again, it asks with the same keys, and makes no other recovery key.
        again = changes.recover(parse_recovery(words), new_recovery=lambda: next(following))
        assert again.state == "approval-needed"
        waiting = world.services.enrolments.waiting()[-1]
        signed_by_registrars(world, waiting.statement)
        found = changes.status()
        assert (found.state, found.status, found.next_actor) == (
            "active",
            Status.SUSPENDED,
            "registrar",
        )
        assert found.hold_until == world.clock() + RECOVERY_HOLD
    police.keyring = police.key_file().unlock()
    with police.open() as desk, pytest.raises(Refused) as refused:
        desk.pull.pull(retention_days=30)
    assert refused.value.code == "standing_lost"
    assert "72 hours" in (refused.value.next_step or "")
    with bank.open() as desk:  # everybody is told
        page = json.loads(desk.client.get("/v1/feed", "after=0&limit=10", signed=True))
        assert [one["subject"] for one in page["items"]] == [police.org]
        desk.mirror.refresh()
        with pytest.raises(Refused) as refused:
            desk.submissions.send(plan(world, police.org, source=b"3" * 32), records_of([EVM]))
        assert refused.value.code == "org_not_active"
    world.clock.now += RECOVERY_HOLD
    draft = world.services.statements.draft(police.org, Op.RESUME, now=world.clock())
    signed_by_registrars(world, draft)
    submit(bank, police, EVM)
    with police.open() as desk:
        desk.pull.pull(retention_days=30)
        # What was sealed to the lost key cannot be opened; what comes now can.
        assert (len(look(desk, BTC)), len(look(desk, EVM))) == (0, 1)
    police.keyring = thief
    with police.open() as desk, pytest.raises(VerificationFailed):
        require_ours(desk.mirror.refresh(), police.org, thief)


def test_an_old_recovery_key_is_told_apart(police: DeskAt) -> None:
    with police.open() as desk, pytest.raises(Refused) as caught:
        police.changes(desk).recover(
            SigningKeyPair.generate(), new_recovery=lambda: SigningKeyPair.generate().public
        )
    assert caught.value.code == "recovery_key_other"
    assert police.key_file().unlock().following is None


def test_a_refused_recovery_says_why(world: World, police: DeskAt) -> None:
    with police.open() as desk:
        changes = police.changes(desk)
        changes.recover(police.recovery, new_recovery=lambda: SigningKeyPair.generate().public)
        world.services.statements.refuse(police.org, "words-differ", now=world.clock())
        found = changes.status()
    assert (found.state, found.reason, found.next_actor) == ("refused", "words-differ", "nobody")


def test_a_stolen_desk_is_revoked_from_another_computer(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    submit(bank, police, BTC)
    with police.open() as desk:
        found = police.changes(desk).revoke(police.recovery)
    assert found.status is Status.REVOKED
    with police.open() as desk, pytest.raises(Refused) as caught:
        desk.pull.pull(retention_days=30)
    assert caught.value.code == "standing_lost"
    assert police.org not in {
        one.org
        for one in world.services.directory.refresh().organisations()
        if one.status is Status.ACTIVE
    }


def test_a_member_leaves_and_nothing_goes_to_it_any_more(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    with police.open() as desk:
        assert police.changes(desk).leave().status is Status.LEFT
        with pytest.raises(Refused) as caught:
            police.changes(desk).leave()
        assert caught.value.code == "standing_lost"
    with bank.open() as desk:
        desk.mirror.refresh()
        with pytest.raises(Refused) as caught:
            desk.submissions.send(plan(world, police.org), records_of([BTC]))
    assert caught.value.code == "org_not_active"


def test_a_thiefs_rotation_is_seen_by_its_owner_and_undone_by_the_recovery_key(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    held = world.services.directory.refresh().organisation(police.org)
    false = SigningKeyPair.generate()
    statement = replace(
        following_statement(held, Op.ROTATE, not_before=world.clock()),
        sig=false.public,
        not_after=world.clock() + 86_400,
    )
    raw = sign_statement(statement, [false, police.keyring.signing])
    world.services.statements.submit(raw, now=world.clock())
    world.witness_round()
    with police.open() as desk:
        with pytest.raises(VerificationFailed) as caught:
            desk.pull.pull(retention_days=30)
        assert caught.value.code == "keys_not_ours"
        with pytest.raises(VerificationFailed):
            police.changes(desk).status()
        changes = police.changes(desk)
        changes.recover(police.recovery, new_recovery=lambda: SigningKeyPair.generate().public)
        signed_by_registrars(world, world.services.enrolments.waiting()[-1].statement)
        assert changes.status().status is Status.SUSPENDED
    with bank.open() as desk, pytest.raises(AccordError) as gone:
        desk.mirror.refresh().signer_at(false.kid)
    assert gone.value.code == "key_not_in_force"


def test_words_of_a_sheet_come_back_as_they_are_typed() -> None:
    pair = SigningKeyPair.generate()
    first, second = recovery_words(pair)
    assert (len(first), len(second)) == (24, 24)
    text = sheet_text(Sheet(org="bank@hub.test", hub="https://hub.test", made=1, pair=pair))
    typed = text[text.index("Part 1") : text.index("accord-recovery")].replace("Part", "")
    assert parse_recovery(typed).seeds == pair.seeds
    assert parse_recovery(" ".join(first + second).upper()).seeds == pair.seeds
    assert parse_recovery(recovery_line(pair)).seeds == pair.seeds
    pdf = sheet_pdf(Sheet(org='b"#@hub', hub="https://hub.test", made=1, pair=pair))
    assert pdf.startswith(b"%PDF")


@pytest.mark.parametrize("spoil", ["swap", "short", "strange", "line", "empty"])
def test_wrong_words_are_refused_and_never_repeated(spoil: str) -> None:
    pair = SigningKeyPair.from_seeds(b"\1" * 32, b"\2" * 32)
    first, second = recovery_words(pair)
    text = {
        "swap": " ".join((*first, *second[:-1], "abandon")),
        "short": " ".join((*first, *second[:-1])),
        "strange": " ".join((*first, *second[:-1], "xyzzy")),
        "line": recovery_line(pair)[:-5],
        "empty": "",
    }[spoil]
    with pytest.raises(Malformed) as caught:
        parse_recovery(text)
    assert caught.value.code == "recovery_words_wrong"
    assert {first[0], second[0], "xyzzy"}.isdisjoint(str(caught.value).split())
