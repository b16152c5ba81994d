"""One value, whatever was typed, to its one canonical form, or to a refusal with a stable code.

``normalise`` is the definition; the batch path gives the same answers faster. Every text gives a
``Normalised`` or a ``Malformed``. No message or ``observed`` ever holds the value itself, because
a value that is refused may be a secret in a form that nobody listed.
"""

import re

import msgspec

from accord.kernel.errors import Malformed
from accord.kernel.indicators.cleaning import Cleaned, clean_wallet
from accord.kernel.indicators.diagnosis import explain, shortened
from accord.kernel.indicators.hosts import Host, onion_is_right, read_host
from accord.kernel.indicators.kinds import (
    CANON_VERSION,
    MAX_INPUT,
    MAX_VALUE,
    Checksum,
    Kind,
    Network,
    Normalised,
    Reading,
)
from accord.kernel.indicators.labels import TEST_CHAIN_IDS, parse_eip155
from accord.kernel.indicators.private_keys import refuse_phrase, refuse_secrets
from accord.kernel.indicators.transactions import looks_like_id, read_transaction
from accord.kernel.indicators.urls import looks_like_url, read_url
from accord.kernel.indicators.wallets import read_wallet

WITH_MEMO = frozenset({Network.XRP, Network.XLM, Network.TON, Network.COSMOS, Network.XMR})
"""Networks where one address serves many owners, told apart by a memo, tag or payment id."""

_DEFANGED_DOT = re.compile(
    r"[\[({<]\s*(?:dot|punto|punkt|point)\s*[\])}>]|[\u3002\uff0e\uff61]", re.IGNORECASE
)
# Bound here because on Python 3.11 each ``Kind.WALLET`` is a call.
_WALLET, _TRANSACTION, _DOMAIN, _ONION, _URL = Kind
_WEB = ("https://", "http://")
_PLAIN = re.compile(r"[0-9A-Za-z_-]+").fullmatch


class Told:
    """What the caller says of a value: network, EIP-155 chain id, kind; parsed once."""

    __slots__ = ("chain_id", "kind", "network")

    def __init__(self, network: str | None, kind: str | None) -> None:
        """Parse both.

        Raises:
            Malformed: ``network_unknown``, ``kind_unknown``, ``testnet`` (a test chain's id).
        """
        self.network: Network | None = None
        self.chain_id: int | None = None
        self.kind: Kind | None = None
        if network is not None:
            self._parse_network(network)
        if kind is not None:
            try:
                self.kind = Kind(kind)
            except ValueError:
                raise Malformed(
                    "kind_unknown",
                    "This kind of indicator is not known.",
                    observed=kind[:20],
                    next_step=f"Use one of {', '.join(Kind)}.",
                ) from None

    def _parse_network(self, network: str) -> None:
        self.chain_id = parse_eip155(network)
        if self.chain_id is not None:
            self.network = Network.EVM
            if self.chain_id in TEST_CHAIN_IDS:
                raise testnet()
            return
        try:
            self.network = Network(network)
        except ValueError:
            raise Malformed(
                "network_unknown",
                "This network is not known.",
                observed=network[:20],
                next_step=f"Use one of {', '.join(Network)}.",
            ) from None


def testnet() -> Malformed:
    """Return the refusal of a value of a test network."""
    return Malformed(
        "testnet",
        "This belongs to a test network, where coins are worth nothing.",
        next_step="Send the address of the live network, if there is one.",
    )


def normalise(text: str, *, network: str | None = None, kind: str | None = None) -> Normalised:
    """Return the one form of ``text``.

    Args:
        text: one value as typed or exported.
        network: a ``Network`` id or ``eip155:N``; ``None`` lets the format decide.
        kind: a ``Kind``; ``None`` lets the format decide.

    Raises:
        Malformed: ``empty``, ``too_long``, ``private_key``, ``seed_phrase``, ``testnet``,
            ``network_mismatch``, ``network_needed``, ``not_ascii_lookalike``,
            ``checksum_wrong``, ``unknown_format`` and the codes of ``hosts``, ``urls``,
            ``diagnosis`` and ``Told``; all are listed in docs/formats/indicators.md.
    """
    return normalise_told(text, Told(network, kind))


def normalise_told(text: str, told: Told) -> Normalised:
    """Do the work of ``normalise`` for an already parsed ``told``."""
    if len(text) > MAX_INPUT:
        refuse_phrase(text[:MAX_INPUT])
        raise Malformed(
            "too_long", f"More than {MAX_INPUT} characters.", observed=f"{len(text)} characters"
        )
    if not text or text.isspace():
        raise Malformed("empty", "There is no value.")
    refuse_phrase(text)
    try:
        return _dispatch(text, told)
    except Malformed:
        # A secret in the wrong place is a secret first.
        refuse_secrets(text)
        raise


def _dispatch(text: str, told: Told) -> Normalised:
    kind = told.kind
    if kind is _URL:
        return read_url(text)
    if kind in (_DOMAIN, _ONION):
        return _host(text, kind)
    if kind is None and told.network is None and text.startswith(_WEB):
        return read_url(text)
    # Letters, digits, hyphens and underscores hold nothing to clean, and no host or URL.
    plain = _PLAIN(text) is not None
    cleaned = Cleaned(text) if plain else clean_wallet(text)
    if kind is None and told.network is None:
        if not plain and looks_like_url(text) and cleaned.scheme is None:
            return read_url(text)
        if not plain and _is_dotted(text, cleaned.text):
            return _host(text, None)
        if onion_is_right(cleaned.text.lower()):
            return _host(cleaned.text + ".onion", None, text)
    if cleaned.remark or "?" in text:
        # What is dropped may be a secret; a person must hear of it before the text goes anywhere.
        refuse_secrets(text)
    cut = shortened(cleaned.text)
    if cut is not None:
        raise cut
    if not cleaned.text:
        raise Malformed("empty", "There is no value.")
    if not cleaned.text.isascii():
        raise _not_ascii(cleaned.text, told)
    if kind is _TRANSACTION:
        return _transaction(text, cleaned, told)
    return _wallet(text, cleaned, told)


def _is_dotted(text: str, cleaned: str) -> bool:
    """Say whether a full stop, plain or defanged, makes this a host."""
    if shortened(cleaned) is not None:
        return False
    return "." in cleaned or _DEFANGED_DOT.search(text) is not None


def _not_ascii(cleaned: str, told: Told) -> Malformed:
    ascii_share = sum(c.isascii() for c in cleaned) / len(cleaned)
    if told.network is None and told.kind is None and ascii_share < 0.5:
        return Malformed("unknown_format", "This is no value of a known kind.")
    strange = next(c for c in cleaned if not c.isascii())
    return Malformed(
        "not_ascii_lookalike",
        "A character is not ASCII, though it may look so; it is never replaced by a guess.",
        observed=f"U+{ord(strange):04X}",
        next_step="Copy the value again from its source.",
    )


def _host(text: str, kind: Kind | None, typed: str | None = None) -> Normalised:
    host = read_host(_onion_name(text) if kind is _ONION else text)
    if kind is not None and host.kind is not kind:
        raise Malformed(
            "kind_mismatch", f"This is of another kind than {kind}.", observed=str(host.kind)
        )
    return host_outcome(host, text if typed is None else typed)


def _onion_name(text: str) -> str:
    """Give a bare 56-character name its suffix."""
    bare = clean_wallet(text).text
    return bare + ".onion" if onion_is_right(bare.lower()) else text


def host_outcome(host: Host, text: str) -> Normalised:
    """Return the indicator of a host; the registrable domain is an alias where it differs."""
    return Normalised(
        host.kind,
        None,
        host.value,
        Checksum.STRONG if host.kind is _ONION else None,
        () if host.registrable == host.value else (host.registrable,),
        None,
        host.flags,
        CANON_VERSION,
        host.value != text,
    )


def _transaction(text: str, cleaned: Cleaned, told: Told) -> Normalised:
    network = told.network or cleaned.scheme
    if network is None:
        raise network_needed(cleaned.text)
    found = read_transaction(cleaned.text, network)
    if found is None:
        raise Malformed(
            "unknown_format",
            f"This is no transaction id of {network}.",
            observed=f"{len(cleaned.text)} characters",
        )
    return _transaction_outcome(text, found)


def _transaction_outcome(text: str, found: Normalised) -> Normalised:
    if found.network is Network.SOL:
        # An exported key pair has the length of a signature.
        refuse_secrets(found.value)
    return msgspec.structs.replace(found, changed=found.value != text)


def network_needed(text: str) -> Malformed:
    """Return the refusal of a transaction id whose network nobody told."""
    return Malformed(
        "network_needed",
        "A transaction id does not say its network, and may as well be a secret.",
        observed=f"{len(text)} characters",
        next_step="Say the network.",
    )


def _wallet(text: str, cleaned: Cleaned, told: Told) -> Normalised:
    reading = None
    if told.network is None and cleaned.scheme is not None:
        reading = read_wallet(cleaned.text, cleaned.scheme)
    if reading is None:
        reading = read_wallet(cleaned.text, told.network, told.chain_id)
    if reading is not None:
        return wallet_outcome(reading, text, memo=cleaned.memo, remark=cleaned.remark)
    if told.network is not None:
        _refuse_other_network(cleaned.text, told)
    if told.kind is None:
        found = _unasked_transaction(cleaned.text, told)
        if found is not None:
            return _transaction_outcome(text, found)
    raise explain(cleaned.text)


def _unasked_transaction(text: str, told: Told) -> Normalised | None:
    """Take an id for a transaction where the network is told."""
    if told.network is None:
        if looks_like_id(text):
            raise network_needed(text)
        return None
    return read_transaction(text, told.network, asked=False)


def _refuse_other_network(text: str, told: Told) -> None:
    other = read_wallet(text)
    if other is None or other.network is told.network:
        return
    if not other.live:
        raise testnet()
    raise Malformed(
        "network_mismatch",
        f"This is an address of {other.network}, not of {told.network}.",
        observed=str(other.network),
        next_step="Correct the network, or the value.",
    )


def wallet_outcome(
    reading: Reading, text: str, *, memo: str | None = None, remark: bool = False
) -> Normalised:
    """Return the indicator of a wallet that was read from ``text``.

    Raises:
        Malformed: ``testnet`` or ``too_long``.
    """
    if not reading.live:
        raise testnet()
    if len(reading.value) > MAX_VALUE:
        raise Malformed("too_long", f"A value has at most {MAX_VALUE} characters.")
    if reading.memo is not None or reading.network not in WITH_MEMO:
        memo = reading.memo
    return Normalised(
        _WALLET,
        reading.network,
        reading.value,
        reading.checksum,
        reading.aliases,
        memo,
        (*reading.flags, "remark") if remark else reading.flags,
        CANON_VERSION,
        reading.value != text or memo is not None,
    )
