"""``accord hub audit``: the auditor's search and export at the hub's own machine.

Whoever has the machine can read its files; the commands still ask for an auditor's own sign-in, so
that what is looked for is written down under the name of whoever looked, and opens to them alone.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from accord.hub.access import Actor
from accord.hub.cli.opened import opened_hub
from accord.hub.services import Services
from accord.hub.trail import TrailRow, Wanted, parse_wanted
from accord.hub.trail.filters import NAMES
from accord.hub.trail.service import MAX_PAGE
from accord.kernel.errors import AuthenticationNeeded
from accord.kernel.identifiers import make_org_id, parse_org_id
from accord.kernel.tlog.trailfile import Form
from accord.terminal import EXIT_VERIFICATION, Failed, Terminal, common_options
from accord.written import check_new, open_new

_HELP = {
    "seen": "Who saw this: a bundle's id, name@hub, or a person.",
    "what": "A class of event, for example bundle.delivered.",
    "org": "An organisation that acted or is concerned: name@hub.",
    "person": "A person of the auditor's own organisation.",
    "subject": "What it was done to, for example a bundle's id.",
    "outcome": "ok, refused, or a code.",
    "since": "First day, YYYY-MM-DD, UTC.",
    "until": "Last day, YYYY-MM-DD, UTC.",
}


@click.group()
def audit() -> None:
    """Look into the audit trail, take it out, erase a person from it."""


def _filtered(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give ``command`` one option for each part of a filter, and the auditor's sign-in."""
    for name in reversed(NAMES):
        command = click.option(f"--{name}", default="", help=_HELP[name])(command)
    command = click.option(
        "--password-file",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="A file with the auditor's password; asked for when absent.",
    )(command)
    return click.option(
        "--as", "login", required=True, help="The auditor's or administrator's sign-in name."
    )(command)


@audit.command()
@_filtered
@click.option("--after", default="", help="The cursor that an earlier page gave.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, MAX_PAGE))
@common_options
def search(
    terminal: Terminal,
    *,
    login: str,
    password_file: Path | None,
    after: str,
    limit: int,
    **parts: str,
) -> None:
    """Show events that fit, newest first. The search itself is written down."""
    wanted = _wanted(parts)
    if terminal.dry_run:  # without the entry of the search there is no answer
        terminal.result({"events": [], "next": ""}, f"Would look for: {wanted.words() or 'all'}")
        return
    password = _password(login, password_file)
    with opened_hub(terminal, signs=True) as services:
        page = services.trail.search(
            _actor(services, login, password),
            wanted,
            after=after,
            limit=limit,
            now=services.clock(),
        )
    rows = [_described(row) for row in page.rows]
    terminal.result(
        {"events": rows, "next": page.after},
        "\n".join(_words(row) for row in page.rows) or "No events fit.",
    )
    if page.after:
        terminal.say(f"Older events: --after {page.after}")


@audit.command()
@_filtered
@click.option(
    "--form",
    default=Form.JSONL.value,
    show_default=True,
    type=click.Choice([form.value for form in Form]),
)
@click.option("--reason", required=True, help="Why the events are taken out; written down.")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write; it must not exist.",
)
@common_options
def export(
    terminal: Terminal,
    *,
    login: str,
    password_file: Path | None,
    form: str,
    reason: str,
    output: Path,
    **parts: str,
) -> None:
    """Write all events that fit to a file, each with its proof (accord verify FILE)."""
    wanted = _wanted(parts)
    if terminal.dry_run:
        terminal.result(
            {"file": str(output), "form": form, "events": 0},
            f"Would take out: {wanted.words() or 'all'}",
        )
        return
    check_new(output)
    password = _password(login, password_file)
    with opened_hub(terminal, signs=True) as services:
        title, pieces = services.trail.export(
            _actor(services, login, password),
            wanted,
            Form(form),
            reason=reason,
            now=services.clock(),
        )
        with open_new(output) as file:
            for piece in pieces:
                file.write(piece)
    terminal.result(
        {"file": str(output), "form": form, "events": title.count},
        f"{title.count} events written to {output}. Check them: accord verify {output} --root "
        "root.json",
    )


@audit.command()
@common_options
def check(terminal: Terminal) -> None:
    """Compare every row with the logs now, as the hub does each night; exit code 3 on a finding."""
    with opened_hub(terminal, signs=True) as services:
        if terminal.dry_run:
            terminal.result({"ok": True, "findings": [], "count": 0, "compared": {}}, "Not run.")
            return
        report = services.self_audit.run(now=services.clock())
    terminal.result(
        {
            "ok": report.ok,
            "count": report.count,
            "findings": [{"check": one.check, "observed": one.observed} for one in report.findings],
            "compared": report.looked,
        },
        "\n".join(
            [
                *(f"ok     {name}: {count} compared" for name, count in report.looked.items()),
                *(f"FAILED {one.check}: {one.observed}" for one in report.findings),
                f"{report.count} findings.",
            ]
        ),
    )
    if not report.ok:
        raise Failed(EXIT_VERIFICATION)


@audit.command("erase-person")
@click.argument("name")
@click.option("--org", required=True, help="The person's organisation: name, or name@hub.")
@click.option("--reason", required=True, help="The ground, without the person's name.")
@common_options
def erase_person(terminal: Terminal, *, name: str, org: str, reason: str) -> None:
    """Erase the person with the sign-in name NAME from all events, and the account. For good."""
    with opened_hub(terminal, signs=True) as services:
        owner = parse_org_id(org) if "@" in org else make_org_id(org, services.config.origin)
        sure = terminal.dry_run or terminal.confirm(
            f"Erase this person of {owner} for good? It cannot be taken back."
        )
        if terminal.dry_run or not sure:
            terminal.result(
                {"erased": False, "number": None, "events": 0, "accounts": 0},
                "Nothing was erased."
                if terminal.dry_run
                else "Nothing was erased (not confirmed).",
            )
            return
        done = services.erasures.erase_at_console(owner, name, reason=reason, now=services.clock())
    terminal.result(
        {
            "erased": True,
            "number": done.number,
            "events": len(done.events),
            "accounts": len(done.accounts),
        },
        f"Erased from {len(done.events)} events and {len(done.accounts)} accounts. Keep a copy of "
        f"{services.config.erasures} beside your backups: a restore is held to it.",
    )


def _wanted(parts: dict[str, str]) -> Wanted:
    return parse_wanted({name: value for name, value in parts.items() if value})


def _password(login: str, file: Path | None) -> str:
    if file is not None:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    found: str = click.prompt(f"Password of {login}", hide_input=True, err=True)
    return found


def _ask_code() -> str:
    found: str = click.prompt("Code of the authenticator app", err=True)
    return found


def _actor(services: Services, login: str, password: str) -> Actor:
    """Return who signed in; their role and charter decide what opens."""
    person = services.people.sign_in.at_console(login, password, _ask_code, now=services.clock())
    organisation = services.directory.refresh().find_organisation(person.org)
    if organisation is None:
        raise AuthenticationNeeded("sign_in_wrong", "The account's organisation is not enrolled.")
    return Actor(
        org=person.org,
        kind=organisation.profile.kind,
        role=person.role,
        person=person.login,
        capabilities=frozenset(organisation.roles),
    )


def _described(row: TrailRow) -> dict[str, object]:
    return {
        "number": row.number,
        "fields": dict(row.fields),
        "closed": row.closed,
        "witnessed": row.witnessed,
    }


def _words(row: TrailRow) -> str:
    fields = row.fields
    who = " ".join(filter(None, (fields.get("org", ""), fields.get("person", "")))) or "hub"
    return (
        f"{row.number} {fields.get('time', '-')} {fields.get('what', '(erased)')} {who} "
        f"{fields.get('subject', '')} {fields.get('outcome', '')}".rstrip()
    )
