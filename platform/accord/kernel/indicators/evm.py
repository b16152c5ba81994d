"""Accounts and contracts of every EVM chain: ``0x`` and 40 hexadecimal digits.

One key is one account on all of them, so there is one network ``evm`` and a lower-case canonical
text. Upper case in some letters is a checksum (EIP-55; EIP-1191 on chains 30 and 31) and must be
right; all-lower and all-upper texts carry none.
"""

import re

from accord.kernel.indicators.digests import keccak256
from accord.kernel.indicators.kinds import Checksum, Network, Reading

EIP1191_CHAINS = frozenset({30, 31})
"""Rootstock's two chains; the only ones that adopted EIP-1191."""

ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{40}").fullmatch
_MARK = 0x38
_UPPER = bytes(_MARK if chr(i) in "ABCDEF" else 0x30 for i in range(256))
_LETTER = bytes(_MARK if chr(i) in "abcdef" else 0x30 for i in range(256))


def case_is_right(digits: bytes, *, chain_id: int | None = None) -> bool:
    """Say whether the case of 40 mixed-case digits is the checksum of EIP-55 or EIP-1191.

    Letter i is upper case exactly when nibble i of the digest of the lower-case text is >= 8.
    A helper for a decoder: it judges spelling, it grants nothing.
    """
    lower = digits.lower()
    prefix = f"{chain_id}0x".encode() if chain_id in EIP1191_CHAINS else b""
    high_nibbles = int.from_bytes(keccak256(prefix + lower)[:20], "big")
    letters = int(lower.translate(_LETTER), 16)
    return high_nibbles & letters == int(digits.translate(_UPPER), 16)


def evm_address(text: str, chain_id: int | None = None) -> Reading | None:
    """Read an address, or return ``None``; ``chain_id`` chooses the rule for mixed case."""
    if ADDRESS(text) is None:
        return None
    digits = text[2:]
    lower = digits.lower()
    if digits in (lower, digits.upper()):
        return Reading(Network.EVM, "0x" + lower, checksum=Checksum.NONE)
    if not case_is_right(digits.encode("ascii"), chain_id=chain_id):
        return None
    return Reading(Network.EVM, "0x" + lower, checksum=Checksum.EIP55)
