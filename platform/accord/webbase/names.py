"""Names that pages give to codes of networks; files, commands and the wire keep the codes."""

from collections.abc import Mapping

from accord.kernel.indicators import Network
from accord.webbase.texts import gettext

NETWORKS: Mapping[str, str] = {
    Network.BTC: "Bitcoin",
    Network.EVM: gettext("Ethereum family"),
    Network.XMR: "Monero",
    Network.LTC: "Litecoin",
    Network.BCH: "Bitcoin Cash",
    Network.DOGE: "Dogecoin",
    Network.DASH: "Dash",
    Network.ZEC: "Zcash",
    Network.TRX: "Tron",
    Network.SOL: "Solana",
    Network.XRP: "XRP Ledger",
    Network.XLM: "Stellar",
    Network.ADA: "Cardano",
    Network.DOT: "Polkadot",
    Network.TON: "TON",
    Network.COSMOS: gettext("Cosmos family"),
}
"""Every network's name; one address of the Ethereum family is valid on each of its chains."""
