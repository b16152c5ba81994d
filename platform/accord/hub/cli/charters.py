"""``accord hub charter``: show, list, check, compare and publish the sharing agreement."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from accord.hub.cli.charter_questions import Asked, answer, question_options
from accord.hub.cli.opened import opened_hub
from accord.hub.transparency import LogName
from accord.kernel import dsse
from accord.kernel.encoding import b64encode
from accord.kernel.policy.changes import Change, compare
from accord.kernel.policy.charter import (
    CHARTER_TYPE,
    DEFAULT_CHARTER,
    MAX_SIGNED_CHARTER,
    Charter,
    parse_charter,
)
from accord.kernel.policy.decide import Party
from accord.kernel.policy.review import Remark, review
from accord.kernel.policy.words import charter_words, grant_facts, registrars_words, rule_facts
from accord.terminal import Failed, Terminal, common_options

DEFAULT = "default"
IN_FORCE = "in-force"


@click.group()
def charter() -> None:
    """The sharing agreement as data."""


@charter.command()
@click.argument("version", type=click.IntRange(min=1), required=False)
@click.option("--default", DEFAULT, is_flag=True, help="The charter that comes with Accord.")
@common_options
def show(terminal: Terminal, version: int | None, *, default: bool) -> None:
    """Show the rules in force, those of a published VERSION, or the text of the default charter."""
    if default:
        found = parse_charter(DEFAULT_CHARTER.encode("utf-8"))
        terminal.result(_as_data(found), DEFAULT_CHARTER)
        return
    with opened_hub(terminal) as services:
        directory = services.directory
        found = directory.charter() if version is None else directory.charter_at(version)
    terminal.result(_as_data(found), _in_words(found))


@charter.command("list")
@common_options
def list_(terminal: Terminal) -> None:
    """List the versions that were published, with their leaves in the directory log."""
    with opened_hub(terminal) as services:
        placed = services.directory.charters()
        origin = services.root.log_origin(LogName.DIRECTORY)
    versions = [
        {
            "version": one.point.version,
            "sha256": b64encode(one.point.sha256),
            "leaf": one.index,
            "in_force": one is placed[-1],
        }
        for one in placed
    ]
    lines = [
        f"{one['version']}: leaf {one['leaf']} of {origin}, hash {one['sha256']}"
        + (" (in force)" if one["in_force"] else "")
        for one in versions
    ]
    words = "\n".join(lines) or "No charter has been published yet."
    terminal.result({"log": origin, "versions": versions}, words)


@charter.command()
@click.argument(
    "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False
)
@question_options
@common_options
def check(terminal: Terminal, file: Path | None, asked: Asked) -> None:
    """Check a charter's text before the registrars sign it, or explain what it decides.

    With --from and --to it says whether that would be allowed, and by which rule; with --from and
    --may whether the organisation may do that at the hub. Without FILE the charter in force is
    asked. A refusal ends with exit code 1.
    """
    found, parties = _charter_and_parties(terminal, file, asked)
    if asked.is_empty:
        _say_remarks(terminal, review(found))
        terminal.result(_as_data(found), f"The charter can be read.\n{_in_words(found)}")
        return
    decision = answer(found, asked, parties)
    terminal.result(
        {
            "version": found.version,
            "allowed": decision.allowed,
            "code": decision.code,
            "explanation": decision.explanation,
            "by": [
                {"table": decision.noun, "number": number, "name": name}
                for number, name in decision.places
            ],
            "approval": decision.approval,
        },
        decision.explanation
        + ("\nA second person at the sender must approve it." if decision.approval else ""),
    )
    if not decision.allowed:
        raise Failed


def _charter_and_parties(
    terminal: Terminal, file: Path | None, asked: Asked
) -> tuple[Charter, tuple[Party, ...]]:
    """Return what is asked; the hub is opened only when something of it is needed."""
    if file is not None and not asked.needs_directory:
        return read_charter(file), asked.parties(None)
    with opened_hub(terminal) as services:
        found = services.directory.charter() if file is None else read_charter(file)
        return found, asked.parties(services.directory)


def read_charter(file: Path) -> Charter:
    """Return the charter in ``file``: its TOML text, or the envelope that registrars signed.

    Raises:
        Malformed: as ``parse_charter`` and ``dsse.parse``.
    """
    data = file.read_bytes()
    if data.startswith(b"{"):
        data = dsse.parse(data, payload_type=CHARTER_TYPE, limit=MAX_SIGNED_CHARTER).payload
    return parse_charter(data)


@charter.command()
@click.argument("old")
@click.argument("new")
@common_options
def diff(terminal: Terminal, old: str, new: str) -> None:
    """Say what changes from OLD to NEW: each a file, a version, `default` or `in-force`."""
    before, after = _named_charter(terminal, old), _named_charter(terminal, new)
    changes = compare(before, after)
    terminal.result(
        {
            "old": {"version": before.version, "sha256": b64encode(before.sha256)},
            "new": {"version": after.version, "sha256": b64encode(after.sha256)},
            "changes": [_change_data(change) for change in changes],
        },
        "\n".join(line for change in changes for line in _change_words(change))
        or "The same rules and grants.",
    )


def _named_charter(terminal: Terminal, name: str) -> Charter:
    if name == DEFAULT:
        return parse_charter(DEFAULT_CHARTER.encode("utf-8"))
    if name == IN_FORCE or name.isdecimal():
        with opened_hub(terminal) as services:
            directory = services.directory
            return directory.charter() if name == IN_FORCE else directory.charter_at(int(name))
    return read_charter(Path(name))


@charter.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@common_options
def publish(terminal: Terminal, file: Path) -> None:
    """Publish a charter that the registrars signed."""
    data = file.read_bytes()
    with opened_hub(terminal, signs=True) as services:
        if terminal.dry_run:
            terminal.result({"published": False}, "Nothing was published (--dry-run).")
            return
        point = services.directory.publish_charter(data, now=services.clock())
    terminal.result(
        {"published": True, "version": point.version, "sha256": b64encode(point.sha256)},
        f"Charter {point.version} is in force.",
    )


def _say_remarks(terminal: Terminal, remarks: Sequence[Remark]) -> None:
    for one in remarks:
        terminal.say(f"Look again at {one.table} {one.number} ({one.name}): {one.words}.")


def _as_data(found: Charter) -> dict[str, object]:
    return {
        "version": found.version,
        "name": found.name,
        "sha256": b64encode(found.sha256),
        "registrars": registrars_words(found),
        "rules": [
            {
                "number": number,
                "name": rule.name,
                "words": rule.words,
                "approval": rule.approval,
                "conditions": rule_facts(rule),
            }
            for number, rule in enumerate(found.rules, start=1)
        ],
        "grants": [
            {
                "number": number,
                "name": grant.name,
                "words": grant.words,
                "conditions": grant_facts(grant),
            }
            for number, grant in enumerate(found.grants, start=1)
        ],
        "remarks": [asdict(one) for one in review(found)],
    }


def _in_words(found: Charter) -> str:
    return "\n".join([f"Charter {found.version}: {found.name}", *charter_words(found)])


def _change_data(change: Change) -> dict[str, object]:
    return {
        "how": change.how.value,
        "table": change.table,
        "name": change.name,
        "old": change.old,
        "new": change.new,
        "facts": {key: {"old": old, "new": new} for key, (old, new) in change.facts.items()},
    }


def _change_words(change: Change) -> list[str]:
    place = f"{change.table} {change.new or change.old} ({change.name}) {change.how}"
    moved = f", was number {change.old}" if change.old and change.new != change.old else ""
    return [
        place + (moved if change.new else ""),
        *(f"  {key}: {old} -> {new}" for key, (old, new) in change.facts.items()),
    ]
