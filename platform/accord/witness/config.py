"""Where a witness keeps its keys and its state, and what it takes from the network.

Nothing here comes from the environment but the home directory. Who controls the home controls the
witness: its database must never be restored from an older copy.
"""

from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
"""The witness listens on loopback; a reverse proxy with TLS stands before it."""

THREADS = 8
"""Requests that are worked on at the same time."""

CONNECTIONS = 1000
"""Connections that may be open, slow ones included."""

MAX_LOGS = 1000
"""Most logs that one witness follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessConfig:
    """The places of one witness under its home directory."""

    home: Path

    @property
    def keys(self) -> Path:
        """The key file, encrypted under the passphrase."""
        return self.home / "witness-keys.json"

    @property
    def database(self) -> Path:
        """What was cosigned; losing it ends this witness's identity."""
        return self.home / "witness.sqlite"
