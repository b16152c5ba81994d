"""Key files that open at once, for tests of other things than their passphrase.

A key file names its own cost; these name the lowest that is read, and are whole in all else.
"""

from collections.abc import Mapping
from pathlib import Path

from accord import keyfile

_LIGHT = 1, 8 * keyfile._MAX_LANES, 1


def save_light_keys(path: Path, keys: Mapping[str, bytes], passphrase: bytes) -> None:
    """Write a new key file."""
    keyfile._write_new(path, keyfile._seal(keys, passphrase, cost=_LIGHT))


def lighten(path: Path, passphrase: bytes) -> None:
    """Write a key file again that a command made."""
    keys = keyfile.load_keys(path, passphrase)
    path.unlink()
    save_light_keys(path, keys, passphrase)
