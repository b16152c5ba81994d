"""Guard lists: well-known services that an indicator must not name by mistake. They hold a row.

Lists are MISP warninglists (JSON) and CSV files of wallets or domains. A guard never drops or
refuses: a person looks at the row. A URL with a path is not held for its host, because for a
well-known file host the URL is the indicator. Burn addresses and token contracts are built in.
Semantics of the types: https://github.com/MISP/misp-warninglists (hostname, string, substring,
cidr, regex).
"""

import dataclasses
import ipaddress
import re
from collections.abc import Sequence
from typing import Final

from accord.desk.intake.patterns import MAX_TEXT
from accord.kernel.indicators import Kind, Network, Normalised

_HOST_OF = re.compile(r"[a-z]+://(?:\[([^\]]*)\]|([^/:?#]*))(?::[0-9]+)?(/?.*)", re.DOTALL)
_WALLET, _URL = Kind.WALLET, Kind.URL

_BUILT_IN: Final = {
    ("evm", "0x0000000000000000000000000000000000000000"): "burn_address",
    ("evm", "0x000000000000000000000000000000000000dead"): "burn_address",
    ("evm", "0xdead000000000000000042069420694206942069"): "burn_address",
    ("evm", "0xdac17f958d2ee523a2206206994597c13d831ec7"): "token_contract",
    ("evm", "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"): "token_contract",
    ("evm", "0x6b175474e89094c44da98b954eedeac495271d0f"): "token_contract",
    ("evm", "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"): "token_contract",
    ("evm", "0x55d398326f99059ff775485246999027b3197955"): "token_contract",
    ("evm", "0x2791bca1f2de4661ed88a30c99a7a9449aa84174"): "token_contract",
    ("trx", "T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb"): "burn_address",
    ("trx", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"): "token_contract",
    ("btc", "1BitcoinEaterAddressDontSendf59kuE"): "burn_address",
    ("btc", "1111111111111111111114oLvT2"): "burn_address",
    ("sol", "11111111111111111111111111111111"): "burn_address",
    ("sol", "1nc1nerator11111111111111111111111111111111"): "burn_address",
    ("sol", "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"): "token_contract",
    ("sol", "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB"): "token_contract",
}
_BUILT_IN_WORDS: Final = {
    "burn_address": "This address belongs to nobody; coins sent there are destroyed.",
    "token_contract": "This is the contract of a token, not somebody's wallet.",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Why a row is held: a code, and words for a person."""

    code: str
    message: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LoadedList:
    """One list that is in force: SHA-256 (hexadecimal) of its file, and how many entries it has."""

    name: str
    version: str | None
    sha256: str
    entries: int


@dataclasses.dataclass(slots=True, kw_only=True)
class Guards:
    """All guard lists loaded; ``lists`` says which, for the report."""

    lists: list[LoadedList] = dataclasses.field(default_factory=list)
    wallets: dict[tuple[str, str], str] = dataclasses.field(default_factory=dict)
    exact: dict[str, str] = dataclasses.field(default_factory=dict)
    below: dict[str, str] = dataclasses.field(default_factory=dict)
    parts: list[tuple[re.Pattern[str], str]] = dataclasses.field(default_factory=list)
    patterns: list[tuple[re.Pattern[str], str]] = dataclasses.field(default_factory=list)
    networks: list[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, str]] = dataclasses.field(
        default_factory=list
    )

    @property
    def names(self) -> list[str]:
        """The names of the lists."""
        return [one.name for one in self.lists]

    def hit(self, found: Normalised) -> Hit | None:
        """Return why ``found`` must be held, or ``None``."""
        if found.kind is _WALLET and found.network is not None:
            return self._wallet(found.network, found.value)
        if found.flags and "gateway" in found.flags:
            return Hit(
                code="onion_gateway",
                message="This is a gateway's name for an onion service; the value is the service.",
            )
        if found.network is not None:
            return None
        if found.kind is _URL:
            return self._url(found.value)
        return self._host(found.value, found.aliases)

    def _wallet(self, network: Network, value: str) -> Hit | None:
        key = (network._value_, value)
        built_in = _BUILT_IN.get(key)
        if built_in is not None:
            return Hit(code=built_in, message=_BUILT_IN_WORDS[built_in])
        name = self.wallets.get(key)
        if name is None:
            return None
        return Hit(code="known_service", message=f"Held: on the guard list {name}.")

    def _url(self, value: str) -> Hit | None:
        found = _HOST_OF.fullmatch(value)
        if found is None:
            return None
        name = self.exact.get(value.casefold())
        host = found[1] or found[2]
        if name is None and found[3] in {"", "/"}:
            name = self._host_name(host, ())
        if name is None and self.networks:
            name = self._address(host)
        return _listed(name or self._part(value))

    def _host(self, host: str, aliases: Sequence[str]) -> Hit | None:
        return _listed(self._host_name(host, aliases) or self._part(host))

    def _host_name(self, host: str, aliases: Sequence[str]) -> str | None:
        exact, below = self.exact, self.below
        name = exact.get(host)
        if name is not None:
            return name
        for alias in aliases:
            if alias in exact:
                return exact[alias]
        while below:
            if host in below:
                return below[host]
            _, dot, host = host.partition(".")
            if not dot:
                break
        return None

    def _part(self, value: str) -> str | None:
        for pattern, name in self.parts:
            if pattern.search(value):
                return name
        for pattern, name in self.patterns:
            # What is too long to be judged in bounded time is held, not passed over.
            if len(value) > MAX_TEXT or pattern.search(value):
                return name
        return None

    def _address(self, host: str) -> str | None:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return None
        for network, name in self.networks:
            if address.version == network.version and address in network:
                return name
        return None


def _listed(name: str | None) -> Hit | None:
    if name is None:
        return None
    return Hit(code="warninglist", message=f"Held: on the guard list {name}.")
