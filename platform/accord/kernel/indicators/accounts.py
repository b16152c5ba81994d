"""Account formats of one decoder each: Solana, Substrate, XRP Ledger, Stellar, TON, Cosmos family.

Sources: Solana docs (base58 of 32 bytes), SS58 registry and specification, ripple-address-codec
and X-address specification, SEP-23 strkey, TEP-2, Cosmos ADR-028 with the prefixes listed here.
"""

import base64
import binascii
import re
from hashlib import blake2b

from accord.kernel.indicators import base58, bech32
from accord.kernel.indicators.kinds import Checksum, Network, Reading

COSMOS_PREFIXES = frozenset(
    {"cosmos", "osmo", "bnb", "inj", "terra", "kava", "thor", "juno", "akash", "celestia"}
    | {"dydx", "sei", "secret", "axelar", "noble", "stride", "evmos", "band", "iaa"}
)
COSMOS_TEST_PREFIXES = frozenset({"tbnb", "tthor", "tterra"})

STRKEY_SECRET = 18
"""Version number of a Stellar secret seed (``S…``)."""

_STRKEYS = {6: ("account", 35), 12: ("muxed", 43), 2: ("contract", 35)} | {
    11: ("liquidity-pool", 35),
    1: ("claimable-balance", 36),
}
_RFC4648 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_RFC4648_DIGITS = base58.digit_table(_RFC4648)
_TO_BASE32HEX = bytes.maketrans(_RFC4648, b"0123456789abcdefghijklmnopqrstuv")
_TON_RAW = re.compile(r"(?:-1|0):[0-9a-fA-F]{64}").fullmatch
_DOT_KEY = re.compile(r"0x(?:[0-9a-f]{64}|[0-9a-f]{66})").fullmatch


def solana_account(text: str) -> Reading | None:
    """Read base58 of exactly 32 bytes, or return ``None``. The format has no checksum."""
    if base58.decode(text.encode("ascii"), 32) is None:
        return None
    return Reading(Network.SOL, text, checksum=Checksum.NONE)


def substrate_account(text: str) -> Reading | None:
    """Read an SS58 address of a 32- or 33-byte key, or return ``None``.

    The same key under another prefix is the same owner: the value is ``0x`` and the key.
    """
    for size in (35, 36, 34, 37):
        data = base58.decode(text.encode("ascii"), size)
        if data is None:
            continue
        if data[0] & 0x80:
            return None
        two = data[0] & 0x40 != 0
        start = 2 if two else 1
        prefix = data[0]
        if two:
            prefix = ((data[0] & 0x3F) << 2 | data[1] >> 6) | (data[1] & 0x3F) << 8
        digest = blake2b(b"SS58PRE" + data[:-2], digest_size=64).digest()
        if size - start - 2 in (32, 33) and digest[:2] == data[-2:]:
            value = "0x" + data[start:-2].hex()
            return Reading(Network.DOT, value, flags=(f"ss58_{prefix}",))
    return None


def substrate_key(text: str) -> Reading | None:
    """Read our own canonical spelling of a Substrate key, or return ``None``."""
    return Reading(Network.DOT, text) if _DOT_KEY(text) else None


def ripple_classic(text: str) -> Reading | None:
    """Read a classic ``r…`` address, or return ``None``."""
    payload = base58.decode_check(text.encode("ascii"), 25, base58.RIPPLE)
    return Reading(Network.XRP, text) if payload is not None and payload[0] == 0 else None


def ripple_x_address(text: str) -> Reading | None:
    """Read an X-address as classic address and destination tag, or return ``None``."""
    payload = base58.decode_check(text.encode("ascii"), 35, base58.RIPPLE)
    if payload is None or payload[:2] not in (b"\x05\x44", b"\x04\x93"):
        return None
    flag, tag = payload[22], int.from_bytes(payload[23:31], "little")
    if flag > 1 or tag >> 32 or (flag == 0 and tag):
        return None
    return Reading(
        Network.XRP,
        base58.encode_check(b"\0" + payload[2:22], base58.RIPPLE),
        payload[:2] == b"\x05\x44",
        memo=str(tag) if flag else None,
        flags=("x_address",),
    )


def strkey(text: str) -> tuple[int, bytes] | None:
    """Return version number and whole bytes of a Stellar strkey with a right CRC, or ``None``."""
    if len(text) % 8 in (1, 3, 6) or not text:
        return None
    characters = text.encode("ascii")
    if b"\xff" in characters.translate(_RFC4648_DIGITS):
        return None
    bits = len(characters) * 5
    padding = bits & 7
    number = int(characters.translate(_TO_BASE32HEX), 32)
    if number & ((1 << padding) - 1):
        return None
    data = (number >> padding).to_bytes(bits >> 3, "big")
    if len(data) < 4 or data[0] & 7:
        return None
    if binascii.crc_hqx(data[:-2], 0).to_bytes(2, "little") != data[-2:]:
        return None
    return data[0] >> 3, data


def stellar_account(text: str) -> Reading | None:
    """Read a G, M, C, L or B strkey (SEP-23), or return ``None``.

    A muxed account is its account and a memo id, which goes beside it.
    """
    found = strkey(text)
    if found is None or found[0] not in _STRKEYS:
        return None
    form, size = _STRKEYS[found[0]]
    data = found[1]
    if len(data) != size or (form == "claimable-balance" and data[1] != 0):
        return None
    if form != "muxed":
        return Reading(Network.XLM, text)
    body = b"\x30" + data[1:33]
    check = binascii.crc_hqx(body, 0).to_bytes(2, "little")
    value = base64.b32encode(body + check).rstrip(b"=").decode("ascii")
    memo = str(int.from_bytes(data[33:41], "big"))
    return Reading(Network.XLM, value, memo=memo, flags=("muxed",))


def ton_account(text: str) -> Reading | None:
    """Read a raw or user-friendly TON address, or return ``None``; the value is the raw form.

    Bounceable, non-bounceable and both base64 alphabets are spellings of one account.
    """
    if _TON_RAW(text):
        return Reading(Network.TON, text.lower(), checksum=Checksum.NONE)
    if len(text) != 48:
        return None
    try:
        data = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error:
        return None
    if len(data) != 36 or data[0] & 0x7F not in (0x11, 0x51) or data[1] not in (0, 255):
        return None
    if binascii.crc_hqx(data[:34], 0).to_bytes(2, "big") != data[34:]:
        return None
    workchain = "-1:" if data[1] else "0:"
    return Reading(Network.TON, workchain + data[2:34].hex(), not data[0] & 0x80)


def cosmos_account(text: str) -> Reading | None:
    """Read a bech32 account of a known chain of the Cosmos family, or return ``None``.

    The same key under another prefix is the same owner: the key's digest is an alias.
    """
    parts = bech32.split(text)
    if parts is None or parts.constant != bech32.Encoding.BECH32:
        return None
    live = parts.prefix in COSMOS_PREFIXES
    if not live and parts.prefix not in COSMOS_TEST_PREFIXES:
        return None
    digest = parts.payload()
    if digest is None or len(digest) not in (20, 32):
        return None
    alias = (f"cosmos-hash:{digest.hex()}",)
    return Reading(Network.COSMOS, parts.text, live, aliases=alias)
