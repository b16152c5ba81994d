"""How keys and changes of keys are shown: rows, words, and who acts next."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from accord.desk.app import Desk
from accord.desk.exchange.keychange import Standing
from accord.desk.exchange.ours import holds, next_step
from accord.desk.keyring import Keyring
from accord.kernel.directory.organisation import Organisation, Status
from accord.kernel.directory.state import DirectoryState
from accord.kernel.encoding import b64encode
from accord.kernel.errors import AccordError, Unavailable
from accord.kernel.identifiers import KeyId

ROTATE_SOON = 30 * 86_400
"""Seconds before the end of the keys from which a rotation is recommended."""

_BACKUP = "keys_backup"


def keys_data(desk: Desk) -> dict[str, object]:
    """Return this desk's keys with what the directory says of them; asks the hub if it answers."""
    state, fresh = _state(desk)
    held = None if state is None or desk.config.org is None else state.organisation(desk.config.org)
    actor, step = _next(desk, state, held)
    rows = _rows(desk.keyring, state)
    return {
        "org": desk.config.org,
        "status": None if held is None else held.status.value,
        "hold_until": None if held is None else held.hold_until,
        "directory": "none" if state is None else "fresh" if fresh else "stored",
        "keys": rows,
        "backup": _backup(desk),
        "next_actor": actor,
        "next_step": step,
    }


def _state(desk: Desk) -> tuple[DirectoryState | None, bool]:
    if desk.config.org is None or not desk.config.root_file.is_file():
        return None, False
    try:
        return desk.mirror.refresh(), True
    except Unavailable:
        return desk.mirror.state, False


def _rows(keyring: Keyring, state: DirectoryState | None) -> list[dict[str, object]]:
    now = [
        ("signing", keyring.signing.kid, "in use"),
        ("opening", keyring.kem[-1].kid, "in use"),
        ("request", keyring.request.kid, "in use"),
    ]
    if keyring.following is not None:
        now += [
            ("signing", keyring.following.signing.kid, "following"),
            ("opening", keyring.following.kem.kid, "following"),
            ("request", keyring.following.request.kid, "following"),
        ]
    now += [("opening", pair.kid, "old, opens only") for pair in reversed(keyring.kem[:-1])]
    return [_row(use, kid, role, state) for use, kid, role in now]


def _row(use: str, kid: KeyId, role: str, state: DirectoryState | None) -> dict[str, object]:
    row: dict[str, object] = {"use": use, "kid": b64encode(kid), "role": role}
    record = None
    if state is not None:
        try:
            record = state.key(kid)
        except AccordError:
            record = None
    if state is None or record is None:
        return row | {"in_directory": "unknown", "not_before": None, "not_after": None}
    counts = record.in_force(state.size)
    return row | {
        "in_directory": "in force" if counts else "ended",
        "not_before": record.not_before,
        "not_after": record.not_after,
        **(
            {}
            if record.compromised_since is None
            else {"compromised_since": record.compromised_since}
        ),
    }


def _next(desk: Desk, state: DirectoryState | None, held: Organisation | None) -> tuple[str, str]:
    if desk.keyring.following is not None:
        return "desk", "A change of keys is under way: accord keys rotate, or accord keys recover."
    if state is None or held is None:
        return "desk", "Not enrolled yet: accord desk enrol."
    if not holds(held, desk.keyring):
        return "desk", (
            "The directory holds other keys. If one of you changed them: restore the newest "
            "backup. If not: call a registrar at once, then accord keys recover."
        )
    if held.status is not Status.ACTIVE:
        actor = "registrar" if held.status is Status.SUSPENDED else "desk"
        return actor, next_step(held)
    until = state.key(held.sig.kid).not_after
    if until - desk.clock() < ROTATE_SOON:
        return "desk", f"The keys end {when(until)}: accord keys rotate."
    kept = _backup(desk)
    if kept is None or not kept["complete"]:
        return "desk", "No backup holds these keys: accord keys backup -o FILE."
    return "nobody", "Nothing is to be done."


def note_backup(desk: Desk) -> None:
    """Remember that a backup of the present keys was made."""
    text = f"{desk.clock()} {b64encode(desk.keyring.kem[-1].kid)}"
    desk.vault.put_setting(_BACKUP, text.encode())


def _backup(desk: Desk) -> dict[str, object] | None:
    stored = desk.vault.setting(_BACKUP)
    if stored is None:
        return None
    at, kid = stored.decode().split()
    return {"at": int(at), "complete": kid == b64encode(desk.keyring.kem[-1].kid)}


def keys_text(data: Mapping[str, Any]) -> str:
    """Return the keys for people."""
    lines = [f"{data['org'] or 'not enrolled'}  {data['status'] or ''}".rstrip()]
    for row in data["keys"]:
        until = f", until {when(row['not_after'])}" if row["not_after"] else ""
        warning = ", reported compromised" if "compromised_since" in row else ""
        place = f"in the directory: {row['in_directory']}{until}{warning}"
        lines.append(f"  {row['use']:8} {row['role']:16} {row['kid'][:12]}…  {place}")
    if data["directory"] == "stored":
        lines.append("The hub did not answer; this is what the directory said last.")
    lines.append(f"Next ({data['next_actor']}): {data['next_step']}")
    return "\n".join(lines)


def standing_data(found: Standing) -> dict[str, object]:
    """Return a change for a program."""
    return {
        "org": found.org,
        "state": found.state,
        "status": found.status.value,
        "hold_until": found.hold_until,
        "next_actor": found.next_actor,
        "reason": found.reason,
        "words": list(found.words),
    }


def standing_text(found: Standing) -> str:
    """Return a change for people: where it stands and who acts next."""
    if found.state == "approval-needed":
        return (
            f"{found.org}: the recovery waits for the registrars.\n"
            f"Words (not secret): {' '.join(found.words)}\n"
            "Call a registrar on a number that you did not get from the hub and compare the "
            "words. Then: accord keys recover, without more, says where it stands."
        )
    if found.state == "refused":
        return (
            f"{found.org}: the registrars refused it ({found.reason}). Talk to them, then start "
            "again with the recovery key."
        )
    if found.state != "active":
        return f"{found.org}: {found.state}. Run it again with the recovery key."
    if found.status is Status.SUSPENDED and found.hold_until is not None:
        return (
            f"{found.org} has new keys and is suspended until {when(found.hold_until)}, so that "
            "anybody can object. Then the registrars resume it: accord hub org resume."
        )
    return f"{found.org} is {found.status}."


def when(time: int) -> str:
    """Return a time in UTC for people."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M UTC")
