"""``accord hub org``: invite, list, approve and refuse organisations."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from accord.hub.cli.opened import opened_hub
from accord.hub.cli.standing import STANDING
from accord.hub.directory import Enrolment, Taken
from accord.hub.directory.statements import REASONS
from accord.hub.directory.waiting import EXPIRED
from accord.hub.services import Services
from accord.kernel.directory.authority import Weighed
from accord.kernel.directory.organisation import Organisation, Status
from accord.kernel.directory.registrars import Registrar
from accord.kernel.directory.statements import Op, parse_statement
from accord.kernel.directory.words import six_words
from accord.kernel.identifiers import KeyId, org_name
from accord.kernel.markings import OrgKind
from accord.terminal import Partly, Terminal, common_options

ROTATE_SOON = 30 * 86_400
"""Seconds before the end of its keys from which an organisation is told to rotate."""

_WORDS_FOR = (Op.ENROL, Op.RECOVER)


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
    """List members, invites, and what waits; each says who acts next."""
    with opened_hub(terminal) as services:
        now = services.clock()
        state = services.directory.refresh()
        members = [
            _member(one, now, state.key(one.kem.kid).not_after) for one in state.organisations()
        ]
        invites = [
            {"org": one.org, "kind": one.kind, "expires": one.expires, "next_actor": "desk"}
            for one in services.enrolments.invites()
        ]
        waiting = [_waiting(services, one) for one in services.statements.pending()]
    lines = [
        f"{one['org']}  {one['status']}  {one['kind']}  {one['country']}  {one['next_step']}"
        for one in members
    ]
    lines += [f"{one['org']}  invited until {_when(one['expires'])}" for one in invites]
    lines += [_waiting_line(one) for one in waiting]
    terminal.result(
        {"members": members, "invites": invites, "waiting": waiting},
        "\n".join(lines) or "No organisation yet. Invite one: accord hub org invite NAME",
    )


def _member(one: Organisation, now: int, keys_until: int) -> dict[str, object]:
    actor, step = _next(one, now, keys_until)
    return {
        "org": one.org,
        "status": one.status.value,
        "kind": one.profile.kind.value,
        "country": one.profile.country,
        "name": one.profile.name,
        "contact": one.profile.contact,
        "statement": one.seq,
        "since": one.time,
        "keys_until": keys_until,
        "hold_until": one.hold_until,
        "next_actor": actor,
        "next_step": step,
    }


def _next(one: Organisation, now: int, keys_until: int) -> tuple[str, str]:
    """Return who acts next for a member, and how."""
    match one.status:
        case Status.SUSPENDED if one.hold_until is not None and now < one.hold_until:
            return "nobody", f"Recovered: waits until {_when(one.hold_until)}; anybody may object."
        case Status.SUSPENDED:
            return "registrar", "Resume or revoke it: accord hub org resume, accord hub org revoke."
        case Status.REVOKED:
            return "desk", "It comes back with its recovery key: accord keys recover."
        case Status.LEFT:
            return "nobody", ""
        case _ if now > keys_until:
            return "desk", "Its keys have expired: accord keys recover."
        case _ if now > keys_until - ROTATE_SOON:
            return "desk", f"Its keys end {_when(keys_until)}: accord keys rotate."
        case _:
            return "nobody", ""


def _waiting(services: Services, one: Enrolment) -> dict[str, object]:
    weighed = services.statements.weigh(one)
    names = {kid: person.name for kid, person in _registrars(services).items()}
    signers = weighed.signers if weighed else ()
    words = six_words(services.root_bytes, one.statement) if one.op in _WORDS_FOR else ()
    return {
        "enrolment": one.enrolment_id,
        "org": one.org,
        "op": one.op.value,
        "state": one.state,
        "six_words": " ".join(words) or None,
        "signed_by": [names[kid] for kid in signers if kid in names],
        "may_sign": sorted(name for kid, name in names.items() if kid not in signers),
        "missing": weighed.missing if weighed else None,
        "expires": one.expires,
        "next_actor": one.next_actor,
        "next_step": _waiting_step(one, weighed),
    }


def _registrars(services: Services) -> Mapping[KeyId, Registrar]:
    return {person.key.kid: person for person in services.directory.root.registrars}


def _waiting_step(one: Enrolment, weighed: Weighed | None) -> str:
    if one.state == EXPIRED:
        return "Too old to be logged. Invite it again, or let its desk start again."
    if weighed is None:
        return "It does not fit the present directory; refuse it: accord hub org refuse."
    if one.next_actor == "desk":
        return "Its desk proves its new key: run the same command there again."
    return f"{weighed.missing} more of the registrars sign it: accord hub org export."


def _waiting_line(one: dict[str, object]) -> str:
    words = f"  (words: {one['six_words']})" if one["six_words"] else ""
    return f"{one['org']}  {one['op']} {one['state']}{words}  {one['next_step']}"


def _when(time: object) -> str:
    return datetime.fromtimestamp(int(str(time)), UTC).strftime("%Y-%m-%d %H:%M UTC")


@org.command()
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for one file for each that waits.",
)
@common_options
def export(terminal: Terminal, output: Path) -> None:
    """Write what waits for the registrars to files, with the signatures that it has."""
    with opened_hub(terminal) as services:
        waiting = services.enrolments.waiting()
    files: list[tuple[Enrolment, Path]] = []
    for one in waiting:
        what = "enrolment" if one.op is Op.ENROL else one.op.value
        path = output / f"{org_name(one.org)}.{what}.json"
        if path in {taken for _, taken in files}:
            # A second one of one organisation: the registrars see both and choose.
            path = output / f"{org_name(one.org)}.{one.enrolment_id[:6]}.{what}.json"
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
        or "Nothing waits for the registrars.",
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
    """Let in the organisations whose enrolments FILES the registrars signed.

    With fewer registrars than are needed the signatures are kept, and it says who signs next.
    Exit code 5 when something still waits.
    """
    taken: list[Taken] = []
    found: list[dict[str, object]] = []
    with opened_hub(terminal, signs=True) as services:
        for file in files:
            data = file.read_bytes()
            if terminal.dry_run:
                found.append({"org": parse_statement(data).statement.org, "index": None})
                continue
            one = services.statements.countersigned(data, now=services.clock())
            taken.append(one)
            found.append(
                {
                    "org": one.org,
                    "index": one.index,
                    "state": one.state,
                    "signatures": one.signatures,
                    "missing": one.missing,
                    "next_actor": one.next_actor,
                }
            )
    terminal.result(
        {"approved": found, "written": not terminal.dry_run},
        "\n".join(_taken_line(one) for one in taken)
        if not terminal.dry_run
        else "Nothing was changed (--dry-run).",
    )
    if any(one.missing for one in taken):
        raise Partly


def _taken_line(one: Taken) -> str:
    if one.missing:
        return (
            f"{one.org}: signed by {one.signatures}, {one.missing} more of the registrars must "
            "sign. Next: accord hub org export, then accord registrar sign."
        )
    if one.op is Op.ENROL:
        return f"{one.org} is a member now."
    return f"{one.org}: '{one.op}' is entry {one.index} of the directory."


@org.command()
@click.argument("which", metavar="ORG|ENROLMENT")
@click.option("--reason", required=True, type=click.Choice(REASONS), help="The desk is told.")
@common_options
def refuse(terminal: Terminal, which: str, reason: str) -> None:
    """Refuse what waits: the six words differ, or a registrar disagrees."""
    with opened_hub(terminal, signs=True) as services:
        if terminal.dry_run:
            terminal.result({"refused": False}, "Nothing was changed (--dry-run).")
            return
        found = services.statements.refuse(which, reason, now=services.clock())
    terminal.result(
        {
            "refused": True,
            "org": found.org,
            "enrolment": found.enrolment_id,
            "op": found.op.value,
            "reason": reason,
        },
        f"{found.org}: '{found.op}' is refused ({reason}). The organisation starts again when the "
        "registrars agree.",
    )


for _command in STANDING:
    org.add_command(_command)
