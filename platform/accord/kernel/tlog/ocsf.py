"""Audit events in the form of OCSF 1.3, for tools that watch many systems.

One event of ours is one event of OCSF; ``CLASSES`` says of which class. What OCSF requires and an
event does not say is filled with ``undisclosed``, never guessed. What no class has a place for
stands in ``unmapped``. Names: schema.ocsf.io 1.3.0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from accord.kernel.encoding import JsonValue

VERSION: Final = "1.3.0"
UNDISCLOSED: Final = "undisclosed"

ACCOUNT_CHANGE = 3001
AUTHENTICATION = 3002
ENTITY_MANAGEMENT = 3004
WEB_RESOURCES = 6001
API_ACTIVITY = 6003

CREATE, READ, UPDATE, DELETE, SEARCH, EXPORT, OTHER = 1, 2, 3, 4, 5, 7, 99
_INFORMATIONAL, _LOW, _MEDIUM = 1, 2, 3
_SUCCESS, _FAILURE = 1, 2
_CATEGORY_SIZE = 1000


@dataclass(frozen=True, slots=True)
class OcsfClass:
    """The class and activity of OCSF that an event has."""

    uid: int
    activity: int


_ACTIVITIES: Mapping[int, Mapping[str, int]] = {
    AUTHENTICATION: {"sign-in.ok": 1, "sign-in.failed": 1, "session.ended": 2},
    ACCOUNT_CHANGE: {
        "person.added": 1,
        "person.invited": 1,
        "person.opened": 2,
        "person.closed": 5,
        "person.erased": 6,
        "role.changed": 7,
        "credential.added": 10,
        "credential.removed": 11,
        "credential.reset": 4,
    },
    WEB_RESOURCES: {
        "audit.exported": EXPORT,
        "audit.searched": SEARCH,
        "ledger.viewed": READ,
        "summary.viewed": READ,
    },
    ENTITY_MANAGEMENT: {
        "break-glass.closed": DELETE,
        "break-glass.opened": CREATE,
        "charter.approved": UPDATE,
        "charter.published": UPDATE,
        "contact.changed": UPDATE,
        "directory.statement": UPDATE,
        "enrolment.approved": UPDATE,
        "enrolment.begun": CREATE,
        "enrolment.proved": UPDATE,
        "enrolment.refused": DELETE,
        "hold.lifted": DELETE,
        "hold.set": CREATE,
        "invite.made": CREATE,
        "invite.withdrawn": DELETE,
        "key.rotated": UPDATE,
        "key.used": READ,
        "peer.changed": UPDATE,
        "quota.changed": UPDATE,
        "root.installed": UPDATE,
        "summary.declared": CREATE,
        "summary.released": CREATE,
    },
    API_ACTIVITY: {
        "audit.checked": READ,
        "audit.pruned": DELETE,
        "backup.made": READ,
        "backup.restored": CREATE,
        "bundle.accepted": CREATE,
        "bundle.acknowledged": UPDATE,
        "bundle.delivered": READ,
        "bundle.disputed": UPDATE,
        "bundle.erased": DELETE,
        "bundle.expired": UPDATE,
        "bundle.held": UPDATE,
        "bundle.refused": CREATE,
        "bundle.released": UPDATE,
        "bundle.visibility-lost": UPDATE,
        "journal.anchored": CREATE,
        "journal.restarted": UPDATE,
        "peer.pulled": READ,
        "peer.refused": CREATE,
        "quota.exceeded": CREATE,
        "request.answered": UPDATE,
        "request.closed": UPDATE,
        "request.overdue": UPDATE,
        "request.reminded": UPDATE,
        "retraction.confirmed": UPDATE,
        "tally.received": CREATE,
    },
}

CLASSES: Mapping[str, OcsfClass] = {
    what: OcsfClass(uid, activity)
    for uid, activities in _ACTIVITIES.items()
    for what, activity in activities.items()
}
"""Class of an event -> its class and activity in OCSF; an unknown one is API activity, other."""

_ALARMS = frozenset({"break-glass.opened", "audit.checked", "sign-in.failed", "bundle.refused"})


def ocsf_event(number: int, fields: Mapping[str, str], *, log: str) -> dict[str, JsonValue]:
    """Return event ``number`` of the audit log ``log``; ``fields`` are those that are open."""
    what = fields.get("what", UNDISCLOSED)
    found = CLASSES.get(what, OcsfClass(API_ACTIVITY, OTHER))
    outcome = fields.get("outcome", UNDISCLOSED)
    failed = outcome not in {"ok", UNDISCLOSED}
    event: dict[str, Any] = {
        "activity_id": found.activity,
        "category_uid": found.uid // _CATEGORY_SIZE,
        "class_uid": found.uid,
        "type_uid": found.uid * 100 + found.activity,
        "time": _seconds(fields) * 1000,
        "severity_id": (_MEDIUM if what in _ALARMS else _LOW) if failed else _INFORMATIONAL,
        "status_id": _FAILURE if failed else _SUCCESS,
        "status_code": outcome,
        "message": what,
        "metadata": {
            "version": VERSION,
            "uid": f"{log}#{number}",
            "event_code": what,
            "log_name": log,
            "product": {"name": "Accord", "vendor_name": "Accord"},
        },
        "actor": {"user": _user(fields, "person")},
    }
    return event | _particular(found.uid, what, fields)


def _particular(uid: int, what: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the attributes that only this class has."""
    subject = fields.get("subject") or UNDISCLOSED
    if uid == AUTHENTICATION:
        return {"user": _user(fields, "person"), "service": {"name": "Accord hub"}}
    if uid == ACCOUNT_CHANGE:
        return {"user": _user(fields, "about" if fields.get("about") else "person")}
    if uid == WEB_RESOURCES:
        return {"web_resources": [{"name": subject, "type": what.partition(".")[0]}]}
    if uid == ENTITY_MANAGEMENT:
        return {
            "entity": {"name": subject, "type": what.partition(".")[0]},
            "comment": fields.get("basis", ""),
        }
    return {
        "api": {"operation": what},
        "src_endpoint": {"name": fields.get("org") or UNDISCLOSED},
        "resources": [{"uid": subject, "type": what.partition(".")[0]}],
    }


def _user(fields: Mapping[str, str], field: str) -> dict[str, Any]:
    return {
        "name": fields.get(field) or UNDISCLOSED,
        "org": {"uid": fields.get("org") or UNDISCLOSED},
    }


def _seconds(fields: Mapping[str, str]) -> int:
    text = fields.get("time", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 13 else 0  # noqa: PLR2004
