"""Monero addresses: standard, subaddress, integrated.

An integrated address is a standard address and a payment id in one text; its canonical value is
the standard address, the payment id goes beside it as memo. The two public keys are not checked
to lie on the curve: that costs 170 µs and refuses no single mistyped character that the checksum
would not. Source: monero src/common/base58.cpp, cryptonote_basic_impl.
"""

from accord.kernel.indicators.base58 import BITCOIN
from accord.kernel.indicators.digests import keccak256
from accord.kernel.indicators.kinds import Network, Reading

LENGTHS = (95, 106)
_INTEGRATED = frozenset({19, 54, 25})
_TAGS = {18: True, 19: True, 42: True, 53: False, 54: False, 63: False} | {
    24: False,
    25: False,
    36: False,
}
_BLOCK, _BLOCK_TEXT, _TAIL_TEXT = 8, 11, 7


def _decode(text: bytes) -> bytes | None:
    """Return 69 or 77 bytes: blocks of 8 bytes in 11 characters, the tail 5 in 7."""
    digits = text.translate(BITCOIN.digits)
    if b"\xff" in digits:
        return None
    data = []
    for start in range(0, len(digits), _BLOCK_TEXT):
        block = digits[start : start + _BLOCK_TEXT]
        size = _BLOCK if len(block) == _BLOCK_TEXT else 5
        number = 0
        for digit in block:
            number = number * 58 + digit
        if number.bit_length() > size * 8:
            return None
        data.append(number.to_bytes(size, "big"))
    return b"".join(data)


def encode_check(body: bytes) -> str:
    """Return the text of tag and keys, with the checksum that this makes."""
    data = body + keccak256(body)[:4]
    text = []
    for start in range(0, len(data), _BLOCK):
        block = data[start : start + _BLOCK]
        number = int.from_bytes(block, "big")
        characters = []
        for _ in range(_BLOCK_TEXT if len(block) == _BLOCK else _TAIL_TEXT):
            number, digit = divmod(number, 58)
            characters.append(chr(BITCOIN.characters[digit]))
        text.append("".join(reversed(characters)))
    return "".join(text)


def monero_address(text: str) -> Reading | None:
    """Read an address of 95 or 106 characters, or return ``None``."""
    if len(text) not in LENGTHS:
        return None
    data = _decode(text.encode("ascii"))
    if data is None or keccak256(data[:-4])[:4] != data[-4:]:
        return None
    tag = data[0]
    if tag not in _TAGS or (tag in _INTEGRATED) != (len(data) == 77):
        return None
    if tag not in _INTEGRATED:
        return Reading(Network.XMR, text, _TAGS[tag])
    body = bytes([tag - 1]) + data[1:65]
    value = encode_check(body)
    return Reading(Network.XMR, value, _TAGS[tag], memo=data[65:73].hex(), flags=("integrated",))
