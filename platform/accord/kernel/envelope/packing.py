"""What is encrypted: one zstd frame with declared sizes, padded so that its length tells little.

u64 zlen ‖ u64 plen ‖ zstd frame ‖ zero padding up to the Padmé size. Reading is bounded before
and while decompressing: sizes are compared first, then a stream reader gives at most what was
declared (the one-shot ``max_output_size`` of the library is ignored for frames with a size).

Sources: formats 1 (body, opening), RFC 8878 clause 3.1.1, Padmé (Nikitin et al., PETS 2019).
"""

import zstandard

from accord.kernel.errors import Malformed, Refused

MAX_PLAINTEXT = 1 << 30
MAX_RATIO = 200
MAX_WINDOW = 8 * 1024 * 1024
MAX_BLOCKS = 1 << 17
"""Most blocks of the zstd frame, 16 times what 1 GiB needs; bounds the walk over their heads."""

LEVEL = 3

_SIZES = 16
_BLOCK_HEAD = 3
_RLE = 1
_RESERVED = 3
_CHECKSUM = 4


def padded_size(size: int) -> int:
    """Return the Padmé size of ``size``: at most 12 % more, few different values."""
    exponent = size.bit_length() - 1
    spare = max(exponent - exponent.bit_length(), 0)
    mask = (1 << spare) - 1
    return (size + mask) & ~mask


def pack(payload: bytes) -> bytes:
    """Return the message of ``payload``.

    Raises:
        Refused: ``plaintext_too_long``, ``compression_ratio``: a recipient would refuse it.
    """
    if len(payload) > MAX_PLAINTEXT:
        raise Refused(
            "plaintext_too_long",
            "A bundle holds at most 1 GiB.",
            observed=f"{len(payload)} bytes",
            next_step="Divide the records into several bundles.",
        )
    frame = zstandard.ZstdCompressor(level=LEVEL, write_content_size=True).compress(payload)
    if len(payload) > MAX_RATIO * len(frame):
        raise Refused(
            "compression_ratio",
            f"The records shrink more than {MAX_RATIO} times, which recipients refuse.",
            next_step="Remove repeated records.",
        )
    sizes = len(frame).to_bytes(8, "big") + len(payload).to_bytes(8, "big")
    return (sizes + frame).ljust(padded_size(_SIZES + len(frame)), b"\0")


def unpack(message: bytes) -> bytes:
    """Return the payload: (1) sizes, (2) ratio, (3) padding, (4) frame, (5) bounded reading.

    Raises:
        Malformed: ``inner_invalid``, ``plaintext_too_long``, ``compression_ratio``,
            ``padding_invalid``, ``compression_invalid``.
    """
    if len(message) < _SIZES:  # (1)
        raise Malformed("inner_invalid", "The message is too short for its sizes.")
    zlen, plen = (int.from_bytes(message[at : at + 8], "big") for at in (0, 8))
    end = _SIZES + zlen
    if end > len(message):
        raise Malformed("inner_invalid", "The compressed part is longer than the message.")
    if plen > MAX_PLAINTEXT:
        raise Malformed(
            "plaintext_too_long", "The plaintext is longer than 1 GiB.", observed=f"{plen} bytes"
        )
    if plen > MAX_RATIO * zlen:  # (2)
        raise Malformed(
            "compression_ratio",
            f"The plaintext is more than {MAX_RATIO} times as long as what was compressed.",
            observed=f"{plen} from {zlen} bytes",
        )
    if len(message) != padded_size(end) or message.count(b"\0", end) != len(message) - end:  # (3)
        raise Malformed("padding_invalid", "The padding is not zeros up to the Padmé size.")
    return _decompress(message[_SIZES:end], plen)


def _decompress(frame: bytes, size: int) -> bytes:
    try:
        head = zstandard.get_frame_parameters(frame)
        sound = (
            head.content_size == size
            and head.dict_id == 0
            and head.window_size <= MAX_WINDOW
            and _frame_length(frame, checksum=head.has_checksum) == len(frame)
        )  # (4)
        if sound and len(payload := _read(frame, size)) == size:  # (5)
            return payload
    except zstandard.ZstdError as error:
        raise _not_one_frame() from error
    raise _not_one_frame()


def _read(frame: bytes, size: int) -> bytes:
    """Return at most one byte more than ``size``."""
    reader = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).stream_reader(frame)
    return reader.read(size) + reader.read(1)


def _frame_length(frame: bytes, *, checksum: bool) -> int:
    """Return where the first frame of ``frame`` ends, walking over its blocks' heads.

    The stream reader stops at a frame's end and does not say whether bytes follow. A frame that
    is cut short, or has too many blocks, gives -1.
    """
    at = zstandard.frame_header_size(frame)
    for _ in range(MAX_BLOCKS):
        head = int.from_bytes(frame[at : at + _BLOCK_HEAD], "little")
        last, kind, size = head & 1, head >> 1 & 3, head >> 3
        at += _BLOCK_HEAD + (1 if kind == _RLE else size)
        if kind == _RESERVED or at > len(frame):
            return -1
        if last:
            return at + (_CHECKSUM if checksum else 0)
    return -1


def _not_one_frame() -> Malformed:
    return Malformed(
        "compression_invalid",
        "The compressed part is not exactly one zstd frame of the declared size.",
    )
