"""Real desks against the real hub application in process, over a wire that can break."""

import functools
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from tests.support.hub_world import HOST, World

from accord.desk import app as desk_app
from accord.desk.config import DeskConfig, read_config, write_config
from accord.desk.exchange import enrol
from accord.desk.exchange.client import HubClient
from accord.desk.exchange.keychange import KeyChanges
from accord.desk.exchange.submission import Plan
from accord.desk.keyring import KeyFile, Keyring
from accord.desk.storage import create_vault, open_vault
from accord.kernel.bundle.model import HandlingPolicy
from accord.kernel.directory.statements import Profile, countersign
from accord.kernel.envelope.payload import PayloadHead
from accord.kernel.errors import Unavailable
from accord.kernel.identifiers import OrgId
from accord.kernel.keys import KemKeyPair, RequestKeyPair, SigningKeyPair
from accord.kernel.markings import LegalBasis, Onward, OrgKind, Purpose, Tlp

URL = f"http://{HOST}"
CUT = "the wire is cut"

Change = Callable[[httpx2.Request, httpx2.Response], httpx2.Response]


class Wire(httpx2.BaseTransport):
    """Carries requests to the hub's WSGI application; counts them, can lose or change answers.

    ``lose_before`` paths never reach the hub; ``lose_after`` paths reach it and the answer is
    lost; ``instead`` answers in the hub's place. Before a receipt is asked for, the witness is asked, as the hub's own job would.
    """

    def __init__(self, world: World) -> None:
        """Carry requests to the application of ``world``."""
        self._world = world
        self._inner = httpx2.WSGITransport(app=world.app)
        self.requests: list[tuple[str, str]] = []
        self.lose_before: set[str] = set()
        self.lose_after: set[str] = set()
        self.change: Change | None = None
        self.instead: Callable[[httpx2.Request], httpx2.Response | None] | None = None
        self.witness = True

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        self.requests.append((request.method, path))
        if any(part in path for part in self.lose_before):
            raise httpx2.ConnectError(CUT, request=request)
        told = self.instead(request) if self.instead else None
        if told is not None:
            return told
        if self.witness and path.endswith(("/receipt", "/checkpoint")):
            self._world.witness_round()
        response = self._inner.handle_request(request)
        if any(part in path for part in self.lose_after):
            raise httpx2.ReadError(CUT, request=request)
        return self.change(request, response) if self.change else response


@dataclass(frozen=True, kw_only=True)
class KeptInMemory(KeyFile):
    """A key file without its slow passphrase, which is tested elsewhere."""

    kept: dict[str, bytes]

    def entries(self) -> dict[str, bytes]:
        return dict(self.kept)

    def write(self, entries: Mapping[str, bytes]) -> None:
        self.kept.clear()
        self.kept.update(entries)


class DeskAt:
    """One desk's directory, with its wire; ``open`` unlocks it."""

    def __init__(
        self,
        world: World,
        home: Path,
        name: str,
        kind: OrgKind,
        country: str,
        *,
        cut_proof: bool = False,
    ) -> None:
        """Make the desk in ``home`` and enrol it, registrar's approval included."""
        self.world = world
        self.home = home
        self.wire = Wire(world)
        self.pauses: list[float] = []
        self.stop = False
        self.org = OrgId(f"{name}@{world.root.hub}")
        # Key files and their slow passphrase are tested elsewhere.
        self.keyring = Keyring(
            signing=SigningKeyPair.generate(),
            request=RequestKeyPair.generate(),
            kem=(KemKeyPair.generate(),),
            vault=secrets.token_bytes(32),
        )
        self.recovery = SigningKeyPair.generate()
        self.kept: dict[str, bytes] = {}
        self._enrol(name, kind, country, cut_proof=cut_proof)

    def key_file(self) -> KeyFile:
        """Return this desk's keys for a change of them; they are those of ``keyring`` at first."""
        if not self.kept:
            ours = self.keyring
            self.kept |= {
                "signing": b"".join(ours.signing.seeds),
                "request": ours.request.seed,
                "vault": ours.vault,
                **{f"kem-{place}": pair.seed for place, pair in enumerate(ours.kem, 1)},
            }
        return KeptInMemory(path=self.home, passphrase=b"", kept=self.kept)

    def changes(self, desk: desk_app.Desk) -> KeyChanges:
        """Return the verbs on this desk's own keys; ``keyring`` is read again afterwards."""
        return KeyChanges(
            vault=desk.vault,
            client=desk.client,
            mirror=desk.mirror,
            key_file=self.key_file(),
            org=self.org,
            person="ana",
            clock=self.world.clock,
            pause=self.pause,
        )

    def _enrol(self, name: str, kind: OrgKind, country: str, *, cut_proof: bool) -> None:
        world = self.world
        config = DeskConfig(home=self.home, hub=URL, org=None)
        write_config(config)
        keyring = self.keyring
        vault = create_vault(config.vault_file, keyring.vault)
        client = HubClient(URL, clock=world.clock, key=keyring.request, transport=self.wire)
        _, code = world.services.enrolments.invite(name, kind, now=world.clock())
        root_file = enrol.fetch_root(client, world.root_bytes)
        config.root_file.write_bytes(root_file)
        begin = functools.partial(
            enrol.begin,
            client,
            vault,
            keyring,
            root_file=root_file,
            application=enrol.Application(
                name=name,
                profile=Profile(name=name.title(), kind=kind, country=country, contact="Duty desk"),
                roles=(),
                invite=code,
            ),
            recovery=self.recovery.public,
            now=world.clock(),
        )
        if cut_proof:
            self.wire.lose_before = {"/proof"}
            with pytest.raises(Unavailable):
                begin()
            self.wire.lose_before = set()
            begun = enrol.check(client, vault, keyring, root_file=root_file)
        else:
            begun = begin()
        self.begun = begun
        (waiting,) = world.services.enrolments.waiting()
        world.services.statements.countersigned(
            countersign(waiting.statement, world.registrars), now=world.clock()
        )
        write_config(DeskConfig(home=self.home, hub=URL, org=begun.org), replace=True)
        self.after = enrol.check(client, vault, keyring, root_file=root_file)
        client.close()
        vault.close()
        with self.open() as desk:
            enrol.confirm(desk.mirror, desk.vault, desk.keyring, begun.org)

    def pause(self, seconds: float) -> bool:
        """Note that a desk would wait; ``stop`` tells it to stop."""
        self.pauses.append(seconds)
        return self.stop

    @contextmanager
    def open(self) -> Iterator[desk_app.Desk]:
        """Unlock the desk as a new process would: vault and mirror are read anew."""
        config = read_config(self.home)
        desk = desk_app.Desk(
            config=config,
            keyring=self.keyring,
            vault=open_vault(config.vault_file, self.keyring.vault),
            client=HubClient(
                config.hub,
                clock=self.world.clock,
                key=self.keyring.request,
                transport=self.wire,
            ),
            clock=self.world.clock,
            pause=self.pause,
        )
        try:
            yield desk
        finally:
            desk.close()


def plan(world: World, *recipients: OrgId, **changes: object) -> Plan:
    values: dict[str, object] = {
        "recipients": recipients,
        "policy": HandlingPolicy(
            tlp=Tlp.AMBER,
            purpose=Purpose.SUSPICION_REPORT,
            legal_basis=LegalBasis.LEGAL_OBLIGATION,
            onward=Onward.NONE,
        ),
        "expires": world.clock() + 30 * 86_400,
        "head": PayloadHead(title="October wallets"),
        "source": b"s" * 32,
        "name": "october.csv",
    }
    return Plan(**values | changes)  # type: ignore[arg-type]
