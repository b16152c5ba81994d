"""Who may see summaries: a known person, of an organisation to which the charter grants it."""

from accord.hub.access import Action, Actor, require
from accord.hub.directory import Directory
from accord.hub.directory.service import party_of
from accord.kernel.policy.charter import Action as CharterAction
from accord.kernel.policy.decide import decide_action


def require_viewer(actor: Actor | None, directory: Directory) -> Actor:
    """Return ``actor`` when they may see summaries.

    Raises:
        AuthenticationNeeded: ``sign_in_needed`` when nobody is known.
        Refused: ``action_not_granted``, or ``charter_action`` when no grant of the charter has it.
    """
    actor = require(actor, Action.SUMMARY_VIEW)
    party = party_of(directory.state().organisation(actor.org))
    decide_action(directory.charter(), party, CharterAction.SUMMARY_VIEW).require()
    return actor
