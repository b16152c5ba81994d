"""The decision: may this organisation send this to those? Pure, default deny, with a reason.

A rule allows a sender and one recipient; a bundle goes when every recipient has a rule. A refusal
names the rule that came closest and the condition that failed there, so that the analyst sees at
once what to change. A recall may always follow the bundle that it takes back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from accord.kernel.errors import Refused
from accord.kernel.identifiers import OrgId
from accord.kernel.markings import BundleKind, Onward, OrgKind, Purpose, Tlp
from accord.kernel.policy.charter import ANY, SAME, Action, Charter, Rule

ALLOWED = "allowed"
RECALL_RULE = "recall"
_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """An organisation as the directory describes it at the size that is used."""

    org: OrgId
    kind: OrgKind
    country: str
    capabilities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a sender wants to send.

    Attributes:
        sender: who.
        recipients: to whom, at least one.
        kind: bundle kind.
        tlp: marking.
        purpose: why.
        onward: onward rule that the header states.
        lifetime: seconds between created and expires.
        approved: a second person approved; ``None`` where that cannot be known (the hub).
        replies_to: organisations that sent the sender a bundle to which this one refers.
        recalls: it is a retraction of the sender's own bundle, to organisations that got that
            one; the caller has verified both.
    """

    sender: Party
    recipients: tuple[Party, ...]
    kind: BundleKind
    tlp: Tlp
    purpose: Purpose
    onward: Onward = Onward.NONE
    lifetime: int = 0
    approved: bool | None = None
    replies_to: frozenset[OrgId] = frozenset()
    recalls: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Yes or no, and why.

    Attributes:
        allowed: yes or no.
        code: ``allowed``, or the stable code of the refusal.
        rule: names of the rules that allow, joined by ", "; or of the rule that came closest;
            empty when none is near.
        words: one sentence for the analyst.
        approval: a second person's approval is part of what allows this.
        numbers: places in the charter, from 1, of the rules or grants that ``rule`` names.
        why: the condition that failed; empty when allowed.
        noun: what ``rule`` names, ``rule`` or ``grant``.
    """

    allowed: bool
    code: str
    rule: str
    words: str
    approval: bool = False
    numbers: tuple[int, ...] = ()
    why: str = ""
    noun: str = "rule"

    @property
    def places(self) -> tuple[tuple[int, str], ...]:
        """Number and name of each rule or grant that decided."""
        return tuple(zip(self.numbers, self.rule.split(", "), strict=False))

    @property
    def explanation(self) -> str:
        """The decision with its rules by number and name, for example ``refused by rule 4 (…)``."""
        places = " and ".join(f"{number} ({name})" for number, name in self.places)
        verdict = "allowed" if self.allowed else "refused"
        by = f" by {self.noun}{'s' if len(self.places) > 1 else ''} {places}" if places else ""
        return f"{verdict}{by}: {self.why or self.words}"

    def require(self) -> None:
        """Raise the refusal.

        Raises:
            Refused: ``code``, unless allowed.
        """
        if not self.allowed:
            raise Refused(
                self.code,
                self.words,
                observed=self.rule or None,
                next_step="See what the charter allows on the hub's page /charter.",
            )


Condition = Callable[[Rule, Question, Party], bool]


def _jurisdiction(rule: Rule, question: Question, recipient: Party) -> bool:
    return (
        ANY in rule.jurisdictions
        or recipient.country in rule.jurisdictions
        or (SAME in rule.jurisdictions and recipient.country == question.sender.country)
    )


CONDITIONS: tuple[tuple[str, str, Condition], ...] = (
    (
        "charter_sender",
        "no rule lets this kind of organisation send anything",
        lambda rule, question, _to: question.sender.kind in rule.senders,
    ),
    (
        "charter_recipient",
        "no rule lets it send to this kind of organisation",
        lambda rule, _question, to: to.kind in rule.recipients,
    ),
    (
        "charter_kind",
        "no rule lets it send this kind of bundle there",
        lambda rule, question, _to: question.kind in rule.kinds,
    ),
    (
        "charter_capability",
        "a capability that the rule asks for is missing",
        lambda rule, question, to: (
            rule.sender_capabilities <= question.sender.capabilities
            and rule.recipient_capabilities <= to.capabilities
        ),
    ),
    (
        "charter_reply",
        "the rule is for answers to a bundle that the recipient had sent",
        lambda rule, question, to: not rule.reply_only or to.org in question.replies_to,
    ),
    ("charter_jurisdiction", "the rule does not cover the recipient's country", _jurisdiction),
    (
        "charter_tlp",
        "the marking is narrower than the rule allows",
        lambda rule, question, _to: question.tlp.rank <= rule.max_tlp.rank,
    ),
    (
        "charter_purpose",
        "the rule is not for this purpose",
        lambda rule, question, _to: question.purpose in rule.purposes,
    ),
    (
        "charter_onward",
        "the rule does not allow this onward sharing",
        lambda rule, question, _to: question.onward in rule.onward,
    ),
    (
        "charter_retention",
        "it would be kept longer than the rule allows",
        lambda rule, question, _to: question.lifetime <= rule.retention_days * _DAY,
    ),
    (
        "charter_approval",
        "a second person must approve first",
        lambda rule, question, _to: not rule.approval or question.approved is not False,
    ),
)
"""Code, words and test of each condition of a rule, in the order in which they are told."""


def decide(charter: Charter, question: Question) -> Decision:
    """Decide ``question`` under ``charter``.

    (1) Somebody must receive it. (2) Nobody sends to itself. (3) A recall may follow its bundle.
    (4) For every recipient one rule must allow.
    """
    if not question.recipients:  # (1)
        return _no("charter_no_recipient", "A bundle needs a recipient.")
    if any(to.org == question.sender.org for to in question.recipients):  # (2)
        return _no("charter_self", "A bundle is not sent to its own sender.")
    if question.kind is BundleKind.RETRACTION and question.recalls:  # (3)
        return Decision(
            allowed=True,
            code=ALLOWED,
            rule=RECALL_RULE,
            words="A recall may follow the bundle that it takes back.",
        )
    used: dict[int, Rule] = {}
    for to in question.recipients:  # (4)
        allowing = _allowing_rule(charter.rules, question, to)
        if isinstance(allowing, Decision):
            return allowing
        used[allowing] = charter.rules[allowing - 1]
    rules = used.values()
    return Decision(
        allowed=True,
        code=ALLOWED,
        rule=", ".join(rule.name for rule in rules),
        words=" ".join(rule.words for rule in rules),
        approval=any(rule.approval for rule in rules),
        numbers=tuple(used),
    )


def _allowing_rule(rules: Sequence[Rule], question: Question, to: Party) -> int | Decision:
    """Return the number of the first rule that allows, or the refusal at the closest one."""
    furthest, closest = -1, 1
    for number, rule in enumerate(rules, start=1):
        failed = next(
            (
                place
                for place, (_code, _words, holds) in enumerate(CONDITIONS)
                if not holds(rule, question, to)
            ),
            None,
        )
        if failed is None:
            return number
        if failed > furthest:
            furthest, closest = failed, number
    return _refusal(furthest, closest, rules[closest - 1].name, question=question, to=to)


def _refusal(failed: int, number: int, name: str, *, question: Question, to: Party) -> Decision:
    code, why, _holds = CONDITIONS[failed]
    # Below the kind of bundle no single rule is near enough to be named.
    near = code not in {"charter_sender", "charter_recipient", "charter_kind"}
    return Decision(
        allowed=False,
        code=code,
        rule=name if near else "",
        words=f"{question.sender.org} ({question.sender.kind}) may not send '{question.kind}' to "
        f"{to.org} ({to.kind}): {why}{f' (rule {number}, {name})' if near else ''}.",
        numbers=(number,) if near else (),
        why=why,
    )


def _no(code: str, words: str) -> Decision:
    return Decision(allowed=False, code=code, rule="", words=words)


def decide_action(charter: Charter, party: Party, action: Action) -> Decision:
    """Decide whether ``party`` may do ``action`` at the hub; default deny."""
    for number, grant in enumerate(charter.grants, start=1):
        if (
            party.kind in grant.kinds
            and grant.capabilities <= party.capabilities
            and action in grant.actions
        ):
            return Decision(
                allowed=True,
                code=ALLOWED,
                rule=grant.name,
                words=grant.words,
                numbers=(number,),
                noun="grant",
            )
    return _no("charter_action", f"No grant lets {party.org} ({party.kind}) do '{action}'.")
