"""Time-stamp tokens: those of a foreign maker hold, and nothing that was changed does."""

from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.forged_evidence import checker
from tests.support.timestamping import KINDS, TST_INFO, authority

from accord.kernel.errors import AccordError, Malformed, VerificationFailed
from accord.kernel.evidence import der
from accord.kernel.evidence.timestamp import MAX_TOKEN, verify_token

VECTORS = Path(__file__).resolve().parents[3] / "schemas" / "vectors" / "evidence"
STAMPED = (VECTORS / "stamped.txt").read_bytes()
ROOT = x509.load_pem_x509_certificates((VECTORS / "ca.pem").read_bytes())
NOW = 1_790_000_000
FOREIGN = ("ec.tsr", "rsa.tsr", "rsa.token")
OTHER_TYPE = bytes.fromhex("06092a864886f70d010701")


@pytest.mark.parametrize("name", FOREIGN)
def test_a_token_of_openssl_holds_for_both(name: str) -> None:
    data = (VECTORS / name).read_bytes()
    found = verify_token(data, STAMPED, ROOT)
    alone = checker.timestamp(data, STAMPED, ROOT)
    assert found.trusted
    assert found.authority.startswith("CN=Test TSA")
    assert alone == {
        "time": found.time,
        "authority": found.authority,
        "certificate": found.fingerprint.hex(),
        "trusted": True,
    }
    assert not verify_token(data, STAMPED).trusted


@pytest.mark.parametrize("kind", KINDS)
def test_our_own_tokens_hold(kind: str) -> None:
    maker = authority(kind, NOW)
    for response in (True, False):
        token = maker.stamp(STAMPED, NOW, response=response)
        assert verify_token(token, STAMPED, [maker.above]).time == NOW
        assert verify_token(token, STAMPED, [maker.certificate]).trusted
        assert checker.timestamp(token, STAMPED, [maker.above])["time"] == NOW


def refused(data: bytes, stamped: bytes, trusted: list[x509.Certificate], code: str) -> None:
    with pytest.raises((VerificationFailed, Malformed), match=code):
        verify_token(data, stamped, trusted)
    with pytest.raises((checker.Wrong, ValueError, x509.ExtensionNotFound)):
        checker.timestamp(data, stamped, trusted)


def test_what_does_not_hold_is_refused_by_both() -> None:
    maker = authority("ec", NOW)
    token = maker.stamp(STAMPED, NOW)
    refused(token, STAMPED + b".", [], "token_other")
    refused(token, STAMPED, ROOT, "token_untrusted")
    refused(maker.stamp(STAMPED, NOW + 500 * 86_400), STAMPED, [], "token_wrong")
    refused(maker.stamp(STAMPED, NOW, kind=OTHER_TYPE), STAMPED, [], "token_wrong")
    refused(authority("ec", NOW, stamping=False).stamp(STAMPED, NOW), STAMPED, [], "token_wrong")
    refused(token.replace(b"\x02\x01\x00\x30", b"\x02\x01\x02\x30", 1), STAMPED, [], "token_wrong")
    refused(token + b"\0", STAMPED, [], "token_invalid")
    refused(token[:-1], STAMPED, [], "token_invalid")
    refused(token.replace(TST_INFO, TST_INFO[:-1] + b"\5"), STAMPED, [], "token_invalid")
    with pytest.raises(Malformed, match="token_invalid"):
        verify_token(bytes(MAX_TOKEN + 1), STAMPED)


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_changed_token_never_gives_another_time(data: st.DataObject) -> None:
    token = bytearray((VECTORS / "ec.tsr").read_bytes())
    whole = verify_token(bytes(token), STAMPED, ROOT)
    token[data.draw(st.integers(0, len(token) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        found = verify_token(bytes(token), STAMPED, ROOT)
    except AccordError:
        return
    assert (found.time, found.authority) == (whole.time, whole.authority)


@given(st.binary(max_size=60))
def test_the_reader_of_der_keeps_every_byte(data: bytes) -> None:
    try:
        found = der.elements(data)
    except Malformed:
        return
    assert b"".join(one.whole for one in found) == data


def test_lengths_have_one_form() -> None:
    for wrong in ("3080", "30810100", "3082000100", "30850000000001", "1f01", "30"):
        with pytest.raises(Malformed, match="token_invalid"):
            der.elements(bytes.fromhex(wrong))
    with pytest.raises(Malformed):
        der.one(b"")
    with pytest.raises(Malformed):
        der.one(b"\2\1\1").children(der.SEQUENCE)
    with pytest.raises(Malformed):
        der.one(b"\2\1\1").of(der.OCTETS)
