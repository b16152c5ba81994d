"""Offline proofs and requests to witnesses: strict text, and no single change passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.logs import NOW, MadeLog, numbered, policy

from accord.kernel.encoding import b64encode
from accord.kernel.errors import AccordError, Malformed, VerificationFailed
from accord.kernel.tlog import merkle
from accord.kernel.tlog.proof import format_proof, parse_proof, verify_proof
from accord.kernel.tlog.submission import (
    format_size,
    format_submission,
    parse_size,
    parse_submission,
)

LOG = MadeLog().append(numbered(300))
NOTE = LOG.sign(witnesses=2)
PROOF = format_proof(257, LOG.inclusion(257), NOTE)
REQUEST = format_submission(256, LOG.consistency(256), NOTE)
POLICY = policy(2)


@pytest.mark.parametrize("index", [0, 1, 255, 256, 299])
def test_each_entry_proves_itself(index: int) -> None:
    data = format_proof(index, LOG.inclusion(index), NOTE, extra=b"openings")
    verified = verify_proof(data, b"entry %d" % index, POLICY, now=NOW, max_age=10)
    assert (verified.index, verified.checkpoint) == (index, LOG.checkpoint)
    assert len(verified.witnessed) == 4
    assert parse_proof(data).extra == b"openings"


def test_the_only_entry_of_a_log_has_an_empty_path() -> None:
    log = MadeLog().append([b"only"])
    data = format_proof(0, [], log.sign(witnesses=2))
    assert verify_proof(data, b"only", POLICY).index == 0


@pytest.mark.parametrize(
    ("data", "entry", "quorum"),
    [
        (PROOF, b"entry 256", 2),
        (PROOF, b"", 2),
        (PROOF, merkle.leaf_hash(b"entry 257"), 2),
        (PROOF.replace(b"index 257", b"index 256"), b"entry 257", 2),
        (PROOF.replace(b"index 257", b"index 300"), b"entry 257", 2),
        (PROOF, b"entry 257", 3),
        (format_proof(257, LOG.inclusion(257)[:-1], NOTE), b"entry 257", 2),
        (format_proof(257, [*LOG.inclusion(257), bytes(32)], NOTE), b"entry 257", 2),
        (format_proof(257, LOG.inclusion(257)[::-1], NOTE), b"entry 257", 2),
        (format_proof(0, [], MadeLog().sign(witnesses=2)), b"", 2),
    ],
)
def test_a_proof_of_anything_else_fails(data: bytes, entry: bytes, quorum: int) -> None:
    with pytest.raises(VerificationFailed):
        verify_proof(data, entry, policy(quorum))


@given(st.integers(0, len(PROOF) * 8 - 1))
def test_no_flipped_bit_passes(bit: int) -> None:
    broken = bytearray(PROOF)
    broken[bit // 8] ^= 1 << bit % 8
    strict = policy(2)
    try:
        verify_proof(bytes(broken), b"entry 257", strict)
    except AccordError:
        return
    pytest.fail("a changed proof verified")


PATH_LINE = b64encode(LOG.inclusion(257)[0]).encode() + b"\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        PROOF.replace(b"@v1", b"@v2"),
        PROOF.replace(b"\n", b"\r\n"),
        b"\n" + PROOF,
        PROOF.replace(b"index 257\n", b""),
        PROOF.replace(b"index 257", b"index 0257"),
        PROOF.replace(b"index 257", b"index +257"),
        PROOF.replace(b"index 257", b"index -1"),
        PROOF.replace(b"index 257", b"Index 257"),
        PROOF.replace(b"index 257\n", b"index 257\nindex 257\n"),
        PROOF.replace(b"index 257\n", b"extra \nindex 257\n"),
        PROOF.replace(b"index 257\n", b"extra AB==\nindex 257\n"),
        PROOF.replace(b"index 257\n", b"extra AA==\nextra AA==\nindex 257\n"),
        PROOF.replace(b"index 257\n", b"extra AA==\n"),
        b"c2sp.org/tlog-proof@v1\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nextra AA==\n\n" + NOTE,
        PROOF.replace(PATH_LINE, b"AAAA\n"),
        PROOF.replace(PATH_LINE, PATH_LINE * 64),
        PROOF.replace(PATH_LINE, "é\n".encode()),
        PROOF.split(b"\n\n")[0],
        PROOF.split(b"\n\n")[0] + b"\n\n",
        PROOF + b"x",
        PROOF + b" " * 3_000_000,
    ],
)
def test_other_texts_of_a_proof_are_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse_proof(data)


def test_too_much_extra_is_not_written() -> None:
    with pytest.raises(Malformed):
        format_proof(0, [], NOTE, extra=bytes(1024 * 1024 + 1))


@given(
    st.integers(0, 2**63 - 1),
    st.lists(st.binary(min_size=32, max_size=32), max_size=63),
    st.binary(max_size=40),
)
def test_proofs_and_requests_come_back_as_they_were(
    number: int, path: list[bytes], extra: bytes
) -> None:
    proof = parse_proof(format_proof(number, path, NOTE, extra))
    assert (proof.index, list(proof.path), proof.note, proof.extra) == (number, path, NOTE, extra)
    request = parse_submission(format_submission(number % 301, path, NOTE))
    assert (request.old, list(request.path), request.note) == (number % 301, path, NOTE)
    assert request.checkpoint == LOG.checkpoint
    assert parse_size(format_size(number)) == number


@given(st.binary(max_size=120) | st.binary(max_size=30).map(lambda head: head + b"\n\n" + NOTE))
def test_any_bytes_are_read_or_refused_with_a_code(data: bytes) -> None:
    for parse in (parse_proof, parse_submission, parse_size):
        try:
            parse(data)
        except Malformed:
            continue


@pytest.mark.parametrize(
    "data",
    [
        b"",
        REQUEST.replace(b"old 256", b"old 0256"),
        REQUEST.replace(b"old 256", b"old -1"),
        REQUEST.replace(b"old 256", b"old 301"),
        REQUEST.replace(b"old 256", b"old  256"),
        REQUEST.replace(b"old 256", b"new 256"),
        REQUEST.replace(b"old 256\n", b""),
        REQUEST.replace(b"old 256\n", b"old 256\n" + PATH_LINE * 64),
        REQUEST.replace(b"old 256\n", b"old 256\nAAAA\n"),
        REQUEST.replace(b"old 256\n", "old 256\né\n".encode()),
        REQUEST.replace(b"\n300\n", b"\n300\n\n"),
        REQUEST.replace(b"\n", b"\r\n"),
        REQUEST.split(b"\n\n")[0],
        REQUEST + b"x",
        b" " * 400_000 + REQUEST,
    ],
)
def test_other_texts_of_a_request_are_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse_submission(data)


@pytest.mark.parametrize(
    "data", [b"", b"1", b"01\n", b"1\n\n", b" 1\n", b"x\n", b"1" * 40 + b"\n", b"\xff\n"]
)
def test_other_texts_of_a_size_are_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse_size(data)
