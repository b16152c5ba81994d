"""Indicators: wallets, transactions, domains, onion services and URLs, each in one canonical form.

The room turns what people type into what organisations can match, and refuses what must not
travel (private keys, seed phrases, test networks, look-alikes). It knows no file, desk or bundle.
"""

from accord.kernel.indicators.batch import normalise_batch
from accord.kernel.indicators.kinds import (
    CANON_VERSION,
    Checksum,
    Kind,
    Network,
    Normalised,
    Outcome,
)
from accord.kernel.indicators.labels import network_of_label
from accord.kernel.indicators.normalise import normalise

__all__ = [
    "CANON_VERSION",
    "Checksum",
    "Kind",
    "Network",
    "Normalised",
    "Outcome",
    "network_of_label",
    "normalise",
    "normalise_batch",
]
