"""Runs `accord` commands and servers as processes of their own and ends every one of them.

A server prints one JSON line with its ``url`` when it is ready. Nothing here knows what the
commands mean. Only loopback is used, with ports that the system chooses.
"""

import json
import multiprocessing
import os
import runpy
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

from accord.config import PASSPHRASE_VARIABLE, environment_for_children, use_only
from accord.kernel.errors import Unavailable

READY_SECONDS = 30
STOP_SECONDS = 5


_FORKS = multiprocessing.get_context("forkserver")
PRELOADED = (
    *("accord.cli.log_verify", "accord.cli.registrar", "accord.cli.verify"),
    *("accord.desk.cli.pull", "accord.desk.cli.search", "accord.desk.cli.setup"),
    *("accord.desk.cli.submit", "accord.desk.cli.tool", "accord.hub.cli.charters"),
    *("accord.hub.cli.making", "accord.hub.cli.orgs", "accord.hub.cli.people"),
    *("accord.hub.cli.roots", "accord.hub.cli.summaries", "accord.witness.cli"),
)
"""Modules of the commands that are run many times; commands are loaded when they run."""

_FORKS.set_forkserver_preload([*PRELOADED])


_ONE_AT_A_TIME = threading.Lock()
"""A start looks after all children, so it could read an exit code that another thread waits for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command left: exit code, the parsed JSON of stdout (``None`` if empty), stderr."""

    code: int
    data: Any
    stderr: str


@dataclass(kw_only=True)
class Processes:
    """All processes of one demo. Use as a context manager; leaving it stops the servers."""

    folder: Path
    passphrase_file: Path
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Nothing to prepare."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop every server, the newest first."""
        for server in reversed(self.servers):
            server.send_signal(signal.SIGTERM)
        for server in reversed(self.servers):
            try:
                server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
            if server.stdout is not None:
                server.stdout.close()

    def home(self, name: str) -> Path:
        """Return the home directory of one party."""
        return self.folder / name

    def _environment(self) -> dict[str, str]:
        return {**environment_for_children(), PASSPHRASE_VARIABLE: str(self.passphrase_file)}

    def run(
        self, home: str, *words: str, allowed: Sequence[int] = (0,), fail: bool = True
    ) -> Outcome:
        """Run one command with ``--json`` in the home of ``home`` and return what it left.

        Raises:
            Unavailable: ``demo_step_failed`` when it exits with a code that is not allowed.
        """
        words = (*map(str, words), "--json", "--home", str(self.home(home)))
        code, stdout, stderr = self._command(words)
        if fail and code not in allowed:
            raise Unavailable(
                "demo_step_failed",
                f"'accord {' '.join(words[:3])}' exited with {code}.",
                observed=stderr.strip()[-800:] or stdout.decode("utf-8", "replace")[-800:],
            )
        return Outcome(code=code, data=_parsed(stdout), stderr=stderr)

    def _command(self, words: Sequence[str]) -> tuple[int, bytes, str]:
        """Run one command in a process that was forked after the program was loaded.

        Loading takes longer than most commands; a fork server has done it once.
        """
        with TemporaryDirectory(dir=self.folder, prefix="command-") as name:
            outputs = Path(name) / "stdout", Path(name) / "stderr"
            process = _FORKS.Process(
                target=_be_accord, args=(tuple(words), self._environment(), *outputs)
            )
            with _ONE_AT_A_TIME:
                process.start()
            wait([process.sentinel])
            with _ONE_AT_A_TIME:
                process.join()
                code = process.exitcode
                process.close()
            stdout, stderr = (path.read_bytes() if path.exists() else b"" for path in outputs)
        return 1 if code is None else code, stdout, stderr.decode("utf-8", "replace")

    def run_all(self, jobs: Sequence[tuple[str, Sequence[str]]]) -> list[Outcome]:
        """Run several commands side by side, at most two at once; results in order."""
        with ThreadPoolExecutor(max_workers=2) as pool:
            return list(pool.map(lambda job: self.run(job[0], *job[1]), jobs))

    def serve(self, home: str, *words: str) -> Mapping[str, Any]:
        """Start a server and return its ready line.

        Raises:
            Unavailable: ``demo_server_silent`` when it ends or says nothing within 30 s.
        """
        errors = (self.folder / f"{home}.log").open("ab")
        server = subprocess.Popen(
            [sys.executable, "-m", "accord", *words, "--json", "--home", str(self.home(home))],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        errors.close()
        self.servers.append(server)
        line = _first_line(server)
        if line is None:
            raise Unavailable(
                "demo_server_silent",
                f"'accord {' '.join(words[:2])}' did not become ready.",
                observed=(self.folder / f"{home}.log").read_text("utf-8", "replace")[-800:],
            )
        ready: Mapping[str, Any] = json.loads(line)
        return ready


def _be_accord(
    words: tuple[str, ...], environment: Mapping[str, str], stdout: Path, stderr: Path
) -> None:
    """Become ``accord`` with these words; never returns."""
    use_only(environment)
    for path, descriptor in ((stdout, 1), (stderr, 2)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    sys.argv = ["accord", *words]
    runpy.run_module("accord", run_name="__main__", alter_sys=True)


def _parsed(stdout: bytes) -> Any:  # noqa: ANN401 - whatever the command's schema says
    text = stdout.decode("utf-8", "replace").strip()
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return [json.loads(line) for line in text.splitlines()]


def _first_line(server: subprocess.Popen[bytes]) -> bytes | None:
    """Return the first line of a server's stdout, or ``None`` when none comes in time."""
    if server.stdout is None:
        return None
    deadline = time.monotonic() + READY_SECONDS
    buffered = b""
    with selectors.DefaultSelector() as selector:
        selector.register(server.stdout, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0:
            if selector.select(left):
                chunk = os.read(server.stdout.fileno(), 65_536)
                buffered += chunk
                if b"\n" in buffered:
                    return buffered.partition(b"\n")[0]
                if not chunk:
                    return None
    return None
