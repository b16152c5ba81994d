"""Many values at once, with exactly the answers of ``normalise``.

Values are sorted by cheap signs of shape into groups of equal length; a group is judged with
numpy. A value that fits no group, and every value that its group does not accept, takes the
single path. Groups of fewer than ``SMALLEST`` are not worth an array.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import repeat

from accord.kernel.errors import Malformed
from accord.kernel.indicators import arrays
from accord.kernel.indicators.bitcoin_family import ALSO, VERSIONS, ZCASH_VERSIONS
from accord.kernel.indicators.hosts import domain, onion_is_right
from accord.kernel.indicators.kinds import (
    CANON_VERSION,
    Checksum,
    Kind,
    Network,
    Normalised,
    Outcome,
)
from accord.kernel.indicators.normalise import (
    Told,
    host_outcome,
    network_needed,
    normalise_told,
)
from accord.kernel.indicators.private_keys import refuse_phrase, refuse_secrets

SMALLEST = 24
"""Fewest values of one shape for which an array is faster than the single decoders."""

Group = tuple[str, int]

_EVM_LOWER = re.compile(r"0x[0-9a-f]{40}").fullmatch
_EVM_MIXED = re.compile(r"0x[0-9a-fA-F]{40}").fullmatch
_BASE58_FIRST = frozenset("13LMDXT79A")
_HOST = re.compile(
    r"(?!-|xn--|[0-9])(?:[a-z0-9_-]{1,63}(?<!-)\.(?!-|xn--))+[a-z][a-z0-9_-]{0,62}(?<!-)"
).fullmatch
_ID_LENGTHS = (64, 66)
_SIGNATURE_LENGTHS = (87, 88)
_ID = re.compile(r"(?:0x)?[0-9a-f]{64}").fullmatch
_SOME = re.compile(r"(?:0x)?0*[1-9a-f]").match
_CASH = re.compile(r"bitcoincash:[qp][02-9ac-hj-np-z]{41}").fullmatch
# Bound here because on Python 3.11 each ``Kind.WALLET`` is a call.
_DOMAIN, _ONION, _TRANSACTION = Kind.DOMAIN, Kind.ONION, Kind.TRANSACTION
_WALLET, _STRONG, _NONE, _EIP55 = Kind.WALLET, Checksum.STRONG, Checksum.NONE, Checksum.EIP55
_BCH, _EVM, _SOL, _XMR = Network.BCH, Network.EVM, Network.SOL, Network.XMR
_XRP, _ZEC = Network.XRP, Network.ZEC
_OTHER_IDS = (Network.SOL, Network.DOT)
_MAYBE_SOLANA = (None, _SOL)
_LIVE_MONERO = frozenset({18, 42})
_PREFIX_NETWORK = {"bc": Network.BTC, "ltc": Network.LTC}


_AROUND = frozenset(" \t\"'")
_WRAPPED = re.compile(r"[ \t]*[\"']*([0-9A-Za-z]{25,85}|[0-9A-Za-z]{95})[\"']*[ \t]*").fullmatch
_NO_WALLETS = frozenset({56, 64, 66})
"""Characters of onion names and transaction ids, of which other things than wallets are made."""


def _unwrapped(value: str) -> str:
    """Return the bare text of a value that has nothing but spaces and quotes around it.

    The single path would clean it in the same way. Where it looks at more than the bare text (a
    phrase, an onion name, a transaction) the value is left to it.
    """
    found = _WRAPPED(value)
    if found is None or len(found[1]) in _NO_WALLETS:
        return value
    try:
        refuse_phrase(value)
    except Malformed:
        return value
    return found[1]


class _Batch:
    """The values of one call, what was told of each, and the answers so far."""

    def __init__(self, values: Sequence[str], tolds: Sequence[Told]) -> None:
        self.values = values
        self.texts = [
            _unwrapped(value) if value[:1] in _AROUND or value[-1:] in _AROUND else value
            for value in values
        ]
        self.tolds = tolds
        self.answers: list[Outcome | None] = [None] * len(values)
        self.groups: defaultdict[Group, list[int]] = defaultdict(list)

    def accept(self, index: int, network: Network, value: str, checksum: Checksum) -> None:
        """Answer with a wallet that has no aliases, memo or flags, unless another is told."""
        told = self.tolds[index].network
        if told is None or told is network:
            changed = value != self.values[index]
            self.answers[index] = Normalised(
                _WALLET, network, value, checksum, (), None, (), CANON_VERSION, changed
            )

    def accept_flagged(self, index: int, network: Network, flags: tuple[str, ...]) -> None:
        """Answer with a wallet as its text stands; ``flags`` hold only where no network is told."""
        told = self.tolds[index].network
        if told is None or told is network:
            text = self.texts[index]
            self.answers[index] = Normalised(
                _WALLET,
                network,
                text,
                _STRONG,
                (),
                None,
                flags if told is None else (),
                CANON_VERSION,
                text != self.values[index],
            )


def normalise_batch(
    values: Sequence[str],
    *,
    networks: Sequence[str | None] | None = None,
    kinds: Sequence[str | None] | None = None,
) -> list[Outcome]:
    """Return for each value what ``normalise`` returns, or the ``Malformed`` that it raises.

    Args:
        values: texts as typed.
        networks: the network told for each value, or ``None`` for none at all.
        kinds: the kind told for each value, or ``None`` for none at all.

    Raises:
        ValueError: the sequences differ in length.
    """
    tolds, early = _told(len(values), networks, kinds)
    outcomes = judge(values, tolds)
    for index, error in early.items():
        outcomes[index] = error
    return outcomes


def judge(values: Sequence[str], tolds: Sequence[Told]) -> list[Outcome]:
    """Do the work of ``normalise_batch`` for already parsed ``tolds``, one for each value."""
    batch = _Batch(values, tolds)
    _sort(batch)
    for (shape, length), members in batch.groups.items():
        # A look-alike letter keeps a value out of its array, not the whole array from its work.
        plain = [index for index in members if batch.texts[index].isascii()]
        if len(plain) >= SMALLEST:
            _judge(batch, shape, length, plain)
    return [
        _single(value, told) if answer is None else answer
        for value, told, answer in zip(values, tolds, batch.answers, strict=True)
    ]


def _told(
    count: int, networks: Sequence[str | None] | None, kinds: Sequence[str | None] | None
) -> tuple[list[Told], dict[int, Malformed]]:
    """Return what is told of each value, parsed once for each pair, and refusals of that."""
    if networks is None and kinds is None:
        return [Told(None, None)] * count, {}
    cache: dict[tuple[str | None, str | None], Told | Malformed] = {}
    tolds: list[Told] = []
    early: dict[int, Malformed] = {}
    pairs = zip(
        repeat(None, count) if networks is None else networks,
        repeat(None, count) if kinds is None else kinds,
        strict=True,
    )
    for index, pair in enumerate(pairs):
        told = cache.get(pair)
        if told is None:
            told = cache[pair] = _parse_told(*pair)
        if isinstance(told, Malformed):
            early[index] = told
            told = Told(None, None)
        tolds.append(told)
    if len(tolds) != count:
        raise ValueError("values, networks and kinds differ in length")  # noqa: TRY003 - a caller's mistake
    return tolds, early


def _parse_told(network: str | None, kind: str | None) -> Told | Malformed:
    try:
        return Told(network, kind)
    except Malformed as error:
        return error


def _single(value: str, told: Told) -> Outcome:
    try:
        return normalise_told(value, told)
    except Malformed as error:
        # Its frames hold the value, which may be a secret; kept refusals must not keep them.
        return error.with_traceback(None)


def _sort(batch: _Batch) -> None:
    """Answer the values that one pattern settles, and put the others into groups by shape."""
    groups = batch.groups
    for index, (value, told) in enumerate(zip(batch.texts, batch.tolds, strict=True)):
        size = len(value)
        kind = told.kind
        if size < 4 or (kind is not None and kind is not _WALLET):
            if kind is _DOMAIN and size < 254 and _HOST(value) and not value.endswith(".onion"):
                _host(batch, index, value)
            elif kind is _ONION and size == 62 and value.endswith(".onion"):
                _onion(batch, index, value)
            elif kind is _TRANSACTION and size in _ID_LENGTHS and _ID(value):
                _transaction(batch, index, value, told)
            elif kind is _TRANSACTION and told.network is _SOL and size in _SIGNATURE_LENGTHS:
                groups["signature", size].append(index)
            continue
        first = value[0]
        if size in _ID_LENGTHS and _ID(value):
            _transaction(batch, index, value, told)
        elif first == "0":
            if size != 42:
                continue
            if _EVM_LOWER(value):
                batch.accept(index, _EVM, value, _NONE)
            elif told.chain_id is None and _EVM_MIXED(value) and value[2:] != value[2:].upper():
                groups["eip55", 42].append(index)
        elif 25 < size < 36 and value.isalnum():
            if first in _BASE58_FIRST:
                groups["base58", size].append(index)
            elif first == "r":
                groups["ripple", size].append(index)
            elif first == "t" and size == 35:
                groups["zcash", size].append(index)
        elif first == "b" and value.startswith("bc1"):
            groups["bc", size].append(index)
        elif first == "l" and value.startswith("ltc1"):
            groups["ltc", size].append(index)
        elif first == "B" and value.startswith("BC1") and value.isupper():
            # bech32 is upper case as a whole, or lower case.
            batch.texts[index] = value.lower()
            groups["bc", size].append(index)
        elif 42 < size < 45 and not value.isupper() and not value.islower():
            groups["solana", size].append(index)
        elif size in _SIGNATURE_LENGTHS and value.isalnum():
            # A wallet is asked for, or a short prefix before a 1 may be that of a bech32 format.
            if kind is None and told.network in _MAYBE_SOLANA and "1" not in value[:8]:
                groups["signature", size].append(index)
        elif size == 95:
            groups["monero", size].append(index)
        elif "." in value or ":" in value:
            _dotted(batch, index, value, told)


def _transaction(batch: _Batch, index: int, value: str, told: Told) -> None:
    """Answer a lower-case hexadecimal id as the network told writes it, or ask for the network."""
    network = told.network
    if told.kind is _WALLET or value.startswith("bc1"):
        return
    if network is None:
        batch.answers[index] = network_needed(value)
    elif (network is _EVM) is (len(value) == 66) and network not in _OTHER_IDS and _SOME(value):
        batch.answers[index] = Normalised(_TRANSACTION, network, value)


def _dotted(batch: _Batch, index: int, value: str, told: Told) -> None:
    if told.network is None and told.kind is None:
        if value.endswith(".onion") and len(value) == 62:
            _onion(batch, index, value)
        elif len(value) < 254 and _HOST(value) and not value.endswith(".onion"):
            _host(batch, index, value)
    if _CASH(value) and told.network in (None, _BCH):
        batch.groups["cash", len(value)].append(index)


def _onion(batch: _Batch, index: int, value: str) -> None:
    if onion_is_right(value[:-6]):
        batch.answers[index] = Normalised(_ONION, None, value, _STRONG)


def _host(batch: _Batch, index: int, value: str) -> None:
    try:
        refuse_phrase(value)
        host = domain(value)
    except Malformed:
        return
    if batch.tolds[index].kind in (None, host.kind):
        batch.answers[index] = host_outcome(host, value)


def _judge(batch: _Batch, shape: str, length: int, members: list[int]) -> None:
    texts = [batch.texts[index] for index in members]
    if shape in _PREFIX_NETWORK:
        _judge_witness(batch, shape, length, members, texts)
    elif shape == "eip55":
        verdicts, lower = arrays.eip55_rows(texts)
        for index, sound, value in zip(members, verdicts, lower, strict=True):
            if sound:
                batch.accept(index, _EVM, value, _EIP55)
    elif shape == "cash":
        for index, value, sound in zip(members, texts, arrays.cash_rows(texts), strict=True):
            if sound:
                batch.accept(index, _BCH, value, _STRONG)
    elif shape == "solana":
        _, right = arrays.base58_rows(texts, length, 32)
        for index, value, sound in zip(members, texts, right.tolist(), strict=True):
            if sound:
                batch.accept(index, _SOL, value, _NONE)
    elif shape == "signature":
        data, right = arrays.base58_rows(texts, length, 64)
        # 0x82 may begin a Byron address.
        plain = right & (data[:, 0] != 0x82)
        for index, value, sound in zip(members, texts, plain.tolist(), strict=True):
            if sound:
                batch.answers[index] = _signature(value, batch.tolds[index])
    elif shape == "monero":
        verdicts, tags = arrays.monero_rows(texts)
        for index, value, sound, tag in zip(members, texts, verdicts, tags, strict=True):
            if sound and tag in _LIVE_MONERO:
                batch.accept(index, _XMR, value, _STRONG)
    else:
        _judge_base58(batch, shape, length, members, texts)


def _signature(value: str, told: Told) -> Outcome:
    """Answer 64 bytes of base58: an id of Solana where that is told, unless they are a key pair."""
    try:
        refuse_secrets(value)
    except Malformed as error:
        return error.with_traceback(None)
    if told.network is None:
        return network_needed(value)
    return Normalised(_TRANSACTION, _SOL, value)


def _judge_witness(
    batch: _Batch, prefix: str, length: int, members: list[int], texts: list[str]
) -> None:
    verdicts, versions = arrays.witness_rows(texts, length, prefix)
    network = _PREFIX_NETWORK[prefix]
    taproot = length == len(prefix) + 60
    for index, value, sound, version in zip(members, texts, verdicts, versions, strict=True):
        # Programs without a meaning yet carry a flag: the single path says so.
        if sound and (version == 0 or (version == 1 and taproot)):
            batch.accept(index, network, value, _STRONG)


def _judge_base58(
    batch: _Batch, shape: str, length: int, members: list[int], texts: list[str]
) -> None:
    size = 26 if shape == "zcash" else 25
    data, right = arrays.base58_rows(texts, length, size, ripple=shape == "ripple")
    verdicts = arrays.with_sha256d(data, right)
    versions = data[:, 0].tolist()
    second = data[:, 1].tolist()
    for row, index in enumerate(members):
        if not verdicts[row]:
            continue
        version = versions[row]
        if shape == "ripple":
            # A leading r is the digit zero, so the version byte is zero.
            batch.accept(index, _XRP, texts[row], _STRONG)
        elif shape == "zcash":
            if ZCASH_VERSIONS.get(bytes((version, second[row]))):
                batch.accept(index, _ZEC, texts[row], _STRONG)
        elif version in VERSIONS:
            network, live, _ = VERSIONS[version][0]
            if live:
                batch.accept_flagged(index, network, ALSO[version])
