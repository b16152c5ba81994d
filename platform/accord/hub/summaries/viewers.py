"""Who may see summaries: a known person, of an organisation to which the charter grants it."""

from accord.hub.access import Action, Actor, require
from accord.hub.directory import Directory, require_grant
from accord.kernel.policy.charter import Action as CharterAction


def require_viewer(actor: Actor | None, directory: Directory) -> Actor:
    """Return ``actor`` when they may see summaries.

    Raises:
        AuthenticationNeeded: ``sign_in_needed`` when nobody is known.
        Refused: ``action_not_granted``, or ``charter_action`` when no grant of the charter has it.
    """
    return require_grant(require(actor, Action.SUMMARY_VIEW), CharterAction.SUMMARY_VIEW, directory)
