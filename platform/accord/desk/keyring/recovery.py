"""The offline recovery key on paper: two lines of 24 words, or one line for a scanner.

Each half of the key (Ed25519, ML-DSA-65) is 32 bytes: 24 words of BIP-39 English, the last of
which carries 8 bits of check. The scanner's line is ``accord-recovery:1:`` and the 64 bytes in
base64. Both are the private key itself: whoever reads them has it.
"""

import re

from mnemonic import Mnemonic

from accord.kernel.encoding import b64decode, b64encode
from accord.kernel.errors import AccordError, Malformed
from accord.kernel.keys import SEED_SIZE, SigningKeyPair

WORDS = 24
"""Words of one half."""

MAX_TEXT = 4096
_LINE = "accord-recovery:1:"
_SIZES = 2 * SEED_SIZE
_WORD = re.compile(r"[a-z]+")


def recovery_words(pair: SigningKeyPair) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the two lines of 24 words."""
    first, second = (tuple(_list().to_mnemonic(seed).split()) for seed in pair.seeds)
    return first, second


def recovery_line(pair: SigningKeyPair) -> str:
    """Return the line that the sheet's QR code carries."""
    return _LINE + b64encode(b"".join(pair.seeds))


def parse_recovery(text: str) -> SigningKeyPair:
    """Return the recovery key of 48 words, or of the scanner's line.

    Numbers, commas and line ends between the words are passed over, so that a sheet can be typed
    as it is printed.

    Raises:
        Malformed: ``recovery_words_wrong``; the words themselves are never repeated.
    """
    bare = text[:MAX_TEXT].strip()
    if bare.startswith(_LINE):
        try:
            seeds = b64decode(bare.removeprefix(_LINE), length=_SIZES)
        except AccordError as error:
            raise _wrong_words(where="scanned line", what="is not whole") from error
        return SigningKeyPair.from_seeds(seeds[:SEED_SIZE], seeds[SEED_SIZE:])
    words = _WORD.findall(bare.lower())
    if len(words) != 2 * WORDS:
        raise _wrong_words(where=str(len(words)), what="words, where 48 are needed")
    return SigningKeyPair.from_seeds(_half(words[:WORDS], 1), _half(words[WORDS:], 2))


def _half(words: list[str], number: int) -> bytes:
    known = _list()
    for place, word in enumerate(words, 1):
        if word not in known.wordlist:
            raise _wrong_words(where=f"word {place} of part {number}", what="is not in the list")
    phrase = " ".join(words)
    if not known.check(phrase):
        raise _wrong_words(where=f"part {number}", what="does not fit its last word")
    return bytes(known.to_entropy(phrase))


def _list() -> Mnemonic:
    return Mnemonic("english")


def _wrong_words(*, where: str, what: str) -> Malformed:
    return Malformed(
        "recovery_words_wrong",
        "These are not the 48 words of a recovery sheet.",
        observed=f"{where} {what}",
        next_step="Type both parts as they are printed, in order.",
    )
