"""T13: someone takes a desk's folder, or its backup. Without the passphrase it says nothing."""

import base64
import json
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.desk.conftest import NOW, described, put, records_of

from accord.cli.main import main
from accord.clock import system_clock
from accord.desk.app import open_desk
from accord.desk.indicators import search
from accord.desk.keyring import load_recovery, unlock_keyring
from accord.desk.storage import open_vault
from accord.desk.storage.outbox import write_sealed
from accord.kernel.errors import AccordError, VerificationFailed
from accord.kernel.identifiers import BundleId
from accord.keyfile import load_keys

CANARY = "canary-91c0ffee44"
PASSPHRASE = b"correct horse, stapled battery"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A desk made by its command, with a canary in vault, journal and index; not yet closed."""
    folder = tmp_path_factory.mktemp("stolen")
    passphrase = folder / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_bytes(PASSPHRASE)
    home = folder / "desk"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACCORD_PASSPHRASE_FILE", str(passphrase))
        done = CliRunner().invoke(
            main, ["desk", "init", "--hub", "https://hub.example", "--home", str(home), "--json"]
        )
    assert done.exit_code == 0, done.output
    with open_desk(home, PASSPHRASE, clock=system_clock) as desk:
        put(
            desk.vault,
            described(1, title=f"About {CANARY}"),
            records_of([f"{CANARY}.evil-example.org"]),
        )
        search(desk.vault, [f"{CANARY}.org"], person="ana", reason=CANARY, now=NOW)
        write_sealed(desk.vault, BundleId("019e0000-0000-7000-8000-000000000000"), b"sealed")
        # Taken while it runs: the write-ahead log is part of the loot.
        yield Path(shutil.copytree(home, folder / "loot"))


def loot(home: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in home.rglob("*") if path.is_file()}


def test_no_file_holds_what_was_received_searched_or_why(home: Path) -> None:
    forms = [CANARY.encode(), CANARY.encode("utf-16-le"), CANARY.encode().hex().encode()]
    files = loot(home)
    assert any("vault" in name for name in files)
    assert [name for name, data in files.items() if any(form in data for form in forms)] == []


def test_no_file_holds_a_private_key_or_the_passphrase(home: Path) -> None:
    secrets = {
        name: key for one in key_files(home) for name, key in load_keys(one, PASSPHRASE).items()
    }
    assert len(secrets) >= 4
    for secret in (*secrets.values(), PASSPHRASE):
        spellings = [secret, base64.b64encode(secret), secret.hex().encode()]
        for name, data in loot(home).items():
            assert not any(one in data for one in spellings), name


def test_what_is_private_is_for_its_owner_only(home: Path) -> None:
    for path in home.rglob("*"):
        if path.is_file() and path.suffix != ".toml":
            inside = stat.S_IMODE(path.parent.stat().st_mode) & 0o077 == 0
            assert inside or stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert stat.S_IMODE(home.stat().st_mode) & 0o077 == 0


@pytest.mark.parametrize("guess", [b"", b"correct horse", PASSPHRASE + b"\n "])
def test_a_wrong_passphrase_opens_nothing(home: Path, guess: bytes) -> None:
    for load in (unlock_keyring, load_recovery):
        for path in key_files(home):
            with pytest.raises(AccordError) as caught:
                load(path, guess)
            assert caught.value.code in {"passphrase_wrong", "keys_incomplete"}


def key_files(home: Path) -> list[Path]:
    return [
        path for path in home.rglob("*") if path.is_file() and b'"argon2id"' in path.read_bytes()
    ]


def test_a_key_file_cannot_be_weakened_or_patched(home: Path, tmp_path: Path) -> None:
    """Cheaper parameters for the next one, or one changed bit: it does not open."""
    (path, *_) = key_files(home)
    obj = json.loads(path.read_bytes())
    box = base64.b64decode(obj["box"])
    changes: list[dict[str, object]] = [
        {"box": base64.b64encode(box[:-1] + bytes([box[-1] ^ 1])).decode()},
        {"kdf": obj["kdf"] | {"t": 1, "m": 128}},
        {"kdf": obj["kdf"] | {"m": 1 << 30}},
        {"aead": "none"},
    ]
    for at, change in enumerate(changes):
        copy = tmp_path / f"{at}.json"
        copy.touch(mode=0o600)
        copy.write_text(json.dumps(obj | change, separators=(",", ":")))
        with pytest.raises(AccordError):
            load_keys(copy, PASSPHRASE)


def test_a_vault_without_its_key_or_with_a_changed_page_is_refused(
    home: Path, tmp_path: Path
) -> None:
    path = next(home.rglob("vault*.db"))
    with pytest.raises(VerificationFailed) as caught:
        open_vault(path, bytes(32))
    assert caught.value.code == "vault_key_wrong"
    copy = Path(shutil.copytree(home, tmp_path / "copy"))
    changed = copy / path.relative_to(home)
    data = bytearray(changed.read_bytes())
    data[8192 + 100] ^= 1
    changed.write_bytes(bytes(data))
    for beside in changed.parent.glob(f"{changed.name}-*"):
        beside.unlink()
    with (
        pytest.raises(AccordError) as refused,
        open_desk(copy, PASSPHRASE, clock=system_clock) as desk,
    ):
        desk.vault.setting("x")
    assert refused.value.code == "vault_damaged"
