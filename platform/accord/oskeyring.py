"""The passphrase of a program's keys in the operating system's own keyring.

Only keyrings that are bound to the person's sign-in are used: macOS Keychain, Windows Credential
Locker, Secret Service, KWallet. The library ``keyring`` would also offer plain files and nothing at
all under the same name; everything that is not in ``REAL`` is refused. What is kept is the
passphrase: the key file stays wrapped, and a copy of it is of no use without this person's session.
"""

from collections.abc import Iterable
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors

from accord.kernel.errors import AuthenticationNeeded, Unavailable

SERVICE = "accord"

REAL = frozenset(
    {
        "keyring.backends.SecretService",
        "keyring.backends.Windows",
        "keyring.backends.kwallet",
        "keyring.backends.libsecret",
        "keyring.backends.macOS",
    }
)
"""Modules of the library whose keyrings are the operating system's own."""


def real_keyring(
    offered: Iterable[keyring.backend.KeyringBackend] | None = None,
) -> keyring.backend.KeyringBackend:
    """Return the operating system's keyring, the one that the library ranks highest.

    Args:
        offered: keyrings to choose from; those of this computer when absent.

    Raises:
        Unavailable: ``keyring_missing`` when there is none, or only ones that keep plain text.
    """
    found = list(keyring.backend.get_all_keyring() if offered is None else offered)
    real = [one for one in found if type(one).__module__ in REAL]
    if not real:
        names = sorted(type(one).__module__.rpartition(".")[2] for one in found)
        raise Unavailable(
            "keyring_missing",
            "This computer offers no keyring that can be trusted with a passphrase.",
            observed=", ".join(names)[:120] or "none",
            next_step="Type the passphrase, or use ACCORD_PASSPHRASE_FILE.",
        )
    return max(real, key=lambda one: one.priority)


def recall(home: Path, backend: keyring.backend.KeyringBackend) -> bytes:
    """Return the passphrase that was kept for the program in ``home``.

    Raises:
        AuthenticationNeeded: ``keyring_empty``.
        Unavailable: ``keyring_locked``.
    """
    try:
        kept = backend.get_password(SERVICE, _name(home))
    except keyring.errors.KeyringError as error:
        raise _locked(error) from error
    if kept is None:
        raise AuthenticationNeeded(
            "keyring_empty",
            "The keyring holds no passphrase for this home.",
            observed=_name(home),
            next_step="Put it there once: accord keys remember.",
        )
    return kept.encode("utf-8")


def remember(home: Path, passphrase: bytes, backend: keyring.backend.KeyringBackend) -> None:
    """Keep the passphrase of the program in ``home``.

    Raises:
        Unavailable: ``keyring_locked``.
    """
    try:
        backend.set_password(SERVICE, _name(home), passphrase.decode("utf-8"))
    except keyring.errors.KeyringError as error:
        raise _locked(error) from error


def forget(home: Path, backend: keyring.backend.KeyringBackend) -> bool:
    """Take the passphrase out of the keyring; tell whether it was there.

    Raises:
        Unavailable: ``keyring_locked``.
    """
    try:
        if backend.get_password(SERVICE, _name(home)) is None:
            return False
        backend.delete_password(SERVICE, _name(home))
    except keyring.errors.KeyringError as error:
        raise _locked(error) from error
    return True


def _name(home: Path) -> str:
    return str(home.resolve())


def _locked(error: Exception) -> Unavailable:
    return Unavailable(
        "keyring_locked",
        "The operating system's keyring does not answer.",
        observed=type(error).__name__,
        next_step="Unlock it, or type the passphrase.",
    )
