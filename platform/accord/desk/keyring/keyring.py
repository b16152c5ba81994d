"""Names and sizes of the keys in the desk's key file, and their way to key objects.

A change of keys has two steps, each durable: ``KeyFile.prepare`` puts the following keys beside
those in force; ``KeyFile.finish`` lets them take over, keeps the old opening key for what was
sealed to it, and lets go of the old signing and request keys. A killed change is taken up between.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from accord.kernel.errors import AuthenticationNeeded, Malformed
from accord.kernel.identifiers import KeyId
from accord.kernel.keys import (
    SEED_SIZE,
    KemKeyPair,
    RequestKeyPair,
    SigningKeyPair,
    SigningPublicKey,
    require_post_quantum,
)
from accord.keyfile import load_keys, replace_keys, save_keys

_SIGNING = "signing"
_REQUEST = "request"
_VAULT = "vault"
_KEM = "kem-"
_FIRST_KEM = "kem-1"
_RECOVERY = "recovery"
_NEXT = "next-"
_NEXT_KEM = "next-kem"


@dataclass(frozen=True, kw_only=True)
class Following:
    """The keys of a change that is under way.

    Attributes:
        signing: signs from then on.
        request: signs requests from then on.
        kem: opens what is sealed from then on.
        recovery: the new recovery key's public part, when the change is a recovery.
    """

    signing: SigningKeyPair
    request: RequestKeyPair
    kem: KemKeyPair
    recovery: SigningPublicKey | None = None


@dataclass(frozen=True, kw_only=True)
class Keyring:
    """The unlocked keys of a desk; ``kem`` holds the one in use last.

    ``read_from`` is the ``stamp`` of the key file from before it was read.
    """

    signing: SigningKeyPair
    request: RequestKeyPair
    kem: tuple[KemKeyPair, ...]
    vault: bytes = field(repr=False)
    following: Following | None = None
    read_from: tuple[int, int] | None = None

    @property
    def opening_keys(self) -> Mapping[KeyId, KemKeyPair]:
        """Every opening key by its id, that of a change under way included."""
        pairs = self.kem if self.following is None else (*self.kem, self.following.kem)
        return MappingProxyType({pair.kid: pair for pair in pairs})


def create_keyring(path: Path, recovery_path: Path, passphrase: bytes) -> Keyring:
    """Make all keys, write them wrapped, and return them unlocked.

    Args:
        path: the key file; it must not exist.
        recovery_path: the recovery key's own file, to be kept off this computer.
        passphrase: wraps both files.

    Raises:
        Conflict: a file is there already.
    """
    require_post_quantum()
    entries = {
        _SIGNING: secrets.token_bytes(2 * SEED_SIZE),
        _REQUEST: secrets.token_bytes(SEED_SIZE),
        _FIRST_KEM: secrets.token_bytes(SEED_SIZE),
        _VAULT: secrets.token_bytes(SEED_SIZE),
    }
    save_keys(path, entries, passphrase)
    create_recovery(recovery_path, passphrase)
    return keyring_of(entries)


def unlock_keyring(path: Path, passphrase: bytes) -> Keyring:
    """Unlock the key file.

    Raises:
        AuthenticationNeeded: ``keys_missing``.
        VerificationFailed: wrong passphrase, or the file was changed.
        Malformed: ``keys_incomplete``.
    """
    require_post_quantum()
    before = stamp(path)
    return replace(keyring_of(_read(path, passphrase)), read_from=before)


def stamp(path: Path) -> tuple[int, int] | None:
    """Return what changes when a file is put in the place of another one; ``None`` without one."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def _read(path: Path, passphrase: bytes) -> dict[str, bytes]:
    if not path.is_file():
        raise AuthenticationNeeded(
            "keys_missing",
            "This desk has no keys yet.",
            observed=path.name,
            next_step="Run accord desk init.",
        )
    return load_keys(path, passphrase)


def create_recovery(path: Path, passphrase: bytes) -> SigningKeyPair:
    """Make a recovery key in a file of its own, to be kept off this computer.

    Raises:
        Conflict: ``keyfile_exists``.
    """
    seeds = secrets.token_bytes(2 * SEED_SIZE)
    save_keys(path, {_RECOVERY: seeds}, passphrase)
    return _signing({_RECOVERY: seeds}, _RECOVERY)


def load_recovery(path: Path, passphrase: bytes) -> SigningKeyPair:
    """Return the recovery key (used at enrolment for its public half, and at recovery)."""
    return _signing(load_keys(path, passphrase), _RECOVERY)


def keyring_of(entries: Mapping[str, bytes]) -> Keyring:
    """Return the keys of a key file's entries.

    Raises:
        Malformed: ``keys_incomplete``.
    """
    kem = sorted(
        (name for name in entries if name.startswith(_KEM)),
        key=lambda name: (len(name), name),
    )
    if not kem:
        raise _incomplete(_FIRST_KEM)
    return Keyring(
        signing=_signing(entries, _SIGNING),
        request=RequestKeyPair.from_seed(_entry(entries, _REQUEST, SEED_SIZE)),
        kem=tuple(KemKeyPair.from_seed(_entry(entries, name, SEED_SIZE)) for name in kem),
        vault=_entry(entries, _VAULT, SEED_SIZE),
        following=_following(entries) if _NEXT_KEM in entries else None,
    )


def _following(entries: Mapping[str, bytes]) -> Following:
    recovery = entries.get(_NEXT + _RECOVERY)
    return Following(
        signing=_signing(entries, _NEXT + _SIGNING),
        request=RequestKeyPair.from_seed(_entry(entries, _NEXT + _REQUEST, SEED_SIZE)),
        kem=KemKeyPair.from_seed(_entry(entries, _NEXT_KEM, SEED_SIZE)),
        recovery=None if recovery is None else SigningPublicKey.from_raw(recovery),
    )


def _last_kem(entries: Mapping[str, bytes]) -> int:
    return max(int(name.removeprefix(_KEM)) for name in entries if name.startswith(_KEM))


def _signing(entries: Mapping[str, bytes], name: str) -> SigningKeyPair:
    seeds = _entry(entries, name, 2 * SEED_SIZE)
    return SigningKeyPair.from_seeds(seeds[:SEED_SIZE], seeds[SEED_SIZE:])


def _entry(entries: Mapping[str, bytes], name: str, size: int) -> bytes:
    value = entries.get(name, b"")
    if len(value) != size:
        raise _incomplete(name)
    return value


def _incomplete(name: str) -> Malformed:
    return Malformed(
        "keys_incomplete", "The key file lacks a key of a desk, or it is too short.", observed=name
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFile:
    """The key file with its passphrase, for a command that changes keys.

    Both changes are for callers that hold the right to seal (``storage.outbox.only_sender``).
    """

    path: Path
    passphrase: bytes = field(repr=False)

    def entries(self) -> dict[str, bytes]:
        """Return the named entries, for a change or a backup.

        Raises:
            AuthenticationNeeded: ``keys_missing``; ``passphrase_wrong``.
        """
        return _read(self.path, self.passphrase)

    def write(self, entries: Mapping[str, bytes]) -> None:
        """Put ``entries`` in the place of those in the file, whole or not at all."""
        replace_keys(self.path, entries, self.passphrase)

    def unlock(self) -> Keyring:
        """Return the keys as they stand in the file now."""
        return keyring_of(self.entries())

    def prepare(self, *, recovery: SigningPublicKey | None = None) -> Keyring:
        """Put following keys beside those in force, once; with ``recovery`` for a recovery.

        Keys of a change that is under way are kept: they may stand in the hub's log already.
        """
        entries = self.entries()
        if _NEXT_KEM not in entries:
            entries |= {
                _NEXT + _SIGNING: secrets.token_bytes(2 * SEED_SIZE),
                _NEXT + _REQUEST: secrets.token_bytes(SEED_SIZE),
                _NEXT_KEM: secrets.token_bytes(SEED_SIZE),
            }
        if recovery is not None:
            entries[_NEXT + _RECOVERY] = recovery.raw
        self.write(entries)
        return keyring_of(entries)

    def finish(self) -> Keyring:
        """Let the following keys take over; the old opening key stays, the other old ones go.

        Raises:
            Malformed: ``keys_incomplete`` when no change is under way.
        """
        entries = self.entries()
        if _NEXT_KEM not in entries:
            raise _incomplete(_NEXT_KEM)
        entries[_SIGNING] = entries.pop(_NEXT + _SIGNING)
        entries[_REQUEST] = entries.pop(_NEXT + _REQUEST)
        entries[f"{_KEM}{_last_kem(entries) + 1}"] = entries.pop(_NEXT_KEM)
        entries.pop(_NEXT + _RECOVERY, None)
        self.write(entries)
        return keyring_of(entries)
