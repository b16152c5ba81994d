"""Sample exports of an invented bank: realistic rows of every kind and network, from a seed.

Rows come in blocks; a block depends only on seed and block number, so any part of a long list can
be made again by itself and the whole is never in memory. Used by the demo, the benches and the
tests. Nothing here is anybody's wallet, service or name.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from accord.demo import sample_values as make
from accord.kernel.indicators import Kind, Network, Role

BLOCK = 20_000
"""Rows made at once."""


class Sample(NamedTuple):
    """One valid value: what it is, its network (wallets and transactions), and the text."""

    kind: Kind
    network: Network | None
    value: str


class _Source(NamedTuple):
    weight: int
    kind: Kind
    network: Network | None
    maker: make.Maker


_W, _T = Kind.WALLET, Kind.TRANSACTION
SOURCES: tuple[_Source, ...] = (
    _Source(14, _W, Network.BTC, make.check58(b"\0")),
    _Source(10, _W, Network.BTC, make.check58(b"\5")),
    _Source(14, _W, Network.BTC, make.witness("bc", 0, 20)),
    _Source(2, _W, Network.BTC, make.witness("bc", 0, 32)),
    _Source(4, _W, Network.BTC, make.witness("bc", 1, 32)),
    _Source(10, _W, Network.EVM, make.hexadecimal("0x", 20)),
    _Source(12, _W, Network.EVM, make.eip55),
    _Source(8, _W, Network.TRX, make.check58(b"\x41")),
    _Source(2, _W, Network.LTC, make.check58(b"\x30")),
    _Source(2, _W, Network.LTC, make.witness("ltc", 0, 20)),
    _Source(1, _W, Network.DOGE, make.check58(b"\x1e")),
    _Source(1, _W, Network.DASH, make.check58(b"\x4c")),
    _Source(1, _W, Network.ZEC, make.check58(b"\x1c\xb8")),
    _Source(2, _W, Network.BCH, make.cash),
    _Source(1, _W, Network.XRP, make.check58(b"\0", ripple=True)),
    _Source(3, _W, Network.SOL, make.base58_of(32)),
    _Source(3, _W, Network.XMR, make.monero),
    _Source(1, _W, Network.XLM, make.stellar),
    _Source(1, _W, Network.ADA, make.bech32_account("addr", b"\x01", 56)),
    _Source(1, _W, Network.DOT, make.polkadot),
    _Source(1, _W, Network.TON, make.ton),
    _Source(1, _W, Network.COSMOS, make.bech32_account("cosmos", b"", 20)),
    _Source(2, _T, Network.BTC, make.hexadecimal("", 32)),
    _Source(2, _T, Network.EVM, make.hexadecimal("0x", 32)),
    _Source(1, _T, Network.TRX, make.hexadecimal("", 32)),
    _Source(1, _T, Network.SOL, make.base58_of(64)),
    _Source(3, Kind.ONION, None, make.onion),
    _Source(5, Kind.DOMAIN, None, make.domain),
    _Source(2, Kind.URL, None, make.url),
)
"""Every kind and network with its share; Bitcoin and EVM lead, as they do in published lists."""


def generate(rows: int, *, seed: int = 1) -> Iterator[Sample]:
    """Yield ``rows`` valid samples; the same seed gives the same rows."""
    for number in range(-(-rows // BLOCK)):
        yield from block(number, seed=seed)[: rows - number * BLOCK]


def block(number: int, *, seed: int = 1) -> list[Sample]:
    """Return the ``BLOCK`` samples of one block in mixed order."""
    random = _random(seed, number)
    weights = np.array([source.weight for source in SOURCES], np.float64)
    counts = np.floor(weights / weights.sum() * BLOCK).astype(np.int64)
    counts[0] += BLOCK - counts.sum()
    samples: list[Sample] = []
    for source, count in zip(SOURCES, counts.tolist(), strict=True):
        kind, network = source.kind, source.network
        samples += [Sample(kind, network, value) for value in source.maker(random, count)]
    return [samples[place] for place in random.permutation(BLOCK).tolist()]


def _random(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a file holds: data records after the header, by what was done to them."""

    rows: int
    valid: int
    respelled: int
    duplicates: int
    damaged: int
    blank: int


HEADER = ("reference", "booked", "address", "network", "amount", "currency", "role", "remark")

_LABELS: dict[Network, tuple[str, ...]] = {
    Network.BTC: ("Bitcoin", "BTC", "XBT", "Bitcoin Core"),
    Network.EVM: ("Ethereum", "ETH", "ERC-20", "USDT (ERC20)", "BSC"),
    Network.TRX: ("Tron", "TRX", "USDT (TRC20)"),
    Network.XMR: ("Monero", "XMR"),
    Network.LTC: ("Litecoin", "LTC"),
    Network.BCH: ("Bitcoin Cash", "BCH"),
    Network.DOGE: ("Dogecoin", "DOGE"),
    Network.DASH: ("Dash", "DASH"),
    Network.ZEC: ("Zcash", "ZEC"),
    Network.SOL: ("Solana", "SOL"),
    Network.XRP: ("Ripple", "XRP"),
    Network.XLM: ("Stellar", "XLM"),
    Network.ADA: ("Cardano", "ADA"),
    Network.DOT: ("Polkadot", "DOT"),
    Network.TON: ("TON", "Toncoin"),
    Network.COSMOS: ("Cosmos", "ATOM"),
}
ROLES = (
    Role.PAYMENT,
    Role.COLLECTION,
    Role.MIXER,
    Role.CASH_OUT,
    Role.EXCHANGE_DEPOSIT,
    Role.UNKNOWN,
)
"""Roles of wallets and transactions in the samples."""

SITE_ROLES = (Role.HOSTING, Role.STOREFRONT, Role.PAYMENT_PAGE, Role.AFFILIATE)
"""Roles of sites in the samples."""

_ROLE_TEXTS = tuple(role.value for role in ROLES)
_SITE_ROLE_TEXTS = tuple(role.value for role in SITE_ROLES)

_REMARKS = ("", "", "", "", "seen twice", "customer alert", "second line review", "see case file")
_BLANK, _DUPLICATE, _DAMAGED, _RESPELLED = 5, 35, 55, 205
"""Of a thousand rows of a messy file: up to here blank, then duplicate, damaged, respelled."""

_BLANK_ROW = ("",) * len(HEADER)


def write_csv(path: Path, rows: int, *, seed: int = 1, messy: bool = True) -> Written:
    """Write an export with ``rows`` data records after its header.

    Args:
        path: file to make or replace; UTF-8, comma, CRLF (RFC 4180).
        rows: data records, blank ones included.
        seed: the same seed gives the same bytes.
        messy: with duplicates, blank rows, damaged values (a cut, a lost end, a look-alike
            letter), other spellings and defanged sites; otherwise valid rows only.

    Returns:
        The counts; ``valid`` includes the respelled, not the duplicates.
    """
    done = dict.fromkeys(("valid", "respelled", "duplicates", "damaged", "blank"), 0)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in range(-(-rows // BLOCK)):
            samples = block(number, seed=seed)[: rows - number * BLOCK]
            random = _random(seed, number, 1)
            spelled = _mess(samples, random, done) if messy else _as_they_are(samples, done)
            writer.writerows(_rows(spelled, random))
    return Written(rows=rows, **done)


_Spelled = tuple[Sample, str]


def _as_they_are(samples: Sequence[Sample], done: dict[str, int]) -> Iterator[_Spelled]:
    done["valid"] += len(samples)
    return ((sample, sample.value) for sample in samples)


def _rows(
    spelled: Iterable[_Spelled | None], random: np.random.Generator
) -> Iterator[Sequence[str]]:
    """Yield the cells of each row; ``None`` gives a blank one."""
    picks = random.integers(0, 1 << 30, BLOCK).tolist()
    days = random.integers(0, 720, BLOCK).astype("timedelta64[D]")
    dates = (np.datetime64("2024-01-01") + days).astype(str).tolist()
    amounts = random.integers(100, 5_000_000, BLOCK).tolist()
    # The makers of a block end it before the random numbers do.
    for found, pick, date, cents in zip(spelled, picks, dates, amounts, strict=False):
        if found is None:
            yield _BLANK_ROW
            continue
        sample, value = found
        labels = _LABELS[sample.network] if sample.network is not None else ("",)
        roles = _SITE_ROLE_TEXTS if sample.network is None else _ROLE_TEXTS
        yield (
            f"AC-{pick % 1_000_000:06d}",
            date,
            value,
            labels[pick % len(labels)],
            f"{cents // 100}.{cents % 100:02d}",
            "EUR",
            roles[pick % len(roles)],
            _REMARKS[pick % len(_REMARKS)],
        )


def _mess(
    samples: Sequence[Sample], random: np.random.Generator, done: dict[str, int]
) -> Iterator[_Spelled | None]:
    """Yield each sample as an export may show it; a duplicate repeats one of its own block."""
    fates = random.integers(0, 1000, len(samples)).tolist()
    picks = random.integers(0, 1 << 30, len(samples)).tolist()
    written: list[Sample] = []
    for sample, fate, pick in zip(samples, fates, picks, strict=True):
        if fate < _BLANK:
            done["blank"] += 1
            yield None
        elif fate < _DUPLICATE and written:
            done["duplicates"] += 1
            earlier = written[pick % len(written)]
            yield earlier, earlier.value
        elif fate < _DAMAGED and sample.kind is Kind.WALLET:
            done["damaged"] += 1
            yield sample, _damage(sample.value, pick)
        else:
            done["valid"] += 1
            written.append(sample)
            respelled = fate < _RESPELLED
            done["respelled"] += respelled
            yield sample, _respell(sample, pick) if respelled else sample.value


def _damage(value: str, pick: int) -> str:
    """Return a wallet that no decoder takes."""
    if pick % 3 == 0:
        return value[: len(value) // 2] + "..." + value[-4:]
    if pick % 3 == 1:
        return value[:-5]
    return value[:6] + "\u0430" + value[7:]


def _respell(sample: Sample, pick: int) -> str:
    """Return another spelling of the same value."""
    value = sample.value
    if sample.kind is Kind.DOMAIN:
        return value.replace(".", "[.]") if pick % 2 else value.upper()
    if sample.kind is Kind.URL:
        return value.replace("http", "hxxp", 1)
    if sample.kind is Kind.ONION:
        return value.replace(".onion", "[.]onion")
    if sample.kind is Kind.WALLET and sample.network is Network.BTC and pick % 2:
        return value.upper() if value.startswith("bc1") else f"bitcoin:{value}?amount=0.1"
    return f" {value} " if pick % 3 else f'"{value}"'
