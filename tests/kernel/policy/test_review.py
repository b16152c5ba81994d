"""What a charter's writer is told to look at again, and what changed between two charters."""

import pytest

from accord.hub.access.decide import DESK_GRANTS, Action
from accord.kernel.policy.changes import How, compare
from accord.kernel.policy.charter import DEFAULT_CHARTER, Charter, parse_charter
from accord.kernel.policy.review import CARRIERS, review
from accord.kernel.policy.words import charter_words

TEXT = DEFAULT_CHARTER
BLOCKS = TEXT.split("\n\n")


def charter(text: str) -> Charter:
    return parse_charter(text.encode())


def changed(old: str, new: str) -> Charter:
    assert old in TEXT
    return charter(TEXT.replace(old, new, 1))


def rule(nth: int, **changes: str) -> str:
    """The nth rule of the default charter once more, under another name and with other lines."""
    text = BLOCKS[nth].replace('name = "', 'name = "copy-', 1)
    for key, value in changes.items():
        lines = text.splitlines()
        at = next(at for at, line in enumerate(lines) if line.startswith(f"{key} ="))
        end = at
        while "[" in lines[at] and "]" not in lines[end]:
            end += 1
        text = "\n".join([*lines[:at], f"{key} = {value}", *lines[end + 1 :]])
    return text


def with_rule(text: str, *, first: bool = False) -> Charter:
    blocks = [BLOCKS[0], text, *BLOCKS[1:]] if first else [*BLOCKS[:6], text, *BLOCKS[6:]]
    return charter("\n\n".join(blocks))


def codes(found: Charter) -> list[tuple[str, int]]:
    return [(one.remark, one.number) for one in review(found)]


def test_the_default_charter_needs_no_second_look() -> None:
    assert review(charter(TEXT)) == []


def test_those_who_carry_bundles_are_those_whose_desks_may() -> None:
    able = {kind for kind, granted in DESK_GRANTS.items() if Action.BUNDLE_READ in granted}
    assert able == CARRIERS
    assert able == {kind for kind, some in DESK_GRANTS.items() if Action.BUNDLE_SUBMIT in some}


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (changed('from = ["law_enforcement"]', 'from = ["operator"]'), [("rule_impossible", 3)]),
        (changed('to = ["law_enforcement"]', 'to = ["oversight"]'), [("rule_impossible", 1)]),
        (changed('kinds = ["response", "sighting"]', 'kinds = ["request", "list"]'),
         [("rule_impossible", 2)]),
        (changed('from = ["law_enforcement"]', 'from = ["law_enforcement", "oversight"]'),
         [("rule_partly_idle", 3)]),
        (with_rule(rule(1)), [("rule_unreachable", 6)]),
        (with_rule(rule(1, max_tlp='"green"', retention_days="10", jurisdictions='["NL"]')),
         [("rule_unreachable", 6)]),
        (with_rule(rule(1, approval="true")), [("rule_unreachable", 6)]),
        (with_rule(rule(1, approval="true"), first=True), []),
        (with_rule(rule(1, retention_days="2000")), []),
        (with_rule(rule(1, max_tlp='"green"', kinds='["indicators", "notice"]')), []),
        (with_rule(rule(4, from_capabilities='["hotline", "duty"]')), [("rule_unreachable", 6)]),
        (with_rule(rule(4).replace('from_capabilities = ["hotline"]\n', "")), []),
        (changed('capabilities = ["hotline"]\nactions = ["tally:send"]',
                 'actions = ["summary:view"]'), [("grant_unreachable", 4)]),
    ],
)  # fmt: skip
def test_rules_that_say_nothing_are_told(found: Charter, wanted: list[tuple[str, int]]) -> None:
    assert codes(found) == wanted


def test_changes_are_told_rule_by_rule_and_condition_by_condition() -> None:
    old = charter(TEXT)
    assert compare(old, old) == []
    (one,) = compare(old, changed("retention_days = 730", "retention_days = 700"))
    assert (one.how, one.table, one.name, one.old, one.new) == (
        How.CHANGED, "rule", "hotline-to-financial", 5, 5
    )  # fmt: skip
    assert one.facts == {"retention_days": ("730", "700")}
    shorter = charter("\n\n".join([BLOCKS[0], *BLOCKS[2:]]))
    found = {change.name: change for change in compare(old, shorter)}
    assert found["financial-to-police"].how is How.REMOVED
    assert (found["financial-answers"].how, found["financial-answers"].new) == (How.MOVED, 1)
    back = {change.name: change.how for change in compare(shorter, old)}
    assert back["financial-to-police"] is How.ADDED
    (own,) = compare(old, changed("version = 1", "version = 2\nregistrars = 2"))
    assert own.facts == {"registrars": ("as many registrars as the root file says", "2 registrars")}
    grants = compare(old, changed('actions = ["overlap:view"]', 'actions = ["log:view"]'))
    assert [(one.table, one.facts["actions"]) for one in grants] == [
        ("grant", ("overlap:view", "log:view"))
    ]


def test_every_condition_of_a_rule_stands_in_its_words() -> None:
    text = "\n".join(charter_words(charter(TEXT)))
    for needle in ("rule 5 (hotline-to-financial)", "ngo with hotline to financial", "TLP red",
                   "kept up to 730 days", "as an answer only", "grant 3 (ngo-summaries)"):  # fmt: skip
        assert needle in text
    approved = changed("approval = false", "approval = true")
    assert "with a second person's approval" in "\n".join(charter_words(approved))
