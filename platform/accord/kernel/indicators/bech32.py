"""Bech32 and bech32m (BIP-173, BIP-350): text to 5-bit symbols, checksum constant, bytes.

The checksum takes two symbols at a step by a table of 1,024 entries. It knows no human-readable
part by name; the wallet formats decide which part belongs to which network.
"""

import functools
from enum import IntEnum

import msgspec

from accord.kernel.errors import Malformed
from accord.kernel.indicators.base58 import digit_table

CHARACTERS = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l"
DIGITS = digit_table(CHARACTERS)
GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
CHECKSUM_LENGTH = 6
_BASE32HEX = b"0123456789abcdefghijklmnopqrstuv"
_TO_BASE32HEX = bytes.maketrans(CHARACTERS, _BASE32HEX)


class Encoding(IntEnum):
    """The constant that a right checksum leaves."""

    BECH32 = 1
    BECH32M = 0x2BC830A3


def xor_table(generator: tuple[int, ...]) -> tuple[int, ...]:
    """Return what each value of the five bits that leave the register puts into it."""
    table = []
    for top in range(32):
        word = 0
        for bit in range(5):
            if top >> bit & 1:
                word ^= generator[bit]
        table.append(word)
    return tuple(table)


STEP = xor_table(GENERATOR)


def _two_steps() -> tuple[int, ...]:
    table = []
    for top in range(1024):
        register = top << 20
        for _ in range(2):
            register = ((register & 0x1FFFFFF) << 5) ^ STEP[register >> 25]
        table.append(register)
    return tuple(table)


_STEP2 = _two_steps()


@functools.lru_cache(maxsize=64)
def prefix_register(prefix: str) -> int:
    """Return the register after the human-readable part and its separator."""
    register = 1
    for word in [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]:
        register = ((register & 0x1FFFFFF) << 5) ^ word ^ STEP[register >> 25]
    return register


def checksum_constant(prefix: str, symbols: bytes) -> int:
    """Return the constant left by ``prefix`` and all symbols, those of the checksum included."""
    register = prefix_register(prefix)
    odd = len(symbols) & 1
    if odd:
        register = ((register & 0x1FFFFFF) << 5) ^ symbols[0] ^ STEP[register >> 25]
    for first, second in zip(symbols[odd::2], symbols[odd + 1 :: 2], strict=True):
        register = ((register & 0xFFFFF) << 10) ^ (first << 5 | second) ^ _STEP2[register >> 20]
    return register


def to_bytes(characters: bytes) -> bytes | None:
    """Return the bytes of bech32 characters (no checksum); ``None`` when the padding is wrong.

    BIP-173: at most four bits of padding, all zero.
    """
    bits = len(characters) * 5
    padding = bits & 7
    if padding > 4:
        return None
    number = int(characters.translate(_TO_BASE32HEX), 32) if characters else 0
    if number & ((1 << padding) - 1):
        return None
    return (number >> padding).to_bytes(bits >> 3, "big")


class Text(msgspec.Struct, frozen=True, gc=False):
    """A text of bech32 shape; the checksum is still to be judged by its constant."""

    text: str
    prefix: str
    symbols: bytes
    characters: bytes
    constant: int

    def payload(self, skip: int = 0) -> bytes | None:
        """Return the bytes after ``skip`` leading symbols, or ``None`` for wrong padding."""
        return to_bytes(self.characters[skip:-CHECKSUM_LENGTH])


def split(text: str, *, limit: int = 90) -> Text | None:
    """Return the parts of a text of bech32 shape in one case, or ``None``.

    Args:
        text: as given.
        limit: most characters; 90 in BIP-173, more for Cardano, Zcash and Lightning.
    """
    lower = text.lower()
    if len(text) > limit or not text.isascii() or text not in (lower, text.upper()):
        return None
    separator = lower.rfind("1")
    if separator < 1 or len(lower) - separator - 1 < CHECKSUM_LENGTH:
        return None
    prefix = lower[:separator]
    characters = lower[separator + 1 :].encode("ascii")
    symbols = characters.translate(DIGITS)
    if b"\xff" in symbols or not prefix.isprintable() or " " in prefix:
        return None
    return Text(lower, prefix, symbols, characters, checksum_constant(prefix, symbols))


def decode(text: str, *, limit: int = 90) -> tuple[str, bytes, Encoding]:
    """Return human-readable part, symbols without checksum, and encoding.

    Raises:
        Malformed: ``unknown_format`` (not of bech32 shape) or ``checksum_wrong``.
    """
    parts = split(text, limit=limit)
    if parts is None:
        raise Malformed("unknown_format", "This is not bech32 text.")
    if parts.constant not in (Encoding.BECH32, Encoding.BECH32M):
        raise Malformed("checksum_wrong", "The checksum of the bech32 text is wrong.")
    return parts.prefix, parts.symbols[:-CHECKSUM_LENGTH], Encoding(parts.constant)
