"""The log keys of a hub in its key file."""

from accord.hub.config import HubConfig
from accord.kernel.directory.rootfile import LogName
from accord.kernel.errors import Malformed
from accord.kernel.tlog.notes import LogKeyPair
from accord.keyfile import load_keys

_PARTS = ("ed25519", "mldsa44")

HubKeys = dict[LogName, LogKeyPair]
"""The keys of both logs."""


def load_hub_keys(config: HubConfig, passphrase: bytes) -> HubKeys:
    """Return the log keys that ``init`` made.

    Raises:
        AccordError: a code of ``keyfile.load_keys``.
        Malformed: ``keyfile_content`` for a key file of another kind of program.
    """
    found = load_keys(config.keys, passphrase)
    if not {f"{name}.{part}" for name in LogName for part in _PARTS} <= found.keys():
        raise Malformed(
            "keyfile_content", "This is not a hub's key file.", observed=str(config.keys)
        )
    return {
        name: LogKeyPair(
            f"{config.origin}/{name}", found[f"{name}.ed25519"], found[f"{name}.mldsa44"]
        )
        for name in LogName
    }


def as_mapping(keys: HubKeys) -> dict[str, bytes]:
    """Return the keys as the key file keeps them."""
    found: dict[str, bytes] = {}
    for name, pair in keys.items():
        found[f"{name}.ed25519"] = pair.ed25519_seed
        found[f"{name}.mldsa44"] = pair.mldsa44_seed
    return found
