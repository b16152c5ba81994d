"""``accord log mirror``: copy a whole transparency log into a directory, for checks offline.

The copy is of the checkpoint that was read first; ``accord log verify DIR`` checks it. Nothing is
believed here: what does not hold is copied as it came and found by the check. A later run fetches
only what has been added, since a full tile never changes.
"""

import os
from pathlib import Path, PurePosixPath

import click

from accord.cli.log_source import Source
from accord.kernel.errors import Conflict, Malformed
from accord.kernel.tlog.checkpoint import parse_checkpoint
from accord.kernel.tlog.monitor import CHECKPOINT_PATH, log_paths
from accord.kernel.tlog.notes import parse_note
from accord.terminal import Terminal, common_options

_PARTIAL = ".p/"


@click.command()
@click.argument("place", metavar="URL|DIR")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@common_options
def mirror(terminal: Terminal, *, place: str, directory: Path) -> None:
    """Copy the log at URL (or in a directory) into DIR; check it with accord log verify DIR."""
    with Source(place) as source:
        note = source.fetch(CHECKPOINT_PATH)
        size = parse_checkpoint(parse_note(note).body).size
        _check_grown(directory, size)
        wanted = [
            path
            for path in log_paths(size)
            if path != CHECKPOINT_PATH and not _stands(directory, path)
        ]
        if not terminal.dry_run:
            source.expect(iter(wanted))
            with terminal.progress("files", len(wanted)) as counter:
                for path in wanted:
                    _write(directory, path, source.fetch(path))
                    counter.advance()
            _write(directory, CHECKPOINT_PATH, note)
    done = "" if terminal.dry_run else f" Check it: accord log verify {directory} --root root.json"
    terminal.result(
        {
            "place": place,
            "directory": str(directory),
            "size": size,
            "fetched": 0 if terminal.dry_run else len(wanted),
        },
        f"{size} entries, {len(wanted)} files to copy.{done}",
    )


def _check_grown(directory: Path, size: int) -> None:
    """Check that the copy that stands is not of a longer log.

    Raises:
        Conflict: ``mirror_ahead``.
    """
    try:
        note = (directory / CHECKPOINT_PATH).read_bytes()
    except FileNotFoundError:
        return
    try:
        found = parse_checkpoint(parse_note(note).body).size
    except Malformed:
        return
    if found > size:
        raise Conflict(
            "mirror_ahead",
            "The copy holds more of the log than the log shows now.",
            observed=f"{found} entries here, {size} there",
            next_step="Keep the copy as evidence; see the runbook on log disagreement.",
        )


def _stands(directory: Path, path: str) -> bool:
    """Tell whether a file is there that cannot have changed: a full tile or bundle."""
    return _PARTIAL not in path and (directory / PurePosixPath(path)).is_file()


def _write(directory: Path, path: str, data: bytes) -> None:
    target = directory / PurePosixPath(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(target.name + ".new")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(target)
