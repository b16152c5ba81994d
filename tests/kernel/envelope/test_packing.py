"""Compression and padding: bounded before and while reading."""

import struct
import tracemalloc
from contextlib import suppress

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from tests.support.asb_reference import inner, padme, repeated_frame, stored_frame

from accord.kernel.envelope import packing
from accord.kernel.errors import AccordError, Malformed, Refused

HEAD = b"\x28\xb5\x2f\xfd\xe0"


def code_of(message: bytes) -> str:
    with pytest.raises(Malformed) as caught:
        packing.unpack(message)
    return caught.value.code


@given(st.binary(max_size=5000))
def test_what_is_packed_comes_back(payload: bytes) -> None:
    assert packing.unpack(packing.pack(payload)) == payload


@given(st.binary(max_size=2000), st.integers(0, 5000), st.integers(1, 255))
def test_a_spoiled_message_never_gives_more_than_it_declares(
    payload: bytes, at: int, mask: int
) -> None:
    message = bytearray(packing.pack(payload))
    message[at % len(message)] ^= mask
    with suppress(AccordError):
        assert len(packing.unpack(bytes(message))) == struct.unpack(">Q", message[8:16])[0]


@given(st.binary(max_size=600))
def test_any_bytes_as_a_frame_get_a_code_or_their_size(frame: bytes) -> None:
    message = inner(HEAD[:4] + frame, 7)
    with suppress(AccordError):
        assert len(packing.unpack(message)) == 7


@given(st.integers(16, 1 << 40))
def test_sizes_are_those_of_padme(size: int) -> None:
    assert packing.padded_size(size) == padme(size)


def test_frames_of_other_writers_are_read() -> None:
    payload = bytes(range(256)) * 2000
    checked = zstandard.ZstdCompressor(level=19, write_checksum=True).compress(payload)
    for frame in (checked, stored_frame(payload), repeated_frame(0x41, 1, declared=1 << 17)):
        size = zstandard.get_frame_parameters(frame).content_size
        message = inner(frame, size)
        if size <= packing.MAX_RATIO * len(frame):
            assert len(packing.unpack(message)) == size
        else:
            assert code_of(message) == "compression_ratio"


def test_a_checksum_that_does_not_fit_is_refused() -> None:
    payload = bytes(range(256)) * 20
    frame = zstandard.ZstdCompressor(write_checksum=True).compress(payload)
    spoiled = frame[:-1] + bytes([frame[-1] ^ 1])
    assert code_of(inner(spoiled, len(payload))) == "compression_invalid"
    assert code_of(inner(frame[:-4], len(payload))) == "compression_invalid"


def blocks(count: int) -> bytes:
    """Return a frame of one byte, then empty blocks, ``count`` blocks in all."""
    first = (1 << 3).to_bytes(3, "little") + b"A"
    empty = bytes(3)
    return HEAD + struct.pack("<Q", 1) + first + empty * (count - 2) + b"\1\0\0"


def test_blocks_are_counted() -> None:
    assert packing.unpack(inner(blocks(packing.MAX_BLOCKS), 1)) == b"A"
    assert code_of(inner(blocks(packing.MAX_BLOCKS + 1), 1)) == "compression_invalid"


def test_a_block_of_the_reserved_type_is_refused() -> None:
    frame = HEAD + struct.pack("<Q", 1) + (1 << 3 | 3 << 1 | 1).to_bytes(3, "little") + b"A"
    assert code_of(inner(frame, 1)) == "compression_invalid"


def test_a_bomb_costs_no_memory() -> None:
    windowed = b"\x28\xb5\x2f\xfd\x80\x58" + struct.pack("<I", 100_000)
    bomb = windowed + repeated_frame(0x41, 8192, declared=0)[13:]
    tracemalloc.start()
    assert code_of(inner(bomb, 100_000)) == "compression_invalid"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000


def test_more_than_a_gigabyte_is_not_packed() -> None:
    with pytest.raises(Refused) as caught:
        packing.pack(bytes(packing.MAX_PLAINTEXT + 1))
    assert caught.value.code == "plaintext_too_long"
