"""One decision for each act: actor × action × owner of the thing.

Invariants: what the table does not grant is refused; a refusal for a thing that is not the
actor's looks like its absence; an auditor changes nothing but their own account; what changes
whom the hub obeys asks the person to have proved who they are within the last minutes. The sharing
rules between organisations are the charter's (``kernel.policy``), not this table's. The table is
written out once more, persona by persona, in ``tests/hub/test_access.py``.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from accord.kernel.errors import AuthenticationNeeded, NotFound, Refused
from accord.kernel.identifiers import OrgId
from accord.kernel.markings import OrgKind


class Role(StrEnum):
    """What a person may be within an organisation; a desk's signed requests act as ``DESK``."""

    DESK = "desk"
    ANALYST = "analyst"
    APPROVER = "approver"
    INVESTIGATOR = "investigator"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    VIEWER = "viewer"


class Action(StrEnum):
    """Everything that can be asked of the hub by someone who is known to it."""

    BUNDLE_SUBMIT = "bundle:submit"
    BUNDLE_READ = "bundle:read"
    RECEIPT_READ = "receipt:read"
    FEED_READ = "feed:read"
    ACKNOWLEDGEMENT_WRITE = "acknowledgement:write"
    ACKNOWLEDGEMENT_READ = "acknowledgement:read"
    TALLY_WRITE = "tally:write"
    SUMMARY_VIEW = "summary:view"
    LOG_VIEW = "log:view"
    CHARTER_VIEW = "charter:view"
    ACCOUNT_VIEW = "account:view"
    ACCOUNT_CHANGE = "account:change"
    ACCOUNT_SIGN_OUT = "account:sign-out"
    PEOPLE_VIEW = "people:view"
    PERSON_INVITE = "person:invite"
    PERSON_ROLE = "person:role"
    PERSON_REMOVE = "person:remove"
    PERSON_RESET = "person:reset"
    PERSON_SIGN_OUT = "person:sign-out"
    AUDIT_VIEW = "audit:view"
    AUDIT_EXPORT = "audit:export"
    AUDIT_ERASE = "audit:erase"
    EVENTS_READ = "events:read"
    JOURNAL_ANCHOR = "journal:anchor"
    JOURNAL_RESTART = "journal:restart"
    RECALLS_VIEW = "recalls:view"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who asks: a desk by its request key, or a person by a session.

    Attributes:
        org: the organisation for which the actor acts.
        kind: the organisation's kind, from the directory.
        role: the person's role, or ``DESK``.
        person: the person's sign-in name; empty for a desk.
        capabilities: the organisation's, from the directory.
        fresh: the person proved who they are within the last minutes.
    """

    org: OrgId
    kind: OrgKind
    role: Role
    person: str = ""
    capabilities: frozenset[str] = field(default_factory=frozenset)
    fresh: bool = False


_DESK_ACTIONS = frozenset(
    {
        Action.BUNDLE_READ,
        Action.RECEIPT_READ,
        Action.FEED_READ,
        Action.ACKNOWLEDGEMENT_WRITE,
        Action.ACKNOWLEDGEMENT_READ,
        Action.EVENTS_READ,
        Action.JOURNAL_ANCHOR,
        Action.JOURNAL_RESTART,
    }
)
_SUBMITTER = _DESK_ACTIONS | {Action.BUNDLE_SUBMIT, Action.TALLY_WRITE}

DESK_GRANTS: Mapping[OrgKind, frozenset[Action]] = {
    OrgKind.FINANCIAL: _SUBMITTER,
    OrgKind.LAW_ENFORCEMENT: _SUBMITTER,
    OrgKind.NGO: _SUBMITTER,
    OrgKind.OVERSIGHT: frozenset(),
    OrgKind.OPERATOR: frozenset(),
}
"""What an organisation's desk may ask for; whether a bundle may go is the charter's business."""

_EVERYBODY = frozenset(
    {
        Action.SUMMARY_VIEW,
        Action.LOG_VIEW,
        Action.CHARTER_VIEW,
        Action.RECALLS_VIEW,
        Action.ACCOUNT_VIEW,
        Action.ACCOUNT_CHANGE,
        Action.ACCOUNT_SIGN_OUT,
    }
)
"""What every signed-in person may do; nothing of it holds an indicator."""

_ADMINISTRATION = frozenset(
    {
        Action.PEOPLE_VIEW,
        Action.PERSON_INVITE,
        Action.PERSON_ROLE,
        Action.PERSON_REMOVE,
        Action.PERSON_RESET,
        Action.PERSON_SIGN_OUT,
    }
)
"""An organisation's own people, who are nobody else's business, the hub's included."""

_TRAIL = frozenset({Action.AUDIT_VIEW, Action.AUDIT_EXPORT})
"""The audit trail, as far as it concerns the reader's organisation; the charter can grant more."""

PERSON_GRANTS: Mapping[Role, frozenset[Action]] = {
    Role.ANALYST: _EVERYBODY,
    Role.APPROVER: _EVERYBODY,
    Role.INVESTIGATOR: _EVERYBODY,
    Role.ADMINISTRATOR: _EVERYBODY | _ADMINISTRATION | _TRAIL | {Action.AUDIT_ERASE},
    Role.AUDITOR: _EVERYBODY | _TRAIL | {Action.PEOPLE_VIEW},
    Role.VIEWER: _EVERYBODY,
}
"""What a person may ask for within their organisation. An auditor reads, and changes nothing but
the means of their own sign-in."""

SENSITIVE: frozenset[Action] = _ADMINISTRATION - {Action.PEOPLE_VIEW} | {
    Action.ACCOUNT_CHANGE,
    Action.AUDIT_ERASE,
}
"""Acts for which a session that lies open is not enough (``Actor.fresh``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """``allowed``, and why in a stable code."""

    allowed: bool
    code: str


def decide(actor: Actor, action: Action, owners: Collection[OrgId] | None = None) -> Decision:
    """Decide whether ``actor`` may do ``action``.

    Args:
        actor: who asks.
        action: what is asked.
        owners: organisations to which the thing belongs, when it belongs to some; an empty
            collection belongs to nobody and is refused.
    """
    granted = (
        action in DESK_GRANTS.get(actor.kind, frozenset())
        if actor.role is Role.DESK
        else action in PERSON_GRANTS.get(actor.role, frozenset())
    )
    if not granted:
        return Decision(allowed=False, code="action_not_granted")
    if owners is not None and actor.org not in owners:
        return Decision(allowed=False, code="not_yours")
    if action in SENSITIVE and not actor.fresh:
        return Decision(allowed=False, code="confirm_needed")
    return Decision(allowed=True, code="granted")


def require(actor: Actor | None, action: Action, owners: Collection[OrgId] | None = None) -> Actor:
    """Return ``actor`` when the act is allowed.

    Raises:
        AuthenticationNeeded: ``sign_in_needed`` when nobody is known, ``confirm_needed`` when the
            person must first prove again who they are.
        Refused: ``action_not_granted``.
        NotFound: ``not_found`` for a thing of others: forbidden and absent look alike.
    """
    if actor is None:
        raise AuthenticationNeeded("sign_in_needed", "Sign in, or sign the request.")
    decision = decide(actor, action, owners)
    if decision.code == "not_yours":
        raise NotFound("not_found", "There is nothing here for you.")
    if decision.code == "confirm_needed":
        raise AuthenticationNeeded(
            "confirm_needed",
            "Confirm first that it is you.",
            next_step="Confirm with your passkey or password, then send the form once more.",
        )
    if not decision.allowed:
        raise Refused(
            decision.code,
            "Your organisation's kind or your role does not include this.",
            observed=f"{actor.kind} {actor.role} {action}",
            next_step="Ask your hub's registrar which role you need.",
        )
    return actor
