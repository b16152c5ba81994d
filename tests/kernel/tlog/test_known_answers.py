"""Answers that others computed: RFC 6962 roots, a published note, our own published vectors."""

import hashlib
from pathlib import Path

import pytest
from tests.support.logs import NOW, ORIGIN, seed

from accord.kernel.tlog import leaf, merkle, notes, tiles
from accord.kernel.tlog.checkpoint import verify_checkpoint, verify_cosigned
from accord.kernel.tlog.policy import make_policy
from accord.kernel.tlog.proof import format_proof, parse_proof, verify_proof
from accord.kernel.tlog.verifiers import subtree_message

RFC_LEAVES = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
RFC_ROOTS = [
    "6e340b9c…a01d", "fac54203…c125", "aeb6bcfe…6e77", "d37ee418…14b7",
    "4e3bbb1f…64d4", "76e67dad…87ef", "ddb89be4…4c8c", "5dc9da79…4328",
]  # fmt: skip
KAT_LOG = "hub.example/audit+c506c070+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
KAT_WITNESS = "ngo.example/w1+08ee6a05+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X"


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def test_roots_of_the_first_eight_trees_are_those_of_the_rfc() -> None:
    hashes = [merkle.leaf_hash(bytes.fromhex(text)) for text in RFC_LEAVES]
    edge = tiles.Edge.empty()
    for size, expected in enumerate(RFC_ROOTS, start=1):
        edge, _ = tiles.append(edge, hashes[size - 1 : size])
        found = edge.root().hex()
        assert f"{found[:8]}…{found[-4:]}" == expected
        assert merkle.root(hashes[:size]) == edge.root()
    assert tiles.Edge.empty().root() == digest(b"")


def test_a_published_note_verifies() -> None:
    verifier = notes.parse_vkey(
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    )
    raw = (
        "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2"
        "ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
    ).encode()
    note = notes.parse_note(raw)
    assert notes.verify_signatures(note, [verifier]) == {(verifier.name, verifier.key_id): None}


def test_keys_from_published_seeds_have_the_published_text() -> None:
    log = notes.LogKeyPair(ORIGIN, seed(0), seed(0x40))
    witness = notes.WitnessKeyPair("ngo.example/w1", (seed(0x20), seed(0x40)))
    peer = notes.WitnessKeyPair("peer.example/w2", (seed(0), seed(0x40)))
    assert log.vkeys[0] == KAT_LOG
    assert witness.vkeys[0] == KAT_WITNESS
    assert peer.verifiers[1].key_id.hex() == "90800f3e"
    assert (
        digest(peer.vkeys[1].encode()).hex()
        == "6221fe7e71046058177dc892f2c10ca3e931de376ec287263df720d87422f34c"
    )


def test_deterministic_signatures_are_byte_for_byte_those_published() -> None:
    log = notes.LogKeyPair(ORIGIN, seed(0), seed(0x40))
    witness = notes.WitnessKeyPair("ngo.example/w1", (seed(0x20), seed(0x40)))
    edge, _ = tiles.append(
        tiles.Edge.empty(), [merkle.leaf_hash(entry) for entry in (b"one", b"two", b"three")]
    )
    checkpoint = notes.Checkpoint(origin=ORIGIN, size=3, root=edge.root())
    assert (
        "\n— hub.example/audit xQbAcDTvwnNb67+f04MBSHzd60wfYf/bKpWOxPwI9Dm0VNHI5JDVJ3pVBBvW1+FIoulQ"
        "d0dC3BQmPucuIxE7iMfwlgQ=\n"
    ).encode() in log.sign(checkpoint, NOW)
    assert witness.cosign(checkpoint, NOW).startswith(
        "— ngo.example/w1 CO5qBQAAAABq/YbAr/NMH3TnUoQ/mI0mttphzEzrQ4GikE0SIH2Hm5/zrIYvHj+hudzBUhTn5a"
        "0FL8d68V80AJauSNM7wThUMsqDCQ==\n".encode()
    )
    assert (
        digest(subtree_message("peer.example/w2", NOW, checkpoint)).hex()
        == "e75787cf830c712f6c48c587822156d341df4bfb5011207e421702c16299c429"
    )


def test_published_checkpoint_and_proof_verify_under_their_keys(shared: Path) -> None:
    folder = shared / "vectors" / "tlog"
    keys = (folder / "kat.keys").read_text(encoding="utf-8").split()
    note = (folder / "kat.note").read_bytes()
    policy = make_policy(keys[:1], [keys[1:2], keys[2:]], quorum=2)
    checkpoint = verify_cosigned(note, policy, now=NOW, max_age=60)
    assert checkpoint == verify_checkpoint(note, origin=ORIGIN, log_vkeys=keys[:1])
    assert checkpoint.size == 3
    data = (folder / "kat.tlog-proof").read_bytes()
    verified = verify_proof(data, (folder / "kat.leaf").read_bytes(), policy)
    assert (verified.index, verified.checkpoint) == (2, checkpoint)
    assert set(verified.witnessed.values()) == {NOW}
    proof = parse_proof(data)
    assert format_proof(proof.index, proof.path, proof.note, proof.extra) == data


def test_erasable_leaf_is_the_published_one_also_after_erasure() -> None:
    fields = {
        "actor": "org:4711/user:alice@example.org",
        "action": "bundle.read",
        "object": f"sha256:{digest(b'bundle').hex()}",
        "time": "2026-11-24T02:00:00Z",
    }
    nonces = [digest(b"nonce%d" % number) for number in range(4)]
    entry_id = bytes.fromhex("00112233445566778899aabbccddeeff")
    made = leaf.commit(0, fields, nonces, entry_id=entry_id)
    expected = "97823a7cb63c0da75817151b0e5df3d36e0eaacf3a41e5c4872122f7da6e11fb"
    assert made.hex() == f"0100{expected}"
    assert (
        merkle.leaf_hash(made).hex()
        == "15bafe6ea044e377f0c1291292514748df4ec9a587c024379667bafd42863d83"
    )
    record = leaf.RecordFields(
        entry_id=entry_id,
        leaf_class=0,
        fields=tuple(
            leaf.Opening(field=name, value=value, nonce=nonce)
            for (name, value), nonce in zip(fields.items(), nonces, strict=True)
        ),
    )
    assert [one.hex()[:8] for one in record.commitments] == [
        "7c9394b7", "37987e6e", "c384853b", "ab753247",
    ]  # fmt: skip
    erased = record.close({"actor"})
    assert "alice" not in repr(erased)
    assert leaf.verify_opening(made, erased) == {
        name: value for name, value in fields.items() if name != "actor"
    }


@pytest.mark.parametrize(
    ("path", "level", "index", "width"),
    [
        ("tile/0/x001/x234/067", 0, 1_234_067, 256),
        ("tile/entries/000.p/44", None, 0, 44),
        ("tile/1/273.p/112", 1, 273, 112),
        ("tile/0/005", 0, 5, 256),
        ("tile/2/000.p/1", 2, 0, 1),
    ],
)
def test_paths_are_those_of_the_specification(
    path: str, level: int | None, index: int, width: int
) -> None:
    parsed = tiles.parse_tile_path(path)
    assert (parsed.level, parsed.index, parsed.width) == (level, index, width)
    made = (
        tiles.entries_path(index, width) if level is None else tiles.tile_path(level, index, width)
    )
    assert made == path
