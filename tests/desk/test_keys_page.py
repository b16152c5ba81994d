"""The page of the keys: what there is, what the directory says, and one change with the password.

Against a real hub's directory, with a key file whose passphrase costs nothing.
"""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from tests.desk.test_pages import BASE, PORT, post
from tests.desk.wire import DeskAt
from tests.support.hub_world import World

from accord.desk.app import Desk
from accord.desk.app.pages import make_pages
from accord.desk.cli.keys_shown import keys_data, keys_text
from accord.desk.config import read_config, write_config
from accord.desk.exchange.own_keys import Todo, note_backup, note_sheet, own_keys
from accord.desk.keyring.people import People
from accord.kernel.directory.transition import ROTATION_PAUSE
from accord.kernel.encoding import b64encode
from accord.kernel.errors import Refused
from accord.kernel.keys import KemKeyPair, RequestKeyPair, SigningKeyPair
from accord.kernel.markings import OrgKind

YEAR = 365 * 86_400


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


@contextmanager
def signed_in(bank: DeskAt) -> Iterator[tuple[Desk, FlaskClient, str]]:
    """Give the opened desk, somebody at its pages, and that person's password."""
    with bank.open() as desk:
        app = make_pages(
            desk,
            secret_key=bytes(32),
            instance="0a0b0c0d",
            port=PORT,
            key_file=bank.key_file(),
        )
        password = People(desk.vault).set_password("ana", by="root", now=0)
        person = app.test_client()
        assert post(person, "/sign-in", login="ana", password=password).status_code == 303
        yield desk, person, password


def shown(person: FlaskClient) -> str:
    answer = person.get("/keys", base_url=BASE)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return html.unescape(answer.get_data(as_text=True))


def wait(world: World, seconds: int) -> None:
    world.clock.now += seconds
    world.witness_round()


def acts(desk: Desk) -> list[tuple[str, str, str]]:
    return desk.vault.connection.execute(
        "SELECT person, act, reason FROM acts WHERE act LIKE 'key:%' ORDER BY no"
    ).fetchall()


def test_the_keys_are_told_by_short_names_and_nothing_private_is(bank: DeskAt) -> None:
    with signed_in(bank) as (desk, person, _):
        page = shown(person)
        keyring = desk.keyring
        for kid in (keyring.signing.kid, keyring.kem[-1].kid, keyring.request.kid):
            assert b64encode(kid)[:12] + "…" in page
            assert b64encode(kid) not in page
        private = [*keyring.signing.seeds, keyring.request.seed, keyring.kem[-1].seed]
        for secret in (*private, keyring.vault):
            assert b64encode(secret)[:16] not in page
            assert secret.hex()[:16] not in page
        assert "It holds exactly these keys. Your organisation is active." in page
        assert page.count("counts, from") == 3
        assert "no backup holds these keys" in page
        command = f"accord keys backup -o keys.backup --home {desk.config.home}"
        assert command in page


@pytest.mark.parametrize(
    ("backed_up", "later", "todo", "words"),
    [
        (False, 0, Todo.BACKUP, "no backup holds"),
        (True, 0, Todo.NOTHING, "Nothing is to be done."),
        (True, YEAR - 9 * 86_400, Todo.ROTATE, "end soon"),
    ],
)
def test_the_page_and_the_command_say_the_same_is_to_be_done(
    bank: DeskAt, *, backed_up: bool, later: int, todo: Todo, words: str
) -> None:
    wait(bank.world, later)
    with signed_in(bank) as (desk, person, _):
        if backed_up:
            note_backup(desk.vault, desk.keyring, now=5)
        state, now = desk.mirror.refresh(), desk.clock()
        assert own_keys(desk.vault, desk.keyring, bank.org, state=state, now=now).todo is todo
        assert words in shown(person)
        assert keys_data(desk)["next_actor"] == ("nobody" if todo is Todo.NOTHING else "desk")


def test_a_change_with_the_password_is_made_written_down_and_told(bank: DeskAt) -> None:
    before = bank.keyring
    with signed_in(bank) as (desk, person, password):
        answer = post(person, "/keys", password=password)
        assert answer.status_code == 200
        page = answer.get_data(as_text=True)
        assert "Your organisation has new keys" in page
        assert "other keys" not in page
        assert acts(desk) == [("ana", "key:rotate", "rotate"), ("ana", "key:rotate", "take over")]
    bank.keyring = bank.key_file().unlock()
    assert bank.keyring.signing.kid != before.signing.kid
    assert bank.keyring.kem[:-1] == before.kem
    with signed_in(bank) as (desk, person, password):
        page = shown(person)
        assert "It holds exactly these keys" in page
        assert "old, still opens what was sealed to it" in page
        assert "has ended; it was valid" in page
        assert "changed less than an hour ago" in page
        assert 'name="password"' not in page
        # Whoever sends the form all the same meets the directory's own rule.
        refused = post_form(person, password=password)
        assert refused[0] == 403
        assert "rotation_too_soon" in refused[1]
        wait(bank.world, ROTATION_PAUSE)
        assert 'name="password"' in shown(person)


def post_form(person: FlaskClient, **fields: str) -> tuple[int, str]:
    """Send the form of the keys with the token of another page."""
    page = person.get("/search", base_url=BASE).get_data(as_text=True)
    found = re.search(r'name="([a-z_]+)" value="([A-Za-z0-9_-]{20,})"', page)
    assert found is not None
    answer = person.post("/keys", base_url=BASE, data={found[1]: found[2], **fields})
    return answer.status_code, answer.get_data(as_text=True)


def test_a_session_alone_changes_nothing(bank: DeskAt) -> None:
    before = bank.key_file().entries()
    with signed_in(bank) as (desk, person, password):
        wrong = post(person, "/keys", password=password + "x")
        assert wrong.status_code == 401
        assert "sign_in_wrong" in wrong.get_data(as_text=True)
        forged = person.post("/keys", base_url=BASE, data={"password": password})
        assert forged.status_code == 403
        for _ in range(10):
            last = post(person, "/keys", password="guess")
        assert last.status_code == 429
        assert int(last.headers["Retry-After"]) > 0
        assert acts(desk) == []
    assert bank.key_file().entries() == before


def test_a_change_that_was_cut_off_is_finished_on_the_page(bank: DeskAt) -> None:
    bank.wire.lose_before = {"/proof"}
    with signed_in(bank) as (desk, person, password):
        cut = post(person, "/keys", password=password)
        assert cut.status_code == 503
        assert acts(desk) == [("ana", "key:rotate", "rotate")]
    bank.wire.lose_before = set()
    bank.keyring = bank.key_file().unlock()
    following = bank.keyring.following
    assert following is not None
    with signed_in(bank) as (desk, person, password):
        page = shown(person)
        assert "a change of keys is under way" in page
        assert "Finish the change of keys" in page
        assert "new, takes over when the change is finished" in page
        assert post(person, "/keys", password=password).status_code == 200
    assert bank.key_file().unlock().signing.kid == following.signing.kid


def test_a_directory_with_other_keys_is_said_loudly_and_no_change_is_offered(bank: DeskAt) -> None:
    bank.keyring = replace(
        bank.keyring,
        signing=SigningKeyPair.generate(),
        request=RequestKeyPair.generate(),
        kem=(KemKeyPair.generate(),),
    )
    with signed_in(bank) as (desk, person, password):
        page = shown(person)
        assert "It holds other keys." in page
        assert "call a registrar" in page
        assert page.count("not there") == 3
        assert 'name="password"' not in page
        assert post_form(person, password=password)[0] == 422
        assert acts(desk) == []


def test_a_hub_that_does_not_answer_leaves_what_the_directory_said_last(bank: DeskAt) -> None:
    with bank.open() as desk:
        desk.mirror.refresh()
    wait(bank.world, 3600)
    bank.wire.lose_before = {"/"}
    with signed_in(bank) as (_, person, _):
        page = shown(person)
        assert "The hub did not answer; this is what the directory said last." in page
        assert "It holds exactly these keys" in page


def test_a_sheet_of_another_recovery_key_and_a_file_left_here_are_said(bank: DeskAt) -> None:
    with signed_in(bank) as (desk, person, _):
        assert "None is known to this desk." in shown(person)
        note_sheet(desk.vault, SigningKeyPair.generate().kid, now=5)
        assert "It is of another recovery key, and useless:" in shown(person)
        note_sheet(desk.vault, bank.recovery.kid, now=6)
        assert "It is of this recovery key:" in shown(person)
        (desk.config.home / "recovery-2.accord").touch()
        assert "The file recovery-2.accord lies on this computer" in shown(person)


def test_keys_that_were_changed_beside_the_page_are_not_called_a_theft(bank: DeskAt) -> None:
    with bank.open() as desk:
        desk.config.keys_file.write_bytes(b"before")
    with signed_in(bank) as (desk, person, _):
        other = desk.config.keys_file.with_suffix(".new")
        other.write_bytes(b"after")
        other.replace(desk.config.keys_file)
        with bank.open() as beside:
            bank.changes(beside).rotate()
        page = shown(person)
        assert "The desk is opening again with the new ones" in page
        assert "other keys" not in page


def test_before_enrolment_the_page_says_who_acts(bank: DeskAt) -> None:
    write_config(replace(read_config(bank.home), org=None), replace=True)
    with signed_in(bank) as (desk, person, _):
        page = shown(person)
        assert "not enrolled yet" in page
        assert 'name="password"' not in page
        assert keys_text(keys_data(desk)).endswith("Not enrolled yet: accord desk enrol.")


def test_what_ends_keys_or_takes_over_stands_in_the_journal_even_when_it_fails(
    bank: DeskAt,
) -> None:
    with bank.open() as desk:
        with pytest.raises(Refused):
            bank.changes(desk).recover(
                SigningKeyPair.generate(), new_recovery=lambda: bank.recovery.public
            )
        assert acts(desk) == []
        bank.changes(desk).revoke()
        assert acts(desk) == [("ana", "key:rotate", "revoke")]
    with signed_in(bank) as (_, person, _):
        page = shown(person)
        assert "Your organisation is revoked." in page
        assert "It comes back with its recovery key: accord keys recover." in page
        assert 'name="password"' not in page
