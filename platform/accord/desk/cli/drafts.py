"""``accord drafts`` and ``accord approve``: what waits for a second person, and letting it go."""

from pathlib import Path
from typing import Any

import click

from accord.clock import moment
from accord.desk.cli.opened import opened_desk
from accord.desk.cli.signed_in import AS_HELP, PASSWORD_FILE, PASSWORD_HELP, signed_in
from accord.desk.exchange.drafts import parse_plan
from accord.desk.exchange.letters import LETTERS
from accord.desk.exchange.submission import SendReport
from accord.desk.storage.drafts import Draft, DraftState, draft_lines, find_draft
from accord.desk.storage.drafts import drafts as list_drafts
from accord.kernel.errors import Malformed
from accord.kernel.markings import BundleKind
from accord.terminal import Partly, Terminal, common_options

SHOWN = 20


@click.command()
@click.option("--all", "everything", is_flag=True, help="Also those that were decided.")
@common_options
def drafts(terminal: Terminal, *, everything: bool) -> None:
    """Show what waits for a second person's approval, and what was approved and did not go yet."""
    with opened_desk(terminal) as desk:
        found = [draft_data(one) for one in list_drafts(desk.vault, waiting=not everything)]
    text = "\n".join(_line(one) for one in found) or "Nothing waits for approval."
    terminal.result({"drafts": found}, text)


@click.command()
@click.argument("number", metavar="ID", type=click.IntRange(1))
@click.option("--as", "login", help=AS_HELP)
@click.option("--password-file", type=PASSWORD_FILE, help=PASSWORD_HELP)
@click.option("--digest", help="SHA-256 of the draft that you read; another one is refused.")
@click.option("--refuse", is_flag=True, help="Refuse it instead; its records are deleted.")
@click.option("--again", is_flag=True, help="Send also what they have got already; with --reason.")
@click.option("--reason", help="Why it is refused, or goes again.")
@common_options
def approve(
    terminal: Terminal,
    *,
    number: int,
    login: str | None,
    password_file: Path | None,
    digest: str | None,
    refuse: bool,
    again: bool,
    reason: str | None,
) -> None:
    """Let the draft ID go: it is sealed and sent as it is. Its maker cannot approve it."""
    with opened_desk(terminal) as desk:
        draft = find_draft(desk.vault, number)
        data = draft_data(draft)
        if terminal.dry_run:
            lines = draft_lines(desk.vault, number)
            lines = lines if BundleKind(data["kind"]) in LETTERS else lines[:SHOWN]
            text = "\n".join([_line(data), *(line.decode("utf-8", "replace") for line in lines)])
            terminal.result({"draft": data, "bundles": [], "complete": False}, text)
            return
        if login is None:
            raise click.UsageError("Say who you are with --as; --dry-run shows the draft.")  # noqa: TRY003 - click's own form
        person = signed_in(desk, login, password_file)
        if refuse:
            draft = desk.drafts.refuse(number, person=person, reason=reason or "")
            terminal.result(
                {"draft": draft_data(draft), "bundles": [], "complete": False},
                f"Draft {number} was refused; its records are deleted.",
            )
            return
        once_more = (reason or "") if again else None
        sent = desk.drafts.approve(number, person=person, digest=_digest(digest), again=once_more)
        data = draft_data(find_draft(desk.vault, number))
    terminal.result({"draft": data} | _sent(sent), f"Draft {number} was approved and sent.")
    if not sent.complete:
        raise Partly


def draft_data(draft: Draft) -> dict[str, Any]:
    """Return a draft as commands print it."""
    plan = parse_plan(draft.plan)
    return {
        "id": draft.no,
        "state": draft.state.value,
        "kind": plan.kind.value,
        "maker": draft.maker,
        "made": draft.at,
        "name": draft.name,
        "records": draft.n,
        "recipients": list(plan.recipients),
        "tlp": plan.policy.tlp.value,
        "purpose": plan.policy.purpose.value,
        "title": plan.head.title,
        "digest": draft.digest.hex(),
        "decided": draft.decided,
        "decided_by": draft.decided_by,
        "reason": draft.reason,
        "sent": draft.sent,
    }


def _digest(text: str | None) -> bytes | None:
    try:
        return None if text is None else bytes.fromhex(text)
    except ValueError as error:
        raise Malformed(
            "draft_digest", "A digest has 64 hexadecimal digits.", observed=(text or "")[:80]
        ) from error


def _sent(sent: SendReport) -> dict[str, Any]:
    return {
        "bundles": [{"id": one.id, "state": one.state.value} for one in sent.bundles],
        "complete": sent.complete,
    }


def _line(data: dict[str, Any]) -> str:
    names = ", ".join(data["recipients"])
    what = f"{data['records']:,} records of {data['name']!r}"
    if BundleKind(data["kind"]) in LETTERS:
        what = f"{data['kind']} {data['title']!r}"
    text = (
        f"{data['id']:>4}  {data['state']}  {what} by {data['maker']}, {moment(data['made'])}\n"
        f"      to {names}, TLP:{data['tlp'].upper()}, {data['purpose']}\n"
        f"      sha256 {data['digest']}"
    )
    if data["decided_by"]:
        text += f"\n      {data['state']} by {data['decided_by']}, {moment(data['decided'])}"
    if data["state"] == DraftState.APPROVED and data["sent"] is None:
        text += f"\n      NOT SENT in full: run accord approve {data['id']} again, or --refuse it"
    return text
