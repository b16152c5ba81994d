"""Bitcoin Cash addresses: cashaddr with and without prefix, CashTokens form, one canonical text.

Source: bitcoincashorg/spec cashaddr.md and the CashTokens types 2 and 3, which name the same
script as types 0 and 1 and therefore have the same canonical text.
"""

from accord.kernel.indicators import bech32
from accord.kernel.indicators.kinds import Network, Reading

P2PKH = 0
P2SH = 1
GENERATOR = (0x98F2BC8E61, 0x79B76D99E2, 0xF33E5FB3C4, 0xAE2EABE2A8, 0x1E4F43E470)
CHECKSUM_LENGTH = 8
PREFIXES = {"bitcoincash": True, "bchtest": False, "bchreg": False}
"""Prefix and whether the network is live, in the order in which a bare address is tried."""

_SIZE_CODE = {20: 0, 24: 1, 28: 2, 32: 3, 40: 4, 48: 5, 56: 6, 64: 7}
_MASK = 0x07FFFFFFFF
STEP = bech32.xor_table(GENERATOR)


def _two_steps() -> tuple[int, ...]:
    table = []
    for top in range(1024):
        register = top << 30
        for _ in range(2):
            register = ((register & _MASK) << 5) ^ STEP[register >> 35]
        table.append(register)
    return tuple(table)


_STEP2 = _two_steps()


def prefix_register(prefix: str) -> int:
    """Return the register after the prefix and the zero that stands for the colon."""
    register = 1
    for word in [ord(c) & 31 for c in prefix] + [0]:
        register = ((register & _MASK) << 5) ^ word ^ STEP[register >> 35]
    return register


_REGISTER = {prefix: prefix_register(prefix) for prefix in PREFIXES}


def polymod(prefix: str, symbols: bytes) -> int:
    """Return the 40-bit checksum of prefix and symbols; 0 when the right one is among them."""
    register = _REGISTER[prefix]
    odd = len(symbols) & 1
    if odd:
        register = ((register & _MASK) << 5) ^ symbols[0] ^ STEP[register >> 35]
    for first, second in zip(symbols[odd::2], symbols[odd + 1 :: 2], strict=True):
        register = ((register & 0x3FFFFFFF) << 10) ^ (first << 5 | second) ^ _STEP2[register >> 30]
    return register ^ 1


def encode_cash(prefix: str, kind: int, digest: bytes) -> str:
    """Return the cashaddr of a 20- to 64-byte script digest, prefix included."""
    data = bytes([kind << 3 | _SIZE_CODE[len(digest)]]) + digest
    bits = len(data) * 8
    count = -(-bits // 5)
    number = int.from_bytes(data, "big") << (count * 5 - bits)
    symbols = bytes((number >> 5 * (count - 1 - i)) & 31 for i in range(count))
    check = polymod(prefix, symbols + bytes(CHECKSUM_LENGTH))
    symbols += bytes((check >> 5 * (7 - i)) & 31 for i in range(CHECKSUM_LENGTH))
    return prefix + ":" + bytes(bech32.CHARACTERS[symbol] for symbol in symbols).decode("ascii")


def cash_address(text: str) -> Reading | None:
    """Read a cashaddr in one case, with or without its prefix, or return ``None``."""
    lower = text.lower()
    if text not in (lower, text.upper()):
        return None
    given, colon, body = lower.rpartition(":")
    characters = body.encode("ascii")
    symbols = characters.translate(bech32.DIGITS)
    if b"\xff" in symbols or len(symbols) <= CHECKSUM_LENGTH:
        return None
    for prefix in (given,) if colon else PREFIXES:
        if prefix in PREFIXES and polymod(prefix, symbols) == 0:
            return _reading(prefix, lower if colon else f"{prefix}:{lower}", characters)
    return None


def _reading(prefix: str, text: str, characters: bytes) -> Reading | None:
    data = bech32.to_bytes(characters[:-CHECKSUM_LENGTH])
    if not data or data[0] & 0x80:
        return None
    kind, size_code = data[0] >> 3, data[0] & 7
    if _SIZE_CODE.get(len(data) - 1) != size_code or kind > 3:
        return None
    flags: tuple[str, ...] = ()
    if kind >= 2:
        text = encode_cash(prefix, kind - 2, data[1:])
        flags = ("token_form",)
    return Reading(Network.BCH, text, PREFIXES[prefix], flags=flags)
