"""Wiring: the only place where a desk's config, keys, vault, mirror and services meet.

The pages are wired in ``app.pages``, so that a command without pages loads no web framework.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import httpx2

from accord.clock import Clock
from accord.desk.config import DeskConfig, read_config
from accord.desk.exchange.client import HubClient
from accord.desk.exchange.correspondence import Correspondence
from accord.desk.exchange.drafts import Drafts
from accord.desk.exchange.mirror import DirectoryMirror
from accord.desk.exchange.pull import Pull
from accord.desk.exchange.receipts import Pause
from accord.desk.exchange.rounds import Rounds
from accord.desk.exchange.submission import Submissions
from accord.desk.keyring import Keyring, unlock_keyring
from accord.desk.storage import StoredBundle, Vault, open_vault
from accord.desk.storage.reindex import bring_index_up_to_date
from accord.desk.storage.vault import explained
from accord.kernel.errors import AuthenticationNeeded
from accord.kernel.identifiers import OrgId


@dataclass(frozen=True, kw_only=True)
class Desk:
    """An unlocked desk. ``client`` opens no connection before it is used.

    ``pause`` waits so many seconds between requests and tells whether to stop. ``endings`` are
    called before the vault is closed.
    """

    config: DeskConfig
    keyring: Keyring
    vault: Vault
    client: HubClient
    clock: Clock
    pause: Pause = field(default_factory=lambda: threading.Event().wait)
    endings: list[Callable[[], None]] = field(default_factory=list)

    @cached_property
    def mirror(self) -> DirectoryMirror:
        """The replayed directory.

        Raises:
            AuthenticationNeeded: ``root_missing`` before enrolment.
        """
        path = self.config.root_file
        if not path.is_file():
            raise AuthenticationNeeded(
                "root_missing",
                "This desk trusts no root file yet.",
                next_step="Run accord desk enrol.",
            )
        return DirectoryMirror(
            self.vault, self.client, root_file=path.read_bytes(), clock=self.clock
        )

    @property
    def org(self) -> OrgId:
        """Who we are.

        Raises:
            AuthenticationNeeded: ``not_enrolled``.
        """
        if self.config.org is None:
            raise AuthenticationNeeded(
                "not_enrolled",
                "This desk is not enrolled at a hub yet.",
                next_step="Run accord desk enrol; then the registrar approves it.",
            )
        return self.config.org

    @cached_property
    def submissions(self) -> Submissions:
        """Sealing and sending."""
        return Submissions(
            vault=self.vault,
            client=self.client,
            mirror=self.mirror,
            keyring=self.keyring,
            org=self.org,
            clock=self.clock,
            pause=self.pause,
            four_eyes=self.config.four_eyes,
        )

    @cached_property
    def drafts(self) -> Drafts:
        """What waits for a second person."""
        return Drafts(
            vault=self.vault,
            submissions=self.submissions,
            letters=self.correspondence,
            clock=self.clock,
        )

    @cached_property
    def correspondence(self) -> Correspondence:
        """Requests, answers, sightings, notices."""
        return Correspondence(
            vault=self.vault,
            submissions=self.submissions,
            mirror=self.mirror,
            org=self.org,
            clock=self.clock,
        )

    @cached_property
    def pull(self) -> Pull:
        """Receiving."""
        return Pull(
            vault=self.vault,
            client=self.client,
            mirror=self.mirror,
            keyring=self.keyring,
            org=self.org,
            clock=self.clock,
        )

    @cached_property
    def rounds(self) -> Rounds:
        """The regular work."""
        return Rounds(
            vault=self.vault,
            client=self.client,
            mirror=self.mirror,
            keyring=self.keyring,
            org=self.org,
            clock=self.clock,
            submissions=self.submissions,
            pull=self.pull,
            retention_days=self.config.retention_days,
        )

    def signature_state(self, bundle: StoredBundle) -> str:
        """Say what the directory holds of a signer; before enrolment there is none to ask."""
        if not self.config.root_file.is_file():
            return "valid"
        return self.mirror.signature_state(bundle)

    def close(self) -> None:
        """Close vault and connections."""
        while self.endings:
            self.endings.pop()()
        self.client.close()
        self.vault.close()


@contextmanager
def open_desk(
    home: Path,
    passphrase: bytes,
    *,
    clock: Clock,
    transport: httpx2.BaseTransport | None = None,
    keyring: Keyring | None = None,
) -> Iterator[Desk]:
    """Unlock the desk in ``home``, or take its ``keyring`` when that is unlocked already.

    Raises:
        NotFound: ``desk_missing``, ``vault_missing``.
        AuthenticationNeeded: wrong passphrase or no keys.
    """
    config = read_config(home)
    keyring = keyring or unlock_keyring(config.keys_file, passphrase)
    vault = open_vault(config.vault_file, keyring.vault)
    client = HubClient(config.hub, clock=clock, key=keyring.request, transport=transport)
    desk = Desk(config=config, keyring=keyring, vault=vault, client=client, clock=clock)
    try:
        with explained():
            bring_index_up_to_date(vault)
            yield desk
    finally:
        desk.close()
