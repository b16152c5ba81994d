"""How keys and changes of keys are shown: rows, words, and who acts next."""

from collections.abc import Mapping
from typing import Any

from accord.clock import moment
from accord.desk.app import Desk
from accord.desk.app.keys import directory_here
from accord.desk.exchange.keychange import Standing
from accord.desk.exchange.ours import next_step
from accord.desk.exchange.own_keys import SHORT, OwnKey, OwnKeys, Todo, own_keys
from accord.kernel.directory.organisation import Status
from accord.kernel.encoding import b64encode

_STEPS: Mapping[Todo, str] = {
    Todo.FINISH: "A change of keys is under way: accord keys rotate, or accord keys recover.",
    Todo.ENROL: "Not enrolled yet: accord desk enrol.",
    Todo.OTHER_KEYS: "The directory holds other keys. If one of you changed them: restore the "
    "newest backup. If not: call a registrar at once, then accord keys recover.",
    Todo.BACKUP: "No backup holds these keys: accord keys backup -o FILE.",
    Todo.NOTHING: "Nothing is to be done.",
}


def keys_data(desk: Desk) -> dict[str, object]:
    """Return this desk's keys with what the directory says of them; asks the hub if it answers."""
    state, fresh = directory_here(desk, ask=True)
    found = own_keys(desk.vault, desk.keyring, desk.config.org, state=state, now=desk.clock())
    actor, step = _next(found)
    copy = found.backup
    return {
        "org": desk.config.org,
        "status": None if found.held is None else found.held.status.value,
        "hold_until": None if found.held is None else found.held.hold_until,
        "directory": "none" if state is None else "fresh" if fresh else "stored",
        "keys": [_row(one) for one in found.keys],
        "backup": None if copy is None else {"at": copy.at, "complete": copy.complete},
        "next_actor": actor,
        "next_step": step,
    }


def _row(one: OwnKey) -> dict[str, object]:
    row: dict[str, object] = {
        "use": one.use.value,
        "kid": b64encode(one.kid),
        "role": one.role.value,
    }
    if one.record is None:
        return row | {"in_directory": "unknown", "not_before": None, "not_after": None}
    row |= {
        "in_directory": "in force" if one.counts else "ended",
        "not_before": one.record.not_before,
        "not_after": one.record.not_after,
    }
    since = one.record.compromised_since
    return row if since is None else row | {"compromised_since": since}


def _next(found: OwnKeys) -> tuple[str, str]:
    if found.todo is Todo.STANDING and found.held is not None:
        suspended = found.held.status is Status.SUSPENDED
        return "registrar" if suspended else "desk", next_step(found.held)
    if found.todo is Todo.ROTATE:
        return "desk", f"The keys end {moment(found.ends)}: accord keys rotate."
    return "nobody" if found.todo is Todo.NOTHING else "desk", _STEPS[found.todo]


def keys_text(data: Mapping[str, Any]) -> str:
    """Return the keys for people."""
    lines = [f"{data['org'] or 'not enrolled'}  {data['status'] or ''}".rstrip()]
    for row in data["keys"]:
        until = f", until {moment(row['not_after'])}" if row["not_after"] else ""
        warning = ", reported compromised" if "compromised_since" in row else ""
        place = f"in the directory: {row['in_directory']}{until}{warning}"
        lines.append(f"  {row['use']:8} {row['role']:16} {row['kid'][:SHORT]}…  {place}")
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
            f"{found.org} has new keys and is suspended until {moment(found.hold_until)}, so that "
            "anybody can object. Then the registrars resume it: accord hub org resume."
        )
    return f"{found.org} is {found.status}."
