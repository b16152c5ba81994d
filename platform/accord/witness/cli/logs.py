"""``accord witness log``: which logs this witness follows."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import click
import httpx2

from accord.clock import system_clock
from accord.kernel.directory.rootfile import MAX_ROOT, LogName, RootFile, verify_root
from accord.kernel.errors import Malformed, Unavailable, VerificationFailed
from accord.protocol.paths import ROOT
from accord.terminal import Terminal, common_options
from accord.witness.config import WitnessConfig
from accord.witness.service import LogBook
from accord.witness.storage import WitnessDatabase

TIMEOUT_SECONDS = 20

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

_ONE_SOURCE = "Give ORIGIN with --vkey, or --hub, or --root."
_WITH_ORIGIN = "--vkey and --checkpoint go with ORIGIN."


@click.group()
def log() -> None:
    """Which logs this witness follows."""


@log.command(name="add")
@click.argument("origin", required=False)
@click.option("--vkey", "vkeys", multiple=True, help="A key of the log; give each of them.")
@click.option("--hub", help="A hub's address: take both logs from its root file.")
@click.option(
    "--root",
    "root_path",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A hub's root file: take both logs from it.",
)
@click.option("--sha256", help="Only accept the root file with this SHA-256 (hex).")
@click.option(
    "--checkpoint",
    "pin",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Start from this checkpoint of a running log.",
)
@common_options
def add(
    terminal: Terminal,
    *,
    origin: str | None,
    vkeys: Sequence[str],
    hub: str | None,
    root_path: Path | None,
    sha256: str | None,
    pin: Path | None,
) -> None:
    """Follow a log: ORIGIN with its --vkey options, or both logs of a --hub or --root file.

    Without --checkpoint the first checkpoint that the log submits is believed.
    """
    if [origin is not None, hub is not None, root_path is not None].count(True) != 1:
        raise click.UsageError(_ONE_SOURCE)
    if (origin is None) == bool(vkeys) or (origin is None and pin is not None):
        raise click.UsageError(_WITH_ORIGIN)
    wanted: dict[str, Sequence[str]] = {}
    if origin is not None:
        wanted[origin] = vkeys
    else:
        root = _root(_fetch_root(hub) if hub else _read(root_path, MAX_ROOT), sha256)
        terminal.say(f"Root file of {root.hub}, SHA-256 {root.sha256.hex()}: compare it.")
        wanted = {root.log_origin(name): root.log_vkeys(name) for name in LogName}
    database = WitnessDatabase.open(WitnessConfig(home=terminal.home).database)
    book = LogBook(database, system_clock)
    added = {
        name: not terminal.dry_run
        and book.follow(name, keys, pin=_read(pin, MAX_ROOT) if pin else None)
        for name, keys in wanted.items()
    }
    database.close()
    terminal.result(
        {"logs": [{"origin": name, "added": new} for name, new in added.items()]},
        "\n".join(f"{name}: {'added' if new else 'no change'}" for name, new in added.items()),
    )


@log.command(name="list")
@common_options
def list_logs(terminal: Terminal) -> None:
    """Show the logs, and log-signed checkpoints that contradict each other, if any."""
    database = WitnessDatabase.open(WitnessConfig(home=terminal.home).database)
    book = LogBook(database, system_clock)
    rows = []
    for followed in book.logs():
        head = book.head(followed.origin)
        rows.append(
            {
                "origin": followed.origin,
                "vkeys": list(followed.vkeys),
                "size": head.size if head else 0,
                "time": head.time if head else 0,
                "forks": len(book.evidence(followed.origin)),
            }
        )
    database.close()
    terminal.result(
        {"logs": rows},
        "\n".join(f"{row['origin']}: size {row['size']}, {row['forks']} forks" for row in rows)
        or "This witness follows no log.",
    )


def _read(path: Path | None, limit: int) -> bytes:
    if path is None:
        return b""
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise Malformed("too_long", f"The file is longer than {limit} bytes.", observed=path.name)
    return data


def _root(data: bytes, sha256: str | None) -> RootFile:
    root = verify_root(data)
    if sha256 is not None and root.sha256.hex() != sha256.lower():
        raise VerificationFailed(
            "root_other", "This is another root file.", observed=root.sha256.hex()
        )
    return root


def _fetch_root(hub: str) -> bytes:
    data = b""
    try:
        # A proxy of the environment cannot reach this computer's own loopback.
        proxied = urlsplit(hub).hostname not in _LOOPBACK
        with httpx2.stream(
            "GET", hub.rstrip("/") + ROOT, timeout=TIMEOUT_SECONDS, trust_env=proxied
        ) as response:
            status = response.status_code
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > MAX_ROOT:
                    break
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        raise Unavailable(
            "hub_unreachable", "The hub does not answer.", observed=type(error).__name__
        ) from error
    if status != httpx2.codes.OK:
        raise Unavailable("hub_unreachable", "The hub gives no root file.", observed=str(status))
    return data
