"""Which wallet format a cleaned text is of: one table of shapes over the decoders.

Formats with a checksum are tried first and those without last, because an upper-case Litecoin
address can also be 32 bytes of base58, which is all that Solana asks for. The text must be ASCII
without white space (``cleaning``). A text that no decoder takes is explained by ``diagnosis``.
"""

import re

from accord.kernel.indicators import accounts, bitcoin_family, cardano, zcash
from accord.kernel.indicators.cashaddr import cash_address
from accord.kernel.indicators.evm import evm_address
from accord.kernel.indicators.kinds import Network, Reading
from accord.kernel.indicators.monero import LENGTHS as MONERO_LENGTHS
from accord.kernel.indicators.monero import monero_address

SHORTEST = 14
"""Fewest characters of any address (a witness program of two bytes)."""

_ALL_BASE58 = re.compile(r"[1-9A-HJ-NP-Za-km-z]+").fullmatch
_HEX40 = re.compile(r"[0-9a-fA-F]{40}").fullmatch
_CASH_LENGTHS = range(42, 113)


def read_wallet(
    text: str, network: Network | None = None, chain_id: int | None = None
) -> Reading | None:
    """Return the reading of ``text``, or ``None`` when it is no address (of ``network``).

    Args:
        text: cleaned ASCII text.
        network: read as this network only; ``None`` takes the likeliest.
        chain_id: EIP-155 id, where the network was named by one.
    """
    if len(text) < SHORTEST:
        return None
    reading = _recognise(text, network, chain_id)
    if reading is None or network not in (None, reading.network):
        return None
    return reading


def _recognise(text: str, network: Network | None, chain_id: int | None) -> Reading | None:
    if text[:2] in ("0x", "0X"):
        if network is Network.DOT:
            return accounts.substrate_key(text)
        return evm_address(text, chain_id)
    reading = _by_prefix(text)
    if reading is None and (_ALL_BASE58(text) or text[0] == "r"):
        reading = _base58_forms(text, network)
    if reading is None and ":" in text:
        reading = accounts.ton_account(text) or cash_address(text)
    if reading is None and len(text) in _CASH_LENGTHS and text[0] in "qpzrQPZR":
        reading = cash_address(text)
    if reading is None and len(text) == 48:
        reading = accounts.ton_account(text)
    if reading is None and text[0] in "GMCLB" and len(text) >= 56:
        reading = accounts.stellar_account(text)
    if reading is None and network is Network.TRX:
        reading = bitcoin_family.tron_hex(text)
    if reading is None and network is Network.EVM and _HEX40(text):
        reading = evm_address("0x" + text, chain_id)
    return reading


def _by_prefix(text: str) -> Reading | None:
    """Read a bech32 form by its human-readable part."""
    prefix = text[: text.rfind("1")].lower()
    if not prefix:
        return None
    if prefix in bitcoin_family.WITNESS:
        return bitcoin_family.witness_address(text)
    if prefix in cardano.PREFIXES:
        return cardano.shelley_address(text)
    if prefix in zcash.PREFIXES:
        return zcash.shielded_address(text)
    if prefix in accounts.COSMOS_PREFIXES or prefix in accounts.COSMOS_TEST_PREFIXES:
        return accounts.cosmos_account(text)
    if prefix.startswith(("ln", "sp", "tsp", "sprt", "ltcmweb", "tmweb")):
        return bitcoin_family.extended_address(text)
    return None


def _base58_forms(text: str, network: Network | None) -> Reading | None:
    """Read the formats of base58 characters by length, those with a checksum first."""
    size = len(text)
    reading: Reading | None = None
    if 25 <= size <= 35:
        if text[0] == "r":
            reading = accounts.ripple_classic(text)
        if reading is None and _ALL_BASE58(text):
            reading = bitcoin_family.base58_address(text, network)
        if reading is None and size == 35:
            reading = bitcoin_family.zcash_transparent(text)
    elif size in MONERO_LENGTHS:
        reading = monero_address(text)
    elif 45 <= size <= 51:
        if size == 47 and text[0] in "XT":
            reading = accounts.ripple_x_address(text)
        reading = reading or accounts.substrate_account(text)
    if reading is None and 50 < size < 130:
        reading = cardano.byron_address(text)
    if reading is None and 32 <= size <= 44:
        reading = accounts.solana_account(text)
    return reading
