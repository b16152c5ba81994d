"""Bitcoin, Litecoin, Dogecoin, Dash, Tron and transparent Zcash: base58check and witness programs.

Sources: Bitcoin Core key_io and chainparams, BIP-141/173/350 (witness), BIP-352 (silent payment),
BOLT-11 (invoice), Litecoin MWEB, SLIP-0044 registrations of version bytes.
One string can be an address on several networks (``1…`` on Bitcoin and Bitcoin Cash, ``3…`` also
on Litecoin): without a network the first row of ``VERSIONS`` is taken and the others are flagged.
"""

import re

from accord.kernel.indicators import base58, bech32
from accord.kernel.indicators.cashaddr import P2PKH, P2SH, encode_cash
from accord.kernel.indicators.kinds import Network, Reading

BTC, LTC, DOGE, DASH, TRX, BCH, ZEC = (
    Network.BTC,
    Network.LTC,
    Network.DOGE,
    Network.DASH,
    Network.TRX,
    Network.BCH,
    Network.ZEC,
)

VERSIONS: dict[int, tuple[tuple[Network, bool, str], ...]] = {
    0x00: ((BTC, True, "p2pkh"), (BCH, True, "p2pkh")),
    0x05: ((BTC, True, "p2sh"), (BCH, True, "p2sh"), (LTC, True, "p2sh-old")),
    0x6F: ((BTC, False, "p2pkh"), (BCH, False, "p2pkh"), (LTC, False, "p2pkh")),
    0xC4: (
        (BTC, False, "p2sh"),
        (BCH, False, "p2sh"),
        (LTC, False, "p2sh-old"),
        (DOGE, False, "p2sh"),
    ),
    0x30: ((LTC, True, "p2pkh"),),
    0x32: ((LTC, True, "p2sh"),),
    0x3A: ((LTC, False, "p2sh"),),
    0x1E: ((DOGE, True, "p2pkh"),),
    0x16: ((DOGE, True, "p2sh"),),
    0x71: ((DOGE, False, "p2pkh"),),
    0x4C: ((DASH, True, "p2pkh"),),
    0x10: ((DASH, True, "p2sh"),),
    0x8C: ((DASH, False, "p2pkh"),),
    0x13: ((DASH, False, "p2sh"),),
    0x41: ((TRX, True, "account"),),
}
"""Version byte of a 25-byte base58check address: (network, live, form), the likeliest first."""

ZCASH_VERSIONS = {
    b"\x1c\xb8": True,
    b"\x1c\xbd": True,
    b"\x1d\x25": False,
    b"\x1c\xba": False,
}
"""Two version bytes of a 26-byte transparent Zcash address: live or not."""

WITNESS = {
    "bc": (BTC, True),
    "tb": (BTC, False),
    "bcrt": (BTC, False),
    "ltc": (LTC, True),
    "tltc": (LTC, False),
    "rltc": (LTC, False),
}
"""Human-readable part of a witness address: network and whether it is live."""

ALSO = {
    version: tuple(sorted(f"also_{network}" for network, _, _ in rows[1:]))
    for version, rows in VERSIONS.items()
}
"""Flags of a reading that was made without a network."""

_INVOICE = re.compile(r"ln(bcrt|bc|tbs|tb)(?:[0-9]+[munp]?)?").fullmatch
_INVOICE_SYMBOLS = 7 + 104 + 6
_SILENT = {"sp": True, "tsp": False, "sprt": False}
_MWEB = {"ltcmweb": True, "tmweb": False}


def base58_address(text: str, network: Network | None) -> Reading | None:
    """Read a 25-byte base58check address; ``None`` when it is none (of ``network``)."""
    payload = base58.decode_check(text.encode("ascii"), 25)
    if payload is None:
        return None
    rows = VERSIONS.get(payload[0], ())
    for found, live, form in rows:
        if network is None or network is found:
            flags = ALSO[payload[0]] if network is None else ()
            return Reading(found, _canonical(text, payload, found, form), live, flags=flags)
    return None


def _canonical(text: str, payload: bytes, network: Network, form: str) -> str:
    live = payload[0] in (0x00, 0x05)
    if network is BCH:
        prefix = "bitcoincash" if live else "bchtest"
        return encode_cash(prefix, P2PKH if form == "p2pkh" else P2SH, payload[1:])
    if form == "p2sh-old":
        return base58.encode_check((b"\x32" if live else b"\x3a") + payload[1:])
    return text


def zcash_transparent(text: str) -> Reading | None:
    """Read a 26-byte ``t1…`` or ``t3…`` address, or return ``None``."""
    payload = base58.decode_check(text.encode("ascii"), 26)
    if payload is None:
        return None
    live = ZCASH_VERSIONS.get(payload[:2])
    return None if live is None else Reading(ZEC, text, live)


def tron_hex(text: str) -> Reading | None:
    """Read ``41`` and 40 hexadecimal digits as Tron's hexadecimal spelling, or return ``None``."""
    if re.fullmatch(r"41[0-9a-fA-F]{40}", text) is None:
        return None
    return Reading(TRX, base58.encode_check(bytes.fromhex(text)), flags=("hexadecimal",))


def witness_address(text: str) -> Reading | None:
    """Read a segwit or taproot address (BIP-350), or return ``None``.

    Programs of a version or length without a meaning yet are valid and flagged.
    """
    parts = bech32.split(text)
    if parts is None or parts.prefix not in WITNESS or len(parts.symbols) < 7:
        return None
    version = parts.symbols[0]
    expected = bech32.Encoding.BECH32 if version == 0 else bech32.Encoding.BECH32M
    program = parts.payload(1)
    if version > 16 or parts.constant != expected or program is None:
        return None
    size = len(program)
    if not 2 <= size <= 40 or (version == 0 and size not in (20, 32)):
        return None
    known = version == 0 or (version == 1 and size == 32)
    network, live = WITNESS[parts.prefix]
    return Reading(network, parts.text, live, flags=() if known else ("witness_unknown",))


def extended_address(text: str) -> Reading | None:
    """Read an MWEB address, a silent payment address or a BOLT-11 invoice, or return ``None``.

    An invoice asks for one payment and expires; it is kept as a wallet of Bitcoin with the flag
    ``one_time``, so that a reader does not take it for a lasting wallet.
    """
    parts = bech32.split(text, limit=8000)
    if parts is None:
        return None
    if parts.prefix in _MWEB:
        return _mweb(parts)
    invoice = _INVOICE(parts.prefix)
    if invoice is not None:
        right = parts.constant == bech32.Encoding.BECH32
        if not right or len(parts.symbols) < _INVOICE_SYMBOLS:
            return None
        return Reading(BTC, parts.text, invoice.group(1) == "bc", flags=("lightning", "one_time"))
    if parts.prefix in _SILENT:
        return _silent_payment(parts)
    return None


def _mweb(parts: bech32.Text) -> Reading | None:
    # Litecoin Core uses bech32, not bech32m, over version 0 and two compressed keys.
    if parts.constant != bech32.Encoding.BECH32 or parts.symbols[0] != 0:
        return None
    keys = parts.payload(1)
    if keys is None or len(keys) != 66 or keys[0] not in (2, 3) or keys[33] not in (2, 3):
        return None
    return Reading(LTC, parts.text, _MWEB[parts.prefix], flags=("mweb",))


def _silent_payment(parts: bech32.Text) -> Reading | None:
    # BIP-352: version 0 has exactly 66 bytes; later versions may append data.
    keys = parts.payload(1)
    if parts.constant != bech32.Encoding.BECH32M or keys is None or len(keys) < 66:
        return None
    if (parts.symbols[0] == 0 and len(keys) != 66) or parts.symbols[0] == 31:
        return None
    if keys[0] not in (2, 3) or keys[33] not in (2, 3):
        return None
    return Reading(BTC, parts.text, _SILENT[parts.prefix], flags=("silent_payment",))
