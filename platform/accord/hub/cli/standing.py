"""``accord hub org suspend``, ``resume``, ``revoke``, ``recover``, ``leave``: a member's standing.

Each has two steps around the registrars' own machines: with ``-o`` it writes what they sign, with
a signed FILE it logs it. The hub signs nothing of this itself.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from accord.hub.cli.opened import opened_hub
from accord.hub.directory import Enrolment, Taken
from accord.hub.services import Services
from accord.kernel.directory.statements import MAX_STATEMENT, Op, parse_statement
from accord.kernel.errors import Malformed, NotFound, Refused
from accord.kernel.identifiers import OrgId, make_org_id, org_name, parse_org_id
from accord.terminal import Partly, Terminal, common_options
from accord.written import write_new

_HELP = {
    Op.SUSPEND: "Suspend a member at once; one registrar's signature is enough.",
    Op.RESUME: "Let a suspended member act again; after a recovery 72 hours must be over.",
    Op.REVOKE: "End a member's keys: its device is lost, or it must go.",
    Op.RECOVER: "Log the recovery of a member; it stays suspended for 72 hours, told to all.",
    Op.LEAVE: "Log the leaving that an organisation signed itself.",
}
_NEXT = {
    Op.SUSPEND: "Nothing that it signs counts any more. Next: accord hub org resume or revoke.",
    Op.RESUME: "It is a member in force again.",
    Op.REVOKE: "It comes back only with its recovery key: accord keys recover.",
    Op.RECOVER: "Everybody is told. After 72 hours the registrars resume it.",
    Op.LEAVE: "It has left; its name is taken for ever.",
}
_WRITES = (Op.SUSPEND, Op.RESUME, Op.REVOKE, Op.RECOVER)


def _command(operation: Op) -> click.Command:
    @click.argument("target", metavar="ORG|FILE" if operation in _WRITES else "FILE")
    @common_options
    def run(
        terminal: Terminal,
        /,
        *,
        target: str,
        output: Path | None = None,
        compromised_since: datetime | None = None,
    ) -> None:
        with opened_hub(terminal, signs=output is None) as services:
            if output is not None:
                since = _unix(compromised_since)
                _write(terminal, services, operation, target, output, since)
            else:
                logged(terminal, services, operation, Path(target))

    run.__doc__ = _HELP[operation]
    if operation in _WRITES:
        run = _option_output(run)
    if operation is Op.REVOKE:
        run = _option_since(run)
    return click.command(operation.value, help=_HELP[operation])(run)


def _option_output(run: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Write what the registrars sign about ORG to this file, instead of logging FILE.",
    )(run)


def _option_since(run: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--compromised-since",
        type=click.DateTime(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"]),
        help="With -o: what the keys signed from then on (UTC) is shown with a warning.",
    )(run)


STANDING: Sequence[click.Command] = tuple(_command(operation) for operation in _HELP)
"""The commands, for ``accord hub org``."""


def _unix(time: datetime | None) -> int | None:
    return None if time is None else int(time.replace(tzinfo=UTC).timestamp())


def _write(
    terminal: Terminal,
    services: Services,
    operation: Op,
    target: str,
    output: Path,
    since: int | None,
) -> None:
    """Write the draft, or what waits with the signatures that it has, for the registrars."""
    hub = services.directory.root.hub
    org = parse_org_id(target) if "@" in target else make_org_id(target, hub)
    found = _waiting(services, org, operation)
    if found is not None:
        content = found.statement
    elif operation is Op.RECOVER:
        raise NotFound(
            "enrolment_missing",
            "No recovery of this organisation waits for the registrars.",
            observed=org,
            next_step="Its desk begins: accord keys recover. Then: accord hub org list.",
        )
    else:
        now = services.clock()
        content = services.statements.draft(org, operation, now=now, compromised_since=since)
    if not terminal.dry_run:
        write_new(output, content)
    signed = f"{org_name(org)}.{operation}.signed.json"
    terminal.result(
        {"op": operation.value, "org": org, "file": str(output), "written": not terminal.dry_run},
        f"Wrote {output}. Next: a registrar signs it within 24 hours:\n"
        f"  accord registrar sign {output} -o {signed}\n"
        f"then: accord hub org {operation} {signed}",
    )


def _waiting(services: Services, org: OrgId, operation: Op) -> Enrolment | None:
    found = [one for one in services.enrolments.waiting() if (one.org, one.op) == (org, operation)]
    # The newest: a desk that began its recovery again has new keys in it.
    return found[-1] if found else None


def logged(terminal: Terminal, services: Services, operation: Op, path: Path) -> None:
    """Log the signed statement in ``path``, which must do ``operation``; tell what came of it."""
    data = _read(path)
    said = parse_statement(data).statement
    if said.op is not operation:
        raise Malformed(
            "op_other",
            f"This file does not '{operation}'.",
            observed=f"{said.op} of {said.org}",
            next_step=f"Use accord hub org {said.op}, or accord hub org approve.",
        )
    if terminal.dry_run:
        terminal.result(_data(operation, None), "Nothing was changed (--dry-run).")
        return
    if operation is Op.LEAVE:
        taken = services.statements.submit(data, now=services.clock())
    else:
        taken = services.statements.countersigned(data, now=services.clock())
    if taken.missing:
        words = f"Kept: {taken.signatures} signed, {taken.missing} more of the registrars must."
    else:
        words = f"Logged as directory entry {taken.index}. {_NEXT[operation]}"
    terminal.result(_data(operation, taken), f"{said.org}: {words}")
    if taken.missing:
        raise Partly


def _data(operation: Op, taken: Taken | None) -> dict[str, object]:
    done = {
        Op.SUSPEND: "suspended",
        Op.RESUME: "resumed",
        Op.REVOKE: "revoked",
        Op.RECOVER: "recovered",
        Op.LEAVE: "left",
    }[operation]
    if taken is None:
        return {done: False}
    return {
        done: taken.index is not None,
        "org": taken.org,
        "index": taken.index,
        "signatures": taken.signatures,
        "missing": taken.missing,
        "next_actor": taken.next_actor,
    }


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise Refused(
            "statement_file_missing",
            "There is no such file; to write one for the registrars, give -o FILE.",
            observed=str(path)[:200],
            next_step="accord hub org suspend ORG -o FILE, then accord registrar sign FILE.",
        )
    with path.open("rb") as file:
        return file.read(MAX_STATEMENT + 1)
