"""A charter's conditions in words: what its data says, whatever its own sentences promise."""

from accord.kernel.policy.charter import Charter, Grant, Rule


def rule_facts(rule: Rule) -> dict[str, str]:
    """Return the conditions of ``rule``, each under its key of the format."""
    return {
        "from": _listed(rule.senders, rule.sender_capabilities),
        "to": _listed(rule.recipients, rule.recipient_capabilities),
        "kinds": ", ".join(sorted(rule.kinds)),
        "max_tlp": rule.max_tlp.value,
        "purposes": ", ".join(sorted(rule.purposes)),
        "jurisdictions": ", ".join(sorted(rule.jurisdictions)),
        "onward": ", ".join(sorted(rule.onward)),
        "retention_days": str(rule.retention_days),
        "reply_only": "yes" if rule.reply_only else "no",
        "approval": "yes" if rule.approval else "no",
    }


def grant_facts(grant: Grant) -> dict[str, str]:
    """Return what ``grant`` gives to whom, each under its key of the format."""
    return {
        "kinds": _listed(grant.kinds, grant.capabilities),
        "actions": ", ".join(sorted(grant.actions)),
    }


def rule_words(rule: Rule) -> str:
    """Return the conditions of ``rule`` in one line."""
    facts = rule_facts(rule)
    parts = [
        f"{facts['from']} to {facts['to']}",
        facts["kinds"],
        f"up to TLP {facts['max_tlp']}",
        f"for {facts['purposes']}",
        f"in {facts['jurisdictions']}",
        f"onward {facts['onward']}",
        f"kept up to {facts['retention_days']} days",
    ]
    if rule.reply_only:
        parts.append("as an answer only")
    if rule.approval:
        parts.append("with a second person's approval")
    return "; ".join(parts)


def grant_words(grant: Grant) -> str:
    """Return what ``grant`` gives in one line."""
    facts = grant_facts(grant)
    return f"{facts['kinds']} may {facts['actions']}"


def charter_words(charter: Charter) -> list[str]:
    """Return the rules and grants by number and name, each with its sentence and conditions."""
    lines = [f"members: {registrars_words(charter)} must sign who is one"]
    for number, rule in enumerate(charter.rules, start=1):
        lines += [f"rule {number} ({rule.name}): {rule.words}", f"  {rule_words(rule)}"]
    for number, grant in enumerate(charter.grants, start=1):
        lines += [f"grant {number} ({grant.name}): {grant.words}", f"  {grant_words(grant)}"]
    return lines


def registrars_words(charter: Charter) -> str:
    """Return how many registrars must sign who is a member."""
    if charter.registrars is None:
        return "as many registrars as the root file says"
    return f"{charter.registrars} registrars"


def _listed(kinds: frozenset[str], capabilities: frozenset[str]) -> str:
    text = ", ".join(sorted(kinds))
    return f"{text} with {', '.join(sorted(capabilities))}" if capabilities else text
