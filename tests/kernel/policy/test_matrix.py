"""The complete table of the default charter: personas by actions by resources, each cell expected.

``decisions.txt`` is the expectation, written out cell by cell and read by people; nothing in it is
computed here. A persona, kind of bundle, marking or action that it leaves out stops the test.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.kernel.policy.test_decide import CHARTER, PERSONAS, Party, ask

from accord.kernel.markings import BundleKind, Onward, Purpose, Tlp
from accord.kernel.policy.charter import Action
from accord.kernel.policy.decide import Decision, decide, decide_action

CODES = {
    "s": "charter_sender",
    "r": "charter_recipient",
    "k": "charter_kind",
    "c": "charter_capability",
    "a": "charter_reply",
    "t": "charter_tlp",
    "p": "charter_purpose",
    "o": "charter_onward",
    "=": "charter_self",
    "-": "charter_action",
}
BY_NAME = {who.org.split("@")[0]: who for who in PERSONAS}
TEXT = (Path(__file__).parent / "decisions.txt").read_text("utf-8")


def rows(section: str) -> Iterator[list[str]]:
    """The rows of a section, without its words in parentheses."""
    body = TEXT.split(f"[{section}]\n")[1].split("\n[")[0]
    for line in body.splitlines():
        if line and not line.startswith("("):
            yield line.split()


def check(decision: Decision, cell: str) -> None:
    if cell.isdigit():
        assert decision.allowed, decision.explanation
        assert decision.numbers == (int(cell),)
        assert f"{decision.noun} {cell} (" in decision.explanation
    else:
        assert not decision.allowed, decision.explanation
        assert decision.code == CODES[cell]
        assert decision.explanation.startswith("refused")


def test_the_table_leaves_nothing_out() -> None:
    pairs = [(sender, to) for sender, to, *_ in rows("send")]
    assert pairs == [(a, b) for a in BY_NAME for b in BY_NAME]
    assert all(len(cell) == len(BundleKind) for _, _, *cells in rows("send") for cell in cells)
    assert [name for name, _ in rows("act")] == list(BY_NAME)
    assert all(len(cells) == len(Action) for _, cells in rows("act"))
    handled = {(sender, to) for sender, to, *_ in rows("handle")}
    allowed = {(a, b) for a, b, *cells in rows("send") if any(map(str.isdigit, "".join(cells)))}
    assert handled == allowed


@pytest.mark.parametrize(("sender", "to", "free", "answering"), list(rows("send")), ids=str)
def test_who_may_send_which_kind_to_whom(sender: str, to: str, free: str, answering: str) -> None:
    one, other = BY_NAME[sender], BY_NAME[to]
    for cells, replies in ((free, frozenset[str]()), (answering, frozenset({other.org}))):
        for kind, cell in zip(BundleKind, cells, strict=True):
            check(decide(CHARTER, ask(one, other, kind=kind, replies_to=replies)), cell)


@pytest.mark.parametrize(
    ("sender", "to", "kind", "tlps", "purposes", "onwards"),
    list(rows("handle")),
    ids=str,
)
def test_under_which_marking_purpose_and_onward_rule(
    sender: str, to: str, kind: str, tlps: str, purposes: str, onwards: str
) -> None:
    one, other = BY_NAME[sender], BY_NAME[to]
    base = {"kind": BundleKind(kind), "replies_to": frozenset({other.org})}
    for tlp, cell in zip(Tlp, tlps, strict=True):
        check(decide(CHARTER, ask(one, other, tlp=tlp, **base)), cell)
    for purpose, cell in zip(Purpose, purposes, strict=True):
        check(decide(CHARTER, ask(one, other, purpose=purpose, **base)), cell)
    for onward, cell in zip(Onward, onwards, strict=True):
        check(decide(CHARTER, ask(one, other, onward=onward, **base)), cell)


@pytest.mark.parametrize(("name", "cells"), list(rows("act")), ids=str)
def test_who_may_do_what_at_the_hub(name: str, cells: str) -> None:
    who: Party = BY_NAME[name]
    for action, cell in zip(Action, cells, strict=True):
        check(decide_action(CHARTER, who, action), cell)
