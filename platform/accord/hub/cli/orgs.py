"""``accord hub org``: invite, list, approve organisations."""

from pathlib import Path

import click

from accord.hub.cli.opened import opened_hub
from accord.hub.directory import Enrolment
from accord.kernel.directory.statements import parse_statement
from accord.kernel.directory.words import six_words
from accord.kernel.identifiers import org_name
from accord.kernel.markings import OrgKind
from accord.terminal import Terminal, common_options


@click.group()
def org() -> None:
    """The organisations of this hub."""


@org.command()
@click.argument("names", metavar="NAME…", nargs=-1, required=True)
@click.option(
    "--kind",
    required=True,
    type=click.Choice([kind.value for kind in OrgKind]),
    help="What kind of organisation it is; the charter decides by it.",
)
@common_options
def invite(terminal: Terminal, names: tuple[str, ...], kind: str) -> None:
    """Make a one-off invite for each organisation NAME; it works for 24 hours."""
    made: list[dict[str, str]] = []
    with opened_hub(terminal, signs=True) as services:
        for name in () if terminal.dry_run else names:
            found, code = services.enrolments.invite(name, OrgKind(kind), now=services.clock())
            made.append({"org": found, "kind": kind, "invite": code})
    lines = [f"Invite for {one['org']}: {one['invite']}" for one in made]
    terminal.result(
        {"invites": made},
        "\n".join(lines)
        + "\nEach is shown once. Give it to the organisation with the root file; next they run:\n"
        "  accord desk init, then accord desk enrol"
        if made
        else "Nothing was made (--dry-run).",
    )


@org.command("list")
@common_options
def list_(terminal: Terminal) -> None:
    """List members, and enrolments that wait for the registrars."""
    with opened_hub(terminal) as services:
        members = [
            {
                "org": one.org,
                "status": one.status.value,
                "kind": one.profile.kind.value,
                "country": one.profile.country,
                "name": one.profile.name,
                "contact": one.profile.contact,
            }
            for one in services.directory.refresh().organisations()
        ]
        waiting = [
            {
                "enrolment": one.enrolment_id,
                "org": one.org,
                "six_words": " ".join(six_words(services.root_bytes, one.statement)),
                "next_actor": "registrar",
            }
            for one in services.enrolments.waiting()
        ]
    lines = [f"{one['org']}  {one['status']}  {one['kind']}  {one['country']}" for one in members]
    lines += [
        f"{one['org']}  waits for the registrars  (words: {one['six_words']})" for one in waiting
    ]
    terminal.result(
        {"members": members, "waiting": waiting},
        "\n".join(lines) or "No organisation yet. Invite one: accord hub org invite NAME",
    )


@org.command()
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for one file for each enrolment.",
)
@common_options
def export(terminal: Terminal, output: Path) -> None:
    """Write the waiting enrolments to files for the registrars to sign."""
    with opened_hub(terminal) as services:
        waiting = services.enrolments.waiting()
    files: list[tuple[Enrolment, Path]] = []
    for one in waiting:
        path = output / f"{org_name(one.org)}.enrolment.json"
        if path in {taken for _, taken in files}:
            # A second enrolment of one organisation: the registrars see both and choose.
            path = output / f"{org_name(one.org)}.{one.enrolment_id[:6]}.enrolment.json"
        files.append((one, path))
    if not terminal.dry_run:
        output.mkdir(parents=True, exist_ok=True)
        for one, path in files:
            path.write_bytes(one.statement)
    terminal.result(
        {
            "enrolments": [{"org": one.org, "file": str(path)} for one, path in files],
            "written": not terminal.dry_run,
        },
        "\n".join(
            f"{one.org}: {path}\n  next: accord registrar sign {path} -o {path.stem}.signed.json"
            for one, path in files
        )
        or "No enrolment waits for the registrars.",
    )


@org.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
)
@common_options
def approve(terminal: Terminal, files: tuple[Path, ...]) -> None:
    """Let in the organisations whose enrolments FILES the registrars signed."""
    approved: list[dict[str, object]] = []
    with opened_hub(terminal, signs=True) as services:
        for file in files:
            data = file.read_bytes()
            if terminal.dry_run:
                found, number = parse_statement(data).statement.org, None
            else:
                enrolment, number = services.enrolments.approve(data, now=services.clock())
                found = enrolment.org
            approved.append({"org": found, "index": number})
    terminal.result(
        {"approved": approved, "written": not terminal.dry_run},
        "\n".join(f"{one['org']} is a member now." for one in approved)
        if not terminal.dry_run
        else "Nothing was changed (--dry-run).",
    )


@org.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@common_options
def suspend(terminal: Terminal, file: Path) -> None:
    """Log the suspension FILE that a registrar signed; it takes effect at once."""
    with opened_hub(terminal, signs=True) as services:
        if terminal.dry_run:
            terminal.result({"suspended": False}, "Nothing was changed (--dry-run).")
            return
        number = services.directory.append_statement(file.read_bytes(), now=services.clock())
    terminal.result({"suspended": True, "index": number}, f"Logged as directory entry {number}.")
