"""Who is meant by ``--to``: patterns are resolved, shown and confirmed before sealing."""

from collections.abc import Sequence

from accord.desk.app import Desk
from accord.desk.exchange.routing import is_pattern
from accord.kernel.errors import Refused
from accord.kernel.identifiers import OrgId
from accord.terminal import Terminal

TO_HELP = "Who may open it: name@hub, or kind:law_enforcement@NL."


def confirmed_recipients(terminal: Terminal, desk: Desk, names: Sequence[str]) -> tuple[OrgId, ...]:
    """Return the organisations of ``names``; ask when a name stands for several.

    Raises:
        NotFound: ``org_unknown``, ``recipient_none``.
        Refused: ``not_confirmed``.
    """
    recipients = desk.submissions.resolve(names)
    if not any(map(is_pattern, names)):
        return recipients
    state = desk.mirror.recent(recipients)
    for org in recipients:
        profile = state.organisation(org).profile
        terminal.say(f"  {org}  {profile.name}, {profile.kind}, {profile.country}")
    if not terminal.dry_run and not terminal.confirm(f"Send to these {len(recipients)}?"):
        raise Refused(
            "not_confirmed",
            "Nothing was sent.",
            observed=", ".join(recipients)[:200],
            next_step="Answer yes, or give --yes.",
        )
    return recipients
