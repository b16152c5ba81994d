"""A throw-away PostgreSQL server for the tests, and databases on it that are there at once.

The server is started when the first test asks, runs as an unprivileged user on a Unix socket in a
temporary folder, with every safety on, and goes when the tests end.
"""

import atexit
import contextlib
import functools
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import psycopg
import sqlalchemy

from accord.hub.storage import open_database
from accord.hub.storage.postgresql import open_engines

FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
"""Where Debian keeps the servers."""

OLDEST = 15
ROOM = 2**31
TEMPLATE = "accord_template"
_numbers = itertools.count(1)


def server_folder() -> Path | None:
    """Return the folder of a server's programs that is new enough, or ``None``."""
    found = shutil.which("postgres")
    for folder in [*([Path(found).parent] if found else []), *FOLDERS]:
        program = folder / "postgres"
        if program.exists() and (folder / "initdb").exists():
            said = subprocess.run(
                [program, "--version"], capture_output=True, text=True, check=True
            )
            if int(said.stdout.split()[2].split(".")[0]) >= OLDEST:
                return folder
    return None


def _roomy_memory() -> str | None:
    """Return a folder in memory when there is one with room: syncing costs nothing there."""
    place = Path("/dev/shm")  # noqa: S108 - only tested for
    if place.is_dir() and os.access(place, os.W_OK) and shutil.disk_usage(place).free > ROOM:
        return str(place)
    return None


class PostgresServer:
    """One server: start, stop, kill, and its databases."""

    def __init__(self, settings: Sequence[str] = (), *, in_memory: bool = True) -> None:
        """Make a cluster in a temporary folder; ``settings`` are lines of its configuration.

        ``in_memory``: where there is room, syncing costs nothing; a bench wants the disk.
        """
        folder = server_folder()
        assert folder is not None
        self._programs = folder
        self._user = "postgres" if os.geteuid() == 0 else None
        self.folder = Path(
            tempfile.mkdtemp(prefix="accord-pg-", dir=_roomy_memory() if in_memory else None)
        )
        self._data = self.folder / "data"
        self.own(self.folder)
        self._run("initdb", "-D", str(self._data), "-A", "trust", "-U", "accord", "-E", "UTF8",
                  "--locale=C", "--no-sync", "--data-checksums")  # fmt: skip
        lines = [
            "listen_addresses = ''",
            f"unix_socket_directories = '{self.folder}'",
            "max_connections = 200",
            "shared_buffers = 64MB",
            "autovacuum = off",
            "checkpoint_timeout = 1h",
            *settings,
        ]
        self._text("postgresql.auto.conf", "\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def _text(self, name: str, content: str) -> None:
        path = self._data / name
        path.write_text(content)
        self.own(path)

    def own(self, path: Path) -> None:
        """Give ``path`` to the user that runs the server."""
        if self._user is not None:
            owner = pwd.getpwnam(self._user)
            os.chown(path, owner.pw_uid, owner.pw_gid)

    def _spawn(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / "server.log").open("ab") as log:
            return subprocess.Popen(
                [self._programs / program, *arguments],
                user=self._user,
                group=self._user,
                extra_groups=[] if self._user else None,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            )

    def _run(self, program: str, *arguments: str) -> None:
        process = self._spawn(program, *arguments)
        assert process.wait(60) == 0, (self.folder / "server.log").read_text()

    @property
    def pid(self) -> int:
        """The server's first process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start and wait until it answers."""
        self._process = self._spawn("postgres", "-D", str(self._data))
        end = time.monotonic() + 30
        while True:
            try:
                self.query("SELECT 1")
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self.folder / "server.log").read_text()
                assert time.monotonic() < end, "the server does not start"
                time.sleep(0.02)
            else:
                return

    def stop(self, how: int = signal.SIGINT) -> None:
        """Stop: SIGINT quickly and cleanly, SIGQUIT as in a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def remove(self) -> None:
        """Stop and leave nothing."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def address(self, name: str, *, host: str | None = None, more: str = "") -> str:
        """Return the libpq URI of the database ``name``."""
        place = quote(str(self.folder), safe="") if host is None else host
        return f"postgresql://accord@{place}/{name}{more}"

    def query(self, statement: str, name: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement as the server's owner."""
        with psycopg.connect(self.address(name), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def make_database(self, template: str = "template0") -> str:
        """Make a database like ``template`` (a name or an address) and return its name."""
        name = f"accord_{os.getpid()}_{next(_numbers)}"
        self.query(f"CREATE DATABASE {name} TEMPLATE {template.rpartition('/')[2]}")
        return name

    def replace(self, address: str, *, by: str) -> None:
        """Put a copy of the database at ``by`` in the place of the one at ``address``."""
        name, copied = address.rpartition("/")[2], by.rpartition("/")[2]
        self.drop_database(name)
        self.query(f"CREATE DATABASE {name} TEMPLATE {copied}")

    def drop_database(self, name: str) -> None:
        """Drop it, whoever is connected."""
        self.query(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@functools.cache
def shared_server() -> PostgresServer:
    """Return the server that the tests of this process share, with a template of the tables."""
    server = PostgresServer()
    atexit.register(server.remove)
    server.query(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
    open_database(server.address(TEMPLATE)).close()
    return server


@contextlib.contextmanager
def fresh_address(template: str = "template0") -> Iterator[str]:
    """Give the address of a database on the shared server, like ``template``; empty by default."""
    server = shared_server()
    name = server.make_database(template)
    yield server.address(name)
    server.drop_database(name)


@contextlib.contextmanager
def empty_database(engine: str) -> Iterator[sqlalchemy.Connection]:
    """Give a connection to a database without tables, within a transaction."""
    with contextlib.ExitStack() as stack:
        if engine == "sqlite":
            made = sqlalchemy.create_engine("sqlite://")
        else:
            made, reading = open_engines(stack.enter_context(fresh_address()))
            stack.callback(reading.dispose)
        stack.callback(made.dispose)
        yield stack.enter_context(made.begin())
