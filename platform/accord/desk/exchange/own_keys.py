"""This desk's own keys: which there are, what the directory says of them, and what is to be done.

Says nothing secret: ids, times and counts. What it remembers of a backup is when, and of which
keys; the copies themselves are the owner's, and whether they still exist this desk cannot know.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from accord.desk.exchange.ours import holds
from accord.desk.keyring import Keyring
from accord.desk.storage import Vault
from accord.kernel.directory.organisation import KeyRecord, Organisation, Status
from accord.kernel.directory.state import DirectoryState
from accord.kernel.directory.transition import ROTATION_PAUSE
from accord.kernel.encoding import b64encode
from accord.kernel.identifiers import KeyId, OrgId

ROTATE_SOON = 30 * 86_400
"""Seconds before the end of the keys from which a rotation is recommended."""

SHORT = 12
"""Signs of a key's id that are shown to people."""

_BACKUP, _SHEET = "keys_backup", "keys_sheet"


class Use(StrEnum):
    """What a key does."""

    SIGNING = "signing"
    OPENING = "opening"
    REQUEST = "request"


class Role(StrEnum):
    """How a key stands at this desk."""

    IN_USE = "in use"
    FOLLOWING = "following"
    OLD = "old, opens only"


class Todo(StrEnum):
    """What is to be done about the keys, the most urgent first."""

    FINISH = "finish"
    ENROL = "enrol"
    OTHER_KEYS = "other-keys"
    STANDING = "standing"
    ROTATE = "rotate"
    BACKUP = "backup"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnKey:
    """One key of this desk; ``record`` is the directory's, or ``None`` when it has none.

    ``counts`` tells whether it is in force there now.
    """

    use: Use
    kid: KeyId
    role: Role
    record: KeyRecord | None
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """When a copy was written (unix seconds), and whether it is one of the present keys."""

    at: int
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnKeys:
    """All of it.

    Attributes:
        held: our entry in the directory, ``None`` before enrolment.
        agrees: it holds exactly the keys with which this desk acts.
        keys: those in use, then following ones, then old ones, the latest first.
        backup: the last one that was written here.
        sheet: the last recovery sheet that was written here.
        ends: when the keys in use end, unix seconds.
        rotate_from: the earliest next rotation, unix seconds; ``None`` when any time will do.
    """

    held: Organisation | None
    agrees: bool
    keys: tuple[OwnKey, ...]
    backup: Copy | None
    sheet: Copy | None
    ends: int | None
    rotate_from: int | None
    todo: Todo


def own_keys(
    vault: Vault, keyring: Keyring, org: OrgId | None, *, state: DirectoryState | None, now: int
) -> OwnKeys:
    """Return the keys of this desk beside what ``state`` says; ``None`` before enrolment."""
    held = None if state is None or org is None else state.find_organisation(org)
    keys = tuple(
        OwnKey(
            use=use,
            kid=kid,
            role=role,
            record=record,
            counts=record is not None and state is not None and record.in_force(state.size),
        )
        for use, kid, role in _rows(keyring)
        for record in (_record(state, kid),)
    )
    agrees = held is not None and holds(held, keyring)
    ends = keys[0].record.not_after if agrees and keys[0].record is not None else None
    backup = _copy(vault, _BACKUP, keyring.kem[-1].kid)
    return OwnKeys(
        held=held,
        agrees=agrees,
        keys=keys,
        backup=backup,
        sheet=None if held is None else _copy(vault, _SHEET, held.recovery.kid),
        ends=ends,
        rotate_from=_rotate_from(held, now),
        todo=_todo(keyring, held, agrees=agrees, ends=ends, backup=backup, now=now),
    )


def note_backup(vault: Vault, keyring: Keyring, *, now: int) -> None:
    """Remember that a backup of the present keys was written."""
    _note(vault, _BACKUP, keyring.kem[-1].kid, now)


def note_sheet(vault: Vault, recovery: KeyId, *, now: int) -> None:
    """Remember that a sheet of the recovery key ``recovery`` was written."""
    _note(vault, _SHEET, recovery, now)


def _note(vault: Vault, name: str, kid: KeyId, now: int) -> None:
    vault.put_setting(name, f"{now} {b64encode(kid)}".encode())


def _copy(vault: Vault, name: str, kid: KeyId) -> Copy | None:
    stored = vault.setting(name)
    if stored is None:
        return None
    at, of = stored.decode().split()
    return Copy(at=int(at), complete=of == b64encode(kid))


def _rows(keyring: Keyring) -> list[tuple[Use, KeyId, Role]]:
    in_use = {
        Use.SIGNING: keyring.signing.kid,
        Use.OPENING: keyring.kem[-1].kid,
        Use.REQUEST: keyring.request.kid,
    }
    rows = _of_role(in_use, Role.IN_USE)
    if keyring.following is not None:
        following = {
            Use.SIGNING: keyring.following.signing.kid,
            Use.OPENING: keyring.following.kem.kid,
            Use.REQUEST: keyring.following.request.kid,
        }
        rows += _of_role(following, Role.FOLLOWING)
    return rows + [(Use.OPENING, pair.kid, Role.OLD) for pair in reversed(keyring.kem[:-1])]


def _of_role(kids: Mapping[Use, KeyId], role: Role) -> list[tuple[Use, KeyId, Role]]:
    return [(use, kid, role) for use, kid in kids.items()]


def _record(state: DirectoryState | None, kid: KeyId) -> KeyRecord | None:
    return state.key(kid) if state is not None and state.has_key(kid) else None


def _rotate_from(held: Organisation | None, now: int) -> int | None:
    if held is None or held.rotated is None or held.rotated + ROTATION_PAUSE <= now:
        return None
    return held.rotated + ROTATION_PAUSE


def _todo(
    keyring: Keyring,
    held: Organisation | None,
    *,
    agrees: bool,
    ends: int | None,
    backup: Copy | None,
    now: int,
) -> Todo:
    if keyring.following is not None:
        return Todo.FINISH
    if held is None:
        return Todo.ENROL
    if not agrees:
        return Todo.OTHER_KEYS
    if held.status is not Status.ACTIVE:
        return Todo.STANDING
    if ends is not None and ends - now < ROTATE_SOON:
        return Todo.ROTATE
    return Todo.NOTHING if backup is not None and backup.complete else Todo.BACKUP
