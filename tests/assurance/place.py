"""A hub to be killed: its home, its witness on another "machine", members, and the process itself."""

import json
import multiprocessing
import os
import secrets
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.assurance.weak import plant
from tests.bench.load import Member, Running, enrol, make_home
from tests.support import postgres

from accord.clock import system_clock
from accord.config import PASSPHRASE_VARIABLE, environment_for_children
from accord.demo.processes import Processes, _be_accord
from accord.hub.cli.identity import load_hub_keys
from accord.hub.config import HubConfig, load_config
from accord.hub.services import build_services
from accord.kernel.directory.rootfile import RootFile, verify_root
from accord.kernel.keys import SigningKeyPair
from accord.kernel.markings import OrgKind
from accord.keyfile import load_keys

START_SECONDS = 60.0
_FORKS = multiprocessing.get_context("forkserver")


class NotStarted(Exception):
    """The hub did not come up; carries what it said."""


@dataclass(kw_only=True)
class HubProcess:
    """``accord hub serve`` over ``home``, forked from a process that has the program loaded."""

    home: Path
    output: Path
    environment: Mapping[str, str]
    weakness: str = ""
    processes: int = 1
    process: BaseProcess | None = None
    url: str = ""
    starts: int = 0

    def start(self) -> float:
        """Start, wait until it is ready, and return the seconds that took.

        Raises:
            NotStarted: it ended instead; that is how a hub refuses to serve.
        """
        self.starts += 1
        out = self.output / f"hub-{self.starts}.out"
        errors = self.output / f"hub-{self.starts}.err"
        words = ("hub", "serve", "--json", "--home", str(self.home))
        words += ("--processes", str(self.processes))
        started = time.monotonic()
        self.process = _FORKS.Process(
            target=_serve, args=(self.weakness, words, dict(self.environment), out, errors)
        )
        self.process.start()
        while time.monotonic() - started < START_SECONDS:
            text = out.read_text() if out.exists() else ""
            if "\n" in text:
                found = json.loads(text.partition("\n")[0])
                if "url" not in found:
                    break
                self.url = found["url"]
                return time.monotonic() - started
            if not self.process.is_alive():
                break
            time.sleep(0.01)
        self.kill()
        said = out.read_text() if out.exists() else ""
        raise NotStarted(said or (errors.read_text()[-800:] if errors.exists() else ""))

    def children(self) -> list[int]:
        """Return the processes that serve, when there are several."""
        if self.process is None or self.processes == 1:
            return []
        task = Path(f"/proc/{self.process.pid}/task")
        return [
            int(pid)
            for thread in task.iterdir()
            for pid in (thread / "children").read_text().split()
        ]

    def kill(self) -> None:
        """End it at once, as ``kill -9`` does; of several processes the first, the others follow."""
        if self.process is not None and self.process.pid is not None:
            if self.process.is_alive():
                os.kill(self.process.pid, signal.SIGKILL)
            self.process.join(20)
            self.process = None


def _serve(
    weakness: str, words: tuple[str, ...], environment: dict[str, str], out: Path, errors: Path
) -> None:
    plant(weakness)
    _be_accord(words, environment, out, errors)


@dataclass(kw_only=True)
class Place:
    """Everything that outlives the hub's process."""

    folder: Path
    processes: Processes
    root: RootFile
    root_path: Path
    members: list[Member]
    police: Member
    server: postgres.PostgresServer | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def home(self) -> Path:
        """The hub's home."""
        return self.processes.home("hub")

    @property
    def config(self) -> HubConfig:
        """The hub's settings."""
        return load_config(self.home)

    def hub(
        self, *, home: Path | None = None, weakness: str = "", processes: int = 1
    ) -> HubProcess:
        """Return the hub over its home, or over a copy elsewhere."""
        environment = {
            **environment_for_children(),
            PASSPHRASE_VARIABLE: str(self.processes.passphrase_file),
        }
        return HubProcess(
            home=home or self.home,
            output=self.folder,
            environment=environment,
            weakness=weakness,
            processes=processes,
        )

    def running(self, hub: HubProcess) -> Running:
        """Return the view of a serving hub that makes requests and seals bundles."""
        pid = hub.process.pid if hub.process is not None else 0
        return Running(
            url=hub.url,
            root=self.root,
            root_path=self.root_path,
            senders=self.members,
            police=self.police,
            folder=self.folder,
            pid=pid or 0,
        )


@contextmanager
def made_place(*, members: int, engine: str) -> Iterator[Place]:
    """Make witness, registrar, hub and members; everything goes when the block ends."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="accord-assurance-")))
        secret = folder / "passphrase"
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_hex(16))
        server = None
        database: list[str] = []
        if engine == "postgresql":
            # With syncing: a crash of the server is part of the test.
            server = postgres.PostgresServer()
            stack.callback(server.remove)
            database = ["--database", server.address(server.make_database())]
        processes = stack.enter_context(Processes(folder=folder, passphrase_file=secret))
        root_path = make_home(processes, folder, database)
        passphrase = secret.read_bytes()
        config = load_config(processes.home("hub"))
        services = build_services(
            config,
            root=verify_root(root_path.read_bytes()),
            root_bytes=root_path.read_bytes(),
            keys=load_hub_keys(config, passphrase),
            clock=system_clock,
        )
        kept = load_keys(processes.home("registrar") / "registrar.key", passphrase)
        registrar = SigningKeyPair.from_seeds(kept["ed25519"], kept["mldsa65"])
        senders = [Member(name=f"bank-{n}", kind=OrgKind.FINANCIAL) for n in range(members)]
        police = Member(name="police", kind=OrgKind.LAW_ENFORCEMENT)
        for member in (*senders, police):
            enrol(services, member, registrar)
        services.close()
        yield Place(
            folder=folder,
            processes=processes,
            root=verify_root(root_path.read_bytes()),
            root_path=root_path,
            members=senders,
            police=police,
            server=server,
        )
