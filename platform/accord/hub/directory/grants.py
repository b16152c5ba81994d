"""What the charter in force grants an organisation at this hub, beside sending bundles.

The gate (``hub.access``) says what a role may do at all; the charter says which organisations have
it. A verb asks both; neither widens the other.
"""

from accord.hub.access import Actor
from accord.hub.directory.service import Directory
from accord.kernel.policy.charter import Action
from accord.kernel.policy.decide import decide_action


def require_grant(actor: Actor, action: Action, directory: Directory) -> Actor:
    """Return ``actor`` when the charter grants ``action`` to their organisation.

    Raises:
        Refused: ``charter_action`` when no grant has it.
        NotFound: ``org_unknown`` when the directory does not know the organisation.
        Unavailable: ``charter_missing``.
    """
    party = directory.state().organisation(actor.org).party
    decide_action(directory.charter(), party, action).require()
    return actor
