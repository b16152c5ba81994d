"""Why a text is no address: one stable code, by shape, for the person who has to mend the row.

It runs only after every decoder has said no; it accepts nothing.
"""

import re

from accord.kernel.errors import Malformed
from accord.kernel.indicators import accounts, base58, bech32, bitcoin_family, cardano, zcash
from accord.kernel.indicators.evm import ADDRESS
from accord.kernel.indicators.monero import LENGTHS as MONERO_LENGTHS

_SPREADSHEET = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]{1,3}").fullmatch
_SHORTENED = re.compile(r"\.{2,}|…|\*{3,}")
_BASE58 = re.compile(r"[1-9A-HJ-NP-Za-km-z]+").fullmatch
_HEXADECIMAL = re.compile(r"0[xX][0-9a-fA-F]*").fullmatch
_STRKEY = re.compile(r"[GMCLB][A-Z2-7]{55,68}").fullmatch
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{48}").fullmatch
_CASH = re.compile(r"(?:(?:bitcoincash|bchtest|bchreg):)?[qpzr][02-9ac-hj-np-z]{40,111}").fullmatch
_BITCOIN_LENGTHS = range(25, 36)
_ADDRESS_LENGTHS = range(42, 52)
_FOREIGN = {0x26: "Bitcoin Gold", 0x17: "Bitcoin Gold", 0x21: "Verge"}
_PREFIXES = (
    frozenset(bitcoin_family.WITNESS)
    | cardano.PREFIXES
    | zcash.PREFIXES
    | accounts.COSMOS_PREFIXES
    | accounts.COSMOS_TEST_PREFIXES
    | {"ltcmweb", "tmweb", "sp", "tsp", "sprt"}
)


def shortened(text: str) -> Malformed | None:
    """Return the refusal of a text that was cut for display or by a spreadsheet, else ``None``."""
    if _SHORTENED.search(text):
        return Malformed(
            "shortened",
            "The value was shortened for display.",
            observed=_size(text),
            next_step="Export the whole value.",
        )
    if _SPREADSHEET(text.strip()):
        return Malformed(
            "spreadsheet_damage",
            "A spreadsheet has turned the value into a rounded number.",
            observed=_size(text),
            next_step="Export the column as text.",
        )
    return None


def explain(text: str) -> Malformed:
    """Return the refusal of a cleaned ASCII text that no decoder took and that is not shortened."""
    if ADDRESS(text):
        return Malformed(
            "checksum_wrong",
            "Upper and lower case letters do not fit the checksum (EIP-55).",
            observed=_size(text),
            next_step="Compare with the source; on Rootstock say --network eip155:30.",
        )
    if _HEXADECIMAL(text):
        return Malformed(
            "wrong_length",
            "An account has 40 hexadecimal digits after 0x.",
            observed=f"{len(text) - 2} digits",
            next_step="Compare with the source: a character is missing or too many.",
        )
    foreign = _foreign(text)
    if foreign is not None:
        return foreign
    prefix = text[: text.rfind("1")].lower()
    if prefix in _PREFIXES or prefix.startswith(("lnbc", "lntb")):
        return _explain_bech32(text)
    if _has_checksum(text):
        return Malformed(
            "checksum_wrong",
            "The checksum is wrong: at least one character differs from the real address.",
            observed=_size(text),
            next_step="Compare with the source, character by character; case matters.",
        )
    return Malformed(
        "unknown_format",
        "This is no value of a known kind.",
        observed=_size(text),
        next_step="See docs/formats/indicators.md for what is carried.",
    )


def _foreign(text: str) -> Malformed | None:
    """Name the network of a sound base58check address that Accord has no rules for."""
    if len(text) not in _BITCOIN_LENGTHS or not _BASE58(text):
        return None
    payload = base58.decode_check(text.encode("ascii"), 25)
    if payload is None or payload[0] in bitcoin_family.VERSIONS:
        return None
    name = _FOREIGN.get(payload[0])
    return Malformed(
        "network_unsupported",
        "The address is sound, but its network is not one that is carried.",
        observed=name or f"version byte {payload[0]}",
        next_step="See docs/formats/indicators.md for the networks.",
    )


def _explain_bech32(text: str) -> Malformed:
    if text not in (text.lower(), text.upper()):
        return Malformed(
            "mixed_case",
            "This address is written in one case only.",
            observed=_size(text),
            next_step="Compare with the source.",
        )
    parts = bech32.split(text, limit=8000)
    if parts is not None and parts.constant in (bech32.Encoding.BECH32, bech32.Encoding.BECH32M):
        return Malformed(
            "wrong_length",
            "The checksum is right, but length, version or variant do not fit this prefix.",
            observed=_size(text),
            next_step="Compare with the source.",
        )
    return Malformed(
        "checksum_wrong",
        "The checksum is wrong: at least one character differs from the real address.",
        observed=_size(text),
        next_step="Compare with the source, character by character.",
    )


def _has_checksum(text: str) -> bool:
    size = len(text)
    if _BASE58(text):
        return size in _BITCOIN_LENGTHS or size in MONERO_LENGTHS or size in _ADDRESS_LENGTHS
    return bool(_STRKEY(text) or _CASH(text.lower()) or _BASE64(text))


def _size(text: str) -> str:
    return f"{len(text)} characters"
