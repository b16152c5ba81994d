"""The bytes of a backup: one JSON line, then chunks of AES-256-GCM under a passphrase.

The STREAM construction: each chunk of 1 MiB has a nonce of a random prefix, its number and a mark
on the last one, so that chunks can be neither left out, nor moved, nor cut off. The head is the
associated data of every chunk. Sources: Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated
Encryption and its Nonce-Reuse Misuse-Resistance" (2015); RFC 9106 clause 4 for the key.
"""

import secrets
import struct
from dataclasses import dataclass
from typing import BinaryIO

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
)
from accord.kernel.errors import AuthenticationNeeded, Malformed, VerificationFailed

KIND = "accord-hub-backup"
CHUNK = 1024 * 1024
TAG_SIZE = 16

_MAX_HEAD = 1024
_SALT_SIZE = 16
_PREFIX_SIZE = 7
_KEY_SIZE = 32
_TIME, _MEMORY, _LANES = 3, 64 * 1024, 4
_MAX_TIME, _MAX_MEMORY, _MAX_LANES = 10, 1024 * 1024, 16


class ArchiveWriter:
    """Takes plaintext by ``write`` and passes encrypted chunks on; ``close`` ends it."""

    def __init__(self, target: BinaryIO, passphrase: bytes) -> None:
        """Write the head to ``target``."""
        salt, self._prefix = secrets.token_bytes(_SALT_SIZE), secrets.token_bytes(_PREFIX_SIZE)
        head: dict[str, JsonValue] = {
            "v": 1,
            "kind": KIND,
            "t": _TIME,
            "m": _MEMORY,
            "p": _LANES,
            "salt": b64encode(salt),
            "prefix": b64encode(self._prefix),
        }
        self._target = target
        self._head = dump_object(head)
        self._box = AESGCM(_derive(passphrase, salt, _TIME, _MEMORY, _LANES))
        self._number = 0
        self._held = bytearray()
        target.write(self._head + b"\n")

    def write(self, data: bytes) -> int:
        """Take ``data``; the last chunk is held back until it is known to be the last."""
        self._held += data
        while len(self._held) > CHUNK:
            self._chunk(bytes(self._held[:CHUNK]), last=False)
            del self._held[:CHUNK]
        return len(data)

    def close(self) -> None:
        """Write the last chunk; the target stays open."""
        self._chunk(bytes(self._held), last=True)
        self._held.clear()

    def _chunk(self, data: bytes, *, last: bool) -> None:
        nonce = _nonce(self._prefix, self._number, last=last)
        self._target.write(self._box.encrypt(nonce, data, self._head))
        self._number += 1


class ArchiveReader:
    """Gives the plaintext back by ``read``; nothing is given before its chunk holds."""

    def __init__(self, source: BinaryIO, passphrase: bytes) -> None:
        """Read the head from ``source``.

        Raises:
            Malformed: ``backup_format``.
        """
        line = source.readline(_MAX_HEAD + 1)
        self._head = line.removesuffix(b"\n")
        self._source = source
        try:
            found = _parse_head(self._head)
        except Malformed as error:
            raise Malformed(
                "backup_format",
                "This is not a backup that this release can read.",
                observed=error.code,
                next_step="Give the file that accord hub backup wrote.",
            ) from error
        self._prefix = found.prefix
        self._box = AESGCM(_derive(passphrase, found.salt, found.time, found.memory, found.lanes))
        self._number = 0
        self._held = bytearray()
        self._ahead = source.read(CHUNK + TAG_SIZE)
        self._ended = False

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes, fewer only at the end.

        Raises:
            AuthenticationNeeded: ``backup_passphrase_wrong``.
            VerificationFailed: ``backup_damaged``.
        """
        while not self._ended and (size < 0 or len(self._held) < size):
            self._next()
        cut = len(self._held) if size < 0 else size
        data = bytes(self._held[:cut])
        del self._held[:cut]
        return data

    def _next(self) -> None:
        chunk, self._ahead = self._ahead, self._source.read(CHUNK + TAG_SIZE)
        last = not self._ahead
        try:
            nonce = _nonce(self._prefix, self._number, last=last)
            self._held += self._box.decrypt(nonce, chunk, self._head)
        except InvalidTag as error:
            if self._number == 0:
                raise AuthenticationNeeded(
                    "backup_passphrase_wrong",
                    "The passphrase does not open this backup, or its beginning is damaged.",
                    next_step="Give the passphrase that was in force when it was made.",
                ) from error
            raise VerificationFailed(
                "backup_damaged",
                "The backup is damaged or cut off.",
                observed=f"chunk {self._number}",
                next_step="Fetch it again, or take another backup.",
            ) from error
        self._number += 1
        self._ended = last


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """Costs of the key derivation, its salt, and the prefix of every nonce."""

    time: int
    memory: int
    lanes: int
    salt: bytes
    prefix: bytes


def _parse_head(data: bytes) -> _Head:
    found = parse_object(data, limit=_MAX_HEAD)
    require_keys(found, required=("v", "kind", "t", "m", "p", "salt", "prefix"))
    require_int(found, "v", minimum=1, maximum=1)
    if found["kind"] != KIND:
        raise Malformed("value_invalid", "This is a file of another kind.")
    # Upper limits: a planted file must not eat all memory.
    return _Head(
        time=require_int(found, "t", minimum=1, maximum=_MAX_TIME),
        memory=require_int(found, "m", minimum=8 * _MAX_LANES, maximum=_MAX_MEMORY),
        lanes=require_int(found, "p", minimum=1, maximum=_MAX_LANES),
        salt=b64decode(found["salt"], length=_SALT_SIZE),
        prefix=b64decode(found["prefix"], length=_PREFIX_SIZE),
    )


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + struct.pack(">IB", number, last)


def _derive(passphrase: bytes, salt: bytes, time: int, memory: int, lanes: int) -> bytes:
    return hash_secret_raw(
        passphrase,
        salt,
        time_cost=time,
        memory_cost=memory,
        parallelism=lanes,
        hash_len=_KEY_SIZE,
        type=Type.ID,
    )
