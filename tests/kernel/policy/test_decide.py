"""The charter's decision: why a refusal came, and what no change of a question opens."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.kernel.errors import AccordError, Refused
from accord.kernel.identifiers import OrgId
from accord.kernel.markings import BundleKind, Onward, OrgKind, Purpose, Tlp
from accord.kernel.policy.charter import DEFAULT_CHARTER, Charter, parse_charter
from accord.kernel.policy.decide import (
    ALLOWED,
    CONDITIONS,
    Decision,
    Party,
    Question,
    decide,
)

CHARTER = parse_charter(DEFAULT_CHARTER.encode())
DAY = 86_400


def party(name: str, kind: OrgKind, country: str = "NL", *capabilities: str) -> Party:
    return Party(
        org=OrgId(f"{name}@hub.example"),
        kind=kind,
        country=country,
        capabilities=frozenset(capabilities),
    )


BANK = party("bank", OrgKind.FINANCIAL)
EXCHANGE = party("exchange", OrgKind.FINANCIAL, "DE")
POLICE = party("police", OrgKind.LAW_ENFORCEMENT)
FORCE = party("force", OrgKind.LAW_ENFORCEMENT, "DE")
NGO = party("ngo", OrgKind.NGO)
HOTLINE = party("hotline", OrgKind.NGO, "NL", "hotline")
AUDITOR = party("auditor", OrgKind.OVERSIGHT)
OPERATOR = party("operator", OrgKind.OPERATOR)
PERSONAS = (BANK, EXCHANGE, POLICE, FORCE, NGO, HOTLINE, AUDITOR, OPERATOR)
I, R, S, Q, A, L, N = (  # noqa: E741 - one letter a kind, for the table
    BundleKind.INDICATORS,
    BundleKind.RETRACTION,
    BundleKind.SIGHTING,
    BundleKind.REQUEST,
    BundleKind.RESPONSE,
    BundleKind.LIST,
    BundleKind.NOTICE,
)


def ask(sender: Party, *to: Party, kind: BundleKind = I, **fields: Any) -> Question:
    base = Question(
        sender=sender, recipients=to, kind=kind, tlp=Tlp.AMBER, purpose=Purpose.PREVENTION
    )
    return replace(base, **fields)


@pytest.mark.parametrize(
    ("question", "code", "rule"),
    [
        (ask(BANK), "charter_no_recipient", ""),
        (ask(BANK, BANK), "charter_self", ""),
        (ask(BANK, POLICE, BANK), "charter_self", ""),
        (ask(AUDITOR, POLICE), "charter_sender", ""),
        (ask(BANK, AUDITOR), "charter_recipient", ""),
        (ask(BANK, EXCHANGE), "charter_kind", ""),
        (ask(NGO, POLICE), "charter_capability", "hotline-to-police"),
        (ask(BANK, EXCHANGE, kind=A), "charter_reply", "financial-answers"),
        (ask(HOTLINE, BANK, tlp=Tlp.RED), "charter_tlp", "hotline-to-financial"),
        (ask(BANK, POLICE, purpose=Purpose.SCREENING), "charter_purpose", "financial-to-police"),
        (ask(HOTLINE, BANK, onward=Onward.SAME_KIND), "charter_onward", "hotline-to-financial"),
        (ask(BANK, POLICE, lifetime=1825 * DAY + 1), "charter_retention", "financial-to-police"),
    ],
)
def test_a_refusal_names_the_rule_that_came_closest(
    question: Question, code: str, rule: str
) -> None:
    decision = decide(CHARTER, question)
    assert (decision.allowed, decision.code, decision.rule) == (False, code, rule)
    named = [one.name for one in CHARTER.rules].index(rule) + 1 if rule else 0
    by = f" by rule {named} ({rule})" if rule else ""
    assert decision.explanation == f"refused{by}: {decision.why or decision.words}"
    with pytest.raises(Refused) as caught:
        decision.require()
    assert caught.value.code == code
    assert caught.value.message == decision.words


def test_a_permission_needs_no_more_words_than_its_rules() -> None:
    decision = decide(CHARTER, ask(HOTLINE, POLICE, BANK))
    decision.require()
    assert decision.rule == "hotline-to-police, hotline-to-financial"
    assert decision.words == (
        "Hotlines report to law enforcement. Hotlines alert financial institutions."
    )
    assert decision.explanation == (
        "allowed by rules 4 (hotline-to-police) and 5 (hotline-to-financial): " + decision.words
    )


def test_one_recipient_without_a_rule_stops_the_whole_bundle() -> None:
    assert decide(CHARTER, ask(BANK, POLICE, EXCHANGE)).code == "charter_kind"
    assert decide(CHARTER, ask(BANK, EXCHANGE, POLICE)).code == "charter_kind"


def test_an_answer_goes_only_to_the_one_who_asked() -> None:
    answered = frozenset({POLICE.org})
    assert decide(CHARTER, ask(BANK, POLICE, kind=A, replies_to=answered)).allowed
    both = ask(BANK, POLICE, FORCE, kind=A, replies_to=answered)
    assert decide(CHARTER, both).code == "charter_reply"


def test_a_recall_follows_its_bundle_whatever_the_charter_says_now() -> None:
    recall = ask(NGO, BANK, AUDITOR, kind=R, recalls=True)
    assert decide(CHARTER, recall).rule == "recall"
    assert not decide(CHARTER, replace(recall, recalls=False)).allowed
    assert not decide(CHARTER, replace(recall, kind=I)).allowed
    assert not decide(CHARTER, replace(recall, recipients=())).allowed


def narrowed(**changes: str) -> Charter:
    text = DEFAULT_CHARTER
    for old, new in changes.items():
        text = text.replace(f"\n{old} = ", f"\n{old} = {new} #", 1)
    return parse_charter(text.encode())


@pytest.mark.parametrize(
    ("jurisdictions", "to", "allowed"),
    [
        ('["same"]', POLICE, True),
        ('["same"]', FORCE, False),
        ('["DE"]', FORCE, True),
        ('["DE"]', POLICE, False),
        ('["same", "DE"]', FORCE, True),
        ('["any"]', FORCE, True),
    ],
)
def test_jurisdictions_look_at_the_recipients_country(
    jurisdictions: str, to: Party, *, allowed: bool
) -> None:
    charter = narrowed(jurisdictions=jurisdictions)
    decision = decide(charter, ask(BANK, to))
    assert decision.code == (ALLOWED if allowed else "charter_jurisdiction")


def test_a_second_person_is_asked_for_where_that_can_be_known() -> None:
    charter = narrowed(approval="true")
    assert decide(charter, ask(BANK, POLICE, approved=False)).code == "charter_approval"
    for approved in (True, None):
        decision = decide(charter, ask(BANK, POLICE, approved=approved))
        assert (decision.allowed, decision.approval) == (True, True)
    assert not decide(CHARTER, ask(BANK, POLICE)).approval


def test_recipients_can_need_a_capability_too() -> None:
    text = DEFAULT_CHARTER.replace('to = ["law', 'to_capabilities = ["fiu"]\nto = ["law', 1)
    charter = parse_charter(text.encode())
    assert decide(charter, ask(BANK, POLICE)).code == "charter_capability"
    unit = replace(POLICE, capabilities=frozenset({"fiu", "other"}))
    assert decide(charter, ask(BANK, unit)).allowed


def test_every_condition_has_its_own_code_and_can_fail() -> None:
    assert len({code for code, _, _ in CONDITIONS}) == len(CONDITIONS) == 11


def members(values: Any) -> Any:
    return st.sampled_from(list(values))


@given(
    members(PERSONAS),
    st.lists(members(PERSONAS), max_size=3, unique_by=lambda who: who.org),
    members(BundleKind),
    members(Tlp),
    members(Purpose),
    members(Onward),
    st.integers(0, 3000 * DAY),
)
def test_narrowing_a_marking_or_adding_a_recipient_never_opens_a_door(
    sender: Party,
    to: list[Party],
    kind: BundleKind,
    tlp: Tlp,
    purpose: Purpose,
    onward: Onward,
    lifetime: int,
) -> None:
    question = Question(
        sender=sender,
        recipients=tuple(to),
        kind=kind,
        tlp=tlp,
        purpose=purpose,
        onward=onward,
        lifetime=lifetime,
    )
    decision: Decision = decide(CHARTER, question)
    assert decision == decide(CHARTER, question)
    assert decision.words
    if decision.allowed:
        for one in to:
            assert decide(CHARTER, replace(question, recipients=(one,))).allowed
        assert decide(CHARTER, replace(question, tlp=Tlp.CLEAR)).allowed
        assert decide(CHARTER, replace(question, lifetime=0)).allowed
    else:
        wider: Callable[[Party], Question] = lambda one: replace(  # noqa: E731
            question, recipients=(*to, one)
        )
        assert not any(decide(CHARTER, wider(one)).allowed for one in PERSONAS if to)


def test_errors_of_the_decision_are_of_the_one_tree() -> None:
    assert issubclass(Refused, AccordError)
