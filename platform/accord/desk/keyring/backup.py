"""A desk's keys in one file for another computer: every key, and what the desk must know.

The file is a key file of its own passphrase. It holds every opening key that the desk ever had, so
that history can be opened again, and the vault's key, so that a copy of the vault opens too. It
does not hold the recovery key: that one stays apart.
"""

from dataclasses import dataclass
from pathlib import Path

from accord.desk.keyring.keyring import Keyring, keyring_of
from accord.kernel.errors import Malformed
from accord.kernel.identifiers import OrgId, parse_org_id
from accord.keyfile import load_keys, save_keys

_HUB = "about-hub"
_ORG = "about-org"
_ROOT = "about-root"
_ABOUT = (_HUB, _ORG, _ROOT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a backup says beside its keys.

    Attributes:
        hub: the hub's address.
        org: the organisation, ``None`` when the desk was not enrolled.
        root_file: the pinned root file as signed bytes, ``None`` before enrolment.
        keyring: the keys.
    """

    hub: str
    org: OrgId | None
    root_file: bytes | None
    keyring: Keyring


def write_backup(
    path: Path,
    entries: dict[str, bytes],
    *,
    hub: str,
    org: OrgId | None,
    root_file: bytes | None,
    passphrase: bytes,
) -> None:
    """Write a backup of the key file's ``entries``; nothing is overwritten.

    Raises:
        Conflict: ``keyfile_exists``.
        Refused: ``keyfile_unwritable``, ``passphrase_empty``.
    """
    about = {_HUB: hub.encode(), _ORG: (org or "").encode(), _ROOT: root_file or b""}
    save_keys(path, entries | about, passphrase)


def read_backup(path: Path, passphrase: bytes) -> Backup:
    """Read a backup whole.

    Raises:
        NotFound: ``keyfile_missing``.
        Refused: ``keyfile_open``.
        VerificationFailed: ``keyfile_damaged``.
        AuthenticationNeeded: ``passphrase_wrong``.
        Malformed: ``backup_incomplete``; ``keys_incomplete``.
    """
    entries = load_keys(path, passphrase)
    if not entries.keys() >= set(_ABOUT):
        raise Malformed(
            "backup_incomplete",
            "This key file is not a backup of a desk.",
            observed=path.name,
            next_step="Give the file that accord keys backup wrote.",
        )
    org = entries[_ORG].decode()
    return Backup(
        hub=entries[_HUB].decode(),
        org=parse_org_id(org) if org else None,
        root_file=entries[_ROOT] or None,
        keyring=keyring_of(_keys_only(entries)),
    )


def restore_keys(path: Path, backup: Path, *, passphrase: bytes, new_passphrase: bytes) -> None:
    """Write the keys of ``backup`` to the new key file ``path`` under ``new_passphrase``.

    Raises:
        Conflict: ``keyfile_exists``; keys that are there are never overwritten.
        As ``read_backup``.
    """
    read_backup(backup, passphrase)
    save_keys(path, _keys_only(load_keys(backup, passphrase)), new_passphrase)


def _keys_only(entries: dict[str, bytes]) -> dict[str, bytes]:
    return {name: value for name, value in entries.items() if name not in _ABOUT}
