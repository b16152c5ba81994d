"""Sample exports of an invented bank: realistic rows of every kind and network, from a seed.

Rows come in blocks; a block depends only on seed and block number, so any part of a long list can
be made again by itself and the whole is never in memory. Used by the demo, the benches and the
tests. Nothing here is anybody's wallet, service or name.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from accord.demo import sample_values as make
from accord.kernel.indicators import Kind, Network

BLOCK = 20_000
"""Rows made at once."""


class _Writer(Protocol):
    def writerow(self, row: Sequence[str], /) -> object: ...


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
_ROLES = ("payment", "collection", "mixer", "cash-out", "exchange-deposit", "unknown")
_SITE_ROLES = ("hosting", "storefront", "payment-page", "affiliate")
_REMARKS = ("", "", "", "", "seen twice", "customer alert", "second line review", "see case file")
_DUPLICATE, _DAMAGED, _BLANK, _RESPELLED = 30, 20, 5, 150
"""Of a thousand rows of a messy file."""


def write_csv(path: Path, rows: int, *, seed: int = 1, messy: bool = True) -> Written:
    """Write an export with ``rows`` data records after its header.

    Args:
        path: file to make or replace; UTF-8, comma, CRLF (RFC 4180).
        rows: data records, blank ones included.
        seed: the same seed gives the same bytes.
        messy: with duplicates, blank rows, damaged values (a wrong character, a cut, a look-alike
            letter), other spellings and defanged sites; otherwise valid rows only.

    Returns:
        The counts; ``valid`` includes the respelled, not the duplicates.
    """
    done = dict.fromkeys(("valid", "respelled", "duplicates", "damaged", "blank"), 0)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow(HEADER)
        for number in range(-(-rows // BLOCK)):
            samples = block(number, seed=seed)[: rows - number * BLOCK]
            random = _random(seed, number, 1)
            _write_block(csv.writer(file), samples, random, done if messy else None)
            if not messy:
                done["valid"] += len(samples)
    return Written(rows=rows, **done)


def _write_block(
    writer: _Writer,
    samples: Sequence[Sample],
    random: np.random.Generator,
    done: dict[str, int] | None,
) -> None:
    count = len(samples)
    fates = random.integers(0, 1000, count).tolist()
    picks = random.integers(0, 1 << 30, count).tolist()
    days = random.integers(0, 720, count).astype("timedelta64[D]")
    dates = (np.datetime64("2024-01-01") + days).astype(str).tolist()
    amounts = random.integers(100, 5_000_000, count).tolist()
    for place, (sample, fate, pick) in enumerate(zip(samples, fates, picks, strict=True)):
        chosen, value = sample, sample.value
        if done is not None:
            if fate < _BLANK:
                done["blank"] += 1
                writer.writerow([""] * len(HEADER))
                continue
            chosen, value = _mess(samples, place, fate, pick, done)
        labels = _LABELS[chosen.network] if chosen.network is not None else ("",)
        roles = _SITE_ROLES if chosen.network is None else _ROLES
        cents = amounts[place]
        writer.writerow(
            (
                f"AC-{pick % 1_000_000:06d}",
                dates[place],
                value,
                labels[pick % len(labels)],
                f"{cents // 100}.{cents % 100:02d}",
                "EUR",
                roles[pick % len(roles)],
                _REMARKS[pick % len(_REMARKS)],
            )
        )


def _mess(  # noqa: PLR0917 - one row's random numbers
    samples: Sequence[Sample], place: int, fate: int, pick: int, done: dict[str, int]
) -> tuple[Sample, str]:
    sample = samples[place]
    if place and fate < _BLANK + _DUPLICATE:
        done["duplicates"] += 1
        earlier = samples[pick % place]
        return earlier, earlier.value
    if fate < _BLANK + _DUPLICATE + _DAMAGED and sample.kind is Kind.WALLET:
        done["damaged"] += 1
        return sample, _damage(sample.value, pick)
    done["valid"] += 1
    if fate < _BLANK + _DUPLICATE + _DAMAGED + _RESPELLED:
        done["respelled"] += 1
        return sample, _respell(sample, pick)
    return sample, sample.value


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
