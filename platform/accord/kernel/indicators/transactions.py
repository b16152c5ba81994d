"""Transaction ids of each network, in one spelling.

Hexadecimal ids are lower case, with ``0x`` on ``evm`` and ``dot`` and without elsewhere (XRP Ledger
and Cosmos explorers show upper case). Solana's are base58 of 64 bytes. An id has no checksum.
An id without a network is refused: 64 hexadecimal digits may as well be a private key or the
digest of a file, which Accord never carries, and 64 bytes of base58 a Monero address cut short.
"""

import base64
import re

from accord.kernel.indicators import base58
from accord.kernel.indicators.kinds import Kind, Network, Normalised

PREFIXED = frozenset({Network.EVM, Network.DOT})
_HEX = re.compile(r"(?:0[xX])?([0-9a-fA-F]{64})").fullmatch
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{43}=?").fullmatch
_NOTHING = "0" * 64


def looks_like_id(text: str) -> bool:
    """Say whether ``text`` is 64 hexadecimal digits or base58 of 64 bytes."""
    return _HEX(text) is not None or _solana(text) is not None


def read_transaction(text: str, network: Network, *, asked: bool = True) -> Normalised | None:
    """Return the transaction of ``network`` that ``text`` names, or ``None``.

    Args:
        text: cleaned ASCII text.
        network: where it happened; an id does not say so itself.
        asked: a transaction is expected; without that, TON's base64 is not taken for one, because
            an address that lost its last five characters looks the same.
    """
    if network is Network.SOL:
        value = _solana(text)
    else:
        value = _hexadecimal(text, network)
        if value is None and asked and network is Network.TON:
            value = _ton_base64(text)
    return None if value is None else Normalised(Kind.TRANSACTION, network, value)


def _hexadecimal(text: str, network: Network) -> str | None:
    found = _HEX(text)
    digits = found.group(1).lower() if found else None
    if digits is None or digits == _NOTHING:
        return None
    return "0x" + digits if network in PREFIXED else digits


def _ton_base64(text: str) -> str | None:
    if _BASE64(text) is None:
        return None
    plain = text.rstrip("=").replace("-", "+").replace("_", "/") + "="
    data = base64.b64decode(plain)
    # The last character carries two spare bits; only zero is the one spelling of these bytes.
    return data.hex() if base64.b64encode(data).decode("ascii") == plain else None


def _solana(text: str) -> str | None:
    if not 64 <= len(text) <= 88:
        return None
    data = base58.decode(text.encode("ascii"), 64)
    return None if data is None or not any(data) else text
