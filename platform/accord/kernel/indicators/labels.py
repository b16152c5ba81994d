"""What people write in a column "chain", "coin" or "asset", and the network that it names.

A token is not a chain: ``USDT`` alone names none (in published lists it stands for Tron, EVM and
Bitcoin addresses alike), ``USDT (TRC20)`` names Tron. This module guesses nothing from addresses.
"""

import re

from accord.kernel.indicators.kinds import Network

_SPELLINGS: dict[Network, str] = {
    Network.BTC: "btc|xbt|bitcoin|bitcoin core|bitcoin mainnet|btc mainnet|bitcoin network"
    "|lightning|lightning network|omni|usdt omni|btc segwit|bech32|bc",
    Network.EVM: "evm|eth|ether|ethereum|ethereum mainnet|erc20|erc 20|usdt erc20|usdt eth"
    "|usdc erc20|usdc eth|dai|weth|etc|ethereum classic|bsc|bep20|bep 20|bnb smart chain"
    "|binance smart chain|usdt bep20|usdt bsc|bnb bsc|polygon|matic|pol|polygon pos|usdt polygon"
    "|usdc polygon|arbitrum|arbitrum one|arb|base|base mainnet|optimism|op mainnet|avalanche"
    "|avalanche c chain|avax|avax c|fantom|ftm|gnosis|xdai|zksync|zksync era|linea|scroll|blast"
    "|cronos|celo|rsk|rootstock|mantle",
    Network.XMR: "xmr|monero",
    Network.LTC: "ltc|litecoin",
    Network.BCH: "bch|bcc|bitcoin cash|bitcoincash|bchn",
    Network.DOGE: "doge|xdg|dogecoin",
    Network.DASH: "dash|digital cash",
    Network.ZEC: "zec|zcash|z cash",
    Network.TRX: "trx|tron|trc20|trc 20|trc10|usdt trc20|usdt trc 20|usdt tron|usdc trc20"
    "|tron network|tether trc20",
    Network.SOL: "sol|solana|spl|usdc sol|usdt sol|usdc spl|usdt spl|solana mainnet",
    Network.XRP: "xrp|ripple|xrp ledger|xrpl",
    Network.XLM: "xlm|stellar|stellar lumens|lumens|usdc xlm|usdc stellar",
    Network.ADA: "ada|cardano",
    Network.DOT: "dot|polkadot|kusama|ksm|substrate",
    Network.TON: "ton|toncoin|the open network|usdt ton",
    Network.COSMOS: "cosmos|atom|cosmos hub|osmosis|osmo|injective|inj|terra|luna|kava|thorchain"
    "|rune|juno|akash|akt|celestia|tia|dydx|sei|secret|scrt|axelar|noble|stride|evmos|band"
    "|band protocol|bnb beacon|bnb beacon chain|bep2|bep 2|irisnet",
}
_NETWORK_OF = {
    spelling: network for network, line in _SPELLINGS.items() for spelling in line.split("|")
}
_SEPARATORS = re.compile(r"[\s_\-\u2013\u2014/()\[\]{}:,;.·|]+")
_EIP155 = re.compile(r"eip155:(0|[1-9][0-9]{0,17})")
_NOISE = re.compile(r"\b(?:token|coin|wallet|address|addr|chain|blockchain|network|mainnet)\b")

TEST_CHAIN_IDS = frozenset(
    {3, 4, 5, 31, 42, 69, 80001, 80002, 97, 420, 43113, 84531, 84532, 17000, 421613, 421614}
    | {11155111, 11155420, 560048}
)
"""EIP-155 ids of public test networks (chainlist); their addresses are refused as ``testnet``."""


def network_of_label(text: str | None) -> Network | None:
    """Return the network that a label names, or ``None`` when it names none or several.

    Examples: ``Bitcoin Core`` → btc, ``ERC-20`` → evm, ``USDT (TRC20)`` → trx, ``USDT`` → None.
    """
    if not text or len(text) > 80:
        return None
    if parse_eip155(text.strip().lower()) is not None:
        return Network.EVM
    words = _SEPARATORS.sub(" ", text.casefold()).strip()
    found = _NETWORK_OF.get(words)
    if found is None:
        found = _NETWORK_OF.get(" ".join(_NOISE.sub(" ", words).split()))
    return found


def parse_eip155(text: str) -> int | None:
    """Return the chain id of a CAIP-2 name ``eip155:N``, or ``None`` for any other text."""
    match = _EIP155.fullmatch(text)
    return int(match.group(1)) if match else None
