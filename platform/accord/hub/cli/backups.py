"""``accord hub backup`` and ``restore``: the whole hub in one encrypted file, and back."""

import time
from pathlib import Path

import click

from accord.config import read_passphrase_file
from accord.findings import worst
from accord.hub.backups import Manifest
from accord.hub.cli.opened import opened_hub
from accord.hub.cli.restoring import Restored, Target, rehearse, restore_home
from accord.hub.config import parse_database
from accord.terminal import Failed, Terminal, common_options, exit_code_of

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_passphrase_file = click.option(
    "--passphrase-file",
    type=_FILE,
    help="File with the backup's passphrase. Default: the passphrase of the hub's log keys.",
)


@click.command()
@click.argument("destination", type=click.Path(path_type=Path, dir_okay=False))
@_passphrase_file
@common_options
def backup(terminal: Terminal, destination: Path, passphrase_file: Path | None) -> None:
    """Write a backup of the hub to the new file DESTINATION; the hub may serve meanwhile."""
    started = time.monotonic()
    with opened_hub(terminal, signs=True) as services:
        passphrase = _passphrase(terminal, passphrase_file, twice=True)
        if terminal.dry_run:
            terminal.result(
                {"made": False, "file": str(destination)}, f"Would write {destination}."
            )
            return
        manifest = services.backups.make(destination, passphrase, now=services.clock())
    seconds = round(time.monotonic() - started, 1)
    terminal.result(
        {"made": True, "file": str(destination), "backup": described(manifest), "seconds": seconds},
        f"Wrote {destination} in {seconds} s: {_in_words(manifest)}.\n"
        f"Rehearse it on another computer: accord hub restore {destination.name} --check",
    )


@click.command()
@click.argument("source", type=_FILE)
@_passphrase_file
@click.option("--check", "check_only", is_flag=True, help="Rehearse: restore, verify, throw away.")
@click.option(
    "--without-witnesses",
    is_flag=True,
    help="Restore although a witness does not answer. Then nobody notices an older copy.",
)
@click.option(
    "--erasures",
    type=_FILE,
    help="The newest erasures.jsonl: who was erased after the backup is erased in it.",
)
@click.option(
    "--database",
    help="An empty PostgreSQL database to restore into, or 'file'. Default: as in the backup.",
)
@common_options
def restore(
    terminal: Terminal,
    *,
    source: Path,
    passphrase_file: Path | None,
    check_only: bool,
    without_witnesses: bool,
    erasures: Path | None,
    database: str | None,
) -> None:
    """Put the hub of the backup SOURCE into the empty --home, every hash and both logs verified.

    A backup that is older than what a witness has seen is refused: it must never sign.
    """
    started = time.monotonic()
    passphrase = _passphrase(terminal, passphrase_file, twice=False)
    keys_passphrase = terminal.passphrase("Passphrase of the hub's log keys")
    rehearsal = check_only or terminal.dry_run
    if rehearsal:
        done = rehearse(terminal.home, source, passphrase, keys_passphrase)
    else:
        target = Target(
            home=terminal.home,
            without_witnesses=without_witnesses,
            erasures=erasures,
            database=_database(database),
        )
        done = restore_home(target, source, passphrase, keys_passphrase)
    seconds = round(time.monotonic() - started, 1)
    _report(terminal, done, seconds)
    problem = worst(done.findings)
    if problem is not None and not done.restored and not (rehearsal and done.whole):
        raise Failed(exit_code_of(problem))


def described(manifest: Manifest) -> dict[str, object]:
    """Return what a manifest says, as commands print it."""
    return {
        "id": manifest.backup_id,
        "origin": manifest.origin,
        "made": manifest.made,
        "version": manifest.version,
        "logs": {name: one.size for name, one in manifest.logs.items()},
        "files": len(manifest.files),
        "bytes": sum(one.size for one in manifest.files),
    }


def _in_words(manifest: Manifest) -> str:
    total = sum(one.size for one in manifest.files)
    logs = ", ".join(f"{name} log of {one.size} entries" for name, one in manifest.logs.items())
    return f"{len(manifest.files)} files, {total / 1024**2:.1f} MiB, {logs}"


def _report(terminal: Terminal, done: Restored, seconds: float) -> None:
    lines = [line for finding in done.findings for line in finding.lines()]
    lost = "unknown" if done.lost_entries is None else f"{done.lost_entries} log entries"
    lines += [
        f"Would be lost (RPO): the last {done.age_seconds} s; by the witnesses: {lost}",
        f"Time to restore (RTO): {seconds} s",
        f"Restored to {terminal.home}. Next: accord hub serve"
        if done.restored
        else "This backup could serve."
        if done.servable
        else "This backup cannot serve; see what is wrong above.",
    ]
    terminal.result(
        {
            "restored": done.restored,
            "whole": done.whole,
            "servable": done.servable,
            "backup": described(done.manifest),
            "checks": [finding.as_dict() for finding in done.findings],
            "rpo_seconds": done.age_seconds,
            "rpo_entries": done.lost_entries,
            "rto_seconds": seconds,
        },
        "\n".join(lines),
    )


def _database(text: str | None) -> str | None:
    if text is None:
        return None
    return "" if text == "file" else parse_database(text)


def _passphrase(terminal: Terminal, file: Path | None, *, twice: bool) -> bytes:
    if file is not None:
        return read_passphrase_file(file)
    return terminal.passphrase("Passphrase of the backup", twice=twice)
