"""Keys are made once, wrapped, and shown to nobody; settings are read strictly."""

from pathlib import Path

import pytest

from accord.desk.config import DeskConfig, parse_hub_url, read_config, write_config
from accord.desk.keyring import KeyFile, create_keyring, load_recovery, unlock_keyring
from accord.kernel.errors import AccordError, AuthenticationNeeded, Conflict, Malformed, NotFound
from accord.kernel.identifiers import OrgId
from accord.keyfile import save_keys

PASSPHRASE = b"correct horse"


def test_keys_come_back_under_their_passphrase_and_never_in_words(tmp_path: Path) -> None:
    path, recovery = tmp_path / "keys", tmp_path / "recovery"
    made = create_keyring(path, recovery, PASSPHRASE)
    again = unlock_keyring(path, PASSPHRASE)
    assert (again.signing.kid, again.request.kid, again.vault) == (
        made.signing.kid,
        made.request.kid,
        made.vault,
    )
    assert list(again.opening_keys) == [made.kem[0].kid]
    assert load_recovery(recovery, PASSPHRASE).kid != made.signing.kid
    assert made.vault.hex() not in repr(made)
    assert repr(made.vault) not in repr(made)
    data = path.read_bytes() + recovery.read_bytes()
    assert made.vault not in data
    assert made.kem[0].seed not in data


def test_a_wrong_passphrase_and_missing_keys_need_sign_in(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    with pytest.raises(AuthenticationNeeded) as caught:
        unlock_keyring(path, PASSPHRASE)
    assert caught.value.code == "keys_missing"
    create_keyring(path, tmp_path / "recovery", PASSPHRASE)
    with pytest.raises(AuthenticationNeeded):
        unlock_keyring(path, b"another")


def test_keys_are_never_made_twice(tmp_path: Path) -> None:
    create_keyring(tmp_path / "keys", tmp_path / "recovery", PASSPHRASE)
    with pytest.raises(Conflict):
        create_keyring(tmp_path / "keys", tmp_path / "recovery", PASSPHRASE)


@pytest.mark.parametrize("entries", [{"vault": bytes(32)}, {"kem-1": bytes(32), "signing": b"x"}])
def test_a_key_file_that_lacks_a_key_is_refused(tmp_path: Path, entries: dict[str, bytes]) -> None:
    save_keys(tmp_path / "keys", entries, PASSPHRASE)
    with pytest.raises(Malformed) as caught:
        unlock_keyring(tmp_path / "keys", PASSPHRASE)
    assert caught.value.code == "keys_incomplete"


def test_settings_come_back_as_they_were_written(tmp_path: Path) -> None:
    config = DeskConfig(
        home=tmp_path, hub="https://hub.example", org=OrgId("a@hub.example"), port=0
    )
    write_config(config)
    assert read_config(tmp_path) == config
    with pytest.raises(Conflict):
        write_config(config)


@pytest.mark.parametrize(
    "text",
    [
        'hub = "https://h.example"\nhubs = 1\n',
        "port = 1\n",
        'hub = "https://h.example"\nport = true\n',
        'hub = "https://h.example"\nport = 70000\n',
        'hub = "https://h.example"\norg = "no id"\n',
        "hub = ",
    ],
)
def test_a_setting_that_is_unknown_or_wrong_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "desk.toml").write_text(text)
    with pytest.raises(AccordError):
        read_config(tmp_path)


def test_a_directory_without_a_desk_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        read_config(tmp_path)
    assert caught.value.code == "desk_missing"


@pytest.mark.parametrize(
    "url",
    [
        "http://hub.example",
        "ftp://localhost",
        "https://",
        "https://a@b.c",
        "https://h/?q=1",
        "https://[::1",
        "https://h:99999",
        "https://h:x",
        "https://h/path",
        'https://h"\nport = 1',
        "https://h\u00e9",
    ],
)
def test_plain_http_is_for_this_computer_only(url: str) -> None:
    assert parse_hub_url("http://localhost:8800/") == "http://localhost:8800"
    with pytest.raises(Malformed):
        parse_hub_url(url)


def test_a_change_of_keys_keeps_the_old_opening_key_and_lets_the_others_go(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    before = create_keyring(path, tmp_path / "recovery", PASSPHRASE)
    file = KeyFile(path=path, passphrase=PASSPHRASE)
    (tmp_path / "keys.new").write_bytes(b"left by a killed command")
    prepared = file.prepare()
    assert prepared.following is not None
    assert (prepared.signing.kid, len(prepared.kem)) == (before.signing.kid, 1)
    assert set(prepared.opening_keys) == {before.kem[0].kid, prepared.following.kem.kid}
    again = file.prepare()
    assert again.following is not None
    assert again.following.kem.kid == prepared.following.kem.kid
    after = file.finish()
    assert [pair.kid for pair in after.kem] == [before.kem[0].kid, prepared.following.kem.kid]
    assert (after.signing.kid, after.vault) == (prepared.following.signing.kid, before.vault)
    assert after.following is None
    assert not (tmp_path / "keys.new").exists()
    assert path.stat().st_mode & 0o777 == 0o600
    assert str(PASSPHRASE) not in repr(file)
    with pytest.raises(Malformed):
        file.finish()
