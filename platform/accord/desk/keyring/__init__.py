"""The desk's private keys: made here, wrapped with a passphrase, unlocked for one command.

Invariants: private keys leave this room only as key objects whose ``repr`` hides them, or wrapped
in a backup; a key file is changed whole or not at all; old opening keys are kept, so that older
bundles can still be opened.
"""

from accord.desk.keyring.keyring import (
    Following,
    KeyFile,
    Keyring,
    create_keyring,
    create_recovery,
    load_recovery,
    stamp,
    unlock_keyring,
)

__all__ = [
    "Following",
    "KeyFile",
    "Keyring",
    "create_keyring",
    "create_recovery",
    "load_recovery",
    "stamp",
    "unlock_keyring",
]
