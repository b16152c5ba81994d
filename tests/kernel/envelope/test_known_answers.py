"""X-Wing, HPKE and the lattice arithmetic of our vectors against published known answers."""

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from hypothesis import given
from hypothesis import strategies as st
from tests.support.asb_reference import Reader, hpke_schedule, hpke_seal, padme, xwing_encapsulate
from tests.support.lattice_reference import MlDsa65

from accord.kernel.keys import KemKeyPair

XWING = 0x647A
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.fixture(scope="module")
def published(shared: Path) -> dict[str, object]:
    vectors = json.loads((shared / "vectors/hpke/hpke-pq.json").read_bytes())
    [vector] = [v for v in vectors if (v["kem_id"], v["kdf_id"]) == (XWING, 1)]
    return dict(vector)


def of(vector: dict[str, object], key: str) -> bytes:
    return bytes.fromhex(str(vector[key]))


def test_an_x_wing_seed_gives_the_published_public_key(published: dict[str, object]) -> None:
    assert KemKeyPair.from_seed(of(published, "skRm")).public.raw == of(published, "pkRm")


def test_chosen_randomness_gives_the_published_encapsulation(
    published: dict[str, object],
) -> None:
    shared_secret, enc = xwing_encapsulate(of(published, "pkRm"), of(published, "ikmE"))
    assert enc == of(published, "enc")
    assert shared_secret == of(published, "shared_secret")


def test_the_key_schedule_and_ciphertexts_are_the_published_ones(
    published: dict[str, object],
) -> None:
    key, nonce = hpke_schedule(
        of(published, "shared_secret"), of(published, "info"), of(published, "suite_id")
    )
    assert (key, nonce) == (of(published, "key"), of(published, "base_nonce"))
    encryptions = published["encryptions"]
    assert isinstance(encryptions, list)
    assert encryptions
    for one in encryptions:
        sealed = ChaCha20Poly1305(key).encrypt(of(one, "nonce"), of(one, "pt"), of(one, "aad"))
        assert sealed == of(one, "ct")


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64), st.binary())
def test_a_chosen_encapsulation_opens_with_the_library(
    seed: bytes, coins: bytes, info: bytes
) -> None:
    reader = Reader("police@hub.example", seed)
    pair = KemKeyPair.from_seed(seed)
    assert (pair.public.raw, pair.kid) == (reader.public, reader.kid)
    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    sealed = hpke_seal(reader.public, info, b"k" * 32, coins)
    assert len(sealed) == 1120 + 48
    assert suite.decrypt(sealed, pair.hpke, info) == b"k" * 32
    with pytest.raises(InvalidTag):
        suite.decrypt(sealed, pair.hpke, info + b"x")


def test_the_key_encryption_example_of_jose_opens(shared: Path) -> None:
    vectors = json.loads((shared / "vectors/hpke/jose-hpke-pq.json").read_bytes())
    [vector] = [v for v in vectors if v["alg"] == "HPKE-9-KE"]
    pair = KemKeyPair.from_seed(unpadded(vector["jwk"]["priv"]))
    assert pair.public.raw == unpadded(vector["jwk"]["pub"])
    protected, wrapped, nonce, text, tag = vector["compact"].split(".")
    enc = unpadded(json.loads(unpadded(protected))["ek"])
    suite = Suite(KEM.MLKEM768_X25519, KDF.SHAKE256, AEAD.AES_256_GCM)
    info = b"JOSE-HPKE rcpt\xffA256GCM\xff"
    cek = suite.decrypt(enc + unpadded(wrapped), pair.hpke, info)
    content = AESGCM(cek).decrypt(
        unpadded(nonce), unpadded(text) + unpadded(tag), protected.encode()
    )
    assert content


def test_the_worked_example_of_age_opens(shared: Path) -> None:
    page = (shared / "vectors/hpke/age.md").read_text(encoding="utf-8")
    found = re.search(r"AGE-SECRET-KEY-PQ-1([0-9A-Z]+)", page)
    stanza = re.search(r"-> mlkem768x25519 (\S+)\n\s+(\S+)\n", page)
    assert found is not None
    assert stanza is not None
    bits = "".join(f"{BECH32.index(letter):05b}" for letter in found[1].lower()[:-6])
    pair = KemKeyPair.from_seed(int(bits[:256], 2).to_bytes(32, "big"))
    enc, sealed = (base64.b64decode(part + "=" * (-len(part) % 4)) for part in stanza.groups())
    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
    file_key = suite.decrypt(enc + sealed, pair.hpke, b"age-encryption.org/mlkem768x25519")
    assert len(file_key) == 16


def test_the_deterministic_signature_verifies_with_the_library() -> None:
    for number in range(5):
        seed = hashlib.sha256(bytes([number])).digest()
        ours, theirs = MlDsa65(seed), MLDSA65PrivateKey.from_seed_bytes(seed).public_key()
        assert ours.public == theirs.public_bytes_raw()
        signature = ours.sign(b"message", b"context")
        assert signature == ours.sign(b"message", b"context")
        theirs.verify(signature, b"message", b"context")


@given(st.integers(16, 1 << 40))
def test_padding_adds_at_most_twelve_per_cent_and_is_stable(size: int) -> None:
    padded = padme(size)
    assert size <= padded <= size * 1.12
    assert padme(padded) == padded
