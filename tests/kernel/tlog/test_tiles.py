"""Tiles: the edge is the tree, each change is written once, proofs are those of the plain tree."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.logs import MadeLog, numbered

from accord.kernel.errors import Malformed, VerificationFailed
from accord.kernel.tlog import merkle, tiles

BIG = MadeLog().append(numbered(70_000))


@given(st.lists(st.integers(0, 700), max_size=6))
@settings(max_examples=30)
def test_batches_of_any_size_make_the_same_tree(batches: list[int]) -> None:
    log = MadeLog()
    at = 0
    for count in batches:
        log.append(numbered(count, start=at))
        at += count
        hashes = [merkle.leaf_hash(entry) for entry in log.entries]
        assert log.edge.root() == merkle.root(hashes)
        loaded = tiles.load_edge(at, log.tile)
        assert loaded.root() == log.edge.root()
        assert [part for part in loaded.levels if part] == [
            part for part in log.edge.levels if part
        ]


def test_only_what_changed_is_written() -> None:
    edge, first = tiles.append(tiles.Edge.empty(), [bytes(32)] * 300)
    assert [tile.path for tile in first] == [
        "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1",
    ]  # fmt: skip
    edge, second = tiles.append(edge, [bytes(32)] * 5)
    assert [tile.path for tile in second] == ["tile/0/001.p/49"]
    edge, third = tiles.append(edge, [])
    assert (third, edge.size) == ([], 305)
    _, fourth = tiles.append(edge, [bytes(32)] * 207)
    assert [tile.path for tile in fourth] == ["tile/0/001", "tile/1/000.p/2"]


def test_a_tree_of_70000_has_the_tiles_that_the_specification_counts() -> None:
    edge, made = tiles.append(
        tiles.Edge.empty(), [merkle.leaf_hash(entry) for entry in BIG.entries]
    )
    count = {level: [tile for tile in made if tile.level == level] for level in range(4)}
    assert [len(count[level]) for level in range(4)] == [274, 2, 1, 0]
    assert (count[0][-1].width, count[1][-1].width, count[2][-1].width) == (112, 17, 1)
    assert edge.root() == BIG.edge.root()


@given(st.integers(1, 1100), st.data())
@settings(max_examples=60)
def test_proofs_from_tiles_are_those_of_the_plain_tree(size: int, data: st.DataObject) -> None:
    log = MadeLog().append(numbered(size))
    hashes = [merkle.leaf_hash(entry) for entry in log.entries]
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    path = log.inclusion(index)
    assert path == merkle.inclusion_path(index, hashes)
    root = log.edge.root()
    merkle.verify_inclusion(index=index, size=size, leaf=hashes[index], path=path, root=root)
    merkle.verify_consistency(
        old_size=old,
        new_size=size,
        old_root=merkle.root(hashes[:old]),
        new_root=root,
        path=log.consistency(old),
    )


@pytest.mark.parametrize("index", [0, 255, 256, 65_535, 65_536, 69_999])
def test_proofs_over_three_levels_verify(index: int) -> None:
    leaf = merkle.leaf_hash(BIG.entries[index])
    path, root = BIG.inclusion(index), BIG.edge.root()
    merkle.verify_inclusion(index=index, size=70_000, leaf=leaf, path=path, root=root)
    with pytest.raises(VerificationFailed):
        merkle.verify_inclusion(index=index ^ 1, size=70_000, leaf=leaf, path=path, root=root)


@pytest.mark.parametrize("old", [1, 255, 256, 257, 65_536, 65_537, 69_999, 70_000])
def test_consistency_over_three_levels_verifies_and_only_from_its_size(old: int) -> None:
    path = BIG.consistency(old)
    old_root = MadeLog().append(BIG.entries[:old]).edge.root()
    merkle.verify_consistency(
        old_size=old, new_size=70_000, old_root=old_root, new_root=BIG.edge.root(), path=path
    )
    with pytest.raises(VerificationFailed):
        merkle.verify_consistency(
            old_size=old, new_size=70_000, old_root=bytes(32), new_root=BIG.edge.root(), path=path
        )


def test_from_nothing_there_is_nothing_to_prove() -> None:
    assert BIG.consistency(0) == BIG.consistency(70_000) == []


def test_what_is_not_in_the_tree_has_no_proof() -> None:
    for attempt in (
        lambda: BIG.inclusion(70_000),
        lambda: BIG.inclusion(-1),
        lambda: BIG.consistency(70_001),
        lambda: BIG.consistency(-1),
    ):
        with pytest.raises(Malformed) as caught:
            attempt()
        assert caught.value.code == "index_invalid"


def test_a_tile_of_wrong_length_is_noticed() -> None:
    for attempt in (
        lambda: tiles.load_edge(300, lambda _level, _index, width: bytes(32 * width - 1)),
        lambda: tiles.inclusion_proof(1, 300, lambda _level, _index, _width: b""),
    ):
        with pytest.raises(VerificationFailed) as caught:
            attempt()
        assert caught.value.code == "tile_wrong"


def test_the_edge_of_the_largest_tree_has_eight_levels() -> None:
    size = 2**63 - 1
    edge = tiles.load_edge(size, lambda _level, _index, width: bytes(32 * width))
    assert [len(part) // 32 for part in edge.levels] == [255] * 7 + [127]
    assert len(tiles.inclusion_proof(size - 1, size, lambda _l, _n, width: bytes(32 * width))) <= 63


def test_hashes_of_another_length_are_not_appended() -> None:
    with pytest.raises(Malformed):
        tiles.append(tiles.Edge.empty(), [bytes(31)])


def test_partial_widths_are_those_of_the_specification() -> None:
    assert [tiles.partial_width(level, 70_000) for level in range(4)] == [112, 17, 1, 0]
    assert [tiles.partial_width(level, 256) for level in range(3)] == [0, 1, 0]


@given(
    st.none() | st.integers(0, tiles.MAX_LEVEL),
    st.integers(0, 2**40),
    st.integers(1, 256),
)
def test_paths_come_back_as_they_were(level: int | None, index: int, width: int) -> None:
    path = (
        tiles.entries_path(index, width) if level is None else tiles.tile_path(level, index, width)
    )
    assert tiles.parse_tile_path(path) == tiles.TilePath(level=level, index=index, width=width)


@pytest.mark.parametrize(
    "path",
    [
        "", "checkpoint", "/tile/0/000", "tile/0/000/", "tile/0/0", "tile/0/0000", "tile/00/000",
        "tile/8/000", "tile/64/000", "tile/-1/000", "tile/0/000.p/0", "tile/0/000.p/256",
        "tile/0/000.p/257", "tile/0/000.p/007", "tile/0/000.p", "tile/0/x000/000", "tile/0/001/000",
        "tile/0/x01/000", "tile/0/../000", "tile/data/000", "tile/entries/000.P/1", "tile/0/\u0660\u0660\u0660",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999", "tile/0/000\n", "tile/0/%30",
    ],
)  # fmt: skip
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(Malformed) as caught:
        tiles.parse_tile_path(path)
    assert caught.value.code == "tile_path_invalid"


@given(st.text(max_size=40) | st.from_regex(r"tile/[0-9e]{1,2}/[x0-9/]{3,12}(\.p/[0-9]{1,3})?"))
def test_any_path_is_one_or_refused_with_a_code(path: str) -> None:
    try:
        parsed = tiles.parse_tile_path(path)
    except Malformed:
        return
    level = parsed.level
    assert path == (
        tiles.entries_path(parsed.index, parsed.width)
        if level is None
        else tiles.tile_path(level, parsed.index, parsed.width)
    )


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_entries_come_back_as_they_were(entries: list[bytes]) -> None:
    assert tiles.parse_entries(tiles.format_entries(entries)) == entries


@given(st.binary(max_size=400))
def test_any_bytes_are_a_bundle_or_refused_with_a_code(data: bytes) -> None:
    try:
        entries = tiles.parse_entries(data)
    except Malformed:
        return
    assert tiles.format_entries(entries) == data


@pytest.mark.parametrize("data", [b"\x00", b"\x00\x01", b"\x00\x02x", b"\x00\x00" * 257])
def test_cut_or_overfull_bundles_are_refused(data: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        tiles.parse_entries(data)
    assert caught.value.code == "entries_malformed"


def test_the_longest_entry_fits_and_a_longer_one_does_not() -> None:
    assert tiles.parse_entries(tiles.format_entries([bytes(65_535)])) == [bytes(65_535)]
    with pytest.raises(Malformed) as caught:
        tiles.format_entries([bytes(65_536)])
    assert caught.value.code == "entry_too_long"
