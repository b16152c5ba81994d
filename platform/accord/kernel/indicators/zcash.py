"""Zcash shielded and unified addresses.

A unified address (ZIP-316) holds receivers; each is an alias, because a bare ``t1…`` and a unified
address that contains it can be one wallet. A TEX address (ZIP-320) is a transparent address that
refuses shielded money: its canonical value is that transparent address.
"""

from hashlib import blake2b

from accord.kernel.indicators import base58, bech32
from accord.kernel.indicators.kinds import Network, Reading

UNIFIED = {"u": (True, 0), "utest": (False, 0), "zu": (True, 2), "tu": (False, 2)} | {
    "zutest": (False, 2)
}
"""Human-readable part of a unified address: live, revision."""

SAPLING = {"zs": True, "ztestsapling": False}
TEX = {"tex": True, "textest": False}
PREFIXES = frozenset(UNIFIED) | frozenset(SAPLING) | frozenset(TEX)

_RECEIVER_SIZES = {0: 20, 1: 20, 2: 43, 3: 43}
_PADDING = 16
_MAX_TEXT = 1200
_METADATA = range(0xC0, 0xFD)
_EXPIRY = range(0xE0, 0xFD)


def shielded_address(text: str) -> Reading | None:
    """Read a Sapling, TEX or unified address, or return ``None``."""
    parts = bech32.split(text, limit=_MAX_TEXT)
    if parts is None or parts.prefix not in PREFIXES:
        return None
    data = parts.payload()
    if data is None:
        return None
    if parts.prefix in SAPLING:
        right = parts.constant == bech32.Encoding.BECH32 and len(data) == 43
        return Reading(Network.ZEC, parts.text, SAPLING[parts.prefix]) if right else None
    if parts.constant != bech32.Encoding.BECH32M:
        return None
    if parts.prefix in TEX:
        live = TEX[parts.prefix]
        if len(data) != 20:
            return None
        return Reading(Network.ZEC, _transparent(data, live=live), live, flags=("tex",))
    return _unified(parts, data)


def _transparent(digest: bytes, *, live: bool, script: bool = False) -> str:
    versions = {
        (True, False): b"\x1c\xb8",
        (True, True): b"\x1c\xbd",
        (False, False): b"\x1d\x25",
        (False, True): b"\x1c\xba",
    }
    return base58.encode_check(versions[live, script] + digest)


def _unified(parts: bech32.Text, data: bytes) -> Reading | None:
    live, revision = UNIFIED[parts.prefix]
    if len(data) < 48:
        return None
    plain = _unjumble(data)
    if plain[-_PADDING:] != parts.prefix.encode("ascii").ljust(_PADDING, b"\0"):
        return None
    items = _items(plain[:-_PADDING])
    if items is None or not _receivers_allowed(items, revision):
        return None
    aliases = []
    if 0 in items:
        aliases.append(_transparent(items[0], live=live))
    if 1 in items:
        aliases.append(_transparent(items[1], live=live, script=True))
    if 2 in items:
        aliases.append(f"zec-sapling:{items[2].hex()}")
    if 3 in items:
        aliases.append(f"zec-orchard:{items[3].hex()}")
    return Reading(Network.ZEC, parts.text, live, aliases=tuple(aliases), flags=("unified",))


def _receivers_allowed(items: dict[int, bytes], revision: int) -> bool:
    """ZIP-316: not both transparent forms; a receiver; in revision 0 a shielded one, no expiry."""
    receivers = {code for code in items if code not in _METADATA}
    if {0, 1} <= receivers or not receivers:
        return False
    if revision:
        return True
    return bool(receivers - {0, 1}) and not any(code in _EXPIRY for code in items)


def _items(data: bytes) -> dict[int, bytes] | None:
    """Return typecode → value, typecodes strictly rising; ``None`` when the encoding is wrong."""
    items: dict[int, bytes] = {}
    at, last = 0, -1
    while at < len(data):
        code, at = _compact_size(data, at)
        size, at = _compact_size(data, at)
        value = data[at : at + size]
        at += size
        if code <= last or size < 0 or len(value) != size:
            return None
        if _RECEIVER_SIZES.get(code, size) != size:
            return None
        items[code] = value
        last = code
    return items


def _compact_size(data: bytes, at: int) -> tuple[int, int]:
    """Return a shortest-form CompactSize and the place after it; -1 when it is none."""
    first = data[at] if at < len(data) else 255
    if first < 253:
        return first, at + 1
    size = {253: 2, 254: 4, 255: 8}[first]
    value = int.from_bytes(data[at + 1 : at + 1 + size], "little")
    least = {2: 253, 4: 1 << 16, 8: 1 << 32}[size]
    if len(data) < at + 1 + size or value < least:
        return -1, at + 1 + size
    return value, at + 1 + size


def _unjumble(message: bytes) -> bytes:
    """F4Jumble inverse (ZIP-316)."""
    left = min(64, len(message) // 2)
    c, d = message[:left], message[left:]
    y = _xor(c, _h(1, d, left))
    x = _xor(d, _g(1, y, len(d)))
    a = _xor(y, _h(0, x, left))
    return a + _xor(x, _g(0, a, len(d)))


def _h(turn: int, data: bytes, size: int) -> bytes:
    person = b"UA_F4Jumble_H" + bytes([turn, 0, 0])
    return blake2b(data, digest_size=size, person=person).digest()


def _g(turn: int, data: bytes, size: int) -> bytes:
    stream = b""
    for block in range(-(-size // 64)):
        person = b"UA_F4Jumble_G" + bytes([turn]) + block.to_bytes(2, "little")
        stream += blake2b(data, digest_size=64, person=person).digest()
    return stream[:size]


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
