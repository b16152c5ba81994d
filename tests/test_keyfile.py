"""Key files: private, never overwritten, honest about a wrong passphrase and about damage."""

import base64
import hashlib
import json
import os
import resource
import signal
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accord.kernel.errors import AccordError
from accord.keyfile import load_keys, save_keys

KEYS = {"sig": bytes(range(32)), "kem": b"\xff" * 32, "empty": b""}
PASS = b"correct horse battery staple"


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(AccordError) as caught:
        call()
    return caught.value.code


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("keys") / "keys"
    save_keys(path, KEYS, PASS)
    return path.read_bytes()


@pytest.fixture
def path(tmp_path: Path, saved: bytes) -> Path:
    return written(tmp_path / "keys", saved)


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def test_what_was_saved_comes_back(path: Path) -> None:
    assert load_keys(path, PASS) == KEYS


def test_the_file_is_for_its_owner_only_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        save_keys(tmp_path / "keys", KEYS, PASS)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o600


def test_no_key_stands_in_the_file_in_the_clear(saved: bytes) -> None:
    assert b"kem" not in saved
    assert KEYS["sig"] not in saved
    assert PASS not in saved


def test_two_files_of_the_same_keys_share_nothing_secret(tmp_path: Path, saved: bytes) -> None:
    save_keys(tmp_path / "keys", KEYS, PASS)
    first, second = json.loads(saved), json.loads((tmp_path / "keys").read_bytes())
    assert first["kdf"]["salt"] != second["kdf"]["salt"]
    assert first["nonce"] != second["nonce"]
    assert first["box"] != second["box"]


def test_a_key_file_is_never_overwritten(path: Path, saved: bytes) -> None:
    assert code_of(lambda: save_keys(path, {}, PASS)) == "keyfile_exists"
    assert path.read_bytes() == saved


def test_a_link_that_leads_nowhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "keys").symlink_to(tmp_path / "elsewhere")
    assert code_of(lambda: save_keys(tmp_path / "keys", KEYS, PASS)) == "keyfile_exists"
    assert not (tmp_path / "elsewhere").exists()


def test_keys_need_a_passphrase_and_a_place(tmp_path: Path) -> None:
    assert code_of(lambda: save_keys(tmp_path / "keys", KEYS, b"")) == "passphrase_empty"
    assert code_of(lambda: save_keys(tmp_path / "no" / "keys", KEYS, PASS)) == "keyfile_unwritable"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("passphrase", [b"wrong", b"", PASS + b" ", PASS[:-1]])
def test_a_wrong_passphrase_is_told_from_damage(path: Path, passphrase: bytes) -> None:
    assert code_of(lambda: load_keys(path, passphrase)) == "passphrase_wrong"


def test_a_missing_file_and_an_open_file_are_told(path: Path, tmp_path: Path) -> None:
    assert code_of(lambda: load_keys(tmp_path / "no", PASS)) == "keyfile_missing"
    for mode in (0o640, 0o604, 0o644):
        path.chmod(mode)
        assert code_of(lambda: load_keys(path, PASS)) == "keyfile_open"


def resealed(saved: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """A changed file whose digest fits, as somebody would make it on purpose."""
    obj = json.loads(saved)
    obj.pop("sha256")
    change(obj)
    body = json.dumps(obj, separators=(",", ":")).encode()
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    return json.dumps({**obj, "sha256": digest}, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda obj: obj.update(v=2), "keyfile_damaged"),
        (lambda obj: obj.update(kind="other"), "keyfile_damaged"),
        (lambda obj: obj.update(aead="none"), "keyfile_damaged"),
        (lambda obj: obj.update(extra=1), "keyfile_damaged"),
        (lambda obj: obj.update(nonce="AAAA"), "keyfile_damaged"),
        (lambda obj: obj["kdf"].update(name="pbkdf2"), "keyfile_damaged"),
        (lambda obj: obj["kdf"].update(t=0), "keyfile_damaged"),
        (lambda obj: obj["kdf"].update(t=11), "keyfile_damaged"),
        (lambda obj: obj["kdf"].update(m=64), "keyfile_damaged"),
        (lambda obj: obj["kdf"].update(m=2**31), "keyfile_damaged"),
        (lambda obj: obj["kdf"].update(p=17), "keyfile_damaged"),
        (lambda obj: obj["kdf"].update(salt="AAAA"), "keyfile_damaged"),
        (lambda obj: obj["kdf"].update(t=1), "passphrase_wrong"),
        (lambda obj: obj.update(box=""), "passphrase_wrong"),
        (lambda obj: obj.update(nonce="A" * 16), "passphrase_wrong"),
    ],
)
def test_a_forged_file_opens_nothing(
    tmp_path: Path, saved: bytes, change: Callable[[dict[str, Any]], object], code: str
) -> None:
    path = written(tmp_path / "keys", resealed(saved, change))
    assert code_of(lambda: load_keys(path, PASS)) == code


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_any_flipped_bit_is_damage(tmp_path: Path, saved: bytes, place: int, bit: int) -> None:
    data = bytearray(saved)
    data[place % len(data)] ^= 1 << bit
    path = written(tmp_path / "keys", bytes(data))
    assert code_of(lambda: load_keys(path, PASS)) == "keyfile_damaged"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_any_bytes_are_damage(tmp_path: Path, data: bytes) -> None:
    path = written(tmp_path / "keys", data)
    assert code_of(lambda: load_keys(path, PASS)) == "keyfile_damaged"


@pytest.mark.parametrize("cut", [0, 1, 100, -1])
def test_a_torn_file_is_damage(tmp_path: Path, saved: bytes, cut: int) -> None:
    path = written(tmp_path / "keys", saved[:cut])
    assert code_of(lambda: load_keys(path, PASS)) == "keyfile_damaged"


def test_a_file_that_is_far_too_long_is_not_read_whole(tmp_path: Path) -> None:
    path = written(tmp_path / "keys", b" " * 1_000_000)
    assert code_of(lambda: load_keys(path, PASS)) == "keyfile_damaged"


def test_a_box_that_holds_no_keys_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    save_keys(path, {"name": b"x"}, PASS)
    head = json.loads(path.read_bytes())
    head.pop("sha256")
    head.pop("box")
    kdf = head["kdf"]
    key = hash_secret_raw(
        PASS, base64.b64decode(kdf["salt"]), kdf["t"], kdf["m"], kdf["p"], 32, Type.ID
    )
    plain = json.dumps(head, separators=(",", ":")).encode()
    box = AESGCM(key).encrypt(base64.b64decode(head["nonce"]), b'{"name":1}', plain)
    forged = resealed(path.read_bytes(), lambda obj: obj.update(box=base64.b64encode(box).decode()))
    assert code_of(lambda: load_keys(written(path, forged), PASS)) == "keyfile_damaged"


def test_a_full_disk_leaves_no_half_written_file(tmp_path: Path) -> None:
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limit[1]))
    try:
        code = code_of(lambda: save_keys(tmp_path / "keys", KEYS, PASS))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, ignored)
    assert code == "keyfile_unwritable"
    assert list(tmp_path.iterdir()) == []
