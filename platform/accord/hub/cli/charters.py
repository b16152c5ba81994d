"""``accord hub charter``: show, check, publish the sharing agreement."""

from pathlib import Path

import click

from accord.hub.cli.opened import opened_hub
from accord.kernel.encoding import b64encode
from accord.kernel.policy.charter import Charter, parse_charter
from accord.kernel.policy.default_charter import DEFAULT_CHARTER
from accord.terminal import Terminal, common_options


@click.group()
def charter() -> None:
    """The sharing agreement as data."""


@charter.command()
@click.option("--default", "default", is_flag=True, help="The charter that comes with Accord.")
@common_options
def show(terminal: Terminal, *, default: bool) -> None:
    """Show the rules in force, or the text of the default charter."""
    if default:
        found = parse_charter(DEFAULT_CHARTER.encode("utf-8"))
        terminal.result(_as_data(found), DEFAULT_CHARTER)
        return
    with opened_hub(terminal) as services:
        found = services.directory.charter()
    terminal.result(_as_data(found), _in_words(found))


@charter.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@common_options
def check(terminal: Terminal, file: Path) -> None:
    """Check a charter's text before the registrars sign it."""
    found = parse_charter(file.read_bytes())
    terminal.result(_as_data(found), f"The charter can be read.\n{_in_words(found)}")


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


def _as_data(found: Charter) -> dict[str, object]:
    return {
        "version": found.version,
        "name": found.name,
        "sha256": b64encode(found.sha256),
        "rules": [
            {"name": rule.name, "words": rule.words, "approval": rule.approval}
            for rule in found.rules
        ],
        "grants": [{"name": grant.name, "words": grant.words} for grant in found.grants],
    }


def _in_words(found: Charter) -> str:
    lines = [f"Charter {found.version}: {found.name}"]
    lines += [f"  {rule.name}: {rule.words}" for rule in found.rules]
    lines += [f"  {grant.name}: {grant.words}" for grant in found.grants]
    return "\n".join(lines)
