"""``accord desk guards``: the guard lists that each submit goes by, kept by reference."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from accord.clock import moment
from accord.desk.app import Desk
from accord.desk.cli.opened import opened_desk, person_here
from accord.desk.intake.guard_register import (
    Change,
    add_lists,
    remove_lists,
    state_of,
    update_lists,
    write_copy,
)
from accord.desk.storage.guard_lists import GuardList, guard_lists
from accord.terminal import Terminal, common_options

STATES = {
    "unchanged": "as it was read",
    "changed": "CHANGED since: run accord desk guards update",
    "missing": "MISSING: bring it back, or run accord desk guards remove",
}


@click.group()
def guards() -> None:
    """Keep the lists of well-known services that hold a row."""


@guards.command()
@click.argument(
    "places", metavar="DIR|FILE", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@common_options
def add(terminal: Terminal, *, places: tuple[Path, ...]) -> None:
    """Go by the lists there (MISP warninglists, *guard*.csv). They stay where they are."""
    with opened_desk(terminal) as desk:
        by, keep = person_here(), not terminal.dry_run
        changes = add_lists(desk.vault, places, person=by, now=desk.clock(), keep=keep)
        _done(terminal, desk, changes)


@guards.command(name="list")
@common_options
def list_guards(terminal: Terminal) -> None:
    """Show the lists, and whether each is still what was read."""
    with opened_desk(terminal) as desk:
        found = [(one, state_of(one)) for one in guard_lists(desk.vault)]
    lines = [
        f"{_line(one)}\n    {one.path}\n    read {moment(one.at)}; {STATES[state]}"
        for one, state in found
    ]
    text = "\n".join(lines) or "No guard list is kept. Add some: accord desk guards add DIR."
    terminal.result({"lists": [_data(one) | {"state": state} for one, state in found]}, text)


@guards.command()
@common_options
def update(terminal: Terminal) -> None:
    """Read every list again, and say what changed."""
    with opened_desk(terminal) as desk:
        by, keep = person_here(), not terminal.dry_run
        changes = update_lists(desk.vault, person=by, now=desk.clock(), keep=keep)
        _done(terminal, desk, changes)


@guards.command()
@click.argument("name", metavar="NAME|PATH")
@common_options
def remove(terminal: Terminal, *, name: str) -> None:
    """Go no more by a list, or by all of a directory. No file is deleted."""
    with opened_desk(terminal) as desk:
        by, keep = person_here(), not terminal.dry_run
        changes = remove_lists(desk.vault, name, person=by, now=desk.clock(), keep=keep)
        _done(terminal, desk, changes)


def _done(terminal: Terminal, desk: Desk, changes: Sequence[Change]) -> None:
    count, words = len(guard_lists(desk.vault)), "are in force"
    if terminal.dry_run:
        count += sum((one.before is None) - (one.after is None) for one in changes)
        words = "would be in force; nothing was changed"
    else:
        write_copy(desk.vault, desk.config.home)
    lines = [_told(one) for one in changes]
    data = {"changes": [_changed(one) for one in changes], "lists": count}
    text = "\n".join([*lines, f"{data['lists']} guard lists {words}."])
    terminal.result(data, text)


def _changed(change: Change) -> dict[str, Any]:
    return {
        "before": None if change.before is None else _data(change.before),
        "after": None if change.after is None else _data(change.after),
        "added": change.added,
        "removed": change.removed,
    }


def _data(one: GuardList) -> dict[str, Any]:
    return {
        "name": one.name,
        "version": one.version,
        "path": one.path,
        "sha256": one.sha256.hex(),
        "entries": one.n,
        "read": one.at,
    }


def _line(one: GuardList) -> str:
    version = f"version {one.version}, " if one.version else ""
    return f"{one.name}: {version}sha256 {one.sha256.hex()[:12]}, {one.n:,} entries"


def _told(change: Change) -> str:
    before, after = change.before, change.after
    if after is None:
        return f"removed  {'' if before is None else _line(before)}"
    if before is None:
        return f"added    {_line(after)}"
    if before.sha256 == after.sha256:
        return f"same     {_line(after)}"
    return (
        f"changed  {_line(before)}\n"
        f"      to {_line(after)}; {change.added:,} entries added, {change.removed:,} removed"
    )
