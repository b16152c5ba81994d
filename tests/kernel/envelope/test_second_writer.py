"""The second writer's honest bundle, taken apart with library primitives alone."""

import json
import struct

import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from tests.support.asb_recipes import ALICE, LINES, READERS, honest, payload
from tests.support.asb_reference import (
    CHUNK,
    MANIFEST_CONTEXT,
    cobblestone_keys,
    compact,
    pae,
    repeated_frame,
    sha256,
    stored_frame,
    tree_path,
    tree_root,
)

from accord.kernel import dsse
from accord.kernel.encoding import b64decode, parse_object
from accord.kernel.indicators import IndicatorRecord, parse_lines
from accord.kernel.keys import KemKeyPair, SigningKeyPair
from accord.kernel.tlog import merkle

MANIFEST_TYPE = "application/vnd.accord.manifest.v1+json"


def test_its_bundle_opens_with_the_library_to_the_records_that_went_in() -> None:
    made = honest()
    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    salt, commitment, chunks = made.body[:24], made.body[24:56], made.body[56:]
    for reader, one in zip(READERS, made.entries, strict=True):
        org = one[49 : 49 + one[48]]
        assert (one[16:48], org) == (reader.kid, reader.org.encode())
        info = b"accord/1/stanza\0" + made.header_hash + reader.kid
        cek = suite.decrypt(one[49 + one[48] :], KemKeyPair.from_seed(reader.seed).hpke, info)
        key, nonce, committed = cobblestone_keys(cek, salt, made.header_hash)
        assert committed == commitment
        assert len(chunks) < CHUNK + 16
        inside = AESGCM(key).decrypt(nonce.to_bytes(12, "big"), chunks, None)
        length, size = struct.unpack(">QQ", inside[:16])
        frame = inside[16 : 16 + length]
        assert zstandard.get_frame_parameters(frame).content_size == size
        assert zstandard.ZstdDecompressor().decompress(frame) == payload()
        assert not any(inside[16 + length :])


def test_its_envelope_verifies_as_a_hybrid_envelope_of_ours() -> None:
    made, pair = honest(), SigningKeyPair.from_seeds(*ALICE.seeds)
    envelope = dsse.parse(made.dsse, payload_type=MANIFEST_TYPE, limit=32_768)
    assert dsse.verify(envelope, lambda _kid: pair.public, context=MANIFEST_CONTEXT) == (pair.kid,)
    assert envelope.payload == compact(made.manifest())
    assert parse_object(envelope.payload, limit=4096) == made.manifest()


def test_its_ml_dsa_half_verifies_with_the_library() -> None:
    made = honest()
    half = json.loads(made.dsse)["signatures"][1]["sig"]
    message = pae(MANIFEST_TYPE, compact(made.manifest()))
    public = MLDSA65PrivateKey.from_seed_bytes(ALICE.seeds[1]).public_key()
    public.verify(b64decode(half), message, MANIFEST_CONTEXT)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 31, 100])
def test_its_trees_are_those_of_the_kernel(size: int) -> None:
    leaves = [sha256(bytes([i])) for i in range(size)]
    assert tree_root(leaves) == merkle.root(leaves)
    for index in range(size):
        assert tree_path(index, leaves) == merkle.inclusion_path(index, leaves)


def test_its_records_are_valid_indicators() -> None:
    assert all(isinstance(record, IndicatorRecord) for record in parse_lines(LINES))


def test_its_frames_are_read_by_the_library() -> None:
    long = bytes(range(256)) * 2000
    assert zstandard.ZstdDecompressor().decompress(stored_frame(long)) == long
    bomb = repeated_frame(0x41, 4, declared=4 << 17)
    assert zstandard.ZstdDecompressor().decompress(bomb) == b"A" * (4 << 17)
