"""Our sealer: we open it, library primitives take it apart, and it is never twice the same."""

import secrets
import struct
from typing import Any

import pytest
import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import bundles
from tests.support.asb_reference import cobblestone_keys, padme, tree_root
from tests.support.asb_reference import content_root as reference_root
from tests.support.asb_reference import sha256 as reference_sha256

from accord.kernel.bundle import framing, verification
from accord.kernel.bundle.content import content_root
from accord.kernel.envelope.payload import PayloadHead, format_head, parse_head
from accord.kernel.errors import AccordError, Malformed, Refused
from accord.kernel.identifiers import parse_org_id
from accord.kernel.indicators import IndicatorRecord
from accord.kernel.keys import KemKeyPair

TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"]), min_size=1)


@pytest.mark.parametrize("reader", bundles.READERS)
def test_each_recipient_reads_what_was_sealed(reader: KemKeyPair) -> None:
    data = bundles.sealed()
    verification.verify_bundle(
        framing.parse_bundle(data), signer=bundles.directory, now=bundles.NOW
    )
    opened = bundles.opened(bundles.delivery_to(data, reader), reader)
    assert opened.lines == bundles.LINES
    assert opened.head == bundles.HEAD
    assert [number for number, _ in opened.records] == list(range(7))
    assert all(isinstance(record, IndicatorRecord) for _, record in opened.records)
    assert opened.quarantined == []
    assert opened.header.policy == bundles.POLICY
    assert opened.manifest_sha256 == framing.parse_bundle(data).manifest_sha256


@settings(max_examples=30)
@given(st.lists(st.binary(max_size=300).map(lambda b: b.replace(b"\n", b"")), max_size=60))
def test_any_lines_come_back(lines: list[bytes]) -> None:
    reader = bundles.READERS[0]
    data = bundles.sealed(lines=lines, recipients=bundles.recipients()[:1])
    opened = bundles.opened(bundles.delivery_to(data, reader), reader, parse_records=list)
    assert opened.lines == lines


def test_the_bundle_is_taken_apart_by_library_primitives() -> None:
    bundle = framing.parse_bundle(bundles.sealed(salt=b"\x07" * 32))
    reader = {key.kid: key for key in bundles.READERS}[bundle.entries[0].kid]
    digest = reference_sha256(b"accord/1/header\0", bundle.header_bytes)
    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    info = b"accord/1/stanza\0" + digest + reader.kid
    cek = suite.decrypt(bundle.entries[0].sealed, reader.hpke, info)
    key, nonce, commitment = cobblestone_keys(cek, bundle.body[:24], digest)
    assert bundle.body[24:56] == commitment
    inside = AESGCM(key).decrypt(nonce.to_bytes(12, "big"), bundle.body[56:], None)
    length, size = struct.unpack(">QQ", inside[:16])
    plain = zstandard.ZstdDecompressor().decompress(inside[16 : 16 + length])
    assert len(plain) == size
    assert plain.split(b"\n")[1:-1] == bundles.LINES
    assert len(inside) == padme(16 + length)
    assert bundle.header.root == reference_root(b"\x07" * 32, bundles.LINES)
    leaves = [reference_sha256(b"\0", entry.raw) for entry in bundle.entries]
    assert bundle.manifest.recipients_root == tree_root(leaves)


@given(st.binary(min_size=32, max_size=32), st.lists(st.binary(max_size=99), max_size=70))
def test_the_content_root_is_the_second_writers(salt: bytes, lines: list[bytes]) -> None:
    assert content_root(salt, lines) == reference_root(salt, lines)


def test_nothing_random_is_used_twice() -> None:
    first, second = (framing.parse_bundle(bundles.sealed()) for _ in range(2))
    assert first.body[:24] != second.body[:24]
    assert first.header.root != second.header.root
    blinds = {entry.blind for bundle in (first, second) for entry in bundle.entries}
    assert len(blinds) == 2 * len(bundles.READERS)


def test_nothing_readable_leaves_the_envelope() -> None:
    canary = b"canary-7f3a9c.example"
    record = bundles.line(0).replace(b"s0.example", canary)
    head = PayloadHead(title="canary-title", narrative="canary-words", case_ref="canary-case")
    data = bundles.sealed(lines=[record], head=head)
    assert b"canary" not in data


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"recipients": []}, Malformed, "recipients_count"),
        ({"recipients": bundles.recipients() * 103}, Malformed, "recipients_count"),
        ({"recipients": bundles.recipients() * 2}, Malformed, "recipient_twice"),
        ({"lines": [b"one\ntwo"]}, Malformed, "line_invalid"),
        ({"lines": [b"one\n"]}, Malformed, "line_invalid"),
        ({"expires": bundles.NOW - 60}, Malformed, "expires_invalid"),
        ({"directory": ()}, Malformed, "value_invalid"),
        ({"bundle_id": "x"}, Malformed, "bundle_id_invalid"),
        ({"org": "nobody"}, Malformed, "org_id_invalid"),
        ({"head": PayloadHead(title="")}, Malformed, "value_invalid"),
        ({"head": PayloadHead(title="two\nlines")}, Malformed, "value_invalid"),
        ({"head": PayloadHead(title="turned \u202e round")}, Malformed, "value_invalid"),
        ({"head": PayloadHead(title="x", narrative="x" * 10_001)}, Malformed, "value_invalid"),
        ({"head": PayloadHead(title="x", case_ref="x" * 81)}, Malformed, "value_invalid"),
        ({"salt": bytes(31)}, Malformed, "base64_invalid"),
        ({"lines": [b"x" * 1_000_000]}, Refused, "compression_ratio"),
    ],
)
def test_what_a_recipient_would_refuse_is_not_sealed(
    changes: dict[str, Any], error: type[AccordError], code: str
) -> None:
    with pytest.raises(error) as caught:
        bundles.sealed(**changes)
    assert caught.value.code == code


def test_a_body_that_a_hub_would_refuse_is_not_sealed() -> None:
    incompressible = secrets.token_bytes((256 << 20) + (1 << 20)).replace(b"\n", b"")
    with pytest.raises(Refused) as caught:
        bundles.sealed(lines=[incompressible])
    assert caught.value.code == "body_too_long"


@given(
    st.binary(min_size=32, max_size=32),
    TEXTS.filter(lambda text: len(text) <= 200),
    st.none() | TEXTS,
    st.none() | TEXTS.filter(lambda text: len(text) <= 80),
    st.sets(st.integers(0, 99)),
)
def test_a_head_survives_writing_and_reading(
    salt: bytes, title: str, narrative: str | None, case_ref: str | None, orgs: set[int]
) -> None:
    head = PayloadHead(
        title=title,
        narrative=narrative,
        case_ref=case_ref,
        recipients=tuple(sorted(parse_org_id(f"o{n}@hub.example") for n in orgs)),
    )
    line = format_head(salt, head)
    assert parse_head(line) == (salt, head)
    assert format_head(*parse_head(line)) == line


@pytest.mark.parametrize("names", [["b@hub.example", "a@hub.example"], ["a@hub.example"] * 2])
def test_named_recipients_are_sorted_and_stand_once(names: list[str]) -> None:
    head = PayloadHead(title="x", recipients=tuple(map(parse_org_id, names)))
    with pytest.raises(Malformed) as caught:
        parse_head(format_head(bytes(32), head))
    assert caught.value.code == "value_invalid"


@given(st.binary(max_size=300))
def test_any_bytes_as_a_head_get_a_code(line: bytes) -> None:
    with pytest.raises(Malformed):
        parse_head(line)


def test_a_parser_that_loses_records_is_not_believed() -> None:
    reader = bundles.READERS[0]
    delivery = bundles.delivery_to(bundles.sealed(), reader)
    with pytest.raises(AccordError) as caught:
        bundles.opened(delivery, reader, parse_records=lambda lines: list(lines)[1:])
    assert caught.value.code == "records_lost"


def test_an_opened_bundle_does_not_print_its_salt_or_lines() -> None:
    reader = bundles.READERS[0]
    text = repr(bundles.opened(bundles.delivery_to(bundles.sealed(), reader), reader))
    assert "salt" not in text
    assert "s0.example" not in text
