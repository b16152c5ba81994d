"""An implementation that we did not write (PyPI: tlog-scales) and ours agree, both ways."""

from pathlib import Path

import pytest
from tests.support.logs import LOG_KEYS, ORIGIN, WITNESSES, MadeLog, numbered
from tlog_scales import signing
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.tlog import Checkpoint as ForeignCheckpoint
from tlog_scales.tlog import ConsistencyProofInvalid, InclusionProofInvalid
from tlog_scales.writer import TilesWriter

from accord.kernel.tlog import merkle
from accord.kernel.tlog.checkpoint import verify_checkpoint
from accord.kernel.tlog.monitor import verify_log
from accord.kernel.tlog.notes import LogKeyPair

SIZES = [1, 2, 255, 256, 257, 300, 512, 66_000]


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> tuple[MadeLog, TilesReader]:
    log = MadeLog()
    for start in range(0, 66_000, 1000):
        log.append(numbered(1000, start=start))
    log.sign(witnesses=3)
    reader = TilesReader(LocalBackend(log.write(tmp_path_factory.mktemp("log"))))
    reader.get_checkpoint()
    return log, reader


@pytest.mark.parametrize("size", SIZES[:-1])
def test_the_foreign_reader_finds_our_root_and_entries(size: int, tmp_path: Path) -> None:
    log = MadeLog().append(numbered(size))
    log.sign(witnesses=2)
    reader = TilesReader(LocalBackend(log.write(tmp_path)))
    assert reader.get_checkpoint().root_hash == reader.calculate_root_hash()
    assert [reader.get_entry(index) for index in range(size)] == log.entries


def test_the_foreign_reader_makes_and_takes_the_same_proofs(
    big: tuple[MadeLog, TilesReader],
) -> None:
    log, reader = big
    root = log.edge.root()
    assert reader.calculate_root_hash() == root
    for index in (0, 1, 255, 256, 65_535, 65_536, 65_999):
        foreign = reader.get_inclusion_proof(index, 66_000)
        assert foreign.node_hashes == log.inclusion(index)
        foreign.check(merkle.leaf_hash(log.entries[index]), root)
        with pytest.raises(InclusionProofInvalid):
            foreign.check(merkle.leaf_hash(b"other"), root)
    for old in (1, 255, 256, 257, 65_536, 65_999, 66_000):
        consistency = reader.get_consistency_proof(old, 66_000)
        assert consistency.node_hashes == log.consistency(old)
        old_root = merkle.root([merkle.leaf_hash(entry) for entry in log.entries[:old]])
        consistency.check(old_root, root)
        with pytest.raises(ConsistencyProofInvalid):
            consistency.check(bytes(32), root)


def test_the_foreign_verifier_takes_all_four_kinds_of_our_signatures(
    big: tuple[MadeLog, TilesReader],
) -> None:
    log, _ = big
    checkpoint = ForeignCheckpoint.from_text(log.files["checkpoint"].decode())
    vkeys = [*LOG_KEYS.vkeys, *(vkey for witness in WITNESSES for vkey in witness.vkeys)]
    known = [signing.Vkey.from_string(vkey) for vkey in vkeys]
    assert [vkey.serialize() for vkey in known] == vkeys
    valid = signing.VkeySet(*known).verify(checkpoint.signatures, checkpoint)
    assert {vkey.serialize() for vkey, _ in valid} == set(vkeys)
    other = ForeignCheckpoint(
        ORIGIN, checkpoint.size + 1, checkpoint.root_hash, checkpoint.signatures
    )
    assert signing.VkeySet(*known).verify(other.signatures, other) == set()


@pytest.mark.parametrize("size", SIZES[:-1])
def test_our_monitor_takes_a_log_that_the_foreign_writer_made(size: int, tmp_path: Path) -> None:
    keys = LogKeyPair.generate("foreign.example/log")
    signers = [
        signing.PlainEd25519Signer(keys.name, keys.ed25519_seed),
        signing.MLDSA44CosignatureSigner(keys.name, keys.mldsa44_seed),
    ]
    writer = TilesWriter.create(tmp_path / "log", keys.name)
    for entry in numbered(size):
        writer.add_leaf(entry)
    writer.commit(signers)
    report = verify_log(lambda path: (tmp_path / "log" / path).read_bytes(), keys.vkeys)
    assert report.checkpoint is not None
    assert report.checkpoint.size == size
    note = (tmp_path / "log" / "checkpoint").read_bytes()
    assert verify_checkpoint(note, origin=keys.name, log_vkeys=keys.vkeys) == report.checkpoint
