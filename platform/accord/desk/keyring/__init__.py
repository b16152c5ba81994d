"""The desk's private keys: made here, wrapped with a passphrase, unlocked for one command.

Invariants: private keys leave this room only as key objects whose ``repr`` hides them; a key file
is never overwritten; old opening keys are kept, so that older bundles can still be opened.
"""

from accord.desk.keyring.keyring import (
    Keyring,
    create_keyring,
    load_recovery,
    unlock_keyring,
)

__all__ = ["Keyring", "create_keyring", "load_recovery", "unlock_keyring"]
