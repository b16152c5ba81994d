"""Checkpoints: strict text, every log key, and a quorum of witnesses in time."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.logs import (
    LOG_KEYS,
    NOW,
    ORIGIN,
    WITNESSES,
    MadeLog,
    numbered,
    policy,
)

from accord.kernel.errors import Malformed, VerificationFailed
from accord.kernel.tlog.checkpoint import (
    Checkpoint,
    add_cosignatures,
    add_verified_cosignatures,
    open_cosigned,
    parse_checkpoint,
    verify_checkpoint,
    verify_cosigned,
    verify_log_signatures,
)
from accord.kernel.tlog.merkle import EMPTY_ROOT
from accord.kernel.tlog.notes import LogKeyPair, WitnessKeyPair, parse_note
from accord.kernel.tlog.policy import make_policy

LOG = MadeLog().append(numbered(300))
BODY = LOG.checkpoint.body()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda _: b"", "checkpoint_malformed"),
        (lambda body: body[:-1], "checkpoint_malformed"),
        (lambda body: body + b"\n", "checkpoint_extension"),
        (lambda body: body + b"extension\n", "checkpoint_extension"),
        (lambda body: body.replace(b"\n300\n", b"\n0300\n"), "checkpoint_malformed"),
        (lambda body: body.replace(b"\n300\n", b"\n+300\n"), "checkpoint_malformed"),
        (lambda body: body.replace(b"\n300\n", b"\n-1\n"), "checkpoint_malformed"),
        (lambda body: body.replace(b"\n300\n", b"\n\n"), "checkpoint_malformed"),
        (lambda body: body.replace(b"\n300\n", b"\n300 \n"), "checkpoint_malformed"),
        (lambda body: body.replace(b"\n300\n", "\n٣\n".encode()), "checkpoint_malformed"),
        (lambda body: body.replace(b"\n300\n", b"\n9223372036854775808\n"), "checkpoint_malformed"),
        (lambda body: body.replace(b"=", b""), "base64_invalid"),
        (lambda body: body.replace(b"=\n", b"==\n"), "base64_invalid"),
        (lambda body: body[:-2] + b"\n", "base64_invalid"),
        (lambda body: b"\n" + body.split(b"\n", 1)[1], "note_name_invalid"),
        (lambda body: b"a b\n" + body.split(b"\n", 1)[1], "note_name_invalid"),
        (lambda body: b"\xff" + body, "checkpoint_malformed"),
        (lambda body: b"x" * 1100 + body, "checkpoint_malformed"),
    ],
)
def test_other_texts_are_refused(change: Callable[[bytes], bytes], code: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse_checkpoint(change(BODY))
    assert caught.value.code == code


def test_a_root_in_another_spelling_of_the_same_bytes_is_refused() -> None:
    # 32 bytes leave two unused bits in the last base64 sign: C2SP issue 348.
    last = BODY[-3:-2]
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = alphabet[alphabet.index(last) ^ 1]
    with pytest.raises(Malformed):
        parse_checkpoint(BODY[:-3] + bytes([other]) + BODY[-2:])


@given(
    st.integers(min_value=0, max_value=2**63 - 1),
    st.binary(min_size=32, max_size=32),
    st.sampled_from([ORIGIN, "a", "höb.example/λογ"]),
)
def test_checkpoints_come_back_as_they_were(size: int, root: bytes, origin: str) -> None:
    made = Checkpoint(origin=origin, size=size, root=root)
    assert parse_checkpoint(made.body()) == made


@given(st.binary(max_size=200) | st.text(max_size=120).map(lambda text: text.encode("utf-8")))
def test_any_bytes_are_a_checkpoint_or_refused_with_a_code(data: bytes) -> None:
    try:
        checkpoint = parse_checkpoint(data)
    except Malformed:
        return
    assert checkpoint.body() == data


@pytest.mark.parametrize("size", [-1, 2**63])
def test_a_checkpoint_of_impossible_size_is_not_made(size: int) -> None:
    with pytest.raises(Malformed):
        Checkpoint(origin=ORIGIN, size=size, root=bytes(32))


def test_both_log_keys_must_have_signed() -> None:
    note = LOG.sign()
    assert verify_checkpoint(note, origin=ORIGIN, log_vkeys=LOG_KEYS.vkeys) == LOG.checkpoint
    parsed = parse_note(note)
    for kept in parsed.signatures:
        with pytest.raises(VerificationFailed) as caught:
            verify_checkpoint(
                parsed.body + b"\n" + kept.line(), origin=ORIGIN, log_vkeys=LOG_KEYS.vkeys
            )
        assert caught.value.code == "log_signature_missing"


def test_another_origin_is_refused() -> None:
    other = LogKeyPair.generate("other.example/audit")
    cases = [
        (LOG.sign(), "other.example/audit", other.vkeys),
        (LOG.sign(), ORIGIN, other.vkeys),
    ]
    for note, origin, vkeys in cases:
        with pytest.raises(VerificationFailed) as caught:
            verify_checkpoint(note, origin=origin, log_vkeys=vkeys)
        assert caught.value.code == "origin_other"


def test_no_keys_verify_nothing() -> None:
    for check in (
        lambda: verify_checkpoint(LOG.sign(), origin=ORIGIN, log_vkeys=[]),
        lambda: verify_log_signatures(parse_note(LOG.sign()), []),
        lambda: verify_cosigned(LOG.sign(), make_policy([], [WITNESSES[0].vkeys], quorum=1)),
    ):
        with pytest.raises(VerificationFailed) as caught:
            check()
        assert caught.value.code == "log_unknown"


def test_an_empty_tree_has_one_root() -> None:
    good = Checkpoint(origin=ORIGIN, size=0, root=EMPTY_ROOT)
    bad = Checkpoint(origin=ORIGIN, size=0, root=bytes(32))
    assert (
        verify_checkpoint(LOG_KEYS.sign(good, NOW), origin=ORIGIN, log_vkeys=LOG_KEYS.vkeys) == good
    )
    with pytest.raises(VerificationFailed) as caught:
        verify_checkpoint(LOG_KEYS.sign(bad, NOW), origin=ORIGIN, log_vkeys=LOG_KEYS.vkeys)
    assert caught.value.code == "checkpoint_root_wrong"


@pytest.mark.parametrize(("witnesses", "quorum"), [(2, 2), (3, 2), (1, 1), (0, 0), (3, 3)])
def test_a_quorum_is_enough(witnesses: int, quorum: int) -> None:
    assert verify_cosigned(LOG.sign(witnesses=witnesses), policy(quorum)) == LOG.checkpoint


@pytest.mark.parametrize(("witnesses", "quorum"), [(0, 1), (1, 2), (2, 3)])
def test_less_than_a_quorum_is_not(witnesses: int, quorum: int) -> None:
    with pytest.raises(VerificationFailed) as caught:
        verify_cosigned(LOG.sign(witnesses=witnesses), policy(quorum))
    assert caught.value.code == "quorum_missing"


def test_a_witness_counts_only_with_both_keys() -> None:
    first, second = WITNESSES[0].cosign(LOG.checkpoint, NOW).splitlines(keepends=True)
    for half in (first, second):
        with pytest.raises(VerificationFailed):
            verify_cosigned(add_cosignatures(LOG.sign(), half), policy(1))


def test_a_stranger_is_no_witness() -> None:
    stranger = WitnessKeyPair.generate(WITNESSES[0].name)
    note = add_cosignatures(LOG.sign(), stranger.cosign(LOG.checkpoint, NOW))
    with pytest.raises(VerificationFailed):
        verify_cosigned(note, policy(1))


def test_a_cosignature_of_another_tree_refuses_the_note() -> None:
    other = MadeLog().append(numbered(300, start=1)).checkpoint
    note = add_cosignatures(LOG.sign(witnesses=2), WITNESSES[2].cosign(other, NOW))
    with pytest.raises(VerificationFailed) as caught:
        verify_cosigned(note, policy(2))
    assert caught.value.code == "note_signature_wrong"


@pytest.mark.parametrize(
    ("signed", "now", "max_age", "holds"),
    [
        (NOW, NOW, 60, True),
        (NOW, NOW + 60, 60, True),
        (NOW, NOW + 61, 60, False),
        (NOW + 300, NOW, 60, True),
        (NOW + 301, NOW, 60, False),
        (NOW + 301, NOW, None, False),
        (NOW, NOW + 10**8, None, True),
        (NOW + 10**8, None, None, True),
        (0, None, None, False),
    ],
)
def test_cosignatures_count_while_they_are_fresh(
    signed: int, now: int | None, max_age: int | None, *, holds: bool
) -> None:
    note = LOG.sign(witnesses=2, now=signed)
    if holds:
        opened = open_cosigned(note, policy(2), now=now, max_age=max_age)
        assert set(opened.times.values()) == {signed}
        return
    with pytest.raises(VerificationFailed) as caught:
        verify_cosigned(note, policy(2), now=now, max_age=max_age)
    assert caught.value.code == "quorum_missing"


def test_without_witnesses_age_cannot_be_shown() -> None:
    with pytest.raises(VerificationFailed):
        verify_cosigned(LOG.sign(witnesses=3), policy(0), now=NOW, max_age=60)


def test_a_later_cosignature_replaces_the_same_witness_and_late_ones_are_added() -> None:
    note = LOG.sign(witnesses=1)
    later = add_cosignatures(note, WITNESSES[0].cosign(LOG.checkpoint, NOW + 9))
    assert len(parse_note(later).signatures) == len(parse_note(note).signatures)
    both = add_cosignatures(later, WITNESSES[1].cosign(LOG.checkpoint, NOW + 5))
    times = open_cosigned(both, policy(2)).times
    assert sorted(set(times.values())) == [NOW + 5, NOW + 9]


def test_of_a_witness_s_answer_only_its_own_lines_that_hold_are_taken() -> None:
    note = LOG.sign(witnesses=1)
    second = WITNESSES[1]
    answer = second.cosign(LOG.checkpoint, NOW)
    spoiler = WITNESSES[0].cosign(MadeLog().checkpoint, NOW)
    merged = add_verified_cosignatures(note, spoiler + answer, vkeys=second.vkeys)
    assert verify_cosigned(merged, policy(2)) == LOG.checkpoint
    lines = answer.splitlines(keepends=True)
    other_tree = second.cosign(MadeLog().checkpoint, NOW)
    for wrong, vkeys, code in (
        (spoiler, second.vkeys, "cosignature_missing"),
        (lines[0], second.vkeys, "cosignature_missing"),
        (answer, (), "cosignature_missing"),
        (other_tree, second.vkeys, "note_signature_wrong"),
        (answer + lines[0], second.vkeys, "note_signature_twice"),
    ):
        with pytest.raises(VerificationFailed) as caught:
            add_verified_cosignatures(note, wrong, vkeys=vkeys)
        assert caught.value.code == code
    with pytest.raises(Malformed):
        add_verified_cosignatures(note, b"", vkeys=second.vkeys)
