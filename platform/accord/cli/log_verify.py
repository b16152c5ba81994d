"""``accord log verify``: check a whole transparency log as a stranger, no account needed.

The trust comes from a root file (of a hub) or a policy file (of any C2SP log), never from the log
itself. Every entry is fetched and hashed again (``kernel.tlog.monitor``).
"""

from pathlib import Path

import click

from accord.cli.log_mirror import mirror
from accord.cli.log_source import Source, read_file
from accord.clock import system_clock
from accord.kernel.directory.rootfile import MAX_ROOT, LogName, verify_root
from accord.kernel.errors import Malformed
from accord.kernel.tlog.checkpoint import Checkpoint, parse_checkpoint
from accord.kernel.tlog.monitor import CHECKPOINT_PATH, Fetch, LogReport, examine_log, log_paths
from accord.kernel.tlog.notes import MAX_NOTE, parse_note
from accord.kernel.tlog.policy import MAX_POLICY, Policy, parse_policy
from accord.terminal import EXIT_VERIFICATION, Counter, Failed, Terminal, common_options

_ONE_TRUST = "Give --root or --policy: whom to trust cannot come from the log itself."
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def log() -> None:
    """Check or copy a whole transparency log."""


log.add_command(mirror)


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
        note = source.fetch(CHECKPOINT_PATH)
        stated = _stated(note)
        policy, origin = _trust(stated, root_path, policy_path)
        with terminal.progress("files") as counter:
            source.expect(log_paths(stated.size if stated else 0))
            report = examine_log(
                _counted(source.fetch, counter, note=note),
                policy,
                origin=origin,
                earlier=read_file(earlier, MAX_NOTE) if earlier else None,
                now=system_clock(),
                max_age=max_age,
            )
    if save is not None and report.ok and not terminal.dry_run:
        save.write_bytes(report.note)
    terminal.result(_data(place, report), _words(place, report))
    if not report.ok:
        raise Failed(EXIT_VERIFICATION)


def _stated(note: bytes) -> Checkpoint | None:
    """Return what a checkpoint claims, unverified; the monitor refuses a false claim."""
    try:
        return parse_checkpoint(parse_note(note).body)
    except Malformed:
        return None


def _trust(
    stated: Checkpoint | None, root_path: Path | None, policy_path: Path | None
) -> tuple[Policy, str | None]:
    """Return the policy, and the origin that the log must have if that is certain."""
    if policy_path is not None:
        try:
            text = read_file(policy_path, MAX_POLICY).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Malformed("policy_invalid", "A policy file is UTF-8 text.") from error
        return parse_policy(text), None
    if root_path is None:
        raise click.UsageError(_ONE_TRUST)
    root = verify_root(read_file(root_path, MAX_ROOT))
    claimed = stated.origin if stated else None
    directory = claimed == root.log_origin(LogName.DIRECTORY)
    name = LogName.DIRECTORY if directory else LogName.AUDIT
    return root.log_policy(name), root.log_origin(name)


def _counted(fetch: Fetch, counter: Counter, *, note: bytes) -> Fetch:
    """Count what is read; the checkpoint is read once, so that a growing log stays of one size."""

    def counting(path: str) -> bytes:
        counter.advance()
        return note if path == CHECKPOINT_PATH else fetch(path)

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
