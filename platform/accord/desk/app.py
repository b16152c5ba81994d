"""Wiring: the only place where a desk's config, keys, vault, mirror and services meet."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import httpx2
from flask import Flask

from accord.clock import Clock
from accord.desk.config import DeskConfig, read_config
from accord.desk.exchange.client import HubClient
from accord.desk.exchange.mirror import DirectoryMirror
from accord.desk.exchange.pull import Pull
from accord.desk.exchange.rounds import Rounds, last_checked
from accord.desk.exchange.submission import Submissions
from accord.desk.keyring import Keyring, unlock_keyring
from accord.desk.keyring.people import People
from accord.desk.storage import StoredBundle, Vault, open_vault
from accord.desk.storage.vault import explained
from accord.desk.web import PageServices, page_routes
from accord.desk.web.pages import INBOX, SEARCH
from accord.kernel.errors import AuthenticationNeeded
from accord.kernel.identifiers import OrgId
from accord.webbase.actor import Actor, install_actor
from accord.webbase.factory import make_app
from accord.webbase.routes import check_routes, install_gate
from accord.webbase.sign_in import install_sign_in
from accord.webbase.throttle import SignInThrottle


@dataclass(frozen=True, kw_only=True)
class Desk:
    """An unlocked desk. ``client`` opens no connection before it is used."""

    config: DeskConfig
    keyring: Keyring
    vault: Vault
    client: HubClient
    clock: Clock

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
        self.client.close()
        self.vault.close()


@contextmanager
def open_desk(
    home: Path,
    passphrase: bytes,
    *,
    clock: Clock,
    transport: httpx2.BaseTransport | None = None,
) -> Iterator[Desk]:
    """Unlock the desk in ``home``.

    Raises:
        NotFound: ``desk_missing``, ``vault_missing``.
        AuthenticationNeeded: wrong passphrase or no keys.
    """
    config = read_config(home)
    keyring = unlock_keyring(config.keys_file, passphrase)
    vault = open_vault(config.vault_file, keyring.vault)
    client = HubClient(config.hub, clock=clock, key=keyring.request, transport=transport)
    desk = Desk(config=config, keyring=keyring, vault=vault, client=client, clock=clock)
    try:
        with explained():
            yield desk
    finally:
        desk.close()


def make_pages(desk: Desk, *, secret_key: bytes, instance: str, port: int) -> Flask:
    """Return the desk's pages as one application, for loopback only.

    Args:
        desk: the unlocked desk.
        secret_key: signs the session cookies.
        instance: tells desks on one computer apart, in the cookie's name.
        port: the port that was bound; requests must name it, which stops DNS rebinding.
    """
    app = make_app(
        "desk",
        instance_id=instance,
        secret_key=secret_key,
        https=False,
        hosts=[f"localhost:{port}", f"127.0.0.1:{port}"],
        templates=["accord.desk.web"],
    )
    people = People(desk.vault)
    org = desk.config.org or "not enrolled"

    def actor_of(login: str) -> Actor:
        return Actor(id=login, name=login, org=org, roles=frozenset({"investigator"}))

    install_actor(
        app,
        load=lambda account: actor_of(account) if people.exists(account) else None,
        clock=desk.clock,
    )
    install_sign_in(
        app,
        check=lambda login, password: actor_of(people.check(login.strip().lower(), password)),
        clock=desk.clock,
        throttle=SignInThrottle(),
    )
    app.register_blueprint(
        page_routes(
            PageServices(
                vault=desk.vault,
                org=desk.config.org,
                clock=desk.clock,
                signature_state=desk.signature_state,
                checked=lambda: last_checked(desk.vault),
            )
        )
    )
    app.jinja_env.globals["navigation"] = ((INBOX, "Inbox"), (SEARCH, "Search"))
    install_gate(app)
    check_routes(app, signed_requests=False)
    return app
