"""``accord journal``: say why this desk's journal begins anew, or goes on after a restore."""

from typing import Any

import click

from accord.desk.app import Desk
from accord.desk.cli.opened import opened_desk, person_here
from accord.desk.exchange.journal_check import compare_journal, short
from accord.desk.exchange.journal_restart import (
    Plan,
    begin_restart,
    plan_restart,
    send_restart,
    settle_restart,
)
from accord.desk.storage.journal_heads import keep_refusal
from accord.kernel.errors import AccordError, Malformed, Refused, Unavailable
from accord.kernel.tlog.journals import JOURNAL_ID_SIZE, Cause
from accord.terminal import Partly, Terminal, common_options


@click.group()
def journal() -> None:
    """What this desk did, in rows whose heads stand in the hub's witnessed log."""


@journal.command()
@click.option(
    "--because",
    "cause",
    required=True,
    type=click.Choice([cause.value for cause in Cause]),
    help="An older vault was put back; the vault is new; another desk has the same keys; or "
    "such a desk is gone (give --ended).",
)
@click.option("--reason", required=True, help="In words; kept in the journal, never sent.")
@click.option("--ended", metavar="NAME", help="The journal that ends with it, if several go on.")
@common_options
def restart(terminal: Terminal, /, *, cause: str, reason: str, ended: str | None) -> None:
    """Say that this journal goes on after a restore, or begins anew; accord doctor asks for it.

    It is a row of the journal and an event in the hub's log, for good: date, cause, how many rows
    are kept and which journal ended. Administrators and auditors of your organisation see it.
    """
    which = None if ended is None else _name(ended)
    with opened_desk(terminal) as desk:
        if not terminal.dry_run:
            settle_restart(desk.vault, desk.client)
        found = compare_journal(
            desk.vault, desk.client, desk.mirror, org=desk.org, clock=desk.clock
        )
        plan = plan_restart(found, Cause(cause), ended=which)
        if terminal.dry_run:
            data = _data(plan, None if plan.renamed else found.tree.name, None, written=False)
            terminal.result(data, f"Would say: {_words(plan)}. Nothing was written (--dry-run).")
            return
        if not terminal.confirm(f"{_words(plan)}. Say so, for good?"):
            raise Refused(
                "not_confirmed", "Nothing was written.", next_step="Answer yes, or give --yes."
            )
        made = begin_restart(
            desk.vault, plan, person=person_here(), reason=reason, now=desk.clock()
        )
        number = _sent(terminal, desk)
    data = _data(plan, made.journal, number, written=True)
    text = f"{_words(plan)}; {short(made.journal)} goes on."
    if number is None:
        terminal.result(data, f"{text}\nThe hub does not have it yet: accord pull sends it.")
        raise Partly
    terminal.result(
        data, f"{text}\nEvent {number} of the hub's log. accord doctor sees it once witnesses sign."
    )


def _sent(terminal: Terminal, desk: Desk) -> int | None:
    try:
        return send_restart(desk.vault, desk.client)
    except AccordError as error:
        if not isinstance(error, Unavailable):
            keep_refusal(desk.vault, error.code, now=desk.clock())
        terminal.say(str(error))
        return None


def _name(text: str) -> bytes:
    if len(text) != 2 * JOURNAL_ID_SIZE or not set(text) <= set("0123456789abcdef"):
        raise Malformed(
            "journal_name_invalid",
            f"A journal's name has {2 * JOURNAL_ID_SIZE} digits 0-9 and a-f.",
            observed=text[:40],
            next_step="accord doctor lists them.",
        )
    return bytes.fromhex(text)


def _words(plan: Plan) -> str:
    if plan.cause is Cause.LOST_DESK and plan.ended is not None:
        return f"journal {short(plan.ended)} of a desk that is gone ends"
    ended = "no journal ends" if plan.ended is None else f"journal {short(plan.ended)} ends"
    return f"{ended}, {plan.kept} rows that heads tell of are kept ({plan.cause.value})"


def _data(
    plan: Plan, journal: bytes | None, number: int | None, *, written: bool
) -> dict[str, Any]:
    return {
        "journal": None if journal is None else journal.hex(),
        "because": plan.cause.value,
        "kept": plan.kept,
        "ended": None if plan.ended is None else plan.ended.hex(),
        "event": number,
        "written": written,
    }
