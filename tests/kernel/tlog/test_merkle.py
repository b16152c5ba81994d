"""Merkle arithmetic against the plain recursive definition, and proofs that must not pass."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.kernel.errors import Malformed, VerificationFailed
from accord.kernel.tlog import merkle

LEAVES = [merkle.leaf_hash(bytes([number])) for number in range(70)]


def plain_root(hashes: list[bytes]) -> bytes:
    """RFC 9162 clause 2.1.1, word for word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    left, right = plain_root(hashes[:split]), plain_root(hashes[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def plain_consistency(old: int, hashes: list[bytes], *, whole: bool = True) -> list[bytes]:
    """RFC 9162 clause 2.1.4.1, word for word."""
    if old == len(hashes):
        return [] if whole else [plain_root(hashes)]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    if old <= split:
        return [*plain_consistency(old, hashes[:split], whole=whole), plain_root(hashes[split:])]
    return [
        *plain_consistency(old - split, hashes[split:], whole=False),
        plain_root(hashes[:split]),
    ]


@given(st.integers(0, 70))
def test_roots_are_those_of_the_definition(size: int) -> None:
    assert merkle.root(LEAVES[:size]) == plain_root(LEAVES[:size])


@given(st.integers(1, 70), st.data())
def test_only_the_right_leaf_at_the_right_place_is_included(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = merkle.inclusion_path(index, LEAVES[:size])
    root = plain_root(LEAVES[:size])
    merkle.verify_inclusion(index=index, size=size, leaf=LEAVES[index], path=path, root=root)
    wrong_index = data.draw(st.integers(-1, size + 1).filter(lambda one: one != index))
    wrong = [
        {"index": wrong_index},
        {"leaf": bytes(32)},
        {"root": bytes(32)},
        {"path": [*path, bytes(32)]},
        {"path": [step[:31] for step in path] or [b""]},
    ]
    if path:
        wrong += [{"path": path[:-1]}, {"path": path[1:]}]
    for change in wrong:
        given_ = {"index": index, "size": size, "leaf": LEAVES[index], "path": path, "root": root}
        with pytest.raises(VerificationFailed) as caught:
            merkle.verify_inclusion(**(given_ | change))
        assert caught.value.code == "inclusion_wrong"


@given(st.integers(1, 70), st.data())
def test_only_a_longer_history_is_consistent(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    path = plain_consistency(old, LEAVES[:new])
    good = {
        "old_size": old,
        "new_size": new,
        "old_root": plain_root(LEAVES[:old]),
        "new_root": plain_root(LEAVES[:new]),
        "path": path,
    }
    merkle.verify_consistency(**good)
    wrong = [
        {"old_root": bytes(32)},
        {"new_root": bytes(32)},
        {"old_size": 0},
        {"old_size": new + 1},
        {"path": [*path, bytes(32)]},
        {"path": [*path, b""]},
    ]
    if path:
        wrong += [{"path": path[:-1]}, {"path": path[1:]}, {"path": []}, {"path": [bytes(32)]}]
    for change in wrong:
        with pytest.raises(VerificationFailed) as caught:
            merkle.verify_consistency(**(good | change))
        assert caught.value.code == "consistency_wrong"


def test_hashes_have_32_bytes_and_leaves_exist() -> None:
    with pytest.raises(Malformed):
        merkle.root_packed(bytes(33))
    for index in (-1, 3):
        with pytest.raises(Malformed):
            merkle.inclusion_path(index, LEAVES[:3])
