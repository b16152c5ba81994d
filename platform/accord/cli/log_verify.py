"""``accord log verify``: check a whole transparency log as a stranger, no account needed.

The trust comes from a root file (of a hub) or a policy file (of any C2SP log), never from the log
itself. Every entry is fetched and hashed again (``kernel.tlog.monitor``).
"""

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Self
from urllib.parse import SplitResult, urlsplit

import click
import httpx2

from accord.clock import system_clock
from accord.kernel.directory.rootfile import MAX_ROOT, LogName, RootFile, verify_root
from accord.kernel.errors import AccordError, Malformed, NotFound, Unavailable
from accord.kernel.tlog.checkpoint import parse_checkpoint
from accord.kernel.tlog.monitor import CHECKPOINT_PATH, Fetch, LogReport, examine_log
from accord.kernel.tlog.notes import MAX_NOTE, parse_note
from accord.kernel.tlog.policy import MAX_POLICY, Policy, parse_policy
from accord.kernel.tlog.tiles import MAX_BUNDLE
from accord.terminal import EXIT_VERIFICATION, Counter, Failed, Terminal, common_options

TIMEOUT_SECONDS = 30

_ONE_TRUST = "Give --root or --policy: whom to trust cannot come from the log itself."
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_MAX_FILE = max(MAX_BUNDLE, MAX_NOTE)
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def log() -> None:
    """Check a whole transparency log."""


@log.command()
@click.argument("place", metavar="URL|DIR")
@click.option("--root", "root_path", type=_FILE, help="The hub's root file.")
@click.option("--policy", "policy_path", type=_FILE, help="A tlog-policy file.")
@click.option("--earlier", type=_FILE, help="A checkpoint seen before: is the log its successor?")
@click.option(
    "--save", type=click.Path(path_type=Path, dir_okay=False), help="Keep the checkpoint here."
)
@click.option("--max-age", type=click.IntRange(min=1), help="Oldest cosignature in seconds.")
@common_options
def verify(
    terminal: Terminal,
    *,
    place: str,
    root_path: Path | None,
    policy_path: Path | None,
    earlier: Path | None,
    save: Path | None,
    max_age: int | None,
) -> None:
    """Fetch every entry of the log at URL or in DIR and check it against its signatures."""
    if (root_path is None) == (policy_path is None):
        raise click.UsageError(_ONE_TRUST)
    with Source(place) as source:
        policy, origin = _trust(source, root_path, policy_path)
        with terminal.progress("tiles") as counter:
            report = examine_log(
                _counted(source.fetch, counter),
                policy,
                origin=origin,
                earlier=_read(earlier, MAX_NOTE) if earlier else None,
                now=system_clock(),
                max_age=max_age,
            )
    if save is not None and report.ok and not terminal.dry_run:
        save.write_bytes(report.note)
    terminal.result(_data(place, report), _words(place, report))
    if not report.ok:
        raise Failed(EXIT_VERIFICATION)


class Source:
    """Where the log's files are: below a URL or in a directory."""

    def __init__(self, place: str) -> None:
        """Take an http or https address, or a directory."""
        self.place = place.rstrip("/")
        self._client: httpx2.Client | None = None
        address = _address(place)
        if address.scheme in {"http", "https"}:
            # A proxy of the environment cannot reach this computer's own loopback.
            self._client = httpx2.Client(
                timeout=TIMEOUT_SECONDS, trust_env=address.hostname not in _LOOPBACK
            )
        elif not Path(place).is_dir():
            raise Unavailable(
                "log_unreachable",
                "There is no such directory.",
                observed=place,
                next_step="Give the log's address, for example https://hub.example/log/audit.",
            )

    def __enter__(self) -> Self:
        """Use the source."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close connections."""
        if self._client is not None:
            self._client.close()

    def fetch(self, path: str) -> bytes:
        """Return the file at ``path`` of the log.

        Raises:
            NotFound: ``log_file_missing``.
            Malformed: ``too_long``.
            Unavailable: ``log_unreachable``, also when there is no checkpoint.
        """
        if self._client is not None:
            return _fetch_url(self._client, f"{self.place}/{path}", path)
        try:
            return _read(Path(self.place) / PurePosixPath(path), _MAX_FILE)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise _missing(path) from error
        except OSError as error:
            raise Unavailable(
                "log_unreachable", "The log cannot be read.", observed=f"{path}: {error.strerror}"
            ) from error


def _address(place: str) -> SplitResult:
    try:
        return urlsplit(place)
    except ValueError as error:
        raise Unavailable(
            "log_unreachable", "This is neither an address nor a directory.", observed=place[:200]
        ) from error


def _fetch_url(client: httpx2.Client, url: str, path: str) -> bytes:
    data = bytearray()
    try:
        with client.stream("GET", url) as response:
            status = response.status_code
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > _MAX_FILE:
                    raise Malformed("too_long", "A file of the log is too long.", observed=path)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise Unavailable(
            "log_unreachable",
            "The log does not answer.",
            observed=f"{url}: {type(error).__name__}",
            next_step="Check the address and try again.",
        ) from error
    if status in {404, 410}:
        raise _missing(path)
    if status != httpx2.codes.OK:
        raise Unavailable(
            "log_unreachable", "The log does not answer as a log.", observed=f"{path}: {status}"
        )
    return bytes(data)


def _missing(path: str) -> AccordError:
    if path == CHECKPOINT_PATH:
        return Unavailable(
            "log_unreachable",
            "There is no log at this place.",
            observed="no checkpoint",
            next_step="Check the address; a hub's logs are below /log/audit and /log/directory.",
        )
    return NotFound("log_file_missing", "The log lacks a file.", observed=path)


def _read(path: Path, limit: int) -> bytes:
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise Malformed("too_long", f"The file is longer than {limit} bytes.", observed=path.name)
    return data


def _trust(
    source: Source, root_path: Path | None, policy_path: Path | None
) -> tuple[Policy, str | None]:
    """Return the policy, and the origin that the log must have if that is certain."""
    if policy_path is not None:
        try:
            text = _read(policy_path, MAX_POLICY).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Malformed("policy_invalid", "A policy file is UTF-8 text.") from error
        return parse_policy(text), None
    if root_path is None:
        raise click.UsageError(_ONE_TRUST)
    root = verify_root(_read(root_path, MAX_ROOT))
    name = _log_named(source.fetch(CHECKPOINT_PATH), root)
    return root.log_policy(name), root.log_origin(name)


def _log_named(note: bytes, root: RootFile) -> LogName:
    """Return which log of the hub a checkpoint claims to be; the monitor refuses a false claim."""
    try:
        origin = parse_checkpoint(parse_note(note).body).origin
    except Malformed:
        return LogName.AUDIT
    return LogName.DIRECTORY if origin == root.log_origin(LogName.DIRECTORY) else LogName.AUDIT


def _counted(fetch: Fetch, counter: Counter) -> Callable[[str], bytes]:
    def counting(path: str) -> bytes:
        counter.advance()
        return fetch(path)

    return counting


def _data(place: str, report: LogReport) -> dict[str, object]:
    checkpoint = report.checkpoint
    return {
        "ok": report.ok,
        "url": place,
        "origin": checkpoint.origin if checkpoint else None,
        "size": checkpoint.size if checkpoint else None,
        "checks": [
            {"name": check.name, "ok": check.ok, "observed": check.observed}
            for check in report.checks
        ],
    }


def _words(place: str, report: LogReport) -> str:
    lines = [
        f"{'ok    ' if check.ok else 'FAILED'} {check.name}: {check.observed}"
        for check in report.checks
    ]
    lines.append(f"The log at {place} {'holds' if report.ok else 'DOES NOT hold'}.")
    return "\n".join(lines)
