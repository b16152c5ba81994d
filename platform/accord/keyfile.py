"""Private keys in one file under a passphrase: Argon2id and AES-256-GCM, mode 0600.

Used by the desk and the registrar. The file is JSON: parameters in the clear, one sealed box. A
digest over the whole tells damage from a wrong passphrase; it protects against accidents, the GCM
tag against attackers. ``save_keys`` never overwrites; ``replace_keys`` leaves the old file or the
new one, whole, whenever it is killed. No copy is kept in memory.

Source: RFC 9106 clause 4 (second recommended option: t = 3, m = 64 MiB, p = 4), NIST SP 800-38D.
"""

import hashlib
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from accord.kernel.encoding import (
    JsonValue,
    b64decode,
    b64encode,
    dump_object,
    parse_object,
    require_int,
    require_keys,
    require_object,
    require_str,
)
from accord.kernel.errors import (
    AuthenticationNeeded,
    Conflict,
    Malformed,
    NotFound,
    Refused,
    VerificationFailed,
)

MAX_KEY_FILE = 256 * 1024
MIN_PASSPHRASE = 1
"""Shortest passphrase in bytes; how strong it must be is for the command that asks for it."""

_KIND = "accord-keys"
_TIME = 3
_MEMORY = 64 * 1024
_LANES = 4
_COST = _TIME, _MEMORY, _LANES
_MAX_TIME = 10
_MAX_MEMORY = 1024 * 1024
_MAX_LANES = 16
_SALT_SIZE = 16
_NONCE_SIZE = 12
_KEY_SIZE = 32
_DIGEST_SIZE = 32


def save_keys(path: Path, keys: Mapping[str, bytes], passphrase: bytes) -> None:
    """Write ``keys`` (name to bytes) to a new file that only its owner can read.

    Raises:
        Conflict: ``keyfile_exists``; nothing is ever overwritten.
        Refused: ``passphrase_empty``; ``keyfile_unwritable``.
    """
    if len(passphrase) < MIN_PASSPHRASE:
        raise Refused("passphrase_empty", "Keys are kept under a passphrase only.")
    _write_new(path, _seal(keys, passphrase))


def replace_keys(path: Path, keys: Mapping[str, bytes], passphrase: bytes) -> None:
    """Put ``keys`` in the place of the key file ``path``, durably and at once.

    For a caller that has just loaded it: what it leaves out is gone for good.

    Raises:
        NotFound: ``keyfile_missing`` when there is nothing to replace.
        Refused: ``passphrase_empty``; ``keyfile_unwritable``.
    """
    if len(passphrase) < MIN_PASSPHRASE:
        raise Refused("passphrase_empty", "Keys are kept under a passphrase only.")
    if not path.is_file():
        raise NotFound("keyfile_missing", "There is no key file.", observed=str(path))
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)  # left by a command that was killed; the old file stands
    _write_new(fresh, _seal(keys, passphrase))
    try:
        fresh.replace(path)
        _sync_directory(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error


def load_keys(path: Path, passphrase: bytes) -> dict[str, bytes]:
    """Return the keys in the file ``path``.

    Raises:
        NotFound: ``keyfile_missing``.
        Refused: ``keyfile_open`` when others may read it.
        VerificationFailed: ``keyfile_damaged``.
        AuthenticationNeeded: ``passphrase_wrong``.
    """
    data = _read_private(path)
    damaged = VerificationFailed(
        "keyfile_damaged",
        "The key file is damaged.",
        observed=str(path),
        next_step="Restore it from a backup.",
    )
    try:
        head, salt, nonce, box = _parse(data)
    except Malformed as error:
        raise damaged from error
    key = _derive(passphrase, salt, require_object(head, "kdf"))
    try:
        content = AESGCM(key).decrypt(nonce, box, dump_object(head))
    except InvalidTag as error:
        raise AuthenticationNeeded(
            "passphrase_wrong",
            "The passphrase does not open this key file.",
            observed=str(path),
            next_step="Try again, or restore the keys from a backup.",
        ) from error
    try:
        return {
            name: b64decode(text)
            for name, text in parse_object(content, limit=MAX_KEY_FILE).items()
        }
    except Malformed as error:
        raise damaged from error


def _seal(
    keys: Mapping[str, bytes], passphrase: bytes, *, cost: tuple[int, int, int] = _COST
) -> bytes:
    salt, nonce = secrets.token_bytes(_SALT_SIZE), secrets.token_bytes(_NONCE_SIZE)
    time, memory, lanes = cost
    kdf: dict[str, JsonValue] = {
        "name": "argon2id",
        "t": time,
        "m": memory,
        "p": lanes,
        "salt": b64encode(salt),
    }
    head: dict[str, JsonValue] = {
        "v": 1,
        "kind": _KIND,
        "kdf": kdf,
        "aead": "aes-256-gcm",
        "nonce": b64encode(nonce),
    }
    content = dump_object({name: b64encode(value) for name, value in keys.items()})
    box = AESGCM(_derive(passphrase, salt, kdf)).encrypt(nonce, content, dump_object(head))
    body = {**head, "box": b64encode(box)}
    digest = hashlib.sha256(dump_object(body)).digest()
    return dump_object({**body, "sha256": b64encode(digest)})


def _parse(data: bytes) -> tuple[dict[str, JsonValue], bytes, bytes, bytes]:
    """Return the authenticated head, salt, nonce and box; refuse anything that is not whole."""
    obj = parse_object(data, limit=MAX_KEY_FILE)
    require_keys(obj, required=("v", "kind", "kdf", "aead", "nonce", "box", "sha256"))
    body = {name: value for name, value in obj.items() if name != "sha256"}
    digest = hashlib.sha256(dump_object(body)).digest()
    if b64decode(obj["sha256"], length=_DIGEST_SIZE) != digest:
        raise Malformed("keyfile_digest", "The digest of the key file does not fit.")
    require_int(obj, "v", minimum=1, maximum=1)
    known = (require_str(obj, "kind", limit=40), require_str(obj, "aead", limit=40))
    if known != (_KIND, "aes-256-gcm"):
        raise Malformed("value_invalid", "This is not a key file of this kind.")
    kdf = require_object(obj, "kdf")
    require_keys(kdf, required=("name", "t", "m", "p", "salt"))
    if kdf["name"] != "argon2id":
        raise Malformed("value_invalid", "The key derivation is not known.")
    # Upper limits: a planted file must not eat all memory. Lower: it must not weaken the next one.
    require_int(kdf, "t", minimum=1, maximum=_MAX_TIME)
    require_int(kdf, "p", minimum=1, maximum=_MAX_LANES)
    require_int(kdf, "m", minimum=8 * _MAX_LANES, maximum=_MAX_MEMORY)
    head = {name: value for name, value in body.items() if name != "box"}
    return (
        head,
        b64decode(kdf["salt"], length=_SALT_SIZE),
        b64decode(obj["nonce"], length=_NONCE_SIZE),
        b64decode(obj["box"]),
    )


def _derive(passphrase: bytes, salt: bytes, kdf: Mapping[str, JsonValue]) -> bytes:
    return hash_secret_raw(
        passphrase,
        salt,
        time_cost=require_int(kdf, "t"),
        memory_cost=require_int(kdf, "m"),
        parallelism=require_int(kdf, "p"),
        hash_len=_KEY_SIZE,
        type=Type.ID,
    )


def _read_private(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            # Of the file that was opened, not of whatever has its name by then.
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            data = file.read(MAX_KEY_FILE + 1)
    except FileNotFoundError as error:
        raise NotFound("keyfile_missing", "There is no key file.", observed=str(path)) from error
    if mode & 0o077:
        raise Refused(
            "keyfile_open",
            "Others may read the key file.",
            observed=f"mode {mode:o}",
            next_step=f"chmod 600 {path}",
        )
    return data


def _write_new(path: Path, data: bytes) -> None:
    """Write ``data`` durably to a file that did not exist; leave nothing behind on failure."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError as error:
        raise Conflict(
            "keyfile_exists",
            "There is a key file already; it is never overwritten.",
            observed=str(path),
            next_step="Choose another directory, or move the old file away yourself.",
        ) from error
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _sync_directory(path.parent)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> Refused:
    return Refused(
        "keyfile_unwritable",
        "The key file cannot be written.",
        observed=f"{path}: {error.strerror}",
        next_step="Check that the directory exists and has room.",
    )


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
