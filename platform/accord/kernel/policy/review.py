"""Rules that say nothing: what the writer of a charter should look at again.

Warnings, not refusals: such a charter is valid and decides safely, only less than it seems to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from accord.kernel.markings import BundleKind, OrgKind
from accord.kernel.policy.charter import ANY, Charter, Grant, Rule

CARRIERS = frozenset({OrgKind.FINANCIAL, OrgKind.LAW_ENFORCEMENT, OrgKind.NGO})
"""Kinds whose desks send and receive bundles; the others' have no bundle whatever a rule says."""

_ANSWERS = frozenset(
    {BundleKind.RESPONSE, BundleKind.SIGHTING, BundleKind.NOTICE, BundleKind.RETRACTION}
)
"""Kinds of bundle that can refer to somebody else's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something to look at again: which; where (``rule`` or ``grant``, its number from 1); why."""

    remark: str
    table: str
    number: int
    name: str
    words: str


def review(charter: Charter) -> list[Remark]:
    """Return what should be looked at, rules first, in the order of the charter.

    Remarks: ``rule_impossible`` (it can never allow anything), ``rule_unreachable`` (earlier rules
    allow all that it allows), ``rule_partly_idle`` (some of its kinds of organisation have no
    desk), ``grant_unreachable``.
    """
    found = []
    for number, rule in enumerate(charter.rules, start=1):
        for remark, words in _rule_faults(rule, charter.rules[: number - 1]):
            found.append(_warning(remark, "rule", number, rule.name, words))
    for number, grant in enumerate(charter.grants, start=1):
        if _adds_nothing(grant, charter.grants[: number - 1]):
            words = "earlier grants give all that it gives"
            found.append(_warning("grant_unreachable", "grant", number, grant.name, words))
    return found


def _warning(remark: str, table: str, number: int, name: str, words: str) -> Remark:
    return Remark(remark=remark, table=table, number=number, name=name, words=words)


def _rule_faults(rule: Rule, earlier: Sequence[Rule]) -> list[tuple[str, str]]:
    for what, kinds in (("sends", rule.senders), ("receives", rule.recipients)):
        if not kinds & CARRIERS:
            return [("rule_impossible", f"no desk of the kinds that it names {what} bundles")]
    if rule.reply_only and not rule.kinds & _ANSWERS:
        return [("rule_impossible", "it is for answers, but names no kind of bundle that answers")]
    for number, other in enumerate(earlier, start=1):
        if _covers(other, rule):
            return [("rule_unreachable", f"rule {number} ({other.name}) allows all of it already")]
    idle = sorted((rule.senders | rule.recipients) - CARRIERS)
    if idle:
        return [("rule_partly_idle", f"no bundle goes from or to: {', '.join(idle)}")]
    return []


def _covers(wide: Rule, narrow: Rule) -> bool:
    """Return whether all that ``narrow`` allows is allowed by ``wide`` with no more asked."""
    return (
        wide.senders >= narrow.senders
        and wide.sender_capabilities <= narrow.sender_capabilities
        and wide.recipients >= narrow.recipients
        and wide.recipient_capabilities <= narrow.recipient_capabilities
        and wide.kinds >= narrow.kinds
        and wide.max_tlp.rank >= narrow.max_tlp.rank
        and wide.purposes >= narrow.purposes
        and (ANY in wide.jurisdictions or wide.jurisdictions >= narrow.jurisdictions)
        and wide.onward >= narrow.onward
        and wide.retention_days >= narrow.retention_days
        and wide.approval <= narrow.approval
        and wide.reply_only <= narrow.reply_only
    )


def _adds_nothing(grant: Grant, earlier: Sequence[Grant]) -> bool:
    return all(
        any(
            kind in other.kinds
            and action in other.actions
            and other.capabilities <= grant.capabilities
            for other in earlier
        )
        for kind in grant.kinds
        for action in grant.actions
    )
