"""The note guard: what may identify a person is masked before a note can leave the desk.

It errs towards masking. A note that holds a private key or seed phrase is left out whole. The row
itself is never refused for its note. This finds patterns, it does not understand text: people who
write notes still must not write about persons.
"""

import re
from typing import Final

from accord.kernel.errors import Malformed
from accord.kernel.indicators.private_keys import refuse_secrets

MASK: Final = "[masked]"
MAX_NOTE = 500

_HIDDEN = re.compile(
    "[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ud800-\udfff\ufff9-\ufffb]"
)
_UPPER = "A-Z\u00c0-\u00d6\u00d8-\u00de\u0100-\u017f\u0400-\u042f"
_WORD = rf"[{_UPPER}][^\W\d_]*(?:['\u2019-][^\W\d_]+)*"
_DATE = r"\d{1,4}[./-]\d{1,2}[./-]\d{2,4}"
_PERSON_WORDS = (
    r"victim|opfer|victime|v[i\u00ed]ctima|vittima|customer|kunde|kundin|client|cliente|owner"
    r"|inhaber(?:in)?|titulaire|titular|holder|suspect|verd[a\u00e4]chtige[rn]?|beschuldigte[rn]?"
    r"|name|naam|nom|nombre|nome|wallet\s+of|account\s+of|konto\s+von|belongs\s+to|geh\u00f6rt"
    r"|born|geboren|minor|child|kind"
)
_TITLES = r"Mrs?|Ms|Miss|Dr|Prof|Herrn?|Frau|Mme|Mlle|M|Sra?|Sig|Dhr|Mevr|Pan|Pani"
_CHAINS = frozenset(
    [
        "Bitcoin",
        "Cash",
        "Classic",
        "Ethereum",
        "Smart",
        "Chain",
        "Binance",
        "Tron",
        "Core",
        "Polygon",
        "Lightning",
        "Network",
        "Monero",
        "Litecoin",
        "Cash-out",
        "Tornado",
        "Zcash",
        "Ripple",
        "Stellar",
        "Solana",
        "Cardano",
    ]
)
_BORN = (
    r"(?i:\b(?:born|geb(?:\.|oren)?|n[\u00e9e]e?|dob|d\.o\.b\.?|nacid[oa]|nat[oa]|geburtsdatum)(?!\w))"
    r"[\s:,]*(?:(?i:am|on|le|el|il)\s+)?"
    rf"(?:{_DATE}|\d{{4}}|\d{{1,2}}\.?\s+[^\W\d_]+\s+\d{{4}})"
)
_IDENTITY = (
    r"(?i:\b(?:passport|reisepass|pass|passeport|pasaporte|paspoort|ausweis|personalausweis"
    r"|id(?:\s*card)?|dni|nie|nif|cpf|curp|bsn|pesel|ssn|tax\s*id|steuer-?id|licen[cs]e"
    r"|f\u00fchrerschein)\b)[\s:.#]*(?:(?i:no|nr|number|nummer)[\s:.#]*)?(?=\S*\d)[\w/-]{4,}"
)
_NAMED_PERSON = (
    rf"(?i:\b(?:{_PERSON_WORDS})\b)[\s:,]+(?:(?i:is|ist|von|of|de)\s+)?{_WORD}\.?"
    rf"(?:[ ]+{_WORD}\.?){{0,3}}"
)
_PATTERNS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{2,4}){3,8}\b",  # IBAN
        r"(?<![\w.])(?:\d[ -]?){12,18}\d(?![\w])",  # payment card
        _BORN,
        _IDENTITY,
        r"\b\d{3}-\d{2}-\d{4}\b",  # US social security number
        r"(?<![\w.+-])(?:\+|00)\d[\d ()/.-]{6,18}\d",  # telephone with country code
        r"(?<![\w.-])0\d{1,5}[ /()-]+\d[\d ()/-]{4,14}\d",  # telephone with area code
        r"(?i:\b(?:tel|phone|mobile|handy|m[o\u00f3]vil|telefon)\b)[\s:.]*\+?\d[\d ()/.-]{4,18}\d",
        r"\b(?:\d{1,3}\.){3}\d{1,3}\b",  # IPv4
        r"(?<![\w:])(?:[0-9a-fA-F]{1,4}:){3,7}(?:[0-9a-fA-F]{1,4}|:)[0-9a-fA-F:]*",  # IPv6
        _NAMED_PERSON,
        rf"\b(?:{_TITLES})\.?[ ]+{_WORD}(?:[ ]+{_WORD}){{0,2}}",
        rf"\b[{_UPPER}]\.[ ]?(?:[{_UPPER}]\.[ ]?)*{_WORD}",  # J. Doe
    )
)
_MAIL = re.compile(r"[^\s@<>]{1,64}@[^\s@<>]+\.[^\s@<>]{2,}")
_TWO_NAMES = re.compile(rf"\b{_WORD}(?:[ ]+{_WORD}){{1,3}}\b")


def guard_note(text: str, *, limit: int = MAX_NOTE) -> tuple[str | None, bool]:
    """Return the note that may travel, and whether anything was taken from it.

    Control and direction characters go without counting as masked; a note longer than ``limit``
    is cut, which counts.
    """
    plain = _HIDDEN.sub(" ", text.replace("\r\n", "\n")).strip()
    if not plain:
        return None, False
    if _holds_secret(plain):
        return None, True
    cut = plain[: 4 * limit]
    masked = cut
    if "@" in masked:
        masked = _MAIL.sub(MASK, masked)
    for pattern in _PATTERNS:
        masked = pattern.sub(MASK, masked)
    masked = _TWO_NAMES.sub(_mask_names, masked)
    shown = masked[:limit].strip()
    return shown or None, shown != plain


def _holds_secret(text: str) -> bool:
    # Before any masking: a key with its middle masked would no longer be known for one.
    try:
        refuse_secrets(text)
    except Malformed:
        return True
    return False


def _mask_names(found: re.Match[str]) -> str:
    words = found.group().split()
    return found.group() if all(word in _CHAINS for word in words) else MASK
