"""Who and what is meant by options of many commands: patterns of ``--to``, names of networks."""

from collections.abc import Sequence

from accord.desk.app import Desk
from accord.desk.exchange.routing import is_pattern
from accord.kernel.errors import Malformed, Refused
from accord.kernel.identifiers import OrgId
from accord.kernel.indicators import network_of_label
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


def told_network(label: str | None) -> str | None:
    """Return the network that a person named, as a code; ``None`` stays ``None``.

    Raises:
        Malformed: ``network_unknown``.
    """
    if label is None:
        return None
    found = network_of_label(label)
    if found is None:
        raise Malformed("network_unknown", "This network is not known.", observed=label[:20])
    return found.value
