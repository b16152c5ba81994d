"""Trust policies: the specification's structure, and every way to write them wrong."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.logs import LOG_KEYS, ORIGIN, WITNESSES, policy

from accord.kernel.errors import Malformed
from accord.kernel.tlog.notes import LogKeyPair, WitnessKeyPair
from accord.kernel.tlog.policy import (
    Policy,
    PolicyGroup,
    format_policy,
    make_policy,
    parse_policy,
)

KEYS = [
    WitnessKeyPair(f"w{number}", (bytes([number]) * 32, bytes([number]) * 32)).vkeys[0]
    for number in range(1, 8)
]
EXAMPLE = f"""# An example in the shape of the specification's own
log {LOG_KEYS.vkeys[0]}  https://hub.example/log/audit
\t
witness X1 {KEYS[0]}
witness X2 {KEYS[1]} https://x2.example
witness X3 {KEYS[2]}
group X-witnesses 2 X1 X2 X3
  # two of three
witness Y1 {KEYS[3]}
witness Y2 {KEYS[4]}
group Y-witnesses any Y1 Y2
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


@pytest.mark.parametrize(
    ("witnesses", "met"),
    [
        ("X1 X2 Y1", True),
        ("X2 X3 Y2", True),
        ("X1 X2 X3 Y1 Y2", True),
        ("X1 X2 X3", False),
        ("X1 Y1 Y2", False),
        ("X-witnesses Y-witnesses", False),
        ("X-and-Y", False),
        ("stranger X1 Y1", False),
        ("", False),
    ],
)
def test_nested_groups_decide(witnesses: str, *, met: bool) -> None:
    assert parse_policy(EXAMPLE).met_by(witnesses.split()) is met


def test_the_parts_are_kept() -> None:
    parsed = parse_policy(EXAMPLE)
    assert parsed.origins == (ORIGIN,)
    assert parsed.logs[0].url == "https://hub.example/log/audit"
    assert parsed.witnesses[1].url == "https://x2.example"
    assert parsed.log_verifiers(ORIGIN) == LOG_KEYS.verifiers[:1]
    assert parsed.log_verifiers("other") == ()
    assert parse_policy(format_policy(parsed)) == parsed
    assert format_policy(parse_policy(format_policy(parsed))) == format_policy(parsed)


def test_no_quorum_must_be_said() -> None:
    assert parse_policy("quorum none\n").met_by([])
    with pytest.raises(Malformed):
        parse_policy("")


LOG = f"log {LOG_KEYS.vkeys[0]}\n"
W1 = f"witness X1 {KEYS[0]}\n"
W2 = f"witness X2 {KEYS[1]}\n"
SAME_KEY = WitnessKeyPair("other", (bytes([1]) * 32, bytes(32))).vkeys[0]
LOG_AS_WITNESS = WitnessKeyPair("w", (LOG_KEYS.ed25519_seed, bytes(32))).vkeys[0]


@pytest.mark.parametrize(
    "text",
    [
        "quorum none",
        "quorum none\r\n",
        "quorum none\n\x00\n",
        "quorum none\nquorum none\n",
        "quorum\n",
        "quorum X1\n",
        "Quorum none\n",
        "log\nquorum none\n",
        "log x\nquorum none\n",
        f"{LOG.rstrip()} a b\nquorum none\n",
        LOG + LOG + "quorum none\n",
        f"log {KEYS[0]}\nquorum none\n",
        f"witness X1 {LOG_KEYS.vkeys[0]}\nquorum X1\n",
        f"witness none {KEYS[0]}\nquorum none\n",
        W1 + W1 + "quorum X1\n",
        W1 + f"witness X2 {SAME_KEY}\nquorum X1\n",
        W1 + f"witness X1 {KEYS[1]}\nquorum X1\n",
        LOG + f"witness X1 {LOG_AS_WITNESS}\nquorum X1\n",
        "quorum X1\n" + W1,
        W1 + "group g all X1 X2\n" + W2 + "quorum g\n",
        W1 + "group g all g\nquorum g\n",
        W1 + "group g all none\nquorum g\n",
        W1 + "group g all\nquorum g\n",
        W1 + "group g any\nquorum g\n",
        W1 + "group g 0 X1\nquorum g\n",
        W1 + "group g 2 X1\nquorum g\n",
        W1 + "group g 01 X1\nquorum g\n",
        W1 + "group g -1 X1\nquorum g\n",
        W1 + "group g most X1\nquorum g\n",
        W1 + "group X1 all X1\nquorum X1\n",
        W1 + W2 + "group g all X1 X1\nquorum g\n",
        W1 + W2 + "group g all X1\ngroup h all X1 X2\nquorum h\n",
        W1 + "quorum X1 X1\n",
        W1 + "member X1\nquorum X1\n",
        "".join(f"group g{n} all g{n}\n" for n in range(3)) + "quorum none\n",
        "#" * (1024 * 1024) + "\nquorum none\n",
        "".join(
            f"log {LogKeyPair('l', n.to_bytes(32, 'big'), bytes(32)).vkeys[0]}\n"
            for n in range(257)
        )
        + "quorum none\n",
    ],
)
def test_wrong_policies_are_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse_policy(text)


def test_a_policy_put_together_in_code_is_checked_too() -> None:
    base = policy(1)
    for group in (
        PolicyGroup(name="late", threshold=1, members=("later",)),
        PolicyGroup(name="two words", threshold=1, members=(f"{WITNESSES[0].name}#4",)),
        PolicyGroup(name="", threshold=1, members=(f"{WITNESSES[0].name}#4",)),
        PolicyGroup(name="zero", threshold=0, members=(f"{WITNESSES[0].name}#4",)),
    ):
        with pytest.raises(Malformed):
            Policy(logs=base.logs, witnesses=base.witnesses, groups=(group,), quorum="none")
    with pytest.raises(Malformed):
        Policy(logs=base.logs, witnesses=base.witnesses, groups=(), quorum="witnesses")


def test_two_witnesses_of_one_name_are_refused_also_in_code() -> None:
    base = policy(0)
    twice = tuple(replace(witness, name="same") for witness in base.witnesses)
    with pytest.raises(Malformed):
        Policy(logs=base.logs, witnesses=twice, groups=(), quorum="none")


def test_impossible_quorums_cannot_be_made() -> None:
    for quorum in (4, -1):
        with pytest.raises(Malformed):
            policy(quorum)
    with pytest.raises(Malformed):
        make_policy(LOG_KEYS.vkeys, [[WITNESSES[0].vkeys[0], WITNESSES[1].vkeys[1]]], quorum=1)
    with pytest.raises(Malformed):
        make_policy(LOG_KEYS.vkeys, [[]], quorum=1)


@given(st.integers(1, 3), st.sets(st.integers(0, 2)))
def test_a_quorum_counts_witnesses_that_signed_with_both_keys(quorum: int, who: set[int]) -> None:
    made = policy(quorum)
    assert parse_policy(format_policy(made)) == made
    names = [f"{WITNESSES[one].name}#{kind}" for one in who for kind in (4, 6)]
    assert made.met_by(names) is (len(who) >= quorum)
    assert not made.met_by([name for name in names if name.endswith("#4")])


@given(
    st.lists(
        st.sampled_from(
            [LOG.strip(), W1.strip(), W2.strip(), "group g any X1 X2", "quorum g", "quorum none"]
        )
        | st.text(max_size=20),
        max_size=8,
    )
)
def test_any_lines_are_a_policy_or_refused_with_a_code(lines: list[str]) -> None:
    try:
        parsed = parse_policy("".join(f"{line}\n" for line in lines))
    except Malformed:
        return
    assert parse_policy(format_policy(parsed)) == parsed
