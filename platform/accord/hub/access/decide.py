"""One decision for each act: actor × action × owner of the thing.

Invariants: what the table does not grant is refused; a refusal for a thing that is not the
actor's looks like its absence. The sharing rules between organisations are the charter's
(``kernel.policy``), not this table's.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who asks: a desk by its request key, or a person by a session."""

    org: OrgId
    kind: OrgKind
    role: Role
    person: str = ""
    capabilities: frozenset[str] = field(default_factory=frozenset)


_DESK_ACTIONS = frozenset(
    {
        Action.BUNDLE_READ,
        Action.RECEIPT_READ,
        Action.FEED_READ,
        Action.ACKNOWLEDGEMENT_WRITE,
        Action.ACKNOWLEDGEMENT_READ,
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

PERSON_GRANTS: frozenset[Action] = frozenset({Action.SUMMARY_VIEW, Action.LOG_VIEW})
"""What every signed-in person may see; nothing of it holds an indicator."""


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
        else action in PERSON_GRANTS
    )
    if not granted:
        return Decision(allowed=False, code="action_not_granted")
    if owners is not None and actor.org not in owners:
        return Decision(allowed=False, code="not_yours")
    return Decision(allowed=True, code="granted")


def require(actor: Actor | None, action: Action, owners: Collection[OrgId] | None = None) -> Actor:
    """Return ``actor`` when the act is allowed.

    Raises:
        AuthenticationNeeded: ``sign_in_needed`` when nobody is known.
        Refused: ``action_not_granted``.
        NotFound: ``not_found`` for a thing of others: forbidden and absent look alike.
    """
    if actor is None:
        raise AuthenticationNeeded("sign_in_needed", "Sign in, or sign the request.")
    decision = decide(actor, action, owners)
    if decision.code == "not_yours":
        raise NotFound("not_found", "There is nothing here for you.")
    if not decision.allowed:
        raise Refused(
            decision.code,
            "Your organisation's kind or your role does not include this.",
            observed=f"{actor.kind} {actor.role} {action}",
            next_step="Ask your hub's registrar which role you need.",
        )
    return actor
