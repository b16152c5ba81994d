"""Names and sizes of the keys in the desk's key file, and their way to key objects."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from accord.kernel.errors import AuthenticationNeeded, Malformed
from accord.kernel.identifiers import KeyId
from accord.kernel.keys import (
    SEED_SIZE,
    KemKeyPair,
    RequestKeyPair,
    SigningKeyPair,
    require_post_quantum,
)
from accord.keyfile import load_keys, save_keys

_SIGNING = "signing"
_REQUEST = "request"
_VAULT = "vault"
_KEM = "kem-"
_FIRST_KEM = "kem-1"
_RECOVERY = "recovery"


@dataclass(frozen=True, kw_only=True)
class Keyring:
    """The unlocked keys of a desk; ``kem`` holds the one in use last."""

    signing: SigningKeyPair
    request: RequestKeyPair
    kem: tuple[KemKeyPair, ...]
    vault: bytes = field(repr=False)

    @property
    def opening_keys(self) -> Mapping[KeyId, KemKeyPair]:
        """Every opening key by its id."""
        return MappingProxyType({pair.kid: pair for pair in self.kem})


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
    save_keys(recovery_path, {_RECOVERY: secrets.token_bytes(2 * SEED_SIZE)}, passphrase)
    return _keyring(entries)


def unlock_keyring(path: Path, passphrase: bytes) -> Keyring:
    """Unlock the key file.

    Raises:
        AuthenticationNeeded: ``keys_missing``.
        VerificationFailed: wrong passphrase, or the file was changed.
        Malformed: ``keys_incomplete``.
    """
    require_post_quantum()
    if not path.is_file():
        raise AuthenticationNeeded(
            "keys_missing",
            "This desk has no keys yet.",
            observed=path.name,
            next_step="Run accord desk init.",
        )
    return _keyring(load_keys(path, passphrase))


def load_recovery(path: Path, passphrase: bytes) -> SigningKeyPair:
    """Return the recovery key (used at enrolment for its public half, and at recovery)."""
    return _signing(load_keys(path, passphrase), _RECOVERY)


def _keyring(entries: Mapping[str, bytes]) -> Keyring:
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
    )


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
