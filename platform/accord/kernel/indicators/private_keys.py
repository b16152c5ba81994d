"""Private keys and seed phrases: recognised so that they are refused, never to be kept or shown.

Invariant: an error raised here carries a code and a count of characters, nothing of the text.
A mistyped key is still nearly a key, so shape is enough where no address has that shape.
Sources: Bitcoin Core WIF, BIP-32, BIP-38, BIP-39, SEP-23, XRP Ledger seeds, CIP-5, Solana CLI.
"""

import functools
import re
import unicodedata

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from mnemonic import Mnemonic

from accord.kernel.errors import Malformed
from accord.kernel.indicators import base58
from accord.kernel.indicators.cleaning import QUOTES
from accord.kernel.indicators.digests import sha256d
from accord.kernel.indicators.kinds import MAX_INPUT

PHRASE_LENGTHS = frozenset({12, 13, 15, 18, 21, 24, 25})
"""Words of a BIP-39 phrase, and 13 and 25 of Monero's older and newer phrases."""

_MONERO_LENGTHS = frozenset({13, 25})
_RUN = 11
_WIF_LENGTHS = range(50, 53)
_SHORTEST = 29
"""Characters of the shortest private key that is recognised: a seed of the XRP Ledger."""
_EXTENDED = re.compile(
    r"(?:[xyztuvYZUV]prv|Ltpv|Mtpv|dgpv|ttpv)[1-9A-HJ-NP-Za-km-z]{90,115}"  # BIP-32
).fullmatch
_SHAPES = re.compile(
    r"(?:[5KLc9][1-9A-HJ-NP-Za-km-z]{50,51}"  # WIF of Bitcoin and its test networks
    r"|6P[1-9A-HJ-NP-Za-km-z]{56}"  # BIP-38
    r"|s(?:Ed[1-9A-HJ-NP-Za-km-z]{28}|[1-9A-HJ-NP-Za-km-z]{28})"  # XRP Ledger seed
    r"|S[A-Z2-7]{55}"  # Stellar secret seed
    r"|(?:ed25519e?|acct|addr|addr_shared|root|stake|stake_shared|policy|pool|drep|cc_cold|cc_hot)"
    r"_(?:shared_)?x?sk1[02-9ac-hj-np-z]{50,300}"  # CIP-5
    r"|(?:secret-extended-key-(?:main|test)|secret-spending-key-main|nsec|age-secret-key-)"
    r"1[02-9ac-hj-np-z]{40,400}"
    r"|SECRET-EXTENDED-KEY-MAIN1[02-9AC-HJ-NP-Z]{40,400}|AGE-SECRET-KEY-1[0-9A-Z]{40,400}"
    r"|edsk[1-9A-HJ-NP-Za-km-z]{50,94})"
).fullmatch
_BYTE_LIST = re.compile(r"\[?(?:[0-9]{1,3},){31,127}[0-9]{1,3},?\]?").fullmatch
_PEM = re.compile(r"BEGIN[A-Z0-9\s]*PRIVATE\s*KEY").search
_WORD = re.compile(r"[^\W\d_]+")
_ALMOST = 0.8
_SEPARATORS = re.compile(r"[\s?&=/:#|,;()]+")
_AROUND = QUOTES + ";,.:"


def refuse_secrets(text: str) -> None:
    """Raise when ``text`` is, or holds as one of its words, a private key or seed phrase.

    Raises:
        Malformed: ``private_key`` or ``seed_phrase``; never with any part of ``text``.
    """
    refuse_phrase(text)
    begin = text[:MAX_INPUT]
    if _PEM(begin):
        raise _private_key(text)
    if len(begin) < _SHORTEST:
        return
    words = begin.split()
    parts = {"".join(words), *words, *_SEPARATORS.split(begin)}
    long = {part for part in parts if len(part) >= _SHORTEST}
    # Taking off what stands around a part makes it shorter, and may make a key of it.
    long |= {part.strip(_AROUND) for part in long}
    if any(map(_is_key, long)):
        raise _private_key(text)


def refuse_proven_keys(text: str) -> None:
    """Raise when a part of a URL is a private key beyond doubt; many tokens have a key's shape.

    Raises:
        Malformed: ``private_key``.
    """
    parts = _SEPARATORS.split(text) if len(text) > _WIF_LENGTHS[0] else ()
    for part in parts:
        if _EXTENDED(part):
            raise _private_key(text)
        if len(part) in _WIF_LENGTHS:
            data = base58.decode_any(part.encode("utf-8"), limit=max(_WIF_LENGTHS))
            if data is not None and _is_wif(data):
                raise _private_key(text)


def _private_key(text: str) -> Malformed:
    return Malformed(
        "private_key",
        "This is a private key, not an address. It was not kept.",
        observed=f"{len(text)} characters",
        next_step="Send the address that belongs to it, and treat the key as exposed.",
    )


def refuse_phrase(text: str) -> None:
    """Raise when ``text`` holds a seed phrase.

    Raises:
        Malformed: ``seed_phrase``.
    """
    if text.isascii() and (len(text) < 35 or text.isalnum()):
        return
    composed = unicodedata.normalize("NFC", text[:20000])
    words = _WORD.findall(composed)
    if len(words) >= _RUN and _is_phrase([word.casefold() for word in words], composed):
        raise Malformed(
            "seed_phrase",
            "This is a seed phrase, which gives away a whole wallet. It was not kept.",
            observed=f"{len(words)} words",
            next_step="Send the address that belongs to it, and treat the phrase as exposed.",
        )


def _is_phrase(words: list[str], text: str) -> bool:
    known = _phrase_words()
    run = longest = count = 0
    for word in words:
        run = run + 1 if word in known else 0
        longest = max(longest, run)
        count += word in known
    if longest >= _RUN:
        return True
    if len(words) not in PHRASE_LENGTHS:
        return False
    return count >= _ALMOST * len(words) or _may_be_monero(words, text)


def _may_be_monero(words: list[str], text: str) -> bool:
    """Monero's last word repeats an earlier one as a checksum; no list of its words is here.

    Without that repetition only bare lower-case words count: prose has other signs, and a path of
    thirteen words is a URL.
    """
    if len(words) not in _MONERO_LENGTHS or "/" in text:
        return False
    if not all(3 <= len(word) <= 14 for word in words):
        return False
    return words[-1] in words[:-1] or (text.islower() and "".join(text.split()).isalpha())


@functools.cache
def _phrase_words() -> frozenset[str]:
    """The words of all BIP-39 lists that the package carries."""
    return frozenset(
        unicodedata.normalize("NFC", word)
        for language in Mnemonic.list_languages()
        for word in Mnemonic(language).wordlist
    )


def _is_key(text: str) -> bool:
    if not text.isascii() or not _SHORTEST <= len(text) <= MAX_INPUT:
        return False
    if _SHAPES(text) or _EXTENDED(text) or _BYTE_LIST(text):
        return True
    data = base58.decode_any(text.encode("ascii"), limit=90)
    if data is None:
        return False
    return _is_solana_keypair(data) if len(data) == 64 else _is_wif(data)


def _is_wif(data: bytes) -> bool:
    """WIF of all coins: a version byte of 128 or more, 32 bytes, and 01 for a compressed key."""
    sized = len(data) == 37 or (len(data) == 38 and data[33] == 1)
    return sized and data[0] >= 0x80 and sha256d(data[:-4])[:4] == data[-4:]


def _is_solana_keypair(data: bytes) -> bool:
    """A wallet's export is seed and public key; a signature has the same length."""
    public = Ed25519PrivateKey.from_private_bytes(data[:32]).public_key().public_bytes_raw()
    return public == data[32:]
