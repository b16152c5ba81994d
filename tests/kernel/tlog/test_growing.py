"""A growing tree has the root of RFC 9162 at every size; a head has one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.kernel.errors import Malformed
from accord.kernel.tlog.growing import (
    GrowingTree,
    GrownHead,
    GrownTree,
    format_grown,
    parse_grown,
)
from accord.kernel.tlog.merkle import inclusion_path, leaf_hash, root


def test_its_root_is_that_of_the_whole_tree_at_every_size() -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(70)]
    tree = GrowingTree()
    assert tree.head() == GrownHead(size=0, root=root([]))
    for size, leaf in enumerate(leaves, start=1):
        tree.add(leaf)
        assert tree.head() == GrownHead(size=size, root=root(leaves[:size]))


def test_every_path_and_root_of_every_size_is_that_of_the_whole_tree() -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(37)]
    tree = GrownTree(leaves)
    for size in range(38):
        assert tree.root(size) == root(leaves[:size])
        for index in range(size):
            assert tree.path(index, size) == inclusion_path(index, leaves[:size])


@given(st.integers(1, 10**18 - 1), st.binary(min_size=32, max_size=32))
def test_a_head_is_read_as_it_was_written(size: int, found: bytes) -> None:
    head = GrownHead(size=size, root=found)
    assert parse_grown(format_grown(head)) == head


@pytest.mark.parametrize(
    "text", ["", "0 " + "0" * 64, "01 " + "0" * 64, "1 " + "A" * 64, "1  " + "0" * 64, "1 00",
             "1 " + "0" * 64 + "\n", "\u0661 " + "0" * 64]
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse_grown(text)
