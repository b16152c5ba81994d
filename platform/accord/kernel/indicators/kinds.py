"""What an indicator is: the closed lists, the limits, and the outcome of normalising one value.

Invariants: one thing in the world has one ``value``; a change of any rule raises
``CANON_VERSION``, because every match is made on that text. This module recognises nothing.
"""

from enum import StrEnum

import msgspec

from accord.kernel.errors import Malformed

CANON_VERSION = 1
"""Version of the rules that make ``value``; written into every record."""

MAX_INPUT = 8192
"""Characters of input that are looked at; a BOLT-11 invoice may have several thousand."""

MAX_VALUE = 2048
"""Characters of a canonical value (reference: URLs 2,048; unified addresses 1,024)."""

MAX_ALIASES = 16
MAX_ALIAS = 160
MAX_MEMO = 64


class Kind(StrEnum):
    """The five kinds of indicator, as written on the wire."""

    WALLET = "wallet"
    TRANSACTION = "transaction"
    DOMAIN = "domain"
    ONION = "onion"
    URL = "url"


class Network(StrEnum):
    """The networks of wallets and transactions, as written on the wire."""

    BTC = "btc"
    EVM = "evm"
    XMR = "xmr"
    LTC = "ltc"
    BCH = "bch"
    DOGE = "doge"
    DASH = "dash"
    ZEC = "zec"
    TRX = "trx"
    SOL = "sol"
    XRP = "xrp"
    XLM = "xlm"
    ADA = "ada"
    DOT = "dot"
    TON = "ton"
    COSMOS = "cosmos"


class Checksum(StrEnum):
    """How well the spelling that was read protects itself against one wrong character."""

    STRONG = "strong"
    EIP55 = "eip55"
    NONE = "none"


class Normalised(msgspec.Struct, frozen=True, gc=False):
    """One value in its one form.

    Attributes:
        kind: what it is.
        network: for wallets and transactions, else ``None``.
        value: canonical text, ASCII, at most ``MAX_VALUE`` characters.
        checksum: protection of what was read; ``None`` for transactions, domains and URLs.
        aliases: other keys under which the same thing may be known (at most 16).
        memo: destination tag, memo id or payment id that was part of the input, as text.
        flags: sorted lower-case words that a reader should see, for example ``one_time``.
        canon: ``CANON_VERSION``.
        changed: the input was spelled differently from ``value``.
    """

    kind: Kind
    network: Network | None
    value: str
    checksum: Checksum | None = None
    aliases: tuple[str, ...] = ()
    memo: str | None = None
    flags: tuple[str, ...] = ()
    canon: int = CANON_VERSION
    changed: bool = False


Outcome = Normalised | Malformed
"""What a batch gives for each value: the answer, or the refusal that ``normalise`` would raise."""


class Reading(msgspec.Struct, frozen=True, gc=False):
    """What a decoder of one wallet format found; ``live`` is false for test networks."""

    network: Network
    value: str
    live: bool = True
    checksum: Checksum = Checksum.STRONG
    aliases: tuple[str, ...] = ()
    memo: str | None = None
    flags: tuple[str, ...] = ()
