"""A whole hub in one process: registrar, witness, services, application, simulated desks.

Everything is the real thing but the network: desks and witness are reached over WSGI. A simulated
desk speaks the real protocol with the kernel's own bytes and can be made to misbehave.
"""

import contextlib
import functools
import hashlib
import secrets
import shutil
import struct
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx2
from flask import Flask
from tests.support import postgres
from tests.support.light_keys import save_light_keys

from accord.hub.app import make_hub
from accord.hub.config import HubConfig, new_config
from accord.hub.services import Services, build_services
from accord.hub.storage import open_database
from accord.kernel.bundle.model import DirectoryPoint, HandlingPolicy
from accord.kernel.directory.authority import verify_enrolment_request
from accord.kernel.directory.challenge import open_challenge
from accord.kernel.directory.registrars import Registrar
from accord.kernel.directory.rootfile import LogName, RootFile, Witness, sign_root
from accord.kernel.directory.statements import (
    Op,
    Profile,
    Statement,
    countersign,
    sign_statement,
)
from accord.kernel.envelope.payload import PayloadHead
from accord.kernel.envelope.sealing import Recipient, seal
from accord.kernel.identifiers import BundleId, OrgId, make_bundle_id, make_org_id
from accord.kernel.indicators import Basis, encode_line, normalise, record_of
from accord.kernel.keys import KemKeyPair, RequestKeyPair, SigningKeyPair
from accord.kernel.markings import (
    BundleKind,
    LegalBasis,
    Onward,
    OrgKind,
    Purpose,
    Tlp,
)
from accord.kernel.policy.charter import sign_charter
from accord.kernel.policy.default_charter import DEFAULT_CHARTER
from accord.kernel.tlog.checkpoint import verify_cosigned
from accord.kernel.tlog.notes import LogKeyPair, WitnessKeyPair
from accord.protocol.signatures import sign_request
from accord.witness.app import create_app
from accord.witness.service import LogBook
from accord.witness.service import Witness as WitnessService
from accord.witness.storage import Identity, WitnessDatabase

NOW = 1_795_600_000
HOST = "127.0.0.1:8600"
ORIGIN = "hub.test"
REGISTRARS = ("anna", "ben", "carla")
BTC = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"


class Places:
    """Where the hubs of the running test keep their database: the one global of this module."""

    engine = "sqlite"
    _made: contextlib.ExitStack | None = None

    @classmethod
    @contextlib.contextmanager
    def on(cls, engine: str) -> Iterator[None]:
        """Let worlds that are made in this block be on ``engine``; what they used is dropped."""
        before = cls.engine, cls._made
        with contextlib.ExitStack() as made:
            cls.engine, cls._made = engine, made
            try:
                yield
            finally:
                cls.engine, cls._made = before

    @classmethod
    def empty(cls, file: Path) -> Path | str:
        """Return where an empty database is: the ``file``, or a database on the server."""
        if cls.engine == "sqlite":
            return file
        return cls.fresh(copied="template0")

    @classmethod
    def fresh(cls, *, copied: str | None = None) -> str:
        """Return the address of a new database, or of a copy; ``""``: a file in the hub's home."""
        if cls.engine == "sqlite":
            return ""
        if cls._made is None:  # a module's world: it goes with the server
            server = postgres.shared_server()
            return server.address(server.make_database(copied or postgres.TEMPLATE))
        return cls._made.enter_context(postgres.fresh_address(copied or postgres.TEMPLATE))


@functools.cache
def _tables() -> bytes:
    """Return a SQLite database of this release with nothing in its tables, made once."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "hub.db"
        open_database(file).close()
        return file.read_bytes()


class MovingClock:
    """A clock that tests move."""

    def __init__(self, now: int = NOW) -> None:
        """Start at ``now``."""
        self.now = now

    def __call__(self) -> int:
        return self.now


@dataclass
class Desk:
    """A simulated desk: keys, name, and requests that it signs itself."""

    name: str
    kind: OrgKind
    world: "World"
    country: str = "NL"
    roles: tuple[str, ...] = ()
    kem: KemKeyPair = field(default_factory=KemKeyPair.generate)
    sig: SigningKeyPair = field(default_factory=SigningKeyPair.generate)
    request_key: RequestKeyPair = field(default_factory=RequestKeyPair.generate)
    recovery: SigningKeyPair = field(default_factory=SigningKeyPair.generate)

    @property
    def org(self) -> OrgId:
        return make_org_id(self.name, ORIGIN)

    def enrolment(self, **changes: Any) -> bytes:
        values: dict[str, Any] = {
            "org": self.org,
            "seq": 1,
            "op": Op.ENROL,
            "not_before": self.world.clock(),
            "not_after": self.world.clock() + 400 * 86_400,
            "profile": Profile(
                name=self.name.title(), kind=self.kind, country=self.country, contact="duty@x.test"
            ),
            "kem": self.kem.public,
            "sig": self.sig.public,
            "request_key": self.request_key.public,
            "recovery": self.recovery.public,
            "roles": self.roles,
        }
        return sign_statement(Statement(**(values | changes)), [self.sig])

    def headers(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        body: bytes | None = None,
        content_type: str | None = None,
        nonce: bytes | None = None,
        authority: str = HOST,
        now: int | None = None,
    ) -> dict[str, str]:
        return sign_request(
            method=method,
            authority=authority,
            path=path,
            query=query,
            body=body,
            content_type=content_type,
            key=self.request_key,
            now=self.world.clock() if now is None else now,
            nonce=nonce or secrets.token_bytes(16),
        )

    def get(self, path: str, query: str = "") -> httpx2.Response:
        url = f"{path}?{query}" if query else path
        return self.world.client.get(url, headers=self.headers("GET", path, query=query))

    def send(self, method: str, path: str, body: bytes, content_type: str) -> httpx2.Response:
        headers = self.headers(method, path, body=body, content_type=content_type)
        return self.world.client.request(method, path, content=body, headers=headers)

    def put_bundle(self, bundle: bytes, bundle_id: BundleId) -> httpx2.Response:
        return self.send("PUT", f"/v1/bundles/{bundle_id}", bundle, "application/vnd.accord.bundle")

    def seal(
        self, *recipients: "Desk", values: Sequence[str] = (BTC,), **changes: Any
    ) -> tuple[BundleId, bytes]:
        bundle_id = make_bundle_id(self.world.clock() * 1000, secrets.token_bytes(10))
        lines = [
            encode_line(record_of(normalise(value), confidence=80, basis=Basis.OBSERVED))
            for value in values
        ]
        values_: dict[str, Any] = {
            "bundle_id": bundle_id,
            "kind": BundleKind.INDICATORS,
            "org": self.org,
            "created": self.world.clock(),
            "expires": self.world.clock() + 30 * 86_400,
            "policy": HandlingPolicy(
                tlp=Tlp.AMBER,
                purpose=Purpose.SUSPICION_REPORT,
                legal_basis=LegalBasis.LEGAL_OBLIGATION,
                onward=Onward.NONE,
            ),
            "directory": [self.world.point()],
            "recipients": [Recipient(org=one.org, key=one.kem.public) for one in recipients],
            "head": PayloadHead(title="Test"),
            "lines": lines,
            "signer": self.sig,
        } | changes
        return values_["bundle_id"], seal(**values_)

    def deliveries(self) -> list[tuple[int, bytes]]:
        data = self.get("/v1/deliveries", "after=0&limit=100").content
        found, at = [], 0
        while at < len(data):
            seq, size = struct.unpack(">QQ", data[at : at + 16])
            found.append((seq, data[at + 16 : at + 16 + size]))
            at += 16 + size
        return found


class World:
    """One hub with its registrar and witness; ``enrol`` adds simulated desks."""

    def __init__(
        self,
        folder: Path,
        *,
        charter: str | None = DEFAULT_CHARTER,
        witness_url: str = "http://witness.test",
        registrars: int = 1,
        threshold: int = 1,
    ) -> None:
        """Make registrars, witness and hub in ``folder``; ``charter`` is published when given."""
        self.folder = folder
        self.clock = MovingClock()
        self.registrars = [SigningKeyPair.generate() for _ in range(registrars)]
        self.registrar = self.registrars[0]
        self.log_keys = {name: LogKeyPair.generate(f"{ORIGIN}/{name}") for name in LogName}
        self.witness_keys = WitnessKeyPair.generate("ngo.test/witness")
        database = WitnessDatabase.create(
            folder / "witness.db",
            Identity(name=self.witness_keys.name, vkeys=self.witness_keys.vkeys),
        )
        self.witness_database = database
        for name, pair in self.log_keys.items():
            LogBook(database, self.clock).follow(f"{ORIGIN}/{name}", pair.vkeys)
        self.witness_app = create_app(WitnessService(database, self.witness_keys, self.clock))
        self.root = RootFile(
            hub=ORIGIN,
            version=1,
            created=NOW,
            directory_log=self.log_keys[LogName.DIRECTORY].vkeys,
            audit_log=self.log_keys[LogName.AUDIT].vkeys,
            registrars=tuple(
                Registrar(name=name, key=pair.public)
                for name, pair in zip(REGISTRARS, self.registrars, strict=False)
            ),
            threshold=threshold,
            witnesses=(
                Witness(
                    name=self.witness_keys.name,
                    vkeys=self.witness_keys.vkeys,
                    url=witness_url,
                ),
            ),
            quorum=1,
        )
        self.root_bytes = sign_root(self.root, self.registrars)
        self.config = new_config(
            folder / "hub",
            origin=ORIGIN,
            host="127.0.0.1",
            port=8600,
            database=Places.fresh(),
        )
        if isinstance(self.config.place, Path):
            self.config.place.write_bytes(_tables())
        self.services = self.open_services()
        self.services.directory.install_root(self.root_bytes, now=NOW)
        if charter is not None:
            signed = sign_charter(charter.encode(), self.registrars)
            self.services.directory.publish_charter(signed, now=NOW)
        self.witness_round()

    @cached_property
    def app(self) -> Flask:
        """The hub's application, made when a test first asks for it."""
        return make_hub(self.services, secret_key=secrets.token_bytes(32), port=8600)

    @cached_property
    def client(self) -> httpx2.Client:
        """A client of the application, without a session."""
        transport = httpx2.WSGITransport(app=self.app)
        return httpx2.Client(transport=transport, base_url=f"http://{HOST}")

    def open_services(self, config: HubConfig | None = None) -> Services:
        return build_services(
            config or self.config,
            root=self.root,
            root_bytes=self.root_bytes,
            keys=self.log_keys,
            clock=self.clock,
            transport=httpx2.WSGITransport(app=self.witness_app),
        )

    def witness_round(self) -> None:
        for name in LogName:
            self.services.jobs.round(name)

    def enrol(
        self, name: str, kind: OrgKind, country: str = "NL", roles: tuple[str, ...] = ()
    ) -> Desk:
        desk = Desk(name=name, kind=kind, world=self, country=country, roles=roles)
        enrolments = self.services.enrolments
        _, code = enrolments.invite(name, kind, now=self.clock())
        statement = desk.enrolment()
        number, challenge = enrolments.begin(code, statement, now=self.clock())
        payload = verify_enrolment_request(statement, hub=ORIGIN).envelope.payload
        enrolments.prove(number, open_challenge(desk.kem, payload, challenge), now=self.clock())
        signed = countersign(statement, self.registrars)
        self.services.statements.countersigned(signed, now=self.clock())
        self.witness_round()
        return desk

    def point(self) -> DirectoryPoint:
        head = self.services.reader.cosigned(LogName.DIRECTORY)
        assert head is not None
        checkpoint = verify_cosigned(head.note, self.root.log_policy(LogName.DIRECTORY))
        return DirectoryPoint(origin=checkpoint.origin, size=checkpoint.size, root=checkpoint.root)

    def close(self) -> None:
        if "client" in vars(self):
            self.client.close()
        self.services.close()
        self.witness_database.close()

    def lay_keys(self, passphrase: bytes) -> None:
        """Put keys and root file into the home, so that commands can open the hub."""
        keys = {}
        for name, pair in self.log_keys.items():
            keys |= {f"{name}.ed25519": pair.ed25519_seed, f"{name}.mldsa44": pair.mldsa44_seed}
        save_light_keys(self.config.keys, keys, passphrase)
        self.config.root.write_bytes(self.root_bytes)

    def copy(self, folder: Path) -> "Copy":
        """Copy home and database of a hub whose services are closed."""
        shutil.copytree(self.config.home, folder)
        if not self.config.database:
            return Copy(folder=folder)
        return Copy(folder=folder, database=Places.fresh(copied=self.config.database))

    def put_back(self, copy: "Copy") -> None:
        """Put an older home and database in the place of the present ones, which are lost."""
        shutil.rmtree(self.config.home)
        shutil.copytree(copy.folder, self.config.home)
        if copy.database:
            postgres.shared_server().replace(self.config.database, by=copy.database)

    def files(self) -> Mapping[str, bytes]:
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file()
        }


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A copy of a hub's home, and of its database when that is on a server."""

    folder: Path
    database: str = ""


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
