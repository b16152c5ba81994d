"""A real hub and witness as processes, with many enrolled senders, for the load benches."""

import asyncio
import json
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import httpx2
from tests.support.postgres import PostgresServer

from accord.clock import system_clock
from accord.demo.processes import Processes
from accord.hub.cli.identity import load_hub_keys
from accord.hub.config import load_config
from accord.hub.services import Services, build_services
from accord.kernel.bundle.model import DirectoryPoint, HandlingPolicy
from accord.kernel.directory.challenge import open_challenge
from accord.kernel.directory.rootfile import LogName, RootFile, verify_root
from accord.kernel.directory.statements import (
    Op,
    Profile,
    Statement,
    countersign,
    parse_statement,
    sign_statement,
)
from accord.kernel.envelope.payload import PayloadHead
from accord.kernel.envelope.sealing import Recipient, seal
from accord.kernel.identifiers import BundleId, OrgId, make_bundle_id, make_org_id
from accord.kernel.keys import KemKeyPair, RequestKeyPair, SigningKeyPair
from accord.kernel.markings import BundleKind, LegalBasis, Onward, OrgKind, Purpose, Tlp
from accord.kernel.policy.default_charter import DEFAULT_CHARTER
from accord.kernel.tlog.checkpoint import verify_cosigned
from accord.keyfile import load_keys
from accord.protocol.signatures import sign_request

ORIGIN = "hub.bench"
POLICY = HandlingPolicy(
    tlp=Tlp.AMBER,
    purpose=Purpose.SUSPICION_REPORT,
    legal_basis=LegalBasis.LEGAL_OBLIGATION,
    onward=Onward.NONE,
)
BUNDLE_TYPE = "application/vnd.accord.bundle"
AS_INSTALLED = (
    "autovacuum = on",
    "checkpoint_timeout = 5min",
    "shared_buffers = 128MB",
    "max_connections = 200",
)
"""Settings of a server that is measured: those that PostgreSQL comes with, but for connections."""


@dataclass(kw_only=True)
class Member:
    """An enrolled organisation with its private keys."""

    name: str
    kind: OrgKind
    kem: KemKeyPair = field(default_factory=KemKeyPair.generate)
    sig: SigningKeyPair = field(default_factory=SigningKeyPair.generate)
    request_key: RequestKeyPair = field(default_factory=RequestKeyPair.generate)

    @property
    def org(self) -> OrgId:
        """The organisation's id."""
        return make_org_id(self.name, ORIGIN)


@dataclass(kw_only=True)
class Running:
    """A serving hub, where it is, and who is enrolled."""

    url: str
    root: RootFile
    root_path: Path
    senders: list[Member]
    police: Member
    folder: Path
    pid: int
    server: PostgresServer | None = None

    def cpu_seconds(self) -> float:
        """Processor time that the hub's processes have used."""
        return _family_seconds(self.pid)

    def server_seconds(self) -> float:
        """Processor time that the database server has used."""
        return 0.0 if self.server is None else _family_seconds(self.server.pid)

    @property
    def authority(self) -> str:
        """Host and port."""
        return urlsplit(self.url).netloc

    def point(self) -> DirectoryPoint:
        """The witnessed directory checkpoint."""
        deadline = time.monotonic() + 20
        while True:
            answer = httpx2.get(f"{self.url}/log/directory/checkpoint", trust_env=False)
            if answer.status_code == 200:
                policy = self.root.log_policy(LogName.DIRECTORY)
                found = verify_cosigned(answer.content, policy)
                if found.size >= len(self.senders) + 3:
                    return DirectoryPoint(origin=found.origin, size=found.size, root=found.root)
            if time.monotonic() > deadline:
                raise RuntimeError("the directory was not witnessed in time")
            time.sleep(0.1)

    def sealed(self, sender: Member, lines: Sequence[bytes], point: DirectoryPoint) -> bytes:
        """A bundle of ``lines`` from ``sender`` to the police."""
        now = system_clock()
        return seal(
            bundle_id=make_bundle_id(now * 1000, secrets.token_bytes(10)),
            kind=BundleKind.INDICATORS,
            org=sender.org,
            created=now,
            expires=now + 86_400,
            policy=POLICY,
            directory=[point],
            recipients=[Recipient(org=self.police.org, key=self.police.kem.public)],
            head=PayloadHead(title="Load"),
            lines=lines,
            signer=sender.sig,
        )

    def put_request(self, sender: Member, bundle_id: BundleId, bundle: bytes) -> bytes:
        """A whole signed HTTP request."""
        path = f"/v1/bundles/{bundle_id}"
        headers = sign_request(
            method="PUT",
            authority=self.authority,
            path=path,
            body=bundle,
            content_type=BUNDLE_TYPE,
            key=sender.request_key,
            now=system_clock(),
            nonce=secrets.token_bytes(16),
        )
        return raw_request("PUT", path, self.authority, headers, bundle)

    def get_request(self, member: Member, path: str, query: str = "") -> bytes:
        """A whole signed GET request."""
        headers = sign_request(
            method="GET",
            authority=self.authority,
            path=path,
            query=query,
            key=member.request_key,
            now=system_clock(),
            nonce=secrets.token_bytes(16),
        )
        target = f"{path}?{query}" if query else path
        return raw_request("GET", target, self.authority, headers, b"")


def raw_request(
    method: str, target: str, authority: str, headers: dict[str, str], body: bytes
) -> bytes:
    """Return the bytes of one HTTP/1.1 request on a connection that stays open."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {authority}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("ascii") + body


def _family_seconds(pid: int) -> float:
    """Processor time of a process, of its children that live and of those that have ended."""
    try:
        return _family_seconds_now(pid)
    except (FileNotFoundError, ProcessLookupError):
        return 0.0  # it has just ended


def _family_seconds_now(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    threads = Path(f"/proc/{pid}/task").iterdir()
    children = [int(one) for thread in threads for one in (thread / "children").read_text().split()]
    return own + sum(_family_seconds(child) for child in children)


@contextmanager
def running_hub(
    senders: int, *, engine: str = "sqlite", processes_of_hub: int = 1
) -> Iterator[Running]:
    """Make, enrol and serve; everything goes when the block ends.

    Both engines keep their files in the temporary folder's file system, with syncing.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="accord-bench-")))
        server = None
        database: list[str] = []
        if engine == "postgresql":
            server = PostgresServer(AS_INSTALLED, in_memory=False)
            stack.callback(server.remove)
            database = ["--database", server.address(server.make_database())]
        secret = folder / "passphrase"
        secret.write_text(secrets.token_hex(16))
        secret.chmod(0o600)
        with Processes(folder=folder, passphrase_file=secret) as processes:
            root_path = make_home(processes, folder, database)
            config = load_config(processes.home("hub"))
            passphrase = secret.read_bytes()
            services = build_services(
                config,
                root=verify_root(root_path.read_bytes()),
                root_bytes=root_path.read_bytes(),
                keys=load_hub_keys(config, passphrase),
                clock=system_clock,
            )
            kept = load_keys(processes.home("registrar") / "registrar.key", passphrase)
            registrar = SigningKeyPair.from_seeds(kept["ed25519"], kept["mldsa65"])
            members = [Member(name=f"bank-{n}", kind=OrgKind.FINANCIAL) for n in range(senders)]
            police = Member(name="police", kind=OrgKind.LAW_ENFORCEMENT)
            for member in (*members, police):
                enrol(services, member, registrar)
            services.close()
            ready = processes.serve("hub", "hub", "serve", "--processes", str(processes_of_hub))
            yield Running(
                url=str(ready["url"]),
                root=verify_root(root_path.read_bytes()),
                root_path=root_path,
                senders=members,
                police=police,
                folder=folder,
                pid=processes.servers[-1].pid,
                server=server,
            )


def make_home(processes: Processes, folder: Path, more: Sequence[str] = ()) -> Path:
    """Make witness (serving), registrar and hub with its charter; return the root file."""
    processes.run("witness", "witness", "init", "--name", "ngo.bench/witness")
    ready = processes.serve("witness", "witness", "serve", "--port", "0")
    witness_file = folder / "witness.json"
    witness_file.write_text(json.dumps(ready))
    public = processes.run("registrar", "registrar", "init", "--name", "anna").data["public_file"]
    made = processes.run(
        "hub", "hub", "init", "--origin", ORIGIN, "--registrar", public,
        "--witness", str(witness_file), "--listen", "127.0.0.1:0", *more,
    )  # fmt: skip
    # The load comes from few members: their quotas are not what is measured.
    with (folder / "hub" / "hub.toml").open("a") as settings:
        settings.write("bundles_per_minute = 1000000\nbundles_per_hour = 100000000\n")
    root_path = folder / "root.json"
    processes.run(
        "registrar", "registrar", "sign", made.data["draft"], "-o", str(root_path), "--yes"
    )
    processes.run("hub", "hub", "root", "install", str(root_path))
    processes.run("witness", "witness", "log", "add", "--root", str(root_path))
    text = folder / "charter.toml"
    text.write_text(DEFAULT_CHARTER)
    signed = folder / "charter.json"
    processes.run("registrar", "registrar", "sign", str(text), "-o", str(signed), "--yes")
    processes.run("hub", "hub", "charter", "publish", str(signed))
    return root_path


def enrol(services: Services, member: Member, registrar: SigningKeyPair) -> None:
    """Let ``member`` in by invite, enrolment, proof and approval."""
    now = system_clock()
    _, code = services.enrolments.invite(member.name, member.kind, now=now)
    statement = sign_statement(
        Statement(
            org=member.org,
            seq=1,
            op=Op.ENROL,
            not_before=now,
            not_after=now + 86_400,
            profile=Profile(
                name=member.name, kind=member.kind, country="NL", contact="duty@bench.test"
            ),
            kem=member.kem.public,
            sig=member.sig.public,
            request_key=member.request_key.public,
            recovery=SigningKeyPair.generate().public,
            roles=(),
        ),
        [member.sig],
    )
    enrolment, challenge = services.enrolments.begin(code, statement, now=now)
    payload = parse_statement(statement).envelope.payload
    secret = open_challenge(member.kem, payload, challenge)
    services.enrolments.prove(enrolment, secret, now=now)
    services.statements.countersigned(countersign(statement, [registrar]), now=now)


class Connection:
    """One keep-alive connection that sends prepared requests."""

    def __init__(self, url: str) -> None:
        """Remember where to."""
        parts = urlsplit(url)
        self._host, self._port = parts.hostname, parts.port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def send(self, request: bytes) -> tuple[int, bytes]:
        """Send one request and return status and body."""
        if self._writer is None or self._reader is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        length = next(
            int(line.partition(b":")[2])
            for line in lines
            if line.lower().startswith(b"content-length")
        )
        body = await self._reader.readexactly(length)
        return int(lines[0].split()[1]), body

    def close(self) -> None:
        """Close it."""
        if self._writer is not None:
            self._writer.close()


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of ``values`` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
