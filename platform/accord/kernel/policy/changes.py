"""What changed between two charters, rule by rule and condition by condition."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from accord.kernel.policy.charter import Charter, Grant, Rule
from accord.kernel.policy.words import grant_facts, registrars_words, rule_facts

Named = TypeVar("Named", Rule, Grant)


class How(StrEnum):
    """What happened to a rule or grant."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"
    """Same conditions at another place; the first rule that allows is the one named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference; ``facts`` says old and new by key, where the text changed.

    Attributes:
        how: what happened.
        table: ``rule``, ``grant``, or ``charter`` for its own keys.
        name: which.
        old: its number before, 0 when it is new.
        new: its number now, 0 when it is gone.
        facts: changed keys with their old and new words.
    """

    how: How
    table: str
    name: str
    old: int
    new: int
    facts: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def compare(old: Charter, new: Charter) -> list[Change]:
    """Return what changed from ``old`` to ``new``: the charter's own keys, rules, then grants."""
    return [
        *_own_changes(old, new),
        *_changes("rule", old.rules, new.rules, rule_facts),
        *_changes("grant", old.grants, new.grants, grant_facts),
    ]


def _own_changes(old: Charter, new: Charter) -> list[Change]:
    texts = {
        "name": (old.name, new.name),
        "registrars": (registrars_words(old), registrars_words(new)),
    }
    facts = {key: pair for key, pair in texts.items() if pair[0] != pair[1]}
    if not facts:
        return []
    return [Change(how=How.CHANGED, table="charter", name=new.name, old=1, new=1, facts=facts)]


def _changes(
    table: str,
    old: Sequence[Named],
    new: Sequence[Named],
    facts: Callable[[Named], Mapping[str, str]],
) -> list[Change]:
    before: dict[str, tuple[int, Named]] = {one.name: (at + 1, one) for at, one in enumerate(old)}
    after: dict[str, tuple[int, Named]] = {one.name: (at + 1, one) for at, one in enumerate(new)}
    found = []
    for name in dict.fromkeys((*before, *after)):
        if name not in after:
            gone = Change(how=How.REMOVED, table=table, name=name, old=before[name][0], new=0)
            found.append(gone)
        elif name not in before:
            come = Change(how=How.ADDED, table=table, name=name, old=0, new=after[name][0])
            found.append(come)
        else:
            (first, was), (second, now) = before[name], after[name]
            pairs = {"words": (was.words, now.words)} | {
                key: (text, facts(now)[key]) for key, text in facts(was).items()
            }
            changed = {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
            if changed or first != second:
                how = How.CHANGED if changed else How.MOVED
                found.append(
                    Change(how=how, table=table, name=name, old=first, new=second, facts=changed)
                )
    return found
