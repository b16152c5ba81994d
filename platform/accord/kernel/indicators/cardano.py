"""Cardano addresses: Shelley (bech32, CIP-19) and Byron (base58 of CBOR with a CRC).

Payment and stake credentials are aliases: addresses that share a stake credential belong to one
wallet, and one payment credential appears under several addresses.
"""

import binascii

from accord.kernel.indicators import base58, bech32
from accord.kernel.indicators.kinds import Network, Reading

PREFIXES = frozenset({"addr", "addr_test", "stake", "stake_test"})
_CREDENTIAL = 28
_MAX_BYRON = 140


def shelley_address(text: str) -> Reading | None:
    """Read a base, pointer, enterprise or stake address, or return ``None``."""
    parts = bech32.split(text, limit=200)
    if parts is None or parts.prefix not in PREFIXES:
        return None
    data = parts.payload()
    if parts.constant != bech32.Encoding.BECH32 or not data:
        return None
    kind, network = data[0] >> 4, data[0] & 15
    if network > 1 or (network == 0) != parts.prefix.endswith("_test"):
        return None
    if not _length_fits(kind, len(data) - 1, stake=parts.prefix.startswith("stake")):
        return None
    first, second = data[1 : 1 + _CREDENTIAL].hex(), data[1 + _CREDENTIAL :].hex()
    aliases: tuple[str, ...] = (f"ada-payment:{first}",)
    if kind >= 14:
        aliases = (f"ada-stake:{first}",)
    elif kind <= 3:
        aliases = (f"ada-payment:{first}", f"ada-stake:{second}")
    return Reading(Network.ADA, parts.text, network == 1, aliases=aliases)


def _length_fits(kind: int, size: int, *, stake: bool) -> bool:
    """CIP-19 header types: 0-3 base, 4-5 pointer, 6-7 enterprise, 14-15 stake."""
    if stake:
        return kind in (14, 15) and size == _CREDENTIAL
    if kind <= 3:
        return size == 2 * _CREDENTIAL
    if kind in (4, 5):
        return _CREDENTIAL + 3 <= size <= _CREDENTIAL + 30
    return kind in (6, 7) and size == _CREDENTIAL


def byron_address(text: str) -> Reading | None:
    """Read a Byron address, or return ``None``.

    CBOR: array of two, tag 24 over the payload bytes, CRC-32 of them in the shortest integer form.
    """
    data = base58.decode_any(text.encode("ascii"), limit=_MAX_BYRON)
    if data is None or len(data) < 9 or data[:4] != b"\x82\xd8\x18\x58":
        return None
    size = data[4]
    payload, check = data[5 : 5 + size], data[5 + size :]
    if len(payload) != size or _integer(check) != binascii.crc32(payload):
        return None
    if payload[:3] != b"\x83\x58\x1c":
        return None
    live = _byron_live(payload[3 + _CREDENTIAL :])
    return None if live is None else Reading(Network.ADA, text, live)


def _integer(data: bytes) -> int | None:
    """Return a CBOR unsigned integer in its shortest form that fills ``data``, else ``None``."""
    if len(data) == 1 and data[0] < 24:
        return data[0]
    for first, size, least in ((0x18, 2, 24), (0x19, 3, 1 << 8), (0x1A, 5, 1 << 16)):
        if data[:1] == bytes([first]) and len(data) == size:
            value = int.from_bytes(data[1:], "big")
            return value if value >= least else None
    return None


def _byron_live(rest: bytes) -> bool | None:
    """Read attributes {1: derivation path, 2: network magic} and type 0 or 2; ``None`` if wrong."""
    if len(rest) < 2 or rest[0] not in (0xA0, 0xA1, 0xA2) or rest[-1] not in (0, 2):
        return None
    at, end, live = 1, len(rest) - 1, True
    for _ in range(rest[0] & 3):
        if at + 1 >= end or rest[at] not in (1, 2) or rest[at + 1] >> 5 != 2:
            return None
        live = live and rest[at] != 2
        if rest[at + 1] == 0x58:
            if at + 2 >= end:
                return None
            at += 3 + rest[at + 2]
        else:
            at += 2 + (rest[at + 1] & 31)
    return live if at == end else None
