"""The vault: one encrypted SQLite file with all that a desk has opened, sent, mirrored and asked.

Invariants: nothing is written in the clear; a row that was acknowledged survives a power cut
(WAL, synchronous=FULL); the schema has a version and only moves forward. The room stores and
finds; it knows no network, no key but the vault's own, and no rule of who may see what.
"""

from accord.desk.storage.bundles import (
    Mark,
    MarkState,
    NewBundle,
    StoredBundle,
    Way,
)
from accord.desk.storage.vault import Vault, create_vault, open_vault

__all__ = [
    "Mark",
    "MarkState",
    "NewBundle",
    "StoredBundle",
    "Vault",
    "Way",
    "create_vault",
    "open_vault",
]
