"""From a cell as exported to the bare text that decoders read.

Removed without loss: white space, control and invisible characters, quotes and brackets around,
a payment scheme, its query (a destination tag in it is kept), a trailing remark. What is visible
and not ASCII is never mapped to ASCII: a Cyrillic letter in a wallet is refused, not repaired.
Defanging is undone only in a text that is read as a host or URL.
"""

import re

import msgspec

from accord.kernel.indicators.kinds import Network

INVISIBLE = re.compile(
    "[\u0000-\u0020\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u180e"
    "\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0]"
)
"""Characters that show nothing: spaces of all kinds, controls, bidi marks, variation selectors."""

_TYPOGRAPHIC = "\u00b4\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb\u2039\u203a"
QUOTES = "\"'`<>()[]{}" + _TYPOGRAPHIC
"""Quotes and brackets that may stand around a value."""

_TRAIL = re.compile(r"[;,.]+$")
_SCHEMES = {
    "bitcoin": Network.BTC,
    "lightning": Network.BTC,
    "litecoin": Network.LTC,
    "ethereum": Network.EVM,
    "monero": Network.XMR,
    "dogecoin": Network.DOGE,
    "dash": Network.DASH,
    "zcash": Network.ZEC,
    "ripple": Network.XRP,
    "xrpl": Network.XRP,
    "solana": Network.SOL,
    "tron": Network.TRX,
    "stellar": Network.XLM,
    "web+stellar": Network.XLM,
    "cardano": Network.ADA,
    "web+cardano": Network.ADA,
    "polkadot": Network.DOT,
    "ton": Network.TON,
}
_SCHEME = re.compile(
    r"(" + "|".join(re.escape(name) for name in _SCHEMES) + r"|pay)(?:://|:)"
    r"(?:pay-|pay\?destination=|transfer/)?",
    re.IGNORECASE,
)
_CHAIN_ID = re.compile(r"@[0-9]+")
_REMARK = re.compile(
    r"\s+(?:\(|/|\||#|-|\u2013|memo\b|tag\b|dest(?:ination)?\b|dt\b|payment\b|wallet\b).*$",
    re.IGNORECASE | re.DOTALL,
)
_MEMO = re.compile(
    r"(?:memo|tag|dt|payment\s*id|memo\s*id)\s*(?:id|no\.?|#|:|=)*\s*([0-9]{1,20}|[0-9a-f]{16})\b",
    re.IGNORECASE,
)
_QUERY_MEMO = re.compile(r"[?&](?:dt|tag|memo|memo_id|tx_payment_id)=([0-9a-f]{1,20})(?:&|$)")
_TRANSFER = re.compile(r"/transfer\?(?:.*&)?address=(0x[0-9a-fA-F]{40})(?:&.*)?$")


class Cleaned(msgspec.Struct, frozen=True, gc=False):
    """A bare text, the network that its payment scheme names, and a memo found beside it."""

    text: str
    scheme: Network | None = None
    memo: str | None = None
    remark: bool = False


def clean_wallet(text: str) -> Cleaned:
    """Return the bare address in ``text``; pure repair of spelling, nothing is judged."""
    stripped = text.strip()
    remark = _REMARK.search(stripped)
    memo = None
    if remark is not None and remark.start() > 0:
        found = _MEMO.search(remark.group())
        memo = found.group(1) if found else None
        stripped = stripped[: remark.start()]
    bare = INVISIBLE.sub("", stripped).strip(QUOTES)
    scheme = _SCHEME.match(bare)
    network = None
    if scheme is not None:
        network = _SCHEMES.get(scheme.group(1).lower())
        bare = bare[scheme.end() :]
    if "?" in bare:
        transfer = _TRANSFER.search(bare)
        found = _QUERY_MEMO.search(bare)
        memo = memo or (found.group(1) if found else None)
        bare = transfer.group(1) if transfer else bare.partition("?")[0]
    if "@" in bare:
        bare = _CHAIN_ID.sub("", bare)
    bare = _TRAIL.sub("", bare).strip(QUOTES)
    return Cleaned(bare, network, memo, remark is not None and remark.start() > 0)


_FANGS = [
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"^h[xX*]{1,2}p(s?)(?=\s*[:\[(])", r"http\1"),
        (r"^fxp(?=\s*[:\[(])", "ftp"),
        (r"^(https?|ftp)\[:\]//", r"\1://"),
        (r"^(https?|ftp)\[://\]", r"\1://"),
        (r"^(https?|ftp):\[//\]", r"\1://"),
        (r"^(https?|ftp)\[:\](?=//)", r"\1:"),
        (r"\s*[\[({<]\s*(?:\.|dot|punto|punkt|point)\s*[\])}>]\s*", "."),
        (r"\[\.(?=\w)|(?<=\w)\.\]", "."),
        (r"\\\.", "."),
        (r"[\[({]\s*:\s*[\])}]", ":"),
        (r"[\[({]\s*/\s*[\])}]", "/"),
    )
]
_NOT_DEFANGED = re.compile(r"(?:https?://)?[A-Za-z0-9./?&=_%~+-]*").fullmatch
_DOTS = re.compile("[\u3002\uff0e\uff61]")
_INVISIBLE_IN_HOST = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)


def refang(text: str) -> str:
    """Return a host or URL with defanging, quotes and invisible characters taken away."""
    if _NOT_DEFANGED(text):
        return text
    bare = _INVISIBLE_IN_HOST.sub("", text).strip().strip("\"'`<> \t\r\n" + _TYPOGRAPHIC)
    for pattern, replacement in _FANGS:
        bare = pattern.sub(replacement, bare)
    return bare


def ascii_dots(text: str) -> str:
    """Return ``text`` with the three ideographic full stops of UTS-46 as plain full stops."""
    return _DOTS.sub(".", text)
