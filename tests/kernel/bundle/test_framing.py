"""The container: whole bundles and deliveries, spoiled anywhere."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import bundles

from accord.kernel.bundle import framing
from accord.kernel.errors import AccordError, Malformed

BUNDLE = bundles.sealed()
DELIVERY = bundles.delivery_to(BUNDLE, bundles.READERS[0])


def bundle_again(data: bytes) -> bytes:
    parsed = framing.parse_bundle(data)
    return framing.format_bundle(
        header=parsed.header_bytes,
        dsse=parsed.dsse,
        entries=[entry.raw for entry in parsed.entries],
        body=parsed.body,
    )


def delivery_again(data: bytes) -> bytes:
    parsed = framing.parse_trimmed(data)
    return framing.format_trimmed(
        header=parsed.header_bytes,
        dsse=parsed.dsse,
        index=parsed.index,
        entry=parsed.entry.raw,
        path=parsed.path,
        body=parsed.body,
    )


def test_reading_and_writing_gives_the_same_bytes() -> None:
    assert bundle_again(BUNDLE) == BUNDLE
    assert delivery_again(DELIVERY) == DELIVERY


@settings(max_examples=400)
@given(st.integers(0, len(BUNDLE) - 1), st.integers(1, 255))
def test_a_spoiled_bundle_is_refused_or_has_its_one_form(at: int, mask: int) -> None:
    data = bytearray(BUNDLE)
    data[at] ^= mask
    with suppress(AccordError):
        assert bundle_again(bytes(data)) == bytes(data)


@settings(max_examples=400)
@given(st.integers(0, len(DELIVERY) - 1), st.integers(1, 255))
def test_no_spoiled_delivery_opens(at: int, mask: int) -> None:
    data = bytearray(DELIVERY)
    data[at] ^= mask
    with pytest.raises(AccordError):
        bundles.opened(bytes(data), bundles.READERS[0])


@given(st.binary(max_size=400), st.sampled_from([framing.MAGIC, framing.TRIMMED_MAGIC, b""]))
def test_any_bytes_get_a_code(data: bytes, magic: bytes) -> None:
    for parse in (framing.parse_bundle, framing.parse_trimmed):
        with pytest.raises(AccordError):
            parse(magic + data)


@given(st.integers(0, len(DELIVERY) - 1))
def test_a_cut_delivery_is_refused(size: int) -> None:
    with pytest.raises(Malformed) as caught:
        framing.parse_trimmed(DELIVERY[:size])
    assert caught.value.code == "bundle_truncated"


def test_there_is_no_delivery_for_an_entry_that_does_not_exist() -> None:
    parsed = framing.parse_bundle(BUNDLE)
    for index in (-1, len(parsed.entries)):
        with pytest.raises(Malformed) as caught:
            framing.trim(parsed, index)
        assert caught.value.code == "index_invalid"


def test_neither_keys_nor_ciphertext_show_when_a_bundle_is_printed() -> None:
    parsed = framing.parse_bundle(BUNDLE)
    for name in (" body=", " raw=", " sealed=", " dsse="):
        assert name not in repr(parsed)
