"""An organisation's chain through the audit log: what is left out, put in or moved, is noticed."""

import secrets
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.kernel.errors import AccordError, Malformed, VerificationFailed
from accord.kernel.identifiers import OrgId
from accord.kernel.tlog.heads import (
    Membership,
    OwnEvent,
    chain_next,
    chain_start,
    extend_head,
    format_membership,
    parse_membership,
    start_of,
)
from accord.kernel.tlog.leaf import RecordFields

ORG = OrgId("bank@hub.test")
OTHER = OrgId("police@hub.test")


def events(count: int, *, early: int = 0) -> list[OwnEvent]:
    """Return events 1 to ``count`` of ORG; the first ``early`` are from before the chain."""
    found: list[OwnEvent] = []
    chain = chain_start(ORG)
    for seq in range(1, count + 1):
        before = None if seq <= early else chain
        member = format_membership(Membership(org=ORG, seq=seq, before=before))
        record = RecordFields.fresh({"what": "x.y", "member.0": member})
        number = 10 * seq
        chain = chain_next(chain, seq=seq, number=number, leaf=record.leaf())
        found.append(OwnEvent(number=number, record=record))
    return found


def refused(shown: list[OwnEvent]) -> str:
    with pytest.raises(VerificationFailed) as caught:
        extend_head(start_of(ORG), shown)
    return caught.value.code


def test_a_whole_chain_is_followed_in_one_go_or_in_parts() -> None:
    shown = events(6, early=2)
    whole = extend_head(start_of(ORG), shown)
    assert (whole.seq, whole.number, whole.bound) == (6, 60, True)
    assert extend_head(extend_head(start_of(ORG), shown[:3]), shown[3:]) == whole


def test_an_event_left_out_in_the_middle_or_at_the_beginning_is_noticed() -> None:
    shown = events(5)
    assert refused(shown[:2] + shown[3:]) == "event_gap"
    assert refused(shown[1:]) == "event_gap"


def test_an_event_shown_twice_or_in_another_order_is_noticed() -> None:
    shown = events(5)
    assert refused([*shown[:2], shown[1], *shown[2:]]) == "event_gap"
    assert refused([shown[1], shown[0], *shown[2:]]) == "event_gap"
    moved = [shown[0], replace(shown[1], number=5), *shown[2:]]
    assert refused(moved) == "event_order"


def test_an_event_that_took_the_place_of_another_is_noticed_by_the_next_one() -> None:
    shown = events(5)
    false = RecordFields.fresh(shown[2].record.opened() | {"what": "x.z"})
    assert refused([*shown[:2], OwnEvent(number=30, record=false), *shown[3:]]) == "event_chain"
    assert refused([*shown[:2], replace(shown[2], number=31), *shown[3:]]) == "event_chain"


def test_an_event_without_a_chain_after_one_with_it_is_refused() -> None:
    shown = events(5)
    bare = RecordFields.fresh({"what": "x.y", "member.0": f"{ORG} 3"})
    assert refused([*shown[:2], OwnEvent(number=30, record=bare)]) == "event_chain"


def test_an_early_event_that_was_changed_is_noticed_once_the_chain_begins() -> None:
    shown = events(5, early=2)
    false = RecordFields.fresh({"what": "x.z", "member.0": f"{ORG} 1"})
    assert refused([OwnEvent(number=10, record=false), *shown[1:]]) == "event_chain"


def test_an_event_of_others_is_not_taken_for_ours() -> None:
    member = format_membership(Membership(org=OTHER, seq=1, before=chain_start(OTHER)))
    foreign = RecordFields.fresh({"what": "x.y", "member.0": member})
    assert refused([OwnEvent(number=1, record=foreign)]) == "event_not_ours"
    [own] = events(1)
    assert refused([replace(own, record=own.record.close({"member.0"}))]) == "event_not_ours"


@pytest.mark.parametrize(
    "value",
    [
        "",
        f"{ORG}",
        f"{ORG} 0",
        f"{ORG} 01",
        f"{ORG} -1",
        f"{ORG} 9223372036854775808",
        f"{ORG} 1 AAAA",
        f"{ORG} 1  ",
        "no-org 1",
        f"{ORG} 1 x y",
    ],
)
def test_a_member_field_of_another_form_is_refused(value: str) -> None:
    with pytest.raises(Malformed):
        parse_membership(value)


@given(st.text(max_size=80))
def test_any_text_is_parsed_or_refused_with_a_code(value: str) -> None:
    try:
        parsed = parse_membership(value)
    except AccordError:
        return
    assert format_membership(parsed) == value


@given(st.integers(1, 2**63 - 1), st.booleans())
def test_what_is_formatted_is_parsed_again(seq: int, bound: bool) -> None:  # noqa: FBT001
    before = secrets.token_bytes(32) if bound else None
    membership = Membership(org=ORG, seq=seq, before=before)
    assert parse_membership(format_membership(membership)) == membership
